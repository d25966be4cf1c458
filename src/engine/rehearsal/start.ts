/**
 * What a start does until it needs a monitor, for containers in a root that has never had any. The build runs it,
 * so that the code that V8 compiles for it can be kept: a real start needs root's rights.
 */
import {encodePlan} from '../../runtime/plan/encode.ts';
import {compileRecord, specOf} from '../containers/bundle.ts';
import type {EngineContext} from '../containers/context.ts';
import {writeHostFiles} from '../containers/host-files.ts';
import {findContainer, makeFolder} from '../containers/record.ts';
import {prepare} from '../containers/start.ts';
import {EventJournal} from '../events.ts';
import {Locks} from '../locks.ts';
import type {Paths} from '../paths.ts';
import {bridgeAttachment} from './network.ts';

/** One that has been created with `--network none`. */
export async function rehearseStart(paths: Paths, container: string): Promise<void> {
	const context = {paths, locks: new Locks(paths), events: new EventJournal(paths)} as EngineContext;
	const record = findContainer(paths, container);
	makeFolder(paths.runContainer(record.Id));
	await prepare(context, record, {stdout: true, stderr: true}, 0);
}

/** One on the default bridge. */
export async function rehearseBridge(paths: Paths, container: string): Promise<void> {
	const record = findContainer(paths, container);
	// Only the paths are asked for: no other container is joined.
	const context = {paths} as EngineContext;
	const attachment = await bridgeAttachment(context, record);
	const spec = specOf(context, record, writeHostFiles(context, record, attachment), attachment);
	const plans = compileRecord(context, record, spec, attachment, {rows: 24, columns: 80});
	for (const plan of [plans.monitor, plans.stop]) encodePlan(plan);
}
