/** Builds whose process was killed: what they left running ends, and their records are among those of the ended ones. */
import type {EngineContext} from '../containers/context.ts';
import {isIdentityAlive} from '../processes.ts';
import {readRecord, recordNames, sweepRecords} from './recorder.ts';

/** Cheap while all live. */
export async function endAbandonedBuilds(context: EngineContext): Promise<void> {
	const {runBuilds} = context.paths;
	const isDead = (name: string): boolean => {
		const found = readRecord(runBuilds, name);
		return found !== undefined && !isIdentityAlive(found.record.process);
	};
	if (!recordNames(runBuilds).some(isDead)) return;
	await (await import('./run.ts')).sweepContainers(context);
	// Last: as long as there is a record, the next command comes back to it.
	sweepRecords(context.paths);
}
