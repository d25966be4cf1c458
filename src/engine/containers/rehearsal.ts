/**
 * What a start and an exec compute, for a container that there isn't; nothing is made but the cached filter. The
 * build runs it so that the code that V8 compiles for it can be kept: a real start needs root and an image.
 */

import type {Spec} from '../../runtime/oci.ts';
import {parseOciJson, printOciJson} from '../../runtime/oci-json.ts';
import {encodePlan} from '../../runtime/plan/encode.ts';
import type {Paths} from '../paths.ts';
import {compileRecord, specOf} from './bundle.ts';
import {checkConfig, mergeConfig} from './config.ts';
import type {EngineContext} from './context.ts';
import {execPlan} from './exec-plan.ts';
import {checkHostConfig, completeHostConfig} from './host-config.ts';
import {wantedMounts} from './mounts.ts';
import type {ContainerRecord} from './record.ts';

export function rehearse(paths: Paths): void {
	const user = {Cmd: ['true'], Env: ['A=b']};
	const hostConfig = completeHostConfig({NetworkMode: 'none', AutoRemove: true});
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
	const attachment = {network: [], stop: [], addresses: []};
	// Only the paths are asked for: no other container is joined.
	const context = {paths} as EngineContext;
	const spec = specOf(context, record, files, attachment);
	const {monitor, stop} = compileRecord(context, record, spec, attachment, {rows: 24, columns: 80});
	const stored = parseOciJson(printOciJson(spec)) as Spec;
	for (const plan of [monitor, stop, execPlan(paths, record, stored, {argv: ['true']})]) encodePlan(plan);
}
