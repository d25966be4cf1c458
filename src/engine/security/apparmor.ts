/**
 * AppArmor (apparmor.d(5)): the profile of containers, its loading, and which profile a container gets. A profile
 * is loaded once and stays until the host goes down.
 */
import {execFile} from 'node:child_process';
import {existsSync} from 'node:fs';
import type {HostConfig} from '../api.ts';
import {WherryError} from '../errors.ts';
import {readIfThere} from '../files.ts';
import {apparmorEnabled} from './apparmor-enabled.ts';
import {parseSecurityOptions} from './options.ts';

export const defaultProfile = 'wherry-default';

/**
 * Everything that a container does to itself is allowed; what is the kernel's and not the container's own is
 * not: a second fence beside capabilities, masked paths and the filter of system calls.
 */
export const profileText = `profile ${defaultProfile} flags=(attach_disconnected,mediate_deleted) {
  network,
  capability,
  file,
  umount,

  # From the host, which stops containers, and among containers.
  signal (receive) peer=unconfined,
  signal (send, receive) peer=${defaultProfile},
  ptrace (read, readby, trace, tracedby) peer=${defaultProfile},

  deny mount,

  # /proc: a process's own folder begins with a digit.
  deny /proc/[a-z]* w,
  deny /proc/{kcore,kmem,mem,keys,sysrq-trigger,timer_list,latency_stats} rwklx,
  deny /proc/{acpi,asound,bus,driver,fs,irq,scsi,tty}/** wklx,
  deny /proc/{acpi,scsi}/** r,
  deny /proc/sys/[^k]** wklx,
  deny /proc/sys/kernel/[^s]** wklx,
  deny /proc/sys/kernel/s[^he]** wklx,

  deny /sys/[^f]*/** wklx,
  deny /sys/f[^s]*/** wklx,
  deny /sys/fs/[^c]*/** wklx,
  deny /sys/fs/c[^g]*/** wklx,
  deny /sys/firmware/** rwklx,
  deny /sys/devices/virtual/powercap/** rwklx,
  deny /sys/kernel/security/** rwklx,
}
`;

export interface ApparmorHost {
	readonly enabled: boolean;
	/** The program that loads profiles. */
	readonly parser: string | undefined;
	/** Whether ours is there now. */
	readonly loaded: boolean;
}

const parsers = ['/sbin/apparmor_parser', '/usr/sbin/apparmor_parser'];
const profilesPath = '/sys/kernel/security/apparmor/profiles';

export function apparmorHost(): ApparmorHost {
	if (!apparmorEnabled()) return {enabled: false, parser: undefined, loaded: false};
	const profiles = readIfThere(profilesPath) ?? '';
	return {
		enabled: true,
		parser: parsers.find((path) => existsSync(path)),
		loaded: new RegExp(`^${defaultProfile} \\(`, 'm').test(profiles),
	};
}

/** What is not as it should be, for `info`; undefined when all is well. */
export function apparmorProblem({enabled, loaded, parser}: ApparmorHost): string | undefined {
	return enabled && !loaded && parser === undefined
		? 'AppArmor is on, but containers run without a profile: there is no apparmor_parser to load it'
		: undefined;
}

type SecuritySettings = Pick<HostConfig, 'Privileged' | 'SecurityOpt'>;

/** The profile that a container is to have where AppArmor is on. */
export function wantedProfile({Privileged, SecurityOpt}: SecuritySettings): string {
	const {apparmor} = parseSecurityOptions(SecurityOpt ?? []);
	return apparmor || (Privileged ? 'unconfined' : defaultProfile);
}

let loading: Promise<void> | undefined;

function load(parser: string): Promise<void> {
	return new Promise((resolve, reject) => {
		const child = execFile(
			parser,
			['--replace', '--skip-cache'],
			{env: {PATH: '/usr/sbin:/usr/bin:/sbin:/bin'}, cwd: '/'},
			(error, _stdout, stderr) => {
				if (!error) return resolve();
				const reason = stderr.trim() || error.message;
				reject(
					new WherryError('internal', `the AppArmor profile ${defaultProfile} can't be loaded: ${reason}`),
				);
			},
		);
		child.stdin?.on('error', () => {});
		child.stdin?.end(profileText);
	});
}

/**
 * The profile for a start: '' where AppArmor is off, or where ours can't be loaded for want of a parser. Loads
 * ours when it isn't there. Throws when the parser refuses it: then something is wrong with the host.
 */
export async function profileForStart(host: SecuritySettings): Promise<string> {
	if (!apparmorEnabled()) return '';
	const profile = wantedProfile(host);
	if (profile !== defaultProfile) return profile;
	const {loaded, parser} = apparmorHost();
	if (loaded) return profile;
	if (parser === undefined) return '';
	loading ??= load(parser);
	try {
		await loading;
	} finally {
		loading = undefined;
	}
	return profile;
}
