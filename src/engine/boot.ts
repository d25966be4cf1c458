/**
 * What runs again after a boot, by docker's rules, and what is stopped before the host goes down. Containers whose
 * namespaces others join, or to which others are linked, come first.
 */
import type {MonitorState} from '../runtime/monitor-protocol.ts';
import type {BootOutcome} from './api.ts';
import type {EngineContext} from './containers/context.ts';
import {joinedContainer} from './containers/joined.ts';
import {lookUpName} from './containers/names.ts';
import {
	type ContainerRecord,
	currentState,
	isUp,
	listIds,
	readRecord,
	zeroTime,
} from './containers/record.ts';
import {parseLink} from './networks/parse-link.ts';
import type {Paths} from './paths.ts';

/** As many as start at the same time. */
const parallel = 8;

/** docker's: what always runs comes back although it was stopped by hand. `byItself`: nobody has asked for it. */
export function startsAtBoot(
	record: ContainerRecord,
	state: MonitorState,
	options: {byItself?: boolean} = {},
): boolean {
	if (isUp(state) || state.startedAt === zeroTime) return false;
	if (options.byItself && state.manuallyStopped) return false;
	const {Name, MaximumRetryCount: most} = record.HostConfig.RestartPolicy;
	switch (Name) {
		case 'always':
			return true;
		case 'unless-stopped':
			return !state.manuallyStopped;
		case 'on-failure':
			return state.exitCode !== 0 && (most === 0 || state.restartCount < most);
		default:
			return false;
	}
}

/** The ids of the containers that must run before it. */
function neededBy(paths: Paths, {HostConfig: host}: ContainerRecord): string[] {
	const joined = [host.NetworkMode, host.PidMode, host.IpcMode].map(joinedContainer);
	const linked = (host.Links ?? []).map(
		(link) => lookUpName(paths, parseLink(link).name) ?? parseLink(link).name,
	);
	return [...joined, ...linked].filter((id) => id !== undefined);
}

/** Each with those before it that it waits for: what would wait for itself doesn't. */
function inOrder(paths: Paths, records: ReadonlyMap<string, ContainerRecord>): [ContainerRecord, string[]][] {
	const order: [ContainerRecord, string[]][] = [];
	const state = new Map<string, 'open' | 'done'>();
	const visit = (record: ContainerRecord): void => {
		state.set(record.Id, 'open');
		const needed = neededBy(paths, record).filter((id) => records.has(id));
		for (const id of needed) if (!state.has(id)) visit(records.get(id)!);
		order.push([record, needed.filter((id) => state.get(id) === 'done')]);
		state.set(record.Id, 'done');
	};
	for (const record of records.values()) if (!state.has(record.Id)) visit(record);
	return order;
}

function readRecords(paths: Paths, ids: Iterable<string>): Map<string, ContainerRecord> {
	const records = new Map<string, ContainerRecord>();
	for (const id of ids) {
		try {
			const record = readRecord(paths, id);
			if (record) records.set(id, record);
		} catch {
			// A damaged record must not keep the others from running.
		}
	}
	return records;
}

/** Does something to each once those that it needs are done with; at most so many at the same time. */
async function forEachInOrder(
	paths: Paths,
	records: ReadonlyMap<string, ContainerRecord>,
	work: (record: ContainerRecord) => Promise<unknown>,
): Promise<BootOutcome[]> {
	const running = new Set<Promise<unknown>>();
	const outcomes = new Map<string, Promise<BootOutcome>>();
	const one = async (record: ContainerRecord, needed: readonly string[]): Promise<BootOutcome> => {
		await Promise.all(needed.map((id) => outcomes.get(id)));
		while (running.size >= parallel) await Promise.race(running);
		const outcome = {id: record.Id, name: record.Name};
		const job = work(record);
		const done = job.catch(() => {});
		running.add(done);
		try {
			await job;
			return outcome;
		} catch (error) {
			return {...outcome, error};
		} finally {
			running.delete(done);
		}
	};
	for (const [record, needed] of inOrder(paths, records)) outcomes.set(record.Id, one(record, needed));
	return await Promise.all(outcomes.values());
}

/** Starts containers that are known to be down. `restarted`: it counts as a restart by the policy. */
export async function startAll(
	context: EngineContext,
	ids: Iterable<string>,
	options: {restarted?: boolean} = {},
): Promise<BootOutcome[]> {
	const {paths} = context;
	const records = readRecords(paths, ids);
	if (records.size === 0) return [];
	const {startContainer} = await import('./containers/start.ts');
	return await forEachInOrder(paths, records, ({Id}) => {
		const restartCount = options.restarted ? currentState(paths, Id).restartCount + 1 : 0;
		return startContainer(context, Id, {restartCount});
	});
}

function chosen(paths: Paths, wanted: (record: ContainerRecord, state: MonitorState) => boolean): string[] {
	return [...readRecords(paths, listIds(paths)).values()]
		.filter((record) => wanted(record, currentState(paths, record.Id)))
		.map(({Id}) => Id);
}

/** The ids of what comes back by itself. */
export const returning = (paths: Paths): string[] =>
	chosen(paths, (record, state) => startsAtBoot(record, state, {byItself: true}));

export async function bootContainers(context: EngineContext): Promise<BootOutcome[]> {
	return await startAll(
		context,
		chosen(context.paths, (record, state) => startsAtBoot(record, state)),
	);
}

/** Stops all that run, so that the next boot brings back what its policy wants. */
export async function stopForBoot(context: EngineContext): Promise<BootOutcome[]> {
	const {paths} = context;
	const running = readRecords(
		paths,
		chosen(paths, (_, state) => isUp(state)),
	);
	const {stopContainer} = await import('./containers/control.ts');
	const outcomes = [...running.values()].map(async ({Id, Name}) => {
		try {
			await stopContainer(context, Id, {untilBoot: true});
			return {id: Id, name: Name};
		} catch (error) {
			return {id: Id, name: Name, error};
		}
	});
	return await Promise.all(outcomes);
}
