/** The public face of the engine, for the command line, the terminal UI and other programs. */

import type {BuildCacheRecord, BuildOptions, Builds, CacheRoom} from './api/builds.ts';
import type {Containers} from './api/containers.ts';
import type {Images} from './api/images.ts';
import type {Networks} from './api/networks.ts';
import type {ManifestLists, Registries, RegistryImages} from './api/registries.ts';
import type {BootOutcome, CheckLine, DiskUsage, EngineInfo, Events, Filters} from './api/system.ts';
import type {Volumes} from './api/volumes.ts';
import type {Paths} from './paths.ts';

export type * from './api/builds.ts';
export type * from './api/config.ts';
export type * from './api/containers.ts';
export type * from './api/images.ts';
export type * from './api/networks.ts';
export type * from './api/registries.ts';
export type * from './api/stats.ts';
export type * from './api/system.ts';
export type * from './api/volumes.ts';
export type {IpamConfig, NetworkRecord} from './networks/record.ts';

export interface Engine {
	readonly paths: Paths;
	readonly containers: Containers;
	readonly images: Images;
	readonly volumes: Volumes;
	readonly networks: Networks;
	readonly manifests: ManifestLists;
	readonly registryImages: RegistryImages;
	readonly registries: Registries;
	readonly events: Events;
	readonly builds: Builds;
	/** Builds an image of a Dockerfile; the id is that of its configuration. With an output there is none. */
	build(options: BuildOptions): Promise<{id: string; digest: string}>;
	/** What builds have kept. Shared: an image has the layer too, so that removing it frees nothing. */
	buildCache(filters?: Filters): Promise<BuildCacheRecord[]>;
	/** Forgets what builds have kept: filters as for buildCache. Resolves to what is gone. */
	pruneBuildCache(options?: {
		all?: boolean;
		filters?: Filters;
		keep?: CacheRoom;
	}): Promise<{records: BuildCacheRecord[]; reclaimed: number}>;
	info(): Promise<EngineInfo>;
	diskUsage(): Promise<DiskUsage>;
	/** Looks at the host: what is fine, and what to do about what isn't. Changes nothing. */
	check(): Promise<CheckLine[]>;
	/**
	 * Brings what killed processes left behind in order. Cheap when there is nothing; every command calls it first.
	 * The first one after a boot starts what was running and is to run; with `boots` the caller sees to that.
	 */
	repair(options?: {boots?: boolean}): Promise<void>;
	/** Starts what is to run after a boot, by docker's rules. */
	boot(): Promise<BootOutcome[]>;
	/** Stops all containers, so that the next boot brings back those that are to run. */
	shutdown(): Promise<BootOutcome[]>;
	close(): Promise<void>;
}
