/** Ports that a change of a running container has reserved or published and then broke off. */
import type {EngineContext} from '../containers/context.ts';
import type {ContainerRecord} from '../containers/record.ts';
import {releasePorts} from '../containers/release-ports.ts';
import {runNetworkOps} from '../containers/rewrite-plans.ts';
import {unpublishOps} from './endpoint.ts';
import {groupPorts} from './port-ranges.ts';
import {withExposed} from './ports.ts';
import {type NetworkState, type PublishedPort, publishingEndpoint} from './state.ts';

const isSame = (a: PublishedPort, b: PublishedPort): boolean =>
	a.protocol === b.protocol &&
	a.containerPort === b.containerPort &&
	a.hostIp === b.hostIp &&
	a.hostPort === b.hostPort;

/** Whether the record asks for it: it is written when all is done. */
function isWanted({HostConfig, Config}: ContainerRecord, port: PublishedPort): boolean {
	const {PortBindings, PublishAllPorts} = HostConfig;
	const bindings = PublishAllPorts ? withExposed(PortBindings, Config.ExposedPorts) : PortBindings;
	return (bindings?.[`${port.containerPort}/${port.protocol}`] ?? []).some(
		({HostIp, HostPort}) =>
			(!HostIp || HostIp === port.hostIp) && (port.chosen || HostPort === String(port.hostPort)),
	);
}

/** The state without them. Before another change, under the container's lock. */
export async function takeBackPorts(
	context: EngineContext,
	record: ContainerRecord,
	state: NetworkState,
): Promise<NetworkState> {
	const {unfinished, ...rest} = state;
	const {ports = []} = unfinished ?? {};
	const isKept = (port: PublishedPort): boolean => state.ports.some((each) => isSame(each, port));
	const published = ports.filter((port) => isKept(port) && !isWanted(record, port));
	const gone = [...ports.filter((port) => !isKept(port)), ...published];
	if (gone.length === 0) return rest;
	const endpoint = publishingEndpoint(state);
	if (endpoint && published.length > 0) {
		await runNetworkOps(context, record, unpublishOps(context.paths, groupPorts(published), endpoint));
	}
	await releasePorts(context, record, gone);
	return {...rest, ports: state.ports.filter((port) => !published.some((each) => isSame(each, port)))};
}
