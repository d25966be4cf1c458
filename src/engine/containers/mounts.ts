/**
 * Mounts as the user gave them (`-v`, `--mount`, `--tmpfs`, the image's VOLUME) to a list of wanted mount
 * points: docker's rules and texts. Pure; what it needs of the disk is done in create-mounts.ts.
 */
import {posix} from 'node:path';
import type {ContainerConfig, HostConfig, MountSpec} from '../api.ts';
import {WherryError} from '../errors.ts';

export interface WantedMount {
	type: 'bind' | 'volume' | 'tmpfs';
	/** An absolute host path, or a volume's name; empty for an anonymous volume and a tmpfs. */
	source: string;
	/** Clean and absolute. */
	target: string;
	readOnly: boolean;
	/** What `inspect` shows as the mode: the options of `-v`, or a tmpfs's options. */
	mode: string;
	propagation: string;
	/** `-v` makes a source that isn't there; `--mount` refuses. */
	makeSource: boolean;
	noCopy: boolean;
	recursive: boolean;
	subpath?: string;
	labels?: Record<string, string>;
	driver?: string;
	driverOptions?: Record<string, string>;
}

const volumeName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
const propagations = new Set(['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave']);
const consistencies = new Set(['consistent', 'cached', 'delegated', 'default']);

export const defaultPropagation = 'rprivate';

function invalid(message: string, object?: string): WherryError {
	return new WherryError('invalid', message, {object});
}

/**
 * What runc lets somebody put over a file of /proc: views of the host that show the container's own. Anything
 * else there would fool those who trust /proc to be the kernel's.
 */
const replaceable = new Set([
	...['cpuinfo', 'diskstats', 'loadavg', 'meminfo', 'slabinfo', 'stat', 'swaps', 'uptime'],
	...['net/dev', 'sys/kernel/ns_last_pid', 'sys/crypto/fips_enabled'],
]);

function checkProc({source, target}: WantedMount): void {
	if (!/^\/proc(\/|$)/.test(target) || (target === '/proc' && source === '/proc')) return;
	if (target === '/proc') throw invalid('"/proc" cannot be mounted because it is not of type proc', target);
	if (replaceable.has(target.slice('/proc/'.length))) return;
	throw invalid(`"${target}" cannot be mounted because it is inside /proc`, target);
}

/** Clean, absolute, and not the root itself. */
function cleanTarget(target: string, describe: (reason: string) => string): string {
	if (target === '') throw invalid(describe('field Target must not be empty'));
	if (!target.startsWith('/')) {
		throw invalid(describe(`invalid mount path: '${target}' mount path must be absolute`));
	}
	if (target.includes('\0')) throw invalid(describe('the path contains a NUL byte'));
	const clean = posix.normalize(target).replace(/(.)\/+$/, '$1');
	if (clean === '/') throw invalid(describe("invalid specification: destination can't be '/'"));
	return clean;
}

export function checkVolumeName(name: string): string {
	if (name.length === 1) {
		throw invalid(
			`create ${name}: volume name is too short, names should be at least two alphanumeric characters`,
			name,
		);
	}
	if (!volumeName.test(name) || name.length > 255) {
		throw invalid(
			`create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
			name,
		);
	}
	return name;
}

interface Options {
	readOnly: boolean;
	propagation: string;
	noCopy: boolean;
}

/** The third field of `-v`: each kind of option at most once. */
function parseOptions(text: string, isBind: boolean): Options {
	const options: Options = {readOnly: false, propagation: '', noCopy: false};
	const seen = new Set<string>();
	const once = (kind: string) => {
		if (seen.has(kind)) throw invalid(`invalid mode: ${text}`);
		seen.add(kind);
	};
	for (const word of text === '' ? [] : text.split(',')) {
		if (word === 'ro' || word === 'rw') {
			once('access');
			options.readOnly = word === 'ro';
		} else if (word === 'z' || word === 'Z') once('label');
		else if (word === 'nocopy' && !isBind) {
			once('copy');
			options.noCopy = true;
		} else if (propagations.has(word) && isBind) {
			once('propagation');
			options.propagation = word;
		} else if (consistencies.has(word)) once('consistency');
		else throw invalid(`invalid mode: ${text}`);
	}
	return options;
}

/** A path of `Config.Volumes`: never parsed as `source:target`, since an image may have written it. */
function anonymousVolume(target: string): WantedMount {
	return {
		type: 'volume',
		source: '',
		target: cleanTarget(target, (reason) => `invalid mount config for type "volume": ${reason}`),
		readOnly: false,
		mode: '',
		propagation: '',
		makeSource: false,
		noCopy: false,
		recursive: true,
	};
}

/** `source:target[:options]`, `target`, or `name:target[:options]`. */
export function parseBind(bind: string): WantedMount {
	const parts = bind.split(':');
	if (parts.length > 3 || parts[0] === '') throw invalid(`invalid volume specification: '${bind}'`);
	const base = {recursive: true, makeSource: true, source: '', mode: ''};
	if (parts.length === 1) return anonymousVolume(bind);
	const [source, target, mode = ''] = parts as [string, string, string?];
	const isBind = source.startsWith('/');
	const options = parseOptions(mode, isBind);
	const type = isBind ? 'bind' : 'volume';
	const describe = (reason: string) =>
		`invalid volume specification: '${bind}': invalid mount config for type "${type}": ${reason}`;
	return {
		...base,
		...options,
		type,
		source: isBind ? posix.normalize(source).replace(/(.)\/+$/, '$1') : checkVolumeName(source),
		target: cleanTarget(target, describe),
		mode,
		propagation: isBind ? options.propagation || defaultPropagation : '',
	};
}

/** tmpfs(5) options that docker lets through; others change what the mount is. */
const tmpfsOption =
	/^(?:(?:size|nr_blocks|nr_inodes|mode|uid|gid|mpol|huge)=[\w%:,.-]+|(?:no)?(?:exec|suid|dev|atime|diratime|relatime|strictatime)|(?:exec|suid|dev|ro|rw|defaults|sync|async|dirsync|relatime|strictatime|mand|nomand|private|rprivate|shared|rshared|slave|rslave|unbindable|runbindable))$/;

function checkTmpfs(options: string): string {
	for (const option of options === '' ? [] : options.split(',')) {
		if (!tmpfsOption.test(option)) throw invalid(`invalid tmpfs option ["${option}"]`);
	}
	return options;
}

function subpathOf(subpath: string | undefined): string | undefined {
	if (!subpath) return undefined;
	const clean = posix.normalize(subpath);
	if (clean.startsWith('/') || clean === '..' || clean.startsWith('../') || clean.includes('\0')) {
		throw invalid(
			`invalid mount config for type "volume": subpath must be a relative path within the volume`,
		);
	}
	return clean === '.' ? undefined : clean.replace(/\/+$/, '');
}

/** One `--mount`. */
export function parseMount(mount: MountSpec): WantedMount {
	const describe = (reason: string) => `invalid mount config for type "${mount.Type}": ${reason}`;
	const target = cleanTarget(mount.Target, describe);
	const only = (key: 'BindOptions' | 'VolumeOptions' | 'TmpfsOptions', type: string) => {
		if (mount[key] && mount.Type !== type) throw invalid(describe(`field ${key} must not be specified`));
	};
	only('BindOptions', 'bind');
	only('VolumeOptions', 'volume');
	only('TmpfsOptions', 'tmpfs');
	const base = {
		target,
		readOnly: mount.ReadOnly ?? false,
		mode: '',
		propagation: '',
		makeSource: false,
		noCopy: false,
		recursive: true,
		source: mount.Source ?? '',
	};
	switch (mount.Type) {
		case 'bind': {
			if (!mount.Source) throw invalid(describe('field Source must not be empty'));
			if (!mount.Source.startsWith('/')) {
				throw invalid(describe(`invalid mount path: '${mount.Source}' mount path must be absolute`));
			}
			const propagation = mount.BindOptions?.Propagation || defaultPropagation;
			if (!propagations.has(propagation)) {
				throw invalid(describe(`invalid propagation mode: ${propagation}`));
			}
			const recursive = !mount.BindOptions?.NonRecursive;
			return {
				...base,
				type: 'bind',
				source: posix.normalize(mount.Source).replace(/(.)\/+$/, '$1'),
				propagation,
				recursive,
				mode: recursive ? '' : 'norecursive',
				makeSource: mount.BindOptions?.CreateMountpoint ?? false,
			};
		}
		case 'volume': {
			const options = mount.VolumeOptions ?? {};
			if (mount.Source) checkVolumeName(mount.Source);
			const subpath = subpathOf(options.Subpath);
			if (subpath && !mount.Source)
				throw invalid(describe('must not set Subpath when using anonymous volumes'));
			return {
				...base,
				type: 'volume',
				// docker's mode of a `--mount` volume.
				mode: 'z',
				noCopy: options.NoCopy ?? false,
				...(subpath ? {subpath} : {}),
				...(options.Labels ? {labels: options.Labels} : {}),
				...(options.DriverConfig?.Name ? {driver: options.DriverConfig.Name} : {}),
				...(options.DriverConfig?.Options ? {driverOptions: options.DriverConfig.Options} : {}),
			};
		}
		case 'tmpfs': {
			if (mount.Source) throw invalid(describe('field Source must not be specified'));
			const {SizeBytes, Mode, Options} = mount.TmpfsOptions ?? {};
			const words = [
				...(base.readOnly ? ['ro'] : []),
				...(SizeBytes ? [`size=${SizeBytes}`] : []),
				...(Mode ? [`mode=${Mode.toString(8)}`] : []),
				...(Options ?? []).map((pair) => pair.join('=')),
			];
			return {...base, type: 'tmpfs', mode: checkTmpfs(words.join(','))};
		}
		default:
			throw invalid(`mount type unknown: "${(mount as {Type: string}).Type}"`);
	}
}

/** `--tmpfs target[:options]`. */
function parseTmpfs(target: string, options: string): WantedMount {
	const words = checkTmpfs(options);
	return {
		type: 'tmpfs',
		source: '',
		target: cleanTarget(target, (reason) => reason),
		readOnly: words.split(',').includes('ro'),
		mode: words,
		propagation: '',
		makeSource: false,
		noCopy: false,
		recursive: true,
	};
}

/** `container[:ro|rw]` of --volumes-from. */
export function parseVolumesFrom(text: string): {container: string; mode: string} {
	const split = text.indexOf(':');
	const container = split < 0 ? text : text.slice(0, split);
	const mode = split < 0 ? 'rw' : text.slice(split + 1);
	if (container === '') throw invalid(`malformed volumes-from specification: ${text}`);
	parseOptions(mode, false);
	return {container, mode};
}

/**
 * All mounts that the user named, then the volumes of `Config.Volumes` (`-v /path` and the image's VOLUME)
 * whose target nothing else takes. `taken` are the targets that --volumes-from brings; a mount by the user
 * comes before them. Throws `Duplicate mount point: /x`.
 */
export function wantedMounts(
	config: ContainerConfig,
	host: HostConfig,
	taken: ReadonlySet<string>,
): WantedMount[] {
	const wanted = [
		...(host.Binds ?? []).map(parseBind),
		...(host.Mounts ?? []).map(parseMount),
		...Object.entries(host.Tmpfs ?? {}).map(([target, options]) => parseTmpfs(target, options)),
	];
	const targets = new Set<string>();
	for (const mount of wanted) {
		if (targets.has(mount.target)) {
			throw invalid(`Duplicate mount point: ${mount.target}`, mount.target);
		}
		targets.add(mount.target);
	}
	for (const path of Object.keys(config.Volumes ?? {})) {
		const mount = anonymousVolume(path);
		if (targets.has(mount.target) || taken.has(mount.target)) continue;
		targets.add(mount.target);
		wanted.push(mount);
	}
	wanted.forEach(checkProc);
	return wanted;
}
