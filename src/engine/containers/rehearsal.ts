/**
 * What a start and an exec compute, for a container that there isn't. The build runs it, in a root of its own, so
 * that the code that V8 compiles for it can be kept: a real start needs root and an image. The container's record
 * is left, so that lists have a row.
 */

import type {Spec} from '../../runtime/oci.ts';
import {parseOciJson, printOciJson} from '../../runtime/oci-json.ts';
import {encodePlan} from '../../runtime/plan/encode.ts';
import {networkOps, releaseOps, unpublishAllOps} from '../networks/endpoint.ts';
import {planNames} from '../networks/names.ts';
import {resolvText} from '../networks/resolv-conf.ts';
import type {NetworkState} from '../networks/state.ts';
import type {Paths} from '../paths.ts';
import {compileRecord, specOf} from './bundle.ts';
import {checkConfig, mergeConfig} from './config.ts';
import type {EngineContext} from './context.ts';
import {execPlan} from './exec-plan.ts';
import {checkHostConfig, completeHostConfig} from './host-config.ts';
import {wantedMounts} from './mounts.ts';
import type {Attachment} from './network.ts';
import {type ContainerRecord, makeFolder, writeRecord} from './record.ts';

/** A container on the default bridge with a published port. */
function rehearseNetwork(paths: Paths, {Id, HostConfig}: ContainerRecord): Attachment {
	const address = {address: '192.0.2.2', prefix: 24, gateway: '192.0.2.1'};
	const state: NetworkState = {
		endpoints: [
			{
				network: 'bridge',
				networkId: Id,
				endpointId: Id,
				driver: 'bridge',
				interface: 'eth0',
				index: 100,
				peer: 'wh0',
				master: 1,
				mac: '02:42:c0:00:02:02',
				mtu: 1500,
				ipv4: address,
				isolated: false,
				internal: false,
				mode: 0,
				routed: false,
				aliases: [],
				links: [],
				gateway: true,
			},
		],
		ports: [{protocol: 'tcp', containerPort: 80, hostIp: '0.0.0.0', hostPort: 80}],
	};
	const names = planNames(paths, Id, HostConfig, state, 'nameserver 127.0.0.1\n');
	resolvText(names.resolvConf);
	return {
		network: networkOps(paths, Id, state, names.service),
		stop: releaseOps(paths, Id, state),
		unpublish: unpublishAllOps(paths, state),
		state,
		env: [],
		hosts: {own: ['192.0.2.2'], linked: [], gateway: '192.0.2.1'},
		resolvConf: names.resolvConf,
	};
}

export function rehearse(paths: Paths): void {
	const user = {Cmd: ['true'], Env: ['A=b']};
	const hostConfig = completeHostConfig({NetworkMode: 'bridge', AutoRemove: true});
	checkHostConfig(user, hostConfig);
	const image = {Cmd: ['sh'], Env: ['PATH=/usr/bin:/bin'], WorkingDir: '/'};
	const config = mergeConfig(user, image, 'image');
	checkConfig(config);
	wantedMounts(config, hostConfig, new Set());
	const record: ContainerRecord = {
		Id: '0'.repeat(64),
		Name: 'rehearsal',
		Created: '2001-01-01T00:00:00Z',
		Image: `sha256:${'0'.repeat(64)}`,
		ImageName: 'image',
		Os: 'linux',
		Architecture: 'amd64',
		layers: ['0'.repeat(64)],
		Config: config,
		HostConfig: hostConfig,
		Mounts: [],
	};
	const folder = paths.container(record.Id);
	const files = {resolvConf: `${folder}/r`, hostname: `${folder}/n`, hosts: `${folder}/h`};
	const attachment = rehearseNetwork(paths, record);
	// Only the paths are asked for: no other container is joined.
	const context = {paths} as EngineContext;
	const spec = specOf(context, record, files, attachment);
	const {monitor, stop} = compileRecord(context, record, spec, attachment, {rows: 24, columns: 80});
	const stored = parseOciJson(printOciJson(spec)) as Spec;
	makeFolder(folder);
	writeRecord(paths, record);
	for (const plan of [monitor, stop, execPlan(paths, record, stored, {argv: ['true']})]) encodePlan(plan);
}
