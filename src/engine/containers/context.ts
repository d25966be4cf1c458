/** What the operations on containers work with. */
import type {Images} from '../api.ts';
import type {EventJournal} from '../events.ts';
import type {Locks} from '../locks.ts';
import type {Paths} from '../paths.ts';
import type {ProcessIdentity} from '../processes.ts';
import type {LocalVolumes} from '../volumes/volumes.ts';
import {type ContainerRecord, eventAttributes} from './record.ts';

export interface EngineContext {
	readonly paths: Paths;
	readonly locks: Locks;
	readonly events: EventJournal;
	readonly volumes: LocalVolumes;
	readonly images: () => Promise<Images>;
	/** Of a build: what its containers are known by. */
	readonly build?: ProcessIdentity;
}

/** The name of the lock that guards the names of all containers, held for a few system calls. */
export const namesLock = 'names';

export function emit(
	context: EngineContext,
	record: ContainerRecord,
	action: string,
	attributes: Record<string, string> = {},
): void {
	if (record.Build) return;
	context.events.append('container', action, record.Id, {...eventAttributes(record), ...attributes});
}
