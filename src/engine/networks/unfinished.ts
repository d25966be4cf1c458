/** Ports that a change of a running container has reserved or published and then broke off. */
import type {EngineContext} from '../containers/context.ts';
import type {ContainerRecord} from '../containers/record.ts';
import {releasePorts} from '../containers/release-ports.ts';
import {runNetworkOps} from '../containers/rewrite-plans.ts';
import {unpublishOps} from './endpoint.ts';
import {
	eachPort,
	groupPorts,
	type PublishedPort,
	type PublishedRange,
	packPorts,
	portAt,
} from './port-ranges.ts';
import {withExposed} from './ports.ts';
import {type NetworkState, publishingEndpoint} from './state.ts';

/** Whether the record asks for it: it is written when all is done. */
function isWanted({HostConfig, Config}: ContainerRecord, port: PublishedPort): boolean {
	const {PortBindings, PublishAllPorts} = HostConfig;
	const bindings = PublishAllPorts ? withExposed(PortBindings, Config.ExposedPorts) : PortBindings;
	return bindings.some((range) => {
		const binding = portAt(range, port.protocol, port.containerPort);
		if (!binding || (binding.hostIp && binding.hostIp !== port.hostIp)) return false;
		return port.chosen || binding.hostPort === String(port.hostPort);
	});
}

const has = (ranges: readonly PublishedRange[], port: PublishedPort): boolean =>
	ranges.some((range) => {
		const {hostIp, hostPort} = portAt(range, port.protocol, port.containerPort) ?? {};
		return hostIp === port.hostIp && hostPort === port.hostPort;
	});

/** The state without them. Before another change, under the container's lock. */
export async function takeBackPorts(
	context: EngineContext,
	record: ContainerRecord,
	state: NetworkState,
): Promise<NetworkState> {
	const {unfinished, ...rest} = state;
	const ports = eachPort(unfinished?.ports ?? []);
	const published = packPorts(ports.filter((port) => has(state.ports, port) && !isWanted(record, port)));
	const gone = [...packPorts(ports.filter((port) => !has(state.ports, port))), ...published];
	if (gone.length === 0) return rest;
	const endpoint = publishingEndpoint(state);
	if (endpoint && published.length > 0) {
		await runNetworkOps(context, record, unpublishOps(context.paths, groupPorts(published), endpoint));
	}
	await releasePorts(context, record, gone);
	return {...rest, ports: packPorts(eachPort(state.ports).filter((port) => !has(published, port)))};
}
