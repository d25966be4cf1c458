/** RUN: the command in a container of its own, whose changes are the step's. */
import {
	chmodSync,
	closeSync,
	constants,
	copyFileSync,
	existsSync,
	lchownSync,
	lstatSync,
	mkdirSync,
	mkdtempSync,
	openSync,
	renameSync,
	writeFileSync,
} from 'node:fs';
import {join, posix} from 'node:path';
import {native} from '../../kernel/native.ts';
import type {HostConfig, ImageConfig, MountSpec, ResolvedImage} from '../api.ts';
import {startMarks} from '../containers/changes.ts';
import {LocalContainers} from '../containers/containers.ts';
import type {EngineContext} from '../containers/context.ts';
import {readRows} from '../containers/rows.ts';
import {WherryError} from '../errors.ts';
import type {NewLayer} from '../images/new-image.ts';
import {isIdentityAlive, ownIdentity} from '../processes.ts';
import {cacheMounts} from '../store/build-cache.ts';
import type {Store} from '../store/collect.ts';
import {noImageId, sha256} from '../store/digest.ts';
import {isFolder} from './copy.ts';
import {type BuildLeases, takeLayer} from './layer.ts';
import type {Vertex} from './progress.ts';
import {openLayers} from './root.ts';

/** A mount of RUN --mount, with its source found. */
export type RunMount =
	| {kind: 'bind'; target: string; path: string; readOnly: boolean}
	| {
			kind: 'cache';
			target: string;
			id: string;
			isExclusive: boolean;
			/** A folder that a new cache begins as. */
			origin: string | undefined;
			readOnly: boolean;
			mode: number;
			uid: number;
			gid: number;
	  }
	| {kind: 'socket'; target: string; path: string}
	| {kind: 'tmpfs'; target: string; size: number | undefined}
	| {kind: 'secret'; target: string; content: Buffer; mode: number; uid: number; gid: number};

export interface RunRequest {
	readonly argv: readonly string[];
	readonly config: ImageConfig;
	/** Those of ARG are among them. */
	readonly env: readonly string[];
	/** Layers, lowest first. */
	readonly keys: readonly string[];
	readonly mounts: readonly RunMount[];
	readonly network: 'default' | 'none' | 'host';
	readonly privileged: boolean;
	readonly hostConfig: Partial<HostConfig>;
	readonly hostname: string;
	readonly signal: AbortSignal | undefined;
	/** Of files, in milliseconds. */
	readonly newest: number | undefined;
}

/** `process "..." did not complete successfully: exit code: N` */
export class ProcessFailure extends WherryError {
	constructor(argv: readonly string[], exitCode: number) {
		const command = JSON.stringify(argv.join(' '));
		super('command', `process ${command} did not complete successfully: exit code: ${exitCode}`, {exitCode});
	}
}

/** Removes containers of builds that were killed. */
export async function sweepContainers(context: EngineContext): Promise<void> {
	const containers = new LocalContainers(context);
	for (const {
		record: {Id, Build},
	} of readRows(context.paths)) {
		if (!Build || isIdentityAlive(Build)) continue;
		await containers.remove(Id, {force: true, volumes: true}).catch(() => {});
	}
}

function mountSpecs(
	store: Store,
	scratch: string,
	mounts: readonly RunMount[],
): {specs: MountSpec[]; tmpfs: Record<string, string>} {
	const specs: MountSpec[] = [];
	const tmpfs: Record<string, string> = {};
	for (const mount of mounts) {
		const Target = mount.target;
		if (mount.kind === 'tmpfs') tmpfs[Target] = mount.size === undefined ? '' : `size=${mount.size}`;
		else if (mount.kind === 'bind')
			specs.push({Type: 'bind', Source: mount.path, Target, ReadOnly: mount.readOnly});
		else if (mount.kind === 'socket') specs.push({Type: 'bind', Source: mount.path, Target});
		else if (mount.kind === 'cache') {
			const Source = join(cacheMounts(store.paths), sha256(mount.id).slice(7));
			if (mount.origin !== undefined && !existsSync(Source)) {
				mkdirSync(cacheMounts(store.paths), {recursive: true, mode: 0o700});
				renameSync(mount.origin, Source);
			}
			mkdirSync(Source, {recursive: true, mode: 0o700});
			chmodSync(Source, mount.mode);
			lchownSync(Source, mount.uid, mount.gid);
			specs.push({Type: 'bind', Source, Target, ReadOnly: mount.readOnly});
		} else {
			const file = join(mkdtempSync(join(scratch, 'secret-')), 'value');
			writeFileSync(file, mount.content, {mode: 0o600, flag: 'wx'});
			lchownSync(file, mount.uid, mount.gid);
			chmodSync(file, mount.mode);
			specs.push({Type: 'bind', Source: file, Target, ReadOnly: true});
		}
	}
	return {specs, tmpfs};
}

/** What mount points leave behind, which is in no layer. */
function marksOf(mounts: readonly RunMount[]) {
	const files = [...startMarks.files];
	const folders = [...startMarks.folders];
	for (const mount of mounts) {
		const {kind, target} = mount;
		const path = posix.normalize(target).slice(1);
		const isFile = mount.kind === 'bind' && !lstatSync(mount.path).isDirectory();
		if (isFile || kind === 'secret' || kind === 'socket') files.push(path);
		else folders.push(path);
		for (let parent = posix.dirname(path); parent !== '.' && parent !== '/'; parent = posix.dirname(parent))
			folders.push(parent);
	}
	return {files: [...new Set(files)], folders: [...new Set(folders)], links: startMarks.links};
}

/** Runs the command when the caches that it wants for itself are free. Throws ProcessFailure. */
export async function runStep(...args: Parameters<typeof runAlone>): Promise<NewLayer> {
	const [, store, , , {mounts}] = args;
	const wanted = mounts.flatMap((mount) =>
		mount.kind === 'cache' && mount.isExclusive ? [sha256(mount.id).slice(7)] : [],
	);
	const locks: {release(): void}[] = [];
	try {
		// Always in the same order, so that no two wait for each other.
		for (const key of [...new Set(wanted)].sort())
			locks.push(await store.locks.acquire(`build-mount-${key}`));
		return await runAlone(...args);
	} finally {
		for (const lock of locks) lock.release();
	}
}

/** Resolves to the layer that the command has written. */
async function runAlone(
	context: EngineContext,
	store: Store,
	leases: BuildLeases,
	scratch: string,
	request: RunRequest,
	vertex: Vertex,
): Promise<NewLayer> {
	const {argv, config, env, keys, mounts, network, privileged, hostConfig, hostname, signal} = request;
	const image: ResolvedImage = {
		id: noImageId,
		config: {},
		os: 'linux',
		architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
		layers: [...keys],
		name: 'build',
	};
	const images = await context.images();
	const containers = new LocalContainers({
		...context,
		build: ownIdentity(),
		images: async () =>
			new Proxy(images, {
				get: (target, name) => (name === 'resolve' ? async () => image : Reflect.get(target, name)),
			}),
	});
	const {specs, tmpfs} = mountSpecs(store, scratch, mounts);
	const mode = network === 'default' ? (hostConfig.NetworkMode ?? 'default') : network;
	const {id} = await containers.create({
		image: 'build',
		config: {
			Cmd: [...argv],
			Entrypoint: [],
			// Alone it takes away what containers have.
			Env: ['HOSTNAME', ...env],
			User: config.User ?? '',
			WorkingDir: config.WorkingDir || '/',
			...(hostConfig.NetworkMode?.startsWith('container:') ? {} : {Hostname: hostname}),
			AttachStdout: true,
			AttachStderr: true,
			Healthcheck: {Test: ['NONE']},
		},
		hostConfig: {
			...hostConfig,
			NetworkMode: mode,
			// Nobody else tells a container without a network its own name.
			...(mode === 'none' ? {ExtraHosts: [...(hostConfig.ExtraHosts ?? []), `${hostname}:127.0.0.1`]} : {}),
			Privileged: privileged,
			...(specs.length > 0 ? {Mounts: specs} : {}),
			...(Object.keys(tmpfs).length > 0 ? {Tmpfs: tmpfs} : {}),
		},
	});
	const stop = () => void containers.kill(id, 'KILL').catch(() => {});
	try {
		signal?.throwIfAborted();
		const session = (await containers.start(id, {attach: {stdout: true, stderr: true}}))!;
		signal?.addEventListener('abort', stop, {once: true});
		if (signal?.aborted) stop();
		const decoders = {stdout: new TextDecoder(), stderr: new TextDecoder()};
		session.writeTo((stream, chunk) => vertex.log(stream, decoders[stream].decode(chunk, {stream: true})));
		const {code} = await session.exit;
		signal?.throwIfAborted();
		if (code !== 0) throw new ProcessFailure(argv, code);
		const base = openLayers(store.paths, keys, scratch);
		try {
			const marks = {...marksOf(mounts), base: base.fd};
			return await takeLayer(store, leases, join(store.paths.container(id), 'upper'), marks, request.newest);
		} finally {
			base.close();
		}
	} catch (error) {
		if (error instanceof WherryError && error.exitCode !== undefined && !(error instanceof ProcessFailure)) {
			throw new ProcessFailure(argv, error.exitCode);
		}
		throw error;
	} finally {
		signal?.removeEventListener('abort', stop);
		await containers.remove(id, {force: true, volumes: true}).catch(() => {});
	}
}

/** Copies a tree out of a root, for a bind mount of it. */
export async function materialize(root: number, path: string, scratch: string): Promise<string> {
	const folder = mkdtempSync(join(scratch, 'bind-'));
	if (!isFolder(root, path)) {
		const file = join(folder, posix.basename(path));
		const real = native.resolveInRoot(root, path);
		const source = native.openInRoot(
			root,
			posix.dirname(real),
			constants.O_RDONLY | constants.O_DIRECTORY,
			0,
		);
		try {
			const from = `/proc/self/fd/${source}/${posix.basename(real)}`;
			const stat = lstatSync(from);
			if (!stat.isFile())
				throw new WherryError('invalid', `${path} is neither a file nor a folder`, {object: path});
			const {mode, uid, gid} = stat;
			copyFileSync(from, file, constants.COPYFILE_FICLONE);
			lchownSync(file, uid, gid);
			native.copyXattrs(from, file);
			chmodSync(file, mode & 0o7777);
			return file;
		} finally {
			closeSync(source);
		}
	}
	const from = native.openInRoot(root, path, constants.O_RDONLY | constants.O_DIRECTORY, 0);
	const to = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
	try {
		await native.copyTree(from, to);
		return folder;
	} finally {
		closeSync(from);
		closeSync(to);
	}
}
