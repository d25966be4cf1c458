/** The plan that a container would be started with, as text. Nothing is made. */
import {join} from 'node:path';
import {printPlan} from '../../runtime/plan/print.ts';
import type {CreateOptions} from '../api.ts';
import {dataFolder} from '../volumes/references.ts';
import {compileRecord, specOf} from './bundle.ts';
import type {EngineContext} from './context.ts';
import {planRecord} from './create.ts';
import {inheritedMounts} from './create-mounts.ts';
import {hostGrants} from './grants.ts';
import {wantedMounts} from './mounts.ts';
import {attachNetwork} from './network.ts';

export async function printContainerPlan(context: EngineContext, options: CreateOptions): Promise<string> {
	const {paths} = context;
	const {record} = await planRecord(context, options);
	record.Name ||= 'unnamed';
	const inherited = inheritedMounts(context, record.HostConfig.VolumesFrom ?? []);
	const taken = new Set(inherited.map((mount) => mount.Destination));
	const wanted = wantedMounts(record.Config, record.HostConfig, taken);
	const targets = new Set(wanted.map((mount) => mount.target));
	record.Mounts = [
		...inherited.filter((mount) => !targets.has(mount.Destination)),
		...wanted.map((mount) => ({
			Type: mount.type,
			Source: mount.type === 'volume' ? dataFolder(paths, mount.source || 'anonymous') : mount.source,
			Destination: mount.target,
			Mode: mount.mode,
			RW: !mount.readOnly,
			Propagation: mount.propagation,
			...(mount.subpath ? {subpath: mount.subpath} : {}),
			...(mount.recursive ? {} : {alone: true as const}),
			...(mount.below ? {below: mount.below} : {}),
		})),
	];
	const attachment = await attachNetwork(context, record, {dry: true});
	const folder = paths.container(record.Id);
	const files = {
		resolvConf: join(folder, 'resolv.conf'),
		hostname: join(folder, 'hostname'),
		hosts: join(folder, 'hosts'),
	};
	return printPlan(
		compileRecord(
			context,
			record,
			specOf(context, record, files, attachment, await hostGrants(record)),
			attachment,
		).monitor,
	);
}
