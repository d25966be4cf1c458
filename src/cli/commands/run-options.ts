import type {ContainerConfig, CreateOptions, HostConfig, Platform} from '../../engine/api.ts';
import {withProxies} from '../config-file.ts';
import {CliError} from '../errors.ts';
import type {FlagValues} from '../parse/flag-values.ts';
import {keyValues} from '../parse/flag-values.ts';
import {parseMount} from '../parse/mount.ts';
import {type PortBindings, parsePublishAll} from '../parse/publish-port.ts';
import {environment, readKeyValueFile} from './env-file.ts';
import {networkOptions} from './network-options.ts';
import {resourceOptions} from './resource-options.ts';
import {parseVolumeSpec} from './volume-spec.ts';

/** What `run` and `create` ask of the engine. Reads only the files that the flags name. Throws docker's words. */
export function createOptions(
	flags: FlagValues,
	args: readonly string[],
	env: NodeJS.ProcessEnv = process.env,
): CreateOptions & {config: Partial<ContainerConfig>; hostConfig: Partial<HostConfig>} {
	const [image, ...command] = args as [string, ...string[]];
	const platform = parsePlatform(flags.string('platform') || (env.DOCKER_DEFAULT_PLATFORM ?? ''));
	const binds: string[] = [];
	const volumes: Record<string, object> = {};
	// The same one twice is one.
	for (const spec of new Set(flags.list('volume'))) {
		const parsed = parseVolumeSpec(spec);
		if ('bind' in parsed) binds.push(parsed.bind);
		else volumes[parsed.anonymous] = {};
	}
	const bindings = parsePublishAll(flags.list('publish'));
	const {mode, networks} = networkOptions(flags);
	return {
		...(flags.string('name') === '' ? {} : {name: flags.string('name')}),
		image,
		...(platform ? {platform} : {}),
		config: containerConfig(flags, image, command, volumes, bindings, env),
		hostConfig: {...hostConfig(flags, binds), NetworkMode: mode, PortBindings: bindings},
		...(networks ? {networks} : {}),
	};
}

function containerConfig(
	flags: FlagValues,
	image: string,
	command: readonly string[],
	volumes: Record<string, object>,
	bindings: PortBindings,
	env: NodeJS.ProcessEnv,
): Partial<ContainerConfig> {
	const attach = flags.list('attach');
	const interactive = flags.bool('interactive');
	const all = attach.length === 0;
	const config: Partial<ContainerConfig> = {
		Hostname: flags.string('hostname'),
		Domainname: flags.string('domainname'),
		User: flags.string('user'),
		AttachStdin: interactive || attach.includes('stdin'),
		AttachStdout: all || attach.includes('stdout'),
		AttachStderr: all || attach.includes('stderr'),
		Tty: flags.bool('tty'),
		OpenStdin: interactive,
		Env: withProxies(environment(flags.list('env-file'), flags.list('env'), env)),
		Cmd: command.length > 0 ? [...command] : null,
		Image: image,
		Volumes: Object.keys(volumes).length > 0 ? volumes : null,
		WorkingDir: flags.string('workdir'),
		Entrypoint: null,
		Labels: labels(flags.list('label-file'), flags.list('label')),
	};
	if (flags.string('entrypoint') !== '') config.Entrypoint = [flags.string('entrypoint')];
	// An empty one takes the image's away.
	else if (flags.changed('entrypoint')) config.Entrypoint = [''];
	config.StdinOnce = config.OpenStdin === true && config.AttachStdin === true;
	const exposed = [...Object.keys(bindings), ...flags.list('expose').flatMap(exposedPorts)];
	if (exposed.length > 0) config.ExposedPorts = Object.fromEntries(exposed.map((port) => [port, {}]));
	Object.assign(config, health(flags));
	if (flags.changed('stop-signal')) config.StopSignal = flags.string('stop-signal');
	if (flags.changed('stop-timeout')) config.StopTimeout = flags.number('stop-timeout');
	return config;
}

function hostConfig(flags: FlagValues, binds: string[]): Partial<HostConfig> {
	const list = (name: string): string[] | null => (flags.changed(name) ? flags.list(name) : null);
	const restart = parseRestartPolicy(flags.string('restart'));
	const autoRemove = flags.bool('rm');
	if (autoRemove && restart.Name !== 'no' && restart.Name !== '') {
		throw new Error('conflicting options: cannot specify both --restart and --rm');
	}
	mode(flags, 'pid', (value) => value === 'host' || /^container:./.test(value), 'PID');
	mode(flags, 'uts', (value) => value === 'host', 'UTS');
	mode(flags, 'userns', (value) => value === 'host', 'USER');
	mode(flags, 'cgroupns', (value) => value === 'host' || value === 'private', 'CGROUP');
	const config: Partial<HostConfig> = {
		Binds: binds.length > 0 ? binds : null,
		ContainerIDFile: flags.string('cidfile'),
		LogConfig: logConfig(flags.string('log-driver'), flags.list('log-opt')),
		RestartPolicy: restart,
		AutoRemove: autoRemove,
		VolumesFrom: list('volumes-from'),
		...capabilities(flags.list('cap-add'), flags.list('cap-drop')),
		CgroupnsMode: flags.string('cgroupns') as HostConfig['CgroupnsMode'],
		Dns: flags.list('dns'),
		DnsOptions: [...flags.list('dns-option'), ...flags.list('dns-opt')],
		DnsSearch: flags.list('dns-search'),
		ExtraHosts: list('add-host'),
		Links: list('link'),
		IpcMode: flags.string('ipc'),
		PidMode: flags.string('pid'),
		PublishAllPorts: flags.bool('publish-all'),
		ReadonlyRootfs: flags.bool('read-only'),
		UTSMode: flags.string('uts'),
		UsernsMode: flags.string('userns'),
		...resourceOptions(flags),
		Init: flags.changed('init') ? flags.bool('init') : null,
	};
	if (flags.changed('volume-driver')) config.VolumeDriver = flags.string('volume-driver');
	if (flags.changed('mount')) config.Mounts = flags.list('mount').map(parseMount);
	if (flags.changed('tmpfs')) config.Tmpfs = Object.fromEntries(flags.list('tmpfs').map(cutAtColon));
	return config;
}

const healthNumbers = [
	...(['health-interval', 'health-timeout', 'health-start-period'] as const),
	...(['health-retries', 'health-start-interval'] as const),
];

/** A zero is as good as nothing, as in docker. */
function health(flags: FlagValues): Pick<ContainerConfig, 'Healthcheck' | 'HealthcheckOnFailureAction'> {
	const action = flags.string('health-on-failure');
	const onFailure = action === '' ? {} : {HealthcheckOnFailureAction: action};
	const value = (name: (typeof healthNumbers)[number]): number =>
		name === 'health-retries' ? flags.number(name) : Number(flags.duration(name));
	const command = flags.string('health-cmd');
	const given = command !== '' || healthNumbers.some((name) => value(name) !== 0);
	if (flags.bool('no-healthcheck')) {
		if (given) throw new Error('--no-healthcheck conflicts with --health-* options');
		return {Healthcheck: {Test: ['NONE']}, ...onFailure};
	}
	if (!given) return onFailure;
	for (const name of healthNumbers) {
		if (value(name) < 0) throw new Error(`--${name} cannot be negative`);
	}
	const config: ContainerConfig['Healthcheck'] = {
		...(command === '' ? {} : {Test: ['CMD-SHELL', command]}),
		...(value('health-interval') ? {Interval: value('health-interval')} : {}),
		...(value('health-timeout') ? {Timeout: value('health-timeout')} : {}),
		...(value('health-start-period') ? {StartPeriod: value('health-start-period')} : {}),
		...(value('health-start-interval') ? {StartInterval: value('health-start-interval')} : {}),
		...(value('health-retries') ? {Retries: value('health-retries')} : {}),
	};
	return {Healthcheck: config, ...onFailure};
}

function mode(flags: FlagValues, name: string, valid: (value: string) => boolean, label: string): void {
	const value = flags.string(name);
	if (value !== '' && !valid(value)) throw new Error(`--${name}: invalid ${label} mode`);
}

function labels(files: readonly string[], entries: readonly string[]): Record<string, string> {
	// A name alone in a file has no value to take from anywhere, and docker leaves it out.
	return keyValues([...files.flatMap((file) => readKeyValueFile(file, () => undefined)), ...entries]);
}

function cutAtColon(text: string): [string, string] {
	const colon = text.indexOf(':');
	return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
}

/** `name[:retries]`. Which names there are is the engine's to say. */
export function parseRestartPolicy(text: string): HostConfig['RestartPolicy'] {
	if (text === '') return {Name: 'no', MaximumRetryCount: 0};
	const [name, count] = text.includes(':') ? cutAtColon(text) : [text, undefined];
	if (name === '') throw new Error('invalid restart policy format: no policy provided before colon');
	if (count !== undefined && !(/^[+-]?\d+$/.test(count) && Math.abs(Number(count)) < 2 ** 63)) {
		throw new Error('invalid restart policy format: maximum retry count must be an integer');
	}
	return {Name: name as HostConfig['RestartPolicy']['Name'], MaximumRetryCount: Number(count ?? 0)};
}

function logConfig(driver: string, options: readonly string[]): HostConfig['LogConfig'] {
	if (driver === 'none' && options.length > 0) throw new Error(`invalid logging opts for driver ${driver}`);
	return {Type: driver, Config: keyValues(options)};
}

/** As docker's client sends them: with their prefix, once, sorted, and none dropped that is added. */
function capabilities(
	add: readonly string[],
	drop: readonly string[],
): Pick<HostConfig, 'CapAdd' | 'CapDrop'> {
	const named = (texts: readonly string[]): string[] => {
		const names = texts.map((text) => {
			const name = text.trim().toUpperCase();
			return name === 'ALL' || name.startsWith('CAP_') ? name : `CAP_${name}`;
		});
		return names.includes('ALL') ? ['ALL'] : [...new Set(names)].sort();
	};
	const added = named(add);
	const dropped = named(drop).filter((name) => !added.includes(name));
	return {CapAdd: added.length > 0 ? added : null, CapDrop: dropped.length > 0 ? dropped : null};
}

/** `--expose 80`, `80-90/udp`. */
function exposedPorts(text: string): string[] {
	if (text.includes(':')) throw new Error(`invalid port format for --expose: ${text}`);
	const [range, protocol = 'tcp'] = text.split('/') as [string, string?];
	const fail = (message: string): never => {
		throw new Error(`invalid range format for --expose: ${text}, error: ${message}`);
	};
	const number = (digits: string): number => {
		if (Number(digits) > 65_535) fail(`strconv.ParseUint: parsing "${digits}": value out of range`);
		return Number(digits);
	};
	if (range === '') fail('empty string specified for ports');
	const match = /^(\d+)(?:-(\d+))?$/.exec(range);
	if (!match) return fail(`strconv.ParseUint: parsing ${JSON.stringify(range)}: invalid syntax`);
	const [low, high] = [number(match[1]!), number(match[2] ?? match[1]!)];
	if (low > high) fail('invalid port range');
	return Array.from({length: high - low + 1}, (_, i) => `${low + i}/${protocol.toLowerCase()}`);
}

const architectures = ['386', 'amd64', 'arm', 'arm64', 'loong64', 'mips64le', 'ppc64le', 'riscv64', 's390x'];
const architectureAliases: Record<string, [string, string?]> = {
	x86_64: ['amd64'],
	'x86-64': ['amd64'],
	i386: ['386'],
	aarch64: ['arm64'],
	armhf: ['arm', 'v7'],
	armel: ['arm', 'v6'],
};

/** Throws docker's words as an error of the command line. */
export function platformOf(text: string): Platform | undefined {
	try {
		return parsePlatform(text);
	} catch (error) {
		throw new CliError((error as Error).message);
	}
}

/** Of commands that also take `all`: the images for all platforms. Throws docker's words. */
export const parsePlatforms = (text: string): Platform | 'all' | undefined =>
	text === 'all' ? 'all' : parsePlatform(text);

/** `os[/architecture[/variant]]`, or an architecture alone. */
export function parsePlatform(text: string): Platform | undefined {
	if (text === '') return undefined;
	const parts = text.toLowerCase().split('/');
	const fail = (message: string): never => {
		throw new Error(
			`error parsing specified platform: ${JSON.stringify(text)}: ${message}: invalid argument`,
		);
	};
	if (parts.length > 3 || parts.some((part) => !/^[a-z0-9_.-]+$/.test(part))) {
		fail('platform specifier component must match "^[A-Za-z0-9_.-]+$"');
	}
	if (parts.length === 1) {
		const [architecture, variant] = architectureAliases[parts[0]!] ?? [parts[0]!];
		if (architectures.includes(architecture))
			return {os: 'linux', architecture, ...(variant ? {variant} : {})};
		if (parts[0] !== 'linux' && parts[0] !== 'windows') fail('unknown operating system or architecture');
		const host: Record<string, string> = {x64: 'amd64', ia32: '386'};
		return {os: parts[0]!, architecture: host[process.arch] ?? process.arch};
	}
	const [architecture, variant] = architectureAliases[parts[1]!] ?? [parts[1]!];
	const given = parts[2] ?? variant;
	return {os: parts[0]!, architecture, ...(given ? {variant: given} : {})};
}
