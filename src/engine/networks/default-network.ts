/** docker's `bridge`: there as soon as somebody looks for it. */
import type {EngineContext} from '../containers/context.ts';
import {type NetworkRecord, readNetwork} from './record.ts';

/** What makes it is loaded once in the life of an engine's root. */
export async function ensureDefaultNetwork(context: EngineContext): Promise<NetworkRecord> {
	const there = readNetwork(context.paths, 'bridge');
	return there ?? (await import('./create.ts')).createDefaultNetwork(context);
}
