/**
 * The network of a container that is about to start. This is the one place where networks come in: `none`
 * has its loopback, `host` the host's, `container:ID` another container's.
 */
import type {Op} from '../../runtime/plan/ops.ts';
import {WherryError} from '../errors.ts';
import type {EngineContext} from './context.ts';
import {type ContainerRecord, currentState, findContainer} from './record.ts';

export interface Attachment {
	/** A namespace file to join. */
	join?: string;
	/** Operations for the plan's network section, and to undo them at the end. */
	network: Op[];
	stop: Op[];
	/** Addresses for /etc/hosts. */
	addresses: string[];
}

/** The namespace of a running container, for --network, --pid and --ipc `container:ID`. */
export function joinedNamespace(
	context: EngineContext,
	mode: string,
	kind: 'net' | 'pid' | 'ipc',
): string | undefined {
	const id = /^container:(.+)$/.exec(mode)?.[1];
	if (!id) return undefined;
	const other = findContainer(context.paths, id);
	const state = currentState(context.paths, other.Id);
	if (state.pid === 0 || (state.status !== 'running' && state.status !== 'paused')) {
		const what = {net: 'network', pid: 'PID', ipc: 'IPC'}[kind];
		throw new WherryError(
			'conflict',
			`cannot join ${what} namespace of a non running container: container ${other.Name} is ${state.status}`,
			{object: other.Id},
		);
	}
	return `/proc/${state.pid}/ns/${kind}`;
}

export async function attachNetwork(context: EngineContext, record: ContainerRecord): Promise<Attachment> {
	const join = joinedNamespace(context, record.HostConfig.NetworkMode, 'net');
	return {...(join ? {join} : {}), network: [], stop: [], addresses: []};
}
