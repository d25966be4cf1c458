/** Plans of a container that runs, after something that they hold has changed. Under the container's lock. */
import {type MonitorError, request} from '../../runtime/monitor-protocol.ts';
import {encodePlan} from '../../runtime/plan/encode.ts';
import type {Op} from '../../runtime/plan/ops.ts';
import type {WherryError} from '../errors.ts';
import {compileRecord, specOf} from './bundle.ts';
import type {EngineContext} from './context.ts';
import {hostGrants} from './grants.ts';
import {hostFiles} from './host-files.ts';
import {ask} from './monitor-client.ts';
import {refusal} from './monitor-errors.ts';
import {reachMonitor} from './monitor-requests.ts';
import {attachedNetwork} from './network.ts';
import {type ContainerRecord, readState} from './record.ts';
import {writeRunFiles} from './run-files.ts';

/** Stop plan and monitor's plan from the record and the network state on disk. */
export async function rewritePlans(context: EngineContext, record: ContainerRecord): Promise<void> {
	const attachment = await attachedNetwork(context, record);
	const spec = specOf(
		context,
		record,
		hostFiles(context.paths, record),
		attachment,
		await hostGrants(record),
	);
	const {restartCount} = readState(context.paths, record.Id);
	writeRunFiles(context.paths, record, compileRecord(context, record, spec, attachment, {restartCount}));
}

/** Tells the monitor to read its plan again. */
export async function reloadMonitor(context: EngineContext, record: ContainerRecord): Promise<void> {
	await reachMonitor(context, record, (socket) => ask(socket, request.reload));
}

/** Runs operations as those of the network section at the start. */
export async function runNetworkOps(
	context: EngineContext,
	record: ContainerRecord,
	ops: readonly Op[],
	kind: 'network' | 'names' = 'network',
	explain: (detail: MonitorError) => WherryError | undefined = () => undefined,
): Promise<void> {
	if (ops.length === 0) return;
	const plan = encodePlan({network: ops});
	await reachMonitor(
		context,
		record,
		(socket) => ask(socket, request[kind], plan),
		(id, detail) => explain(detail) ?? refusal(id, detail),
	);
}
