/** Events, and what concerns the host as a whole. */
import type {BuildCacheRecord} from './builds.ts';
import type {ContainerSummary} from './containers.ts';
import type {ImageSummary} from './images.ts';
import type {VolumeSummary} from './volumes.ts';

/** Filters as docker's: key to accepted values. */
export type Filters = Record<string, string[]>;

/** docker's event message. */
export interface EngineEvent {
	Type: 'container' | 'image' | 'volume' | 'network';
	Action: string;
	Actor: {ID: string; Attributes: Record<string, string>};
	scope: 'local';
	/** Seconds since the epoch. */
	time: number;
	/** Nanoseconds since the epoch: more than a double holds exactly, so a bigint. */
	timeNano: bigint;
}

export interface EventOptions {
	/** Past events are given from here; with `until` alone they are the last 256, and with neither none. */
	since?: bigint;
	/** Ends the stream; a time that has passed ends it after the past events. */
	until?: bigint;
	filters?: Filters;
	signal?: AbortSignal;
}

export interface Events {
	/**
	 * Past events since `since`, then live ones, in batches, from this and other processes (inotify, no
	 * polling). After a gap (overflow, rotation that outran the reader) a batch is preceded by `{gap: true}`.
	 */
	stream(options?: EventOptions): AsyncIterable<EngineEvent[] | {gap: true}>;
}

export interface EngineInfo extends Record<string, unknown> {
	ID: string;
	Containers: number;
	ContainersRunning: number;
	ContainersPaused: number;
	ContainersStopped: number;
	Images: number;
	Driver: 'overlay2' | 'copy';
	CgroupVersion: '1' | '2';
	KernelVersion: string;
	OperatingSystem: string;
	Architecture: string;
	NCPU: number;
	MemTotal: number;
	Name: string;
	ServerVersion: string;
	Warnings: string[];
}

/** What is used of the disk; sizes are bytes. */
export interface DiskUsage {
	/** All layers of all images, each once. */
	LayersSize: number;
	/** SharedSize: what other images have, too. */
	Images: (ImageSummary & {SharedSize: number})[];
	/** With sizes. */
	Containers: ContainerSummary[];
	/** Bytes of each container's log, by its id. */
	ContainerLogs: Record<string, number>;
	/** RefCount: containers that use it. */
	Volumes: (VolumeSummary & {UsageData: {Size: number; RefCount: number}})[];
	BuildCache: BuildCacheRecord[];
}

export interface CheckLine {
	/** `kernel`, `cgroups`, `overlay`, `forwarding`, `firewall`, `ports`, ... */
	subject: string;
	/** `warn` limits something, `fail` keeps containers from running. */
	status: 'ok' | 'warn' | 'fail';
	message: string;
	/** A command or a setting that helps. */
	advice?: string;
}

/** What became of a container that was to be started or stopped. */
export interface BootOutcome {
	id: string;
	name: string;
	/** Absent: it went well. */
	error?: unknown;
}
