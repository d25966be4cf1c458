/** What the values of flags are, for completion. */
import type {Kind} from './arguments.ts';

/** Words, or what is looked up. A word that ends in `=` or `:` is gone on with. */
export type Values = readonly string[] | Kind | 'folder' | 'variable' | 'network-mode';

const booleans = ['true', 'false'];
const signals =
	'ABRT ALRM BUS CHLD CONT FPE HUP ILL INT IO KILL PIPE PROF PWR QUIT SEGV STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ'
		.split(' ')
		.map((name) => `SIG${name}`);
const limits =
	'core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'
		.split(' ')
		.map((name) => `${name}=`);
const capabilities =
	'ALL AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN NET_BIND_SERVICE NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_ADMIN SYS_BOOT SYS_CHROOT SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG WAKE_ALARM'.split(
		' ',
	);
const platforms = ['linux/amd64', 'linux/arm64', 'linux/arm/v7', 'linux/386', 'linux/riscv64', 'linux/s390x'];
const formats = ['json', 'table'];

/** By the flag's name, or by `command --name` where commands differ. */
const values: Record<string, Values> = {
	attach: ['stdin', 'stdout', 'stderr'],
	'cap-add': capabilities,
	'cap-drop': capabilities,
	cgroupns: ['private', 'host'],
	cidfile: 'file',
	config: 'folder',
	'container create --name': 'none',
	'container run --name': 'none',
	device: 'file',
	driver: ['local'],
	'network create --driver': ['bridge', 'macvlan', 'ipvlan'],
	env: 'variable',
	'env-file': 'file',
	file: 'file',
	format: formats,
	iidfile: 'file',
	input: 'file',
	ipc: ['private', 'shareable', 'none', 'host', 'container:'],
	'label-file': 'file',
	link: 'running',
	'log-driver': ['json-file', 'local', 'none'],
	'log-level': ['debug', 'info', 'warn', 'error', 'fatal'],
	'log-opt': ['max-size=', 'max-file=', 'compress=', 'labels=', 'env=', 'tag='],
	mount: ['type=bind,', 'type=volume,', 'type=tmpfs,'],
	net: 'network-mode',
	network: 'network-mode',
	output: 'file',
	pid: ['host', 'container:'],
	platform: platforms,
	progress: ['auto', 'plain', 'tty', 'rawjson'],
	pull: ['always', 'missing', 'never'],
	restart: ['no', 'always', 'unless-stopped', 'on-failure', 'on-failure:'],
	'security-opt': [
		'no-new-privileges',
		'seccomp=',
		'apparmor=',
		'label=',
		'systempaths=unconfined',
		'writable-cgroups=',
	],
	signal: signals,
	'stop-signal': signals,
	tail: ['all'],
	type: ['container', 'image', 'network', 'volume'],
	ulimit: limits,
	userns: ['host'],
	uts: ['host'],
	volume: 'volume',
	'volumes-from': 'container',
};

/** The keys of `--filter` by command, and the values of some; `label` and the like have none that could be listed. */
const filters: Record<string, Record<string, Values>> = {
	'container ls': {
		ancestor: 'image',
		before: 'container',
		exited: 'none',
		expose: 'none',
		health: ['starting', 'healthy', 'unhealthy', 'none'],
		id: 'none',
		'is-task': booleans,
		label: 'none',
		name: 'container',
		network: 'network',
		publish: 'none',
		since: 'container',
		status: ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'],
		volume: 'volume',
	},
	'image ls': {
		before: 'image',
		dangling: booleans,
		label: 'none',
		reference: 'repository',
		since: 'image',
		until: 'none',
	},
	'network ls': {
		dangling: booleans,
		driver: ['bridge', 'host', 'macvlan', 'ipvlan', 'null'],
		id: 'none',
		label: 'none',
		name: 'network',
		scope: ['local'],
		type: ['builtin', 'custom'],
	},
	'volume ls': {dangling: booleans, driver: ['local'], label: 'none', name: 'volume'},
	'system events': {
		container: 'container',
		event:
			'attach commit connect copy create destroy detach die disconnect exec_create exec_detach exec_die exec_start export health_status import kill mount oom pause prune pull push remove rename resize restart start stop tag top unmount unpause untag update'.split(
				' ',
			),
		image: 'image',
		label: 'none',
		network: 'network',
		scope: ['local'],
		type: ['container', 'image', 'network', 'volume'],
		volume: 'volume',
	},
	'container prune': {label: 'none', 'label!': 'none', until: 'none'},
	'image prune': {dangling: booleans, label: 'none', 'label!': 'none', until: 'none'},
	'network prune': {label: 'none', 'label!': 'none', until: 'none'},
	'volume prune': {all: booleans, label: 'none', 'label!': 'none'},
	'system prune': {label: 'none', 'label!': 'none', until: 'none'},
};

/** undefined when nothing is known: then the shell may offer files. */
export function valuesOf(command: string, flag: string): Values | undefined {
	const specific = `${command} --${flag}`;
	if (Object.hasOwn(values, specific)) return values[specific];
	return Object.hasOwn(values, flag) ? values[flag] : undefined;
}

export const filtersOf = (command: string): Record<string, Values> =>
	Object.hasOwn(filters, command) ? filters[command]! : {};
