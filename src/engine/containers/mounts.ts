/**
 * Mounts as the user gave them (`-v`, `--mount`, `--tmpfs`, the image's VOLUME) to a list of wanted mount
 * points: docker's rules and texts. Pure; what it needs of the disk is done in create-mounts.ts.
 */
import {posix} from 'node:path';
import type {MountSpec} from '../api.ts';
import {WherryError} from '../errors.ts';
import {checkVolumeName} from '../volumes/names.ts';
import type {ConfigSettings, HostSettings} from './record.ts';

export interface WantedMount {
	type: 'bind' | 'volume' | 'tmpfs' | 'image';
	/** An absolute host path, a volume's name or an image; empty for an anonymous volume and a tmpfs. */
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
	/** Whether what is mounted below the source comes along. */
	recursive: boolean;
	/** Of a read-only mount: what becomes of those below it; absent: read-only where the kernel can. */
	below?: 'writable' | 'readonly';
	subpath?: string;
	labels?: Record<string, string>;
	driver?: string;
	driverOptions?: Record<string, string>;
}

const propagations = new Set(['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave']);
const consistencies = new Set(['consistent', 'cached', 'delegated']);

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

/** Clean, absolute, and not the root itself. Throws the reason. */
function cleanTarget(target: string): string {
	const clean = posix.normalize(target).replace(/(.)\/+$/, '$1');
	if (clean === '/' || /^\/?(\.\.\/?)+$/.test(clean)) {
		throw new Error("invalid specification: destination can't be '/'");
	}
	if (!target.startsWith('/')) throw new Error(`invalid mount path: '${target}' mount path must be absolute`);
	if (target.includes('\0')) throw new Error('the path contains a NUL byte');
	return clean;
}

interface Options {
	readOnly: boolean;
	propagation: string;
	noCopy: boolean;
}

/** The third field of `-v`: each kind of option at most once. Undefined: it is none. */
function parseOptions(text: string): Options | undefined {
	const options: Options = {readOnly: false, propagation: '', noCopy: false};
	const seen = new Set<string>();
	for (const word of text === '' ? [] : text.split(',')) {
		let kind: string;
		if (word === 'ro' || word === 'rw') {
			kind = 'access';
			options.readOnly = word === 'ro';
		} else if (word === 'z' || word === 'Z') kind = 'label';
		else if (word === 'nocopy') {
			kind = 'copy';
			options.noCopy = true;
		} else if (propagations.has(word)) {
			kind = 'propagation';
			options.propagation = word;
		} else if (consistencies.has(word)) kind = 'consistency';
		else return undefined;
		if (seen.has(kind)) return undefined;
		seen.add(kind);
	}
	return options;
}

/** A path of `Config.Volumes`: never parsed as `source:target`, since an image may have written it. */
function anonymousVolume(path: string): WantedMount {
	let target: string;
	try {
		// docker's clients and builders let relative ones through.
		target = cleanTarget(path.startsWith('/') ? path : `/${path}`);
	} catch (error) {
		throw invalid(`invalid mount config for type "volume": ${(error as Error).message}`, path);
	}
	return {
		type: 'volume',
		source: '',
		target,
		readOnly: false,
		mode: '',
		propagation: '',
		makeSource: false,
		noCopy: false,
		recursive: true,
	};
}

const isMode = (text: string): boolean => parseOptions(text) !== undefined;

/** `source:target[:options]`, `target`, or `name:target[:options]`. */
export function parseBind(bind: string, driver = ''): WantedMount {
	const parts = bind.split(':');
	const wrong = `invalid volume specification: '${bind}'`;
	// A path with options alone is neither a volume nor a bind.
	if (parts.length > 3 || parts[0] === '' || (parts.length === 2 && isMode(parts[1]!))) throw invalid(wrong);
	if (parts.length === 1) return anonymousVolume(bind);
	const [source, target, mode = ''] = parts as [string, string, string?];
	const options = parseOptions(mode);
	if (!options) throw invalid(`invalid mode: ${mode}`);
	const isBind = source.startsWith('/');
	const spec: MountSpec = {
		Type: isBind ? 'bind' : 'volume',
		Source: source,
		Target: target,
		ReadOnly: options.readOnly,
		...(options.propagation ? {BindOptions: {Propagation: options.propagation}} : {}),
		...(options.noCopy || (driver && !isBind)
			? {VolumeOptions: {NoCopy: options.noCopy, ...(driver ? {DriverConfig: {Name: driver}} : {})}}
			: {}),
	};
	try {
		return {...parseMount(spec), mode, makeSource: true};
	} catch (error) {
		const message = (error as Error).message;
		throw message.startsWith('create ') ? error : invalid(`${wrong}: ${message}`);
	}
}

/** Options of tmpfs(5), and words of mount(8), that docker lets through; others change what the mount is. */
const tmpfsKeys = new Set(['size', 'mode', 'uid', 'gid', 'nr_inodes', 'nr_blocks', 'mpol']);
const tmpfsWord =
	/^(?:(?:no)?(?:exec|suid|dev|atime|diratime|relatime|strictatime|mand)|ro|rw|defaults|sync|async|dirsync|r?(?:private|shared|slave|unbindable)|)$/;

function checkTmpfs(options: string): string {
	for (const option of options.split(',')) {
		const equals = option.indexOf('=');
		if (equals < 0 ? tmpfsWord.test(option) : tmpfsKeys.has(option.slice(0, equals))) continue;
		const parts = equals < 0 ? [option] : [option.slice(0, equals), option.slice(equals + 1)];
		throw invalid(`invalid tmpfs option [${parts.map((part) => JSON.stringify(part)).join(' ')}]`);
	}
	return options;
}

/** docker's: within the volume as far as words go; links are another matter. */
function subpathOf(subpath: string | undefined): string | undefined {
	if (!subpath) return undefined;
	const clean = posix.normalize(subpath);
	if (clean.startsWith('/') || clean === '..' || clean.startsWith('../') || clean.includes('\0')) {
		throw new Error('subpath must be a relative path within the volume');
	}
	return clean === '.' ? undefined : clean.replace(/\/+$/, '');
}

const optionKeys = {
	bind: 'BindOptions',
	volume: 'VolumeOptions',
	image: 'ImageOptions',
	tmpfs: 'TmpfsOptions',
} as const;

/** docker's way to write a size: the largest unit that leaves a whole number. */
function tmpfsSize(bytes: number): string {
	for (const [unit, size] of [
		['g', 2 ** 30],
		['m', 2 ** 20],
		['k', 2 ** 10],
	] as const) {
		if (bytes % size === 0) return `${bytes / size}${unit}`;
	}
	return String(bytes);
}

function checkMount(mount: MountSpec): WantedMount {
	if (mount.Target === '') throw new Error('field Target must not be empty');
	const target = cleanTarget(mount.Target);
	if (!Object.hasOwn(optionKeys, mount.Type)) throw new Error('mount type unknown');
	const {Source: source = ''} = mount;
	if ((mount.Type === 'bind' || mount.Type === 'image') && source === '') {
		throw new Error('field Source must not be empty');
	}
	const propagation = mount.BindOptions?.Propagation || defaultPropagation;
	if (mount.Type === 'bind' && !propagations.has(propagation)) {
		throw new Error(`invalid propagation mode: ${propagation}`);
	}
	for (const [type, key] of Object.entries(optionKeys)) {
		if (mount[key] && mount.Type !== type) throw new Error(`field ${key} must not be specified`);
	}
	const base = {
		target,
		readOnly: mount.ReadOnly ?? false,
		mode: '',
		propagation: '',
		makeSource: false,
		noCopy: false,
		recursive: true,
		source,
	};
	switch (mount.Type) {
		case 'bind': {
			if (!source.startsWith('/')) {
				throw new Error(`invalid mount path: '${source}' mount path must be absolute`);
			}
			const {NonRecursive, CreateMountpoint, ReadOnlyNonRecursive, ReadOnlyForceRecursive} =
				mount.BindOptions ?? {};
			return {
				...base,
				type: 'bind',
				source: posix.normalize(source).replace(/(.)\/+$/, '$1'),
				propagation,
				recursive: !NonRecursive,
				...(ReadOnlyNonRecursive ? {below: 'writable'} : ReadOnlyForceRecursive ? {below: 'readonly'} : {}),
				makeSource: CreateMountpoint ?? false,
			};
		}
		case 'volume': {
			const options = mount.VolumeOptions ?? {};
			if (options.Subpath && source === '') {
				throw new Error('must not set Subpath when using anonymous volumes');
			}
			if (mount.ReadOnly && source === '') {
				throw new Error('must not set ReadOnly mode when using anonymous volumes');
			}
			const subpath = subpathOf(options.Subpath);
			if (source) checkVolumeName(source);
			return {
				...base,
				type: 'volume',
				// docker's mode of a volume that `--mount` names.
				mode: 'z',
				noCopy: options.NoCopy ?? false,
				...(subpath ? {subpath} : {}),
				...(options.Labels ? {labels: options.Labels} : {}),
				...(options.DriverConfig?.Name ? {driver: options.DriverConfig.Name} : {}),
				...(options.DriverConfig?.Options ? {driverOptions: options.DriverConfig.Options} : {}),
			};
		}
		case 'image': {
			const subpath = subpathOf(mount.ImageOptions?.Subpath);
			return {...base, type: 'image', readOnly: true, ...(subpath ? {subpath} : {})};
		}
		default: {
			if (source) throw new Error('field Source must not be specified');
			const {SizeBytes, Mode, Options} = mount.TmpfsOptions ?? {};
			const words = [
				...(base.readOnly ? ['ro'] : []),
				...(Mode ? [`mode=${Mode.toString(8)}`] : []),
				...(SizeBytes ? [`size=${tmpfsSize(SizeBytes)}`] : []),
				...(Options ?? []).map((pair) => pair.join('=')),
			];
			return {...base, type: 'tmpfs', mode: checkTmpfs(words.join(','))};
		}
	}
}

/** One `--mount`. */
export function parseMount(mount: MountSpec): WantedMount {
	try {
		return checkMount(mount);
	} catch (error) {
		const {message} = error as Error;
		// What is wrong with a volume's name is found when it is made.
		if (message.startsWith('create ')) throw error;
		throw invalid(`invalid mount config for type "${mount.Type}": ${message}`, mount.Target);
	}
}

/** `--tmpfs target[:options]`. */
function parseTmpfs(target: string, options: string): WantedMount {
	let clean: string;
	try {
		clean = cleanTarget(target);
	} catch (error) {
		throw invalid((error as Error).message, target);
	}
	const words = checkTmpfs(options);
	return {
		type: 'tmpfs',
		source: '',
		target: clean,
		readOnly: words.split(',').includes('ro'),
		mode: words,
		propagation: '',
		makeSource: false,
		noCopy: false,
		recursive: true,
	};
}

/** `container[:mode]` of --volumes-from. Throws docker's words. */
export function parseVolumesFrom(text: string): {container: string; mode: string} {
	if (text === '') throw invalid('volumes-from specification cannot be an empty string');
	const split = text.indexOf(':');
	const container = split < 0 ? text : text.slice(0, split);
	const mode = split < 0 ? '' : text.slice(split + 1);
	if (mode === '') return {container, mode: 'rw'};
	const options = parseOptions(mode);
	// Propagation is that of the other container's mount, and there is nothing to copy.
	if (!options || options.propagation || options.noCopy) throw invalid(`invalid mode: ${mode}`);
	return {container, mode};
}

/**
 * All mounts that the user named, then the volumes of `Config.Volumes` (`-v /path` and the image's VOLUME)
 * whose target nothing else takes. `taken` are the targets that --volumes-from brings; a mount by the user
 * comes before them. Throws `Duplicate mount point: /x`.
 */
export function wantedMounts(
	config: ConfigSettings,
	host: HostSettings,
	taken: ReadonlySet<string>,
): WantedMount[] {
	const tmpfs = Object.entries(host.Tmpfs ?? {}).map(([target, options]) => parseTmpfs(target, options));
	const ofTmpfs = new Set(tmpfs.map((mount) => mount.target));
	const targets = new Set<string>();
	const wanted: WantedMount[] = [];
	const add = (mount: WantedMount, shown: string): void => {
		if (targets.has(mount.target)) throw invalid(`Duplicate mount point: ${shown}`, mount.target);
		targets.add(mount.target);
		wanted.push(mount);
	};
	for (const bind of host.Binds ?? []) {
		const mount = parseBind(bind, host.VolumeDriver);
		if (ofTmpfs.has(mount.target)) throw invalid(`Duplicate mount point: ${mount.target}`, mount.target);
		add(mount, mount.target);
	}
	for (const mount of host.Mounts ?? []) add(parseMount(mount), mount.Target);
	// docker: a --mount hides a --tmpfs of the same place.
	for (const mount of tmpfs) if (!targets.has(mount.target)) add(mount, mount.target);
	for (const path of Object.keys(config.Volumes ?? {})) {
		const mount = anonymousVolume(path);
		if (targets.has(mount.target) || taken.has(mount.target)) continue;
		if (host.VolumeDriver) mount.driver = host.VolumeDriver;
		add(mount, mount.target);
	}
	wanted.forEach(checkProc);
	return wanted;
}
