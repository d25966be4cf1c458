/**
 * Brings in order what killed processes have left behind. Cheap when there is nothing: a few folders are
 * listed. Nothing that lives is touched, and nothing that somebody has locked: he is working on it.
 */
import {existsSync, mkdirSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {native} from '../kernel/native.ts';
import type {MonitorState} from '../runtime/monitor-protocol.ts';
import {type EngineContext, namesLock} from './containers/context.ts';
import {isId, lookUpName} from './containers/names.ts';
import {
	type ContainerRecord,
	isActiveStatus,
	listIds,
	monitorLives,
	noteLiving,
	readRecord,
	readState,
	readStates,
} from './containers/record.ts';
import {abandonedTransients, unmarkTransient} from './containers/transient.ts';
import {isErrno, WherryError} from './errors.ts';
import {readIfThere, replaceFile, unlinkIfThere} from './files.ts';
import type {NetworkRecord} from './networks/record.ts';
import type {Paths} from './paths.ts';
import {bootId, isAlive, startTime} from './processes.ts';

function list(path: string): string[] {
	try {
		return readdirSync(path);
	} catch (error) {
		if (isErrno(error, 'ENOENT', 'ENOTDIR')) return [];
		throw error;
	}
}

/** Settles a container. True: its restart policy wants it up again. */
async function settle(context: EngineContext, id: string): Promise<boolean> {
	const {settleContainer} = await import('./containers/settle.ts');
	const lock = await context.locks.tryAcquire(id);
	if (!lock) return false;
	try {
		return (await settleContainer(context, id)).revive;
	} finally {
		lock.release({remove: !existsSync(context.paths.container(id))});
	}
}

/** Starts what policies want up again. One that can't be started has the reason in its state. */
async function revive(context: EngineContext, ids: string[], restarted: boolean): Promise<void> {
	if (ids.length === 0) return;
	const {startAll} = await import('./boot.ts');
	await startAll(context, ids, {restarted});
}

/** Containers with a folder in WHERRY_RUN and no monitor. */
export async function repairRuns(context: EngineContext): Promise<void> {
	const {paths} = context;
	const dead: string[] = [];
	const ids = list(join(paths.run, 'containers')).filter(isId);
	const living: MonitorState[] = [];
	for (const [id, state] of await readStates(paths, ids)) {
		if (monitorLives(state)) living.push(state);
		// Read in one go with many others, it may be old by now.
		else if (!monitorLives(readState(paths, id)) && (await settleQuietly(context, id))) dead.push(id);
	}
	noteLiving(living);
	await revive(context, dead, true);
}

/** One container that can't be brought in order must not keep every command from working. */
async function settleQuietly(context: EngineContext, id: string): Promise<boolean> {
	try {
		return await settle(context, id);
	} catch {
		// Its state has the reason, and the next command comes back to it.
		return false;
	}
}

/**
 * WHERRY_RUN is new after a boot: states that say `running` are from before. What comes back then is known by its
 * policy, so that a process that is killed on the way is no loss. `starts`: somebody else doesn't see to it.
 */
async function repairBoot(context: EngineContext, starts: boolean): Promise<void> {
	const {paths} = context;
	const mark = join(paths.run, 'boot');
	if (readIfThere(mark) === bootId()) return;
	const ids = listIds(paths);
	for (const id of ids) {
		const state = readState(paths, id);
		if (isActiveStatus(state.status) && !monitorLives(state)) await settleQuietly(context, id);
	}
	if (!existsSync(paths.run)) {
		if (ids.length === 0) return;
		// Otherwise every command until the first start would look at all of them again.
		mkdirSync(paths.run, {recursive: true, mode: 0o700});
	}
	if (starts && ids.length > 0) await revive(context, (await import('./boot.ts')).returning(paths), false);
	replaceFile(mark, bootId());
}

interface Removed {
	found: boolean;
	/** The containers whose anonymous volumes go with them. */
	withVolumes: Set<string>;
}

function removesVolumes(folder: string): boolean {
	try {
		const record = JSON.parse(
			readIfThere(join(folder, 'container.json')) ?? '{}',
		) as Partial<ContainerRecord>;
		return record.HostConfig?.AutoRemove === true;
	} catch {
		return false;
	}
}

/** `.new-<id>-<pid>-<start>` of a dead process, and `.rm-<id>` that nobody goes on with. */
async function repairFolders(context: EngineContext, entries: readonly string[]): Promise<Removed> {
	const {paths} = context;
	const repaired: Removed = {found: false, withVolumes: new Set()};
	for (const entry of entries) {
		const made = /^\.new-([0-9a-f]{64})-(\d+)-(\d+)$/.exec(entry);
		const removed = /^\.rm-([0-9a-f]{64})$/.exec(entry);
		if (made && isAlive(Number(made[2]), Number(made[3]))) continue;
		if (!made && !removed) continue;
		const id = (made ?? removed)![1]!;
		const lock = await context.locks.tryAcquire(id);
		if (!lock) continue;
		try {
			repaired.found = true;
			if (made || removesVolumes(join(paths.containers, entry))) repaired.withVolumes.add(id);
			await native.removeTree(join(paths.containers, entry));
		} finally {
			lock.release({remove: true});
		}
	}
	return repaired;
}

/** Names whose container is gone or has another one. */
async function repairNames(context: EngineContext): Promise<void> {
	const {paths} = context;
	await context.locks.with(namesLock, () => {
		for (const name of list(paths.names)) {
			const id = lookUpName(paths, name);
			if (id && readRecord(paths, id)?.Name === name) continue;
			unlinkIfThere(join(paths.names, name));
		}
	});
}

/** References of containers that are gone, volumes that go with them, and copies that broke off. */
async function repairVolumes({paths, volumes}: EngineContext, {withVolumes}: Removed): Promise<void> {
	const {volumeOwner} = await import('./volumes/volumes.ts');
	const {dropReference, listReferences, lockVolume} = await import('./volumes/references.ts');
	for (const name of list(paths.volumes)) {
		if (name.startsWith('.')) continue;
		const stale = listReferences(paths, name).filter((id) => !existsSync(paths.container(id)));
		const copies = list(paths.volume(name)).filter((entry) => entry.startsWith('.data-'));
		if (stale.length + copies.length === 0) continue;
		const lock = await lockVolume(paths, name);
		if (!lock) continue;
		try {
			const making = new Set(
				list(paths.containers)
					.map((entry) => /^\.new-([0-9a-f]{64})-/.exec(entry)?.[1])
					.filter((id) => id !== undefined),
			);
			const gone = stale.filter((id) => !making.has(id) && !existsSync(paths.container(id)));
			for (const id of gone) dropReference(paths, name, id);
			for (const copy of copies) await native.removeTree(join(paths.volume(name), copy));
			const owner = volumeOwner(paths, name);
			if (owner && withVolumes.has(owner) && gone.includes(owner)) await volumes.removeUnused(name, true);
		} finally {
			lock.release();
		}
	}
}

/** Volumes that are half made or half removed. */
async function repairVolumeFolders(paths: Paths): Promise<void> {
	for (const entry of list(paths.volumes)) {
		const maker = /^\.new-(\d+)-/.exec(entry);
		if (maker && startTime(Number(maker[1])) !== undefined) continue;
		if (maker || entry.startsWith('.rm-')) await native.removeTree(join(paths.volumes, entry));
	}
}

/** Containers of a `run --rm` that died before it started them. */
async function repairTransients(context: EngineContext): Promise<void> {
	const {paths, locks} = context;
	for (const id of abandonedTransients(paths)) {
		const lock = await locks.tryAcquire(id);
		if (!lock) continue;
		try {
			const record = readRecord(paths, id);
			if (record && readState(paths, id).status === 'created' && !existsSync(paths.runContainer(id))) {
				const {removeStopped} = await import('./containers/remove.ts');
				await removeStopped(context, record, true);
			}
			unmarkTransient(paths, id);
		} finally {
			lock.release({remove: !existsSync(paths.container(id))});
		}
	}
}

/** Networks whose removal has broken off, and records that never got their name. */
async function repairNetworks(context: EngineContext): Promise<void> {
	const {paths, locks} = context;
	const left = list(paths.networks).filter((entry) => entry.startsWith('.'));
	if (left.length === 0) return;
	const {finishRemoval} = await import('./networks/remove.ts');
	const {networksLock} = await import('./networks/record.ts');
	await locks.with(networksLock, async () => {
		for (const entry of left) {
			const path = join(paths.networks, entry);
			const maker = /^\.new-(\d+)-/.exec(entry);
			if (maker && startTime(Number(maker[1])) !== undefined) continue;
			const text = maker ? undefined : readIfThere(path);
			if (text !== undefined) {
				try {
					await finishRemoval(context, JSON.parse(text) as NetworkRecord);
				} catch (error) {
					// What can't be read names nothing that could be removed.
					if (!(error instanceof SyntaxError)) throw error;
				}
			}
			unlinkIfThere(path);
		}
	});
}

/** Files that were about to replace others when their writer was killed: `.<name>.<pid>.<number>`, see files.ts. */
function repairTemporaries({run, networkStamps}: Paths): void {
	const zones = join(run, 'zones');
	const folders = [run, join(run, 'nft'), networkStamps, ...list(zones).map((name) => join(zones, name))];
	for (const folder of folders) {
		for (const entry of list(folder)) {
			if (!entry.startsWith('.')) continue;
			const writer = /^\..+\.(\d+)\.\d+$/.exec(entry);
			if (writer && startTime(Number(writer[1])) === undefined) unlinkIfThere(join(folder, entry));
		}
	}
}

/** Lock files of containers that are gone. `entries`: the folder of containers. */
async function repairLocks({paths, locks}: EngineContext, entries: readonly string[]): Promise<void> {
	const known = new Set(entries);
	for (const id of list(paths.locks)) {
		if (!isId(id) || known.has(id)) continue;
		const lock = await locks.tryAcquire(id);
		lock?.release({remove: !existsSync(paths.container(id))});
	}
}

export async function repairEngine(context: EngineContext, options: {boots?: boolean} = {}): Promise<void> {
	const {paths} = context;
	if (process.geteuid?.() !== 0) {
		throw new WherryError(
			'denied',
			'permission denied: wherry has to be run as root (rootless is not supported yet)',
		);
	}
	if (!existsSync(paths.root)) return;
	await repairBoot(context, !options.boots);
	await repairRuns(context);
	await repairTransients(context);
	if (list(paths.runBuilds).length > 0)
		await (await import('./build/abandoned.ts')).endAbandonedBuilds(context);
	await repairNetworks(context);
	repairTemporaries(paths);
	const entries = list(paths.containers);
	const removed = await repairFolders(
		context,
		entries.filter((entry) => entry.startsWith('.')),
	);
	const names = list(paths.names).length;
	if (names !== entries.filter(isId).length) await repairNames(context);
	if (removed.found) await repairVolumes(context, removed);
	await repairLocks(context, entries);
	await repairVolumeFolders(paths);
	if (existsSync(paths.volumeMounts)) await (await import('./volumes/mounting.ts')).repairMounts(paths);
	if (list(paths.ingest).length > 0) await (await import('./store/collect.ts')).sweep(context);
}
