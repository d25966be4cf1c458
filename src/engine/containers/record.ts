/**
 * What is on disk of a container: `container.json`, written by the engine, and `state.json`, written by the
 * monitor while it lives; and what the kernel says about it.
 */
import {mkdirSync, readdirSync} from 'node:fs';
import type {MonitorState} from '../../runtime/monitor-protocol.ts';
import type {ContainerConfig, ContainerStatus, EndpointSettings, HostConfig, MountPoint} from '../api.ts';
import {isErrno, WherryError} from '../errors.ts';
import {readIfThere, readMany, replaceFile} from '../files.ts';
import {type BindingRange, packExposed} from '../networks/port-ranges.ts';
import {checkBindings} from '../networks/ports.ts';
import type {Paths} from '../paths.ts';
import {bootId, isAlive, type ProcessIdentity} from '../processes.ts';
import {isId, lookUpName} from './names.ts';

/** A mount point, and what the engine needs to know of it besides what `inspect` shows. */
export interface StoredMount extends MountPoint {
	/** A volume that goes with the container on `rm -v` and `--rm`. */
	anonymous?: boolean;
	/** A bind's source is made at the start when it isn't there, as `-v` does. */
	makeSource?: boolean;
	/** Where its files are on the host when that isn't Source: the device of a volume that is a bind. */
	from?: string;
	/** A volume that is a read-only bind. */
	sourceReadOnly?: true;
	/** What of the volume or image is mounted. */
	subpath?: string;
	/** The volume's file system is mounted on the host while the container runs. */
	hostMount?: true;
	/** What is mounted below the source stays there. */
	alone?: true;
	/** Of a read-only mount: what becomes of mounts below it; absent: read-only where the kernel can. */
	below?: 'writable' | 'readonly';
	/** Of an image: its id, and the keys of its layers, lowest first. */
	image?: string;
	layers?: string[];
}

/** docker's `Config` and `HostConfig` without the ports, which a record has as ranges. */
export type ConfigSettings = Omit<ContainerConfig, 'ExposedPorts'>;
export type HostSettings = Omit<HostConfig, 'PortBindings'>;

export interface StoredConfig extends ConfigSettings {
	ExposedPorts?: string[];
}

export interface StoredHostConfig extends HostSettings {
	PortBindings: BindingRange[];
}

export const storedConfig = ({ExposedPorts, ...config}: ContainerConfig): StoredConfig => ({
	...config,
	...(ExposedPorts ? {ExposedPorts: packExposed(Object.keys(ExposedPorts))} : {}),
});

export const storedHostConfig = (host: HostConfig): StoredHostConfig => ({
	...host,
	PortBindings: checkBindings(host.PortBindings),
});

export interface ContainerRecord {
	Id: string;
	/** Without the slash. */
	Name: string;
	/** RFC 3339. */
	Created: string;
	/** The image's id. */
	Image: string;
	/** A familiar name of the image, for events. */
	ImageName: string;
	Os: string;
	Architecture: string;
	/** Keys of the layers, lowest first. */
	layers: string[];
	Config: StoredConfig;
	HostConfig: StoredHostConfig;
	Mounts: StoredMount[];
	/** Of SELinux, where the host has it; the process's is empty when it has none of its own. */
	ProcessLabel?: string;
	MountLabel?: string;
	/** What it asks of each network, by its name; absent for host, none and container:ID. */
	Networks?: Record<string, EndpointSettings>;
	/** Of the containers that HostConfig.Links names, by alias. */
	LinkIds?: Record<string, string>;
	/** The process whose build's RUN it is: such a one is in no list and tells no events. */
	Build?: ProcessIdentity;
}

export const zeroTime = '0001-01-01T00:00:00Z';

export const recordPath = (paths: Paths, id: string): string => `${paths.container(id)}/container.json`;
export const statePath = (paths: Paths, id: string): string => `${paths.container(id)}/state.json`;
export const healthLogPath = (paths: Paths, id: string): string => `${paths.container(id)}/health.log`;
export const logPath = (paths: Paths, id: string): string => `${paths.container(id)}/${id}-json.log`;
export const socketPath = (paths: Paths, id: string): string => `${paths.runContainer(id)}/attach.sock`;

export function noSuchContainer(name: string): WherryError {
	return new WherryError('not-found', `No such container: ${name}`, {object: name});
}

export function readRecord(paths: Paths, id: string): ContainerRecord | undefined {
	const text = readIfThere(recordPath(paths, id));
	if (text === undefined) return undefined;
	try {
		return parseRecord(text);
	} catch (cause) {
		throw new WherryError('corrupt', `the record of container ${id} is damaged`, {object: id, cause});
	}
}

/** Throws when it is none. */
export function parseRecord(text: string): ContainerRecord {
	const record = JSON.parse(text) as ContainerRecord;
	if (Array.isArray(record.HostConfig.PortBindings)) return record;
	// Earlier versions had each port, as docker has them.
	const {Config, HostConfig} = record as unknown as {Config: ContainerConfig; HostConfig: HostConfig};
	return {...record, Config: storedConfig(Config), HostConfig: storedHostConfig(HostConfig)};
}

/** Without fsync: a container that a power cut takes away was not running after it, either. */
export function writeRecord(paths: Paths, record: ContainerRecord): void {
	replaceFile(recordPath(paths, record.Id), JSON.stringify(record));
}

const statuses = new Set(['created', 'running', 'paused', 'restarting', 'exited']);

export const initialState: MonitorState = {
	status: 'created',
	pid: 0,
	pidStart: 0,
	monitorPid: 0,
	monitorStart: 0,
	bootId: '',
	exitCode: 0,
	oomKilled: false,
	error: '',
	startedAt: zeroTime,
	finishedAt: zeroTime,
	restartCount: 0,
	manuallyStopped: false,
};

/** What the state file says; the initial state when it isn't there or makes no sense. */
export const readState = (paths: Paths, id: string): MonitorState =>
	parseState(readIfThere(statePath(paths, id)));

/** No state is that long. */
const longestState = 1 << 20;

export async function readStates(
	paths: Paths,
	ids: readonly string[],
): Promise<(readonly [id: string, state: MonitorState])[]> {
	const texts = await readMany(
		ids.map((id) => statePath(paths, id)),
		longestState,
	);
	return ids.map((id, at) => [id, parseState(texts[at])]);
}

export function parseState(text: string | undefined): MonitorState {
	if (text === undefined) return initialState;
	try {
		const state = {...initialState, ...(JSON.parse(text) as MonitorState)};
		return statuses.has(state.status) ? state : initialState;
	} catch {
		return initialState;
	}
}

export function writeState(paths: Paths, id: string, state: MonitorState): void {
	replaceFile(statePath(paths, id), `${JSON.stringify(state)}\n`);
}

export const isActiveStatus = (status: string): boolean =>
	status === 'running' || status === 'paused' || status === 'restarting';

/** Whether the monitor that wrote the state lives. */
export function monitorLives(state: MonitorState): boolean {
	return state.bootId === bootId() && isAlive(state.monitorPid, state.monitorStart);
}

/** Monitors that a repair has just seen alive. */
let sighting = {at: 0, monitors: new Set<string>()};

const monitorKey = ({monitorPid, monitorStart}: MonitorState): string => `${monitorPid} ${monitorStart}`;

export function noteLiving(states: readonly MonitorState[]): void {
	sighting = {at: Date.now(), monitors: new Set(states.map(monitorKey))};
}

/** For lists, which come right after a repair and would ask the kernel of each of hundreds again. */
export function monitorLivedLately(state: MonitorState): boolean {
	const lately = Math.abs(Date.now() - sighting.at) < listingLife && sighting.monitors.has(monitorKey(state));
	return lately || monitorLives(state);
}

/** Whether the root of a container that has ended is still being unmounted. */
export const isUnmounting = ({bootId: boot, unmountPid = 0, unmountStart = 0}: MonitorState): boolean =>
	unmountPid > 0 && boot === bootId() && isAlive(unmountPid, unmountStart);

/** What becomes of a container whose monitor has died: everything of it was killed. */
export function afterDeath({health}: MonitorState): Pick<MonitorState, 'status' | 'exitCode' | 'health'> {
	return {status: 'exited', exitCode: 137, ...(health ? {health: 'unhealthy'} : {})};
}

/** The state as it is now: one that a dead monitor left as running is shown as what repair will make of it. */
export function currentState(paths: Paths, id: string): MonitorState {
	const state = readState(paths, id);
	if (!isActiveStatus(state.status)) return state;
	if (monitorLives(state)) return state;
	// Its last word may have been written just before it ended.
	const again = readState(paths, id);
	if (!isActiveStatus(again.status) || monitorLives(again)) return again;
	return {...again, ...afterDeath(again), pid: 0};
}

/** Whether a process of the container exists: also while it is paused or waits for its restart. */
export const isUp = (state: MonitorState): boolean => isActiveStatus(state.status);

export type {ContainerStatus};

/** The ids of all containers that are complete. */
export function listIds(paths: Paths): string[] {
	try {
		return readdirSync(paths.containers).filter(isId);
	} catch (error) {
		if (isErrno(error, 'ENOENT')) return [];
		throw error;
	}
}

/** Sorted, for `rm $(ps -aq)`: each of hundreds of prefixes would list all of the others. */
let listing: {path: string; at: number; ids: string[]} | undefined;

/** Milliseconds. What came or went meanwhile is read or missed all the same; only a prefix could mean two. */
const listingLife = 100;

/** The ids that start with `prefix`, two at most. */
function idsWithPrefix(paths: Paths, prefix: string): string[] {
	const path = paths.containers;
	if (listing?.path !== path || Date.now() - listing.at > listingLife) {
		listing = {path, at: Date.now(), ids: listIds(paths).sort()};
	}
	const {ids} = listing;
	let [low, high] = [0, ids.length];
	while (low < high) {
		const middle = (low + high) >> 1;
		if (ids[middle]! < prefix) low = middle + 1;
		else high = middle;
	}
	return ids.slice(low, low + 2).filter((id) => id.startsWith(prefix));
}

/** docker: a container is also found by the name that another one links to it by, `web/db`. */
function findLinked(paths: Paths, parent: string, alias: string): ContainerRecord | undefined {
	const id = lookUpName(paths, parent);
	const linked = id && readRecord(paths, id)?.LinkIds?.[alias];
	return linked ? readRecord(paths, linked) : undefined;
}

/** The container with this id, name or unambiguous prefix, in docker's order. Throws `not-found`, `invalid`. */
export function findContainer(paths: Paths, container: string): ContainerRecord {
	const name = container.startsWith('/') ? container.slice(1) : container;
	if (name === '') {
		throw new WherryError('invalid', 'invalid container name or ID: value is empty', {bare: true});
	}
	if (isId(name)) {
		const record = readRecord(paths, name);
		if (record) return record;
	}
	const slash = name.indexOf('/');
	if (slash > 0) {
		const record = findLinked(paths, name.slice(0, slash), name.slice(slash + 1));
		if (record) return record;
	}
	const id = lookUpName(paths, name);
	// A name whose record says otherwise is about to be renamed or repaired.
	const named = id && readRecord(paths, id);
	if (named) return named;
	if (/^[0-9a-f]{1,63}$/.test(name)) {
		let matches = idsWithPrefix(paths, name);
		if (matches.length === 0) {
			listing = undefined;
			matches = idsWithPrefix(paths, name);
		}
		if (matches.length > 1) {
			throw new WherryError('invalid', `Multiple IDs found with provided prefix: ${name}`, {object: name});
		}
		const record = matches[0] && readRecord(paths, matches[0]);
		if (record) return record;
	}
	throw noSuchContainer(container);
}

/** docker's attributes of a container's events: its labels, its image and its name. */
export function eventAttributes(record: ContainerRecord): Record<string, string> {
	return {...record.Config.Labels, image: record.Config.Image, name: record.Name};
}

export function makeFolder(path: string): void {
	mkdirSync(path, {recursive: true, mode: 0o700});
}
