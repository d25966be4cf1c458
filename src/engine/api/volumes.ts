/** Volumes. */
import type {Filters} from './system.ts';

export interface VolumeSummary {
	Name: string;
	Driver: 'local';
	Mountpoint: string;
	Labels: Record<string, string> | null;
	Options: Record<string, string> | null;
	Scope: 'local';
	/** RFC 3339. */
	CreatedAt: string;
}

export interface Volumes {
	create(options?: {
		name?: string;
		labels?: Record<string, string>;
		driver?: string;
		options?: Record<string, string>;
	}): Promise<VolumeSummary>;
	list(options?: {filters?: Filters}): Promise<VolumeSummary[]>;
	inspect(name: string): Promise<VolumeSummary>;
	remove(name: string, options?: {force?: boolean}): Promise<void>;
	/** Removes anonymous ones that no container refers to; with the filter `all` any. Filters: all, label, label!. */
	prune(options?: {filters?: Filters}): Promise<{VolumesDeleted: string[]; SpaceReclaimed: number}>;
}
