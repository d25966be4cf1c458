/**
 * The network of a container that is about to start. This is the one place where networks come in: `none`
 * has its loopback, `host` the host's, `container:ID` another container's, all others have endpoints.
 */
import type {Op} from '../../runtime/plan/ops.ts';
import {WherryError} from '../errors.ts';
import type {NamePlan} from '../networks/names.ts';
import {
	hasEndpoints,
	type NetworkState,
	noNetwork,
	readNetworkState,
	writeNetworkState,
} from '../networks/state.ts';
import type {EngineContext} from './context.ts';
import type {HostEntries} from './host-files.ts';
import {joinedContainer} from './joined.ts';
import {type ContainerRecord, currentState, findContainer, isUp} from './record.ts';

export interface Attachment {
	/** A namespace file to join. */
	join?: string;
	/** Operations for the plan's network section, and to undo them at the end. */
	network: Op[];
	stop: Op[];
	/** The part of the undoing that counts only once the ports are bound. */
	unpublish: Op[];
	state: NetworkState;
	/** Variables about linked containers. */
	env: string[];
	hosts: HostEntries;
	/** Undefined: the host's own. */
	resolvConf?: NamePlan['resolvConf'];
}

/** The namespace of a running container, for --network, --pid and --ipc `container:ID`. */
export function joinedNamespace(
	context: EngineContext,
	mode: string,
	kind: 'net' | 'pid' | 'ipc',
): string | undefined {
	const id = joinedContainer(mode);
	if (!id) return undefined;
	const other = findContainer(context.paths, id);
	const state = currentState(context.paths, other.Id);
	const fail = (message: string): never => {
		const head = kind === 'ipc' ? `can't join IPC of container ${other.Id}: ` : '';
		throw new WherryError('conflict', `${head}${message}`, {object: other.Id});
	};
	if (state.status === 'restarting') {
		fail(`Container ${other.Id} is restarting, wait until the container is running`);
	}
	if (state.pid === 0 || !isUp(state)) {
		fail(
			kind === 'net'
				? `cannot join network of a non running container: ${other.Id}`
				: `container ${other.Id} is not running`,
		);
	}
	const {IpcMode} = other.HostConfig;
	if (kind === 'ipc' && (IpcMode === 'private' || IpcMode === 'none')) {
		fail('non-shareable IPC (hint: use IpcMode:shareable for the donor container)');
	}
	return `/proc/${state.pid}/ns/${kind}`;
}

/** docker: the default bridge's address, which is the host's. */
function hostGateway(state: NetworkState): string {
	const gateways = state.endpoints.toSorted((a, b) => Number(b.gateway) - Number(a.gateway));
	const found = gateways.find(({ipv4, ipv6}) => ipv4?.gateway ?? ipv6?.gateway);
	return found?.ipv4?.gateway ?? found?.ipv6?.gateway ?? '127.0.0.1';
}

/** From the state to operations, files and variables. `up`: for a container that has been started with them. */
export async function describeNetwork(
	context: EngineContext,
	record: ContainerRecord,
	state: NetworkState,
	options: {up: boolean},
): Promise<Attachment> {
	const {paths} = context;
	const linking = record.HostConfig.Links?.length && record.HostConfig.NetworkMode !== 'none';
	const [{lastingOps, networkOps, releaseOps, unpublishAllOps}, {hostResolvConf, planNames}, links] =
		await Promise.all([
			import('../networks/endpoint.ts'),
			import('../networks/names.ts'),
			linking ? import('./links.ts') : undefined,
		]);
	const linked = links?.resolveLinks(context, record) ?? [];
	const names = planNames(paths, record.Id, record.HostConfig, state, hostResolvConf());
	return {
		network: options.up ? lastingOps(paths, state) : networkOps(paths, record.Id, state, names.service),
		stop: releaseOps(paths, record.Id, state),
		unpublish: unpublishAllOps(paths, state),
		state,
		env: links?.linkVariables(record, linked) ?? [],
		hosts: {
			own: state.endpoints.flatMap(({ipv4, ipv6}) =>
				[ipv4?.address, ipv6?.address].filter((address) => address !== undefined),
			),
			linked: links?.linkHosts(linked) ?? [],
			gateway: hostGateway(state),
		},
		resolvConf: names.resolvConf,
	};
}

function withoutEndpoints(context: EngineContext, record: ContainerRecord): Attachment {
	const join = joinedNamespace(context, record.HostConfig.NetworkMode, 'net');
	return {
		...(join ? {join} : {}),
		network: [],
		stop: [],
		unpublish: [],
		state: noNetwork,
		env: [],
		hosts: {own: [], linked: [], gateway: '127.0.0.1'},
	};
}

/** Takes addresses and ports for a start; `dry` only shows what it would be. Under the container's lock. */
export async function attachNetwork(
	context: EngineContext,
	record: ContainerRecord,
	options: {dry?: boolean} = {},
): Promise<Attachment> {
	if (!hasEndpoints(record)) return withoutEndpoints(context, record);
	const {allocateNetworks} = await import('../networks/allocate.ts');
	const before = options.dry ? undefined : readNetworkState(context.paths, record.Id);
	const state = await allocateNetworks(context, record, options);
	if (before) {
		writeNetworkState(context.paths, record.Id, state);
		const {writeZoneEntries} = await import('../networks/names.ts');
		writeZoneEntries(context.paths, record, state.endpoints);
		await tellLinked(context, record, before, state);
	}
	return describeNetwork(context, record, state, {up: false});
}

const defaultAddress = ({endpoints}: NetworkState): string | undefined =>
	endpoints.find(({network}) => network === 'bridge')?.ipv4?.address;

/** Who is linked to it runs on from before: only an address that has changed is news. */
async function tellLinked(
	context: EngineContext,
	record: ContainerRecord,
	before: NetworkState,
	state: NetworkState,
): Promise<void> {
	const [old, address] = [defaultAddress(before), defaultAddress(state)];
	if (!old || !address || old === address) return;
	const {moveLinkedHost} = await import('./links.ts');
	moveLinkedHost(context, record.Id, old, address);
}

/** The same for a container that runs: nothing is taken. */
export async function attachedNetwork(context: EngineContext, record: ContainerRecord): Promise<Attachment> {
	if (!hasEndpoints(record)) return withoutEndpoints(context, record);
	return describeNetwork(context, record, readNetworkState(context.paths, record.Id), {up: true});
}
