import {existsSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {relative, resolve} from 'node:path';
import {Readable, type Writable} from 'node:stream';
import {isatty} from 'node:tty';
import type {BuildCacheTarget, BuildEvent, BuildOptions, BuildOutput, HostConfig} from '../../engine/api.ts';
import {parseGitAddress} from '../../engine/build/git-address.ts';
import {formatPlatform, normalize} from '../../engine/images/platform.ts';
import {ArchiveOutput} from '../archive-output.ts';
import {CliError} from '../errors.ts';
import type {CommandAction} from '../face.ts';
import {printError, printLine, writeOut} from '../output.ts';
import {parseCsvLine} from '../parse/csv.ts';
import type {FlagValues} from '../parse/flag-values.ts';
import type {Ulimit} from '../parse/ulimit.ts';
import {BuildDisplay} from '../terminal/build-display.ts';
import {checkBuilder} from './builders.ts';
import {parsePlatform} from './run-options.ts';

/** `NAME=value`, or `NAME` for what is set here. */
function keyed(list: readonly string[]): Record<string, string> {
	const found: Record<string, string> = {};
	for (const text of list) {
		const equals = text.indexOf('=');
		if (equals >= 0) found[text.slice(0, equals)] = text.slice(equals + 1);
		else if (process.env[text] !== undefined) found[text] = process.env[text];
	}
	return found;
}

/** `NAME=value`, or `NAME` for an empty one. */
const labelsOf = (list: readonly string[]): Record<string, string> =>
	Object.fromEntries(
		list.map((text) => {
			const equals = text.indexOf('=');
			return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
		}),
	);

/** `--secret id=x,src=FILE`, `id=x,env=NAME`, `id=x`: a variable, or a file of that name. */
function secretsOf(list: readonly string[]): Record<string, Buffer> {
	const secrets: Record<string, Buffer> = {};
	for (const text of list) {
		const fields = new Map(
			text.split(',').map((part): [string, string] => {
				const equals = part.indexOf('=');
				if (equals < 0) throw new CliError(`ERROR: invalid field '${part}' must be a key=value pair`);
				return [part.slice(0, equals).toLowerCase(), part.slice(equals + 1)];
			}),
		);
		const id = fields.get('id') ?? '';
		if (id === '') throw new CliError('ERROR: secret missing required key "id"');
		const file = fields.get('src') ?? fields.get('source');
		const variable = fields.get('env');
		if (file === undefined && (variable !== undefined || process.env[id] !== undefined)) {
			const value = process.env[variable ?? id];
			if (value === undefined) throw new CliError(`ERROR: secret env ${JSON.stringify(variable)} is not set`);
			secrets[id] = Buffer.from(value);
			continue;
		}
		const path = file ?? id;
		try {
			secrets[id] = readFileSync(path);
		} catch (error) {
			const words =
				(error as NodeJS.ErrnoException).code === 'ENOENT'
					? 'no such file or directory'
					: (error as Error).message;
			throw new CliError(`ERROR: failed to stat ${path}: stat ${path}: ${words}`);
		}
	}
	return secrets;
}

type Output =
	| {kind: 'archive' | 'layout'; format: 'oci' | 'docker'; path: string; tags: string[]}
	| {kind: 'image'; tags: string[]; push?: boolean}
	| {kind: 'folder'; path: string}
	| {kind: 'tar'; path: string}
	| {kind: 'cacheonly'};

/** All of `-o`, and what `--push` and `--load` ask for beside them. */
function outputsOf(flags: FlagValues): Output[] {
	const outputs = flags.list('output').map(outputOf);
	const isImage = (output: Output): boolean => output.kind === 'image';
	const isPushed = flags.bool('push') || outputs.some((output) => output.kind === 'image' && output.push);
	if (outputs.length === 0 || ((isPushed || flags.bool('load')) && !outputs.some(isImage)))
		outputs.push({kind: 'image', tags: []});
	return outputs;
}

/** `-o DIR`, `-o -`, `type=local,dest=DIR`, `type=tar,dest=FILE`, `type=docker|image[,name=...]`. */
function outputOf(text: string): Output {
	if (text === '') return {kind: 'image', tags: []};
	if (text === '-') return {kind: 'tar', path: '-'};
	if (!text.includes('=')) return {kind: 'folder', path: text};
	const fields = new Map(
		csvOf(text).map((part): [string, string] => [part.split('=')[0]!, part.slice(part.indexOf('=') + 1)]),
	);
	const path = fields.get('dest') ?? fields.get('destination') ?? '';
	const tags = (fields.get('name') ?? '').split(',').filter((name) => name !== '');
	const kind = ['false', '0', 'f'].includes((fields.get('tar') ?? '').toLowerCase()) ? 'layout' : 'archive';
	if (kind === 'layout' && path === '') throw new CliError('ERROR: dest is required for local output');
	switch (fields.get('type')) {
		case 'local':
			if (path === '') throw new CliError('ERROR: dest is required for local output');
			return {kind: 'folder', path};
		case 'tar':
			return {kind: 'tar', path: path === '' ? '-' : path};
		case 'oci':
			if (path === '' && isatty(1))
				throw new CliError('ERROR: dest file is required for oci exporter. refusing to write to console');
			return {kind, format: 'oci', path: path === '' ? '-' : path, tags};
		case 'docker':
			return path === '' ? {kind: 'image', tags} : {kind, format: 'docker', path, tags};
		case 'registry':
		case 'image':
			return {
				kind: 'image',
				tags,
				push: fields.get('type') === 'registry' || fields.get('push') === 'true',
			};
		case 'cacheonly':
			return {kind: 'cacheonly'};
		default:
			throw new CliError(`ERROR: output type ${JSON.stringify(fields.get('type') ?? '')} is not supported`);
	}
}

function targetsOf(outputs: readonly Output[], archiveAt: (path: string) => Writable): BuildOutput[] {
	// Of several images there is one, with all names.
	const isImage = outputs.some(({kind}) => kind === 'image');
	return [
		...outputs.flatMap((output): BuildOutput[] => {
			switch (output.kind) {
				case 'folder':
					return [{folder: output.path}];
				case 'layout':
					return [{layout: output.path, format: output.format}];
				case 'tar':
					return [{archive: archiveAt(output.path)}];
				case 'archive':
					return [{image: archiveAt(output.path), format: output.format}];
				default:
					return [];
			}
		}),
		...(isImage ? (['image'] as const) : []),
	];
}

function csvOf(text: string): string[] {
	try {
		return parseCsvLine(text);
	} catch (error) {
		throw new CliError(`ERROR: ${(error as Error).message}`);
	}
}

function contextsOf(list: readonly string[]): BuildOptions['contexts'] {
	const contexts: Record<string, {folder: string} | {image: string} | {remote: string}> = {};
	for (const [name, value] of Object.entries(keyed(list))) {
		const image = /^docker-image:\/\/(.+)$/.exec(value)?.[1];
		if (image !== undefined) contexts[name] = {image};
		else if (value.startsWith('oci-layout://'))
			throw new CliError(`ERROR: failed to get build context ${name}: oci-layout is not supported`);
		else if (isRemote(value)) contexts[name] = {remote: value};
		else if (existsSync(value)) contexts[name] = {folder: resolve(value)};
		else
			throw new CliError(
				`ERROR: failed to get build context ${name}: stat ${value}: no such file or directory`,
			);
	}
	return contexts;
}

function readStdin(): Buffer {
	return readFileSync(0);
}

/** A tar archive by its magic, or compressed; else it is a Dockerfile. */
function looksLikeArchive(bytes: Buffer): boolean {
	return (
		bytes.toString('latin1', 257, 262) === 'ustar' ||
		(bytes[0] === 0x1f && bytes[1] === 0x8b) ||
		/^(?:BZh[1-9]1AY&SY|\xfd7zXZ\0)/.test(bytes.toString('latin1', 0, 10)) ||
		(bytes.length > 4 && bytes.readUInt32LE(0) === 0xfd2fb528)
	);
}

interface Source {
	context: BuildOptions['context'];
	text?: string;
	dockerfile?: string;
}

/** `--ssh default`, `ID=SOCKET`, `ID=KEY[,KEY...]`: sockets of key agents, or files of private keys, by id. */
async function agentsOf(list: readonly string[]): Promise<NonNullable<BuildOptions['ssh']>> {
	const agents: Record<string, string | {keys: readonly string[]}> = {};
	for (const text of list) {
		const equals = text.indexOf('=');
		const id = equals < 0 ? text : text.slice(0, equals);
		const given = equals < 0 ? [] : text.slice(equals + 1).split(',');
		const paths = given.length > 0 ? given : [process.env.SSH_AUTH_SOCK ?? ''];
		if (paths.includes(''))
			throw new CliError(
				'ERROR: invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set to the socket of a running agent',
			);
		const sockets = paths.filter((path) => {
			const stat = statSync(path, {throwIfNoEntry: false});
			if (!stat) throw new CliError(`ERROR: failed to stat ${path}: stat ${path}: no such file or directory`);
			return stat.isSocket();
		});
		if (sockets.length > 1) throw new CliError('ERROR: only single socket allowed');
		if (sockets.length > 0 && paths.length > 1)
			throw new CliError('ERROR: invalid combination of keys and sockets');
		if (sockets.length > 0) {
			agents[id] = resolve(sockets[0]!);
			continue;
		}
		const {readSshKey} = await import('../../engine/build/ssh-keys.ts');
		try {
			for (const path of paths) readSshKey(path);
		} catch (error) {
			throw new CliError(`ERROR: ${(error as Error).message}`);
		}
		agents[id] = {keys: paths.map((path) => resolve(path))};
	}
	return agents;
}

function platformOf(flags: FlagValues): Pick<BuildOptions, 'platform' | 'platforms'> {
	const given = flags
		.list('platform')
		.flatMap((text) => text.split(','))
		.filter((text) => text !== '');
	const list = given.length > 0 ? given : [process.env.DOCKER_DEFAULT_PLATFORM ?? ''];
	try {
		const platforms = new Map(
			list.flatMap((text) => {
				const platform = parsePlatform(text);
				return platform ? [[formatPlatform(normalize(platform)), platform]] : [];
			}),
		);
		const [platform, ...others] = platforms.values();
		return others.length > 0 ? {platforms: [platform!, ...others]} : platform ? {platform} : {};
	} catch (error) {
		throw new CliError(`ERROR: failed to build: ${(error as Error).message}`);
	}
}

/** `IMAGE`, `type=registry,ref=IMAGE`, `type=local,src=DIR`, `type=inline`. */
function cachesOf(list: readonly string[], place: 'src' | 'dest'): BuildCacheTarget[] {
	return list.flatMap((text): BuildCacheTarget[] => {
		if (!text.includes('=')) return text.split(',').map((reference) => ({reference}));
		const fields = new Map(
			text
				.split(',')
				.map((part): [string, string] => [part.split('=')[0]!, part.slice(part.indexOf('=') + 1)]),
		);
		const type = fields.get('type') ?? '';
		const mode = fields.get('mode') || undefined;
		if (mode !== undefined && mode !== 'min' && mode !== 'max')
			throw new CliError(`ERROR: failed to build: unsupported cache mode ${JSON.stringify(mode)}`);
		const more: Pick<BuildCacheTarget, 'mode' | 'ignoreError'> = {
			...(mode === undefined ? {} : {mode}),
			...(/^(?:1|t|true)$/i.test(fields.get('ignore-error') ?? '') ? {ignoreError: true} : {}),
		};
		if (type === 'inline') return [{inline: true}];
		const value = fields.get(type === 'local' ? place : 'ref') ?? '';
		if (type !== 'local' && type !== 'registry')
			throw new CliError(`ERROR: failed to build: unknown cache type ${JSON.stringify(type)}`);
		if (value === '')
			throw new CliError(
				`ERROR: failed to build: ${type} cache requires ${type === 'local' ? place : 'ref'}`,
			);
		return [type === 'local' ? {folder: resolve(value), ...more} : {reference: value, ...more}];
	});
}

const isRemote = (path: string): boolean =>
	/^https?:\/\//.test(path) || (!existsSync(path) && parseGitAddress(path) !== undefined);

/** `-f` of a context from elsewhere is a path in it, or stdin. */
const remoteFile = (file: string): Omit<Source, 'context'> =>
	file === '' ? {} : file === '-' ? {text: readStdin().toString('utf8')} : {dockerfile: file};

function sourceOf(path: string, file: string): Source {
	if (path === '-') {
		if (file === '-')
			throw new CliError("ERROR: invalid argument: can't use stdin for both build context and dockerfile");
		if (isatty(0))
			throw new CliError(
				'ERROR: unable to prepare context: the Dockerfile or an archive is expected on stdin',
			);
		const bytes = readStdin();
		if (looksLikeArchive(bytes))
			return {context: {archive: Readable.from([bytes])}, ...(file === '' ? {} : {dockerfile: file})};
		if (file !== '')
			throw new CliError('ERROR: ambiguous Dockerfile source: both stdin and flag correspond to Dockerfiles');
		return {context: {empty: true}, text: bytes.toString('utf8')};
	}
	if (isRemote(path)) return {context: {remote: path}, ...remoteFile(file)};
	const folder = resolve(path);
	const stat = statSync(folder, {throwIfNoEntry: false});
	if (!stat) throw new CliError(`ERROR: unable to prepare context: path ${JSON.stringify(path)} not found`);
	if (!stat.isDirectory())
		throw new CliError(`ERROR: unable to prepare context: path ${JSON.stringify(path)} is not a directory`);
	if (file === '-') return {context: {folder}, text: readStdin().toString('utf8')};
	if (file === '') return {context: {folder}};
	// As it is seen from here, not from the context.
	const chosen = resolve(file);
	if (!existsSync(chosen)) {
		throw new CliError(
			`ERROR: failed to read dockerfile: open ${relative(folder, chosen).startsWith('..') ? file : relative(folder, chosen)}: no such file or directory`,
		);
	}
	return {context: {folder}, dockerfile: chosen};
}

function hostConfigOf(flags: FlagValues): Partial<HostConfig> {
	const config: Partial<HostConfig> = {};
	const network = flags.string('network');
	if (network !== '' && network !== 'default') config.NetworkMode = network;
	const hosts = flags.list('add-host').map((text) => text.replace('=', ':'));
	if (hosts.length > 0) config.ExtraHosts = hosts;
	const number = (
		flag: string,
		key: 'ShmSize' | 'Memory' | 'MemorySwap' | 'CpuShares' | 'CpuPeriod' | 'CpuQuota',
	) => {
		if (flags.changed(flag)) config[key] = flags.number(flag);
	};
	number('shm-size', 'ShmSize');
	number('memory', 'Memory');
	number('memory-swap', 'MemorySwap');
	number('cpu-shares', 'CpuShares');
	number('cpu-period', 'CpuPeriod');
	number('cpu-quota', 'CpuQuota');
	if (flags.string('cpuset-cpus')) config.CpusetCpus = flags.string('cpuset-cpus');
	if (flags.string('cpuset-mems')) config.CpusetMems = flags.string('cpuset-mems');
	if (flags.string('cgroup-parent')) config.CgroupParent = flags.string('cgroup-parent');
	const ulimits = flags.list<Ulimit>('ulimit');
	if (ulimits.length > 0) config.Ulimits = ulimits;
	if (flags.list('security-opt').length > 0) config.SecurityOpt = flags.list('security-opt');
	return config;
}

const entitlements = ['network.host', 'security.insecure'];

/** What buildx has besides: refused where it would have to do something. */
function checkUnsupported(flags: FlagValues): void {
	const unsupported = (name: string): CliError => new CliError(`ERROR: --${name} is not supported`);
	for (const name of flags.list('allow')) {
		if (!entitlements.includes(name)) throw new CliError(`ERROR: invalid entitlement: ${name}`);
	}
	for (const name of ['provenance', 'sbom']) {
		if (!['', 'false', '0', 'disabled=true'].includes(flags.string(name))) throw unsupported(name);
	}
	for (const value of flags.list('attest')) {
		if (!value.split(',').includes('disabled=true')) throw unsupported('attest');
	}
	checkBuilder(flags.string('builder'));
}

export const build: CommandAction = async ({flags, args}, open) => {
	checkUnsupported(flags);
	const quiet = flags.bool('quiet');
	const progress = flags.string('progress') || 'auto';
	if (!['auto', 'plain', 'tty', 'quiet', 'rawjson'].includes(progress))
		throw new CliError(`ERROR: invalid progress mode ${progress}`);
	const outputs = outputsOf(flags);
	const source = sourceOf(args[0]!, flags.string('file'));
	const iidFile = flags.string('iidfile');
	const metadataFile = flags.string('metadata-file');
	const call = flags.string('call') || 'build';
	if (call !== 'build' && call !== 'check')
		throw new CliError(`ERROR: call ${JSON.stringify(call)} is not supported`);
	const isCheck = flags.bool('check') || call === 'check';
	const silent = quiet || isCheck || progress === 'quiet';
	const isFolding = !silent && isatty(2) && (progress === 'auto' || progress === 'tty');
	// An argument that is given comes before the environment's.
	const epoch = process.env.SOURCE_DATE_EPOCH;
	const given = flags.list('tag');
	const names = given.length > 0 ? given : outputs.flatMap((output) => ('tags' in output ? output.tags : []));
	const isPushed = flags.bool('push') || outputs.some((output) => output.kind === 'image' && output.push);
	if (isPushed && names.length === 0) throw new CliError('ERROR: tag is needed when pushing to registry');
	// All that can be wrong with them is said before a file is opened or removed.
	const options: BuildOptions = {
		...source,
		tags: names,
		args: keyed([...(epoch === undefined ? [] : [`SOURCE_DATE_EPOCH=${epoch}`]), ...flags.list('build-arg')]),
		labels: labelsOf(flags.list('label')),
		target: flags.string('target'),
		noCache: flags.bool('no-cache'),
		pull: flags.bool('pull'),
		secrets: secretsOf(flags.list('secret')),
		contexts: contextsOf(flags.list('build-context')) ?? {},
		hostConfig: hostConfigOf(flags),
		allow: flags.list('allow'),
		noCacheFilter: flags.list('no-cache-filter'),
		ssh: await agentsOf(flags.list('ssh')),
		annotations: keyed(flags.list('annotation')),
		...platformOf(flags),
		check: isCheck,
		cacheFrom: cachesOf(flags.list('cache-from'), 'src'),
		cacheTo: cachesOf(flags.list('cache-to'), 'dest'),
	};
	const display = silent
		? undefined
		: isFolding
			? new (await import('../terminal/build-fold.ts')).FoldingDisplay()
			: new BuildDisplay(progress === 'rawjson' ? 'rawjson' : 'plain');
	const abort = new AbortController();
	const onInterrupt = (): void => abort.abort();
	process.once('SIGINT', onInterrupt);
	process.once('SIGTERM', onInterrupt);
	const engine = await open();
	// What fails leaves no id of an earlier build behind.
	if (iidFile !== '') rmSync(iidFile, {force: true});
	const failed: string[] = [];
	const warnings: Extract<BuildEvent, {kind: 'warning'}>[] = [];
	const archives: ArchiveOutput[] = [];
	const archiveAt = (path: string): Writable => {
		const archive = new ArchiveOutput(path === '-' ? '' : path, {
			prefix: 'ERROR: failed to build',
			mode: 0o644,
			onError: () => abort.abort(),
		});
		archives.push(archive);
		return archive.stream;
	};
	try {
		const built = await engine.build({
			...options,
			outputs: isCheck ? [] : targetsOf(outputs, archiveAt),
			onProgress(event) {
				if (event.kind === 'warning') warnings.push(event);
				if (event.kind === 'log') failed.push(event.text);
				display?.show(event);
			},
			signal: abort.signal,
			interruptible: true,
		});
		display?.end();
		if (isCheck) {
			const {describeWarnings} = await import('../terminal/build-display.ts');
			writeOut(describeWarnings(warnings));
			return warnings.length > 0 ? 1 : 0;
		}
		for (const archive of archives) await archive.finish();
		if (iidFile !== '') writeFileSync(iidFile, built.id);
		if (metadataFile !== '') {
			const metadata = {
				'containerimage.config.digest': built.id,
				'containerimage.digest': built.digest,
				...(names.length > 0 ? {'image.name': names.join(',')} : {}),
			};
			writeFileSync(metadataFile, `${JSON.stringify(metadata, undefined, 2)}\n`);
		}
		if (silent && built.id !== '') printLine(built.id);
		if (isPushed) {
			const {push} = await import('../terminal/push-all.ts');
			await push(engine, names, silent);
		}
		return 0;
	} catch (error) {
		display?.end();
		for (const archive of archives) archive.abandon();
		if (error instanceof CliError) throw error;
		const broken = archives.find((archive) => archive.broken)?.broken;
		if (broken?.code === 'EPIPE') return 141;
		if (abort.signal.aborted && !broken) {
			printError('ERROR: failed to build: failed to solve: Canceled: context canceled');
			return 1;
		}
		const {describeBuildError} = await import('../terminal/build-display.ts');
		printError(describeBuildError(broken ?? (error as Error), silent ? failed : []));
		return 1;
	} finally {
		process.off('SIGINT', onInterrupt);
		process.off('SIGTERM', onInterrupt);
	}
};
