/**
 * A container's files, reached from outside: through a descriptor of its root, in which the kernel resolves paths.
 * One that is up is only ever seen through its own mount namespace. Of one that is not, the root is mounted where
 * nobody else sees it, and nothing stays mounted once the descriptor is closed; its lock is held for as long, so
 * that no start mounts the same upper folder a second time.
 */
import {closeSync, constants, existsSync, mkdirSync, openSync, statSync} from 'node:fs';
import {native, type RootMount} from '../../kernel/native.ts';
import {isErrno, WherryError} from '../errors.ts';
import type {EngineContext} from './context.ts';
import {hostFiles} from './host-file-paths.ts';
import {holdVolumes, openSource, prepareSources} from './mount-sources.ts';
import {
	type ContainerRecord,
	currentState,
	findContainer,
	isUnmounting,
	isUp,
	monitorLives,
	noSuchContainer,
	readRecord,
	readState,
} from './record.ts';
import {rootOf, storageDriver} from './root-kind.ts';

/** Not among Node's constants: a descriptor that only stands for a file. */
export const oPath = 0o10000000;

export interface ContainerRoot {
	readonly fd: number;
	/** It is that of a container that is up. */
	readonly running: boolean;
	/** A pidfd of a container that somebody may start again as soon as it has ended: nothing may go on then. */
	readonly guard?: number;
	close(): Promise<void>;
}

/** Milliseconds for a container that is about to be started again by its policy. */
const restartPatience = 20_000;

/** Runs with the container's lock; it is not there for those who come while it is removed. */
export async function withLocked<T>(
	context: EngineContext,
	container: string,
	work: (record: ContainerRecord) => Promise<T>,
): Promise<T> {
	const {paths, locks} = context;
	const {Id} = findContainer(paths, container);
	const lock = await locks.acquire(Id);
	try {
		const record = readRecord(paths, Id);
		if (!record) throw noSuchContainer(container);
		return await work(record);
	} finally {
		lock.release({remove: !existsSync(paths.container(Id))});
	}
}

/** No process of it is left, nothing of it is mounted, and nothing is left to be cleaned up. */
function isAtRest({paths}: EngineContext, id: string): boolean {
	const state = readState(paths, id);
	return !isUp(state) && !monitorLives(state) && !isUnmounting(state) && !existsSync(paths.runContainer(id));
}

/** False when it is up. What most commands don't need is loaded only here. */
async function bringToRest(context: EngineContext, id: string): Promise<boolean> {
	const {awaitMonitorEnd, settleContainer} = await import('./settle.ts');
	if (!(await awaitMonitorEnd(context, id, {orUp: true}))) return false;
	const {paths} = context;
	if (existsSync(paths.container(id)) && (existsSync(paths.runContainer(id)) || isUp(readState(paths, id)))) {
		await settleContainer(context, id);
	}
	return true;
}

/**
 * The root with everything that is mounted in it; `alone` is the root file system only, which of a container that
 * is not up can't be written to. Under the container's lock.
 */
export async function openRoot(
	context: EngineContext,
	record: ContainerRecord,
	alone = false,
): Promise<ContainerRoot> {
	const {paths} = context;
	const {Id} = record;
	const deadline = Date.now() + restartPatience;
	for (;;) {
		const {status, pid, pidStart} = currentState(paths, Id);
		if (status === 'running' || status === 'paused') {
			const root = await openRunning(record, pid, pidStart, alone);
			if (root) return root;
		} else if (status !== 'restarting' && (isAtRest(context, Id) || (await bringToRest(context, Id)))) {
			// The end of a --rm container takes it away.
			if (!existsSync(paths.container(Id))) throw noSuchContainer(record.Name);
			return alone ? openAlone(context, record) : await openStopped(context, record);
		}
		if (Date.now() > deadline) {
			throw new WherryError(
				'conflict',
				`Container ${Id} is restarting, wait until the container is running`,
				{object: Id},
			);
		}
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
}

/** Undefined when it has just ended. */
async function openRunning(
	record: ContainerRecord,
	pid: number,
	start: number,
	alone: boolean,
): Promise<ContainerRoot | undefined> {
	const guard = native.openProcess(pid, start);
	if (guard === undefined) return undefined;
	try {
		const [fd, space] = await native.openProcessRoot(guard, pid, alone);
		return {
			fd,
			running: true,
			// Without a policy nobody can start it while its lock is held.
			...(['no', ''].includes(record.HostConfig.RestartPolicy.Name) ? {} : {guard}),
			async close() {
				closeSync(fd);
				// Its container may have ended meanwhile: then this is what unmounts its root.
				closeSync(space);
				closeSync(guard);
			},
		};
	} catch (error) {
		closeSync(guard);
		// A process that ends has left its namespaces a moment before it counts as ended.
		if (isErrno(error, 'ESRCH')) return undefined;
		throw error;
	}
}

function plainRoot(fd: number): ContainerRoot {
	return {
		fd,
		running: false,
		async close() {
			closeSync(fd);
		},
	};
}

/** To be read only: the upper folder is one of the lower ones. */
function openAlone({paths}: EngineContext, {Id, layers}: ContainerRecord): ContainerRoot {
	const root = rootOf(paths, storageDriver(paths), Id, layers);
	if (root.kind === 'folder')
		return plainRoot(openSync(root.path, constants.O_RDONLY | constants.O_DIRECTORY));
	return plainRoot(native.mountOverlay([root.upper, ...root.lowers], undefined, undefined));
}

async function openStopped(context: EngineContext, record: ContainerRecord): Promise<ContainerRoot> {
	const {paths} = context;
	const root = rootOf(paths, storageDriver(paths), record.Id, record.layers);
	// Asked here, since what holds them is much code for those who have none.
	const isHeld = record.Mounts.some(({hostMount}) => hostMount);
	const release = isHeld ? await holdVolumes(context, record.Mounts) : async () => {};
	const sources: number[] = [];
	try {
		const mounts = await mountsOf(context, record, sources);
		// docker makes it with the container, here its first start does.
		const isNew = readState(paths, record.Id).status === 'created';
		const withFolder = (fd: number): number => {
			if (isNew) makeFolder(fd, record.Config.WorkingDir);
			return fd;
		};
		if (mounts.length === 0 && root.kind === 'folder')
			return plainRoot(withFolder(openSync(root.path, constants.O_RDONLY | constants.O_DIRECTORY)));
		const fd = withFolder(
			root.kind === 'folder'
				? native.cloneMount(root.path)
				: native.mountOverlay(root.lowers, root.upper, root.work),
		);
		if (mounts.length === 0) return plainRoot(fd);
		if (!existsSync(paths.mountpoint)) mkdirSync(paths.mountpoint, {recursive: true, mode: 0o700});
		let space: number;
		try {
			space = await native.mountBeneath(fd, paths.mountpoint, mounts);
		} catch (error) {
			closeSync(fd);
			throw error;
		}
		return {
			fd,
			running: false,
			async close() {
				closeSync(fd);
				try {
					await native.unmountRoot(space, paths.mountpoint);
				} finally {
					closeSync(space);
				}
			},
		};
	} finally {
		for (const fd of sources) closeSync(fd);
		// What is mounted keeps the file systems.
		await release();
	}
}

/** A folder with those above it. What is in the way stays: a start will say so. */
function makeFolder(root: number, path: string): void {
	let at = '';
	for (const name of path.split('/').filter((part) => part !== '' && part !== '.')) {
		const above = at;
		at += `/${name}`;
		try {
			let folder: number;
			try {
				folder = native.openInRoot(root, at, oPath | constants.O_DIRECTORY, 0);
			} catch (error) {
				if (!isErrno(error, 'ENOENT') || name === '..') return;
				const parent = native.openInRoot(root, above || '/', oPath | constants.O_DIRECTORY, 0);
				try {
					// The last part of a path is not followed: it is made in this very folder.
					mkdirSync(`/proc/self/fd/${parent}/${name}`, 0o755);
				} finally {
					closeSync(parent);
				}
				continue;
			}
			closeSync(folder);
		} catch (error) {
			if (isErrno(error, 'EEXIST') || isErrno(error, 'ENOSPC') || isErrno(error, 'EROFS')) return;
			throw error;
		}
	}
}

const depth = (path: string): number => path.split('/').filter(Boolean).length;

/** What a start would mount of the user's and the engine's own files; nothing that lives in memory, and no images. */
async function mountsOf(
	{paths}: EngineContext,
	record: ContainerRecord,
	sources: number[],
): Promise<RootMount[]> {
	const points = record.Mounts.filter(({Type}) => Type !== 'tmpfs' && Type !== 'image');
	if (points.some(({Source}) => !statSync(Source, {throwIfNoEntry: false}))) prepareSources(record);
	const mounts = points.map(
		(mount): RootMount => ({
			source: openSource(mount, sources),
			target: mount.Destination,
			readOnly: !mount.RW || mount.sourceReadOnly === true,
			recursive: !mount.alone,
		}),
	);
	const taken = new Set(record.Mounts.map(({Destination}) => Destination));
	for (const [source, target] of networkFiles(paths, record)) {
		if (taken.has(target) || !existsSync(source)) continue;
		mounts.push({source, target, readOnly: false, recursive: false});
	}
	return mounts.sort((a, b) => depth(a.target) - depth(b.target));
}

/** Those of a container whose network it joins may be gone with that one. */
function networkFiles(paths: EngineContext['paths'], record: ContainerRecord): [string, string][] {
	try {
		const {resolvConf, hostname, hosts} = hostFiles(paths, record);
		return [
			[resolvConf, '/etc/resolv.conf'],
			[hostname, '/etc/hostname'],
			[hosts, '/etc/hosts'],
		];
	} catch (error) {
		if (error instanceof WherryError && error.code === 'not-found') return [];
		throw error;
	}
}
