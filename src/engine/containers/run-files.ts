/** The files of a container in WHERRY_RUN that its monitor reads. */
import {join} from 'node:path';
import {encodePlan, type Plan} from '../../runtime/plan/encode.ts';
import {isErrno} from '../errors.ts';
import {replaceFile} from '../files.ts';
import {armedPlan} from '../networks/endpoint.ts';
import type {Paths} from '../paths.ts';
import {type ContainerRecord, makeFolder} from './record.ts';

/** JSON members for the events that the monitor writes: image and name first, then the labels. */
export function eventMembers(record: ContainerRecord): string {
	const members = {image: record.Config.Image, name: record.Name, ...record.Config.Labels};
	// A label of that name must not pass for them.
	const text = JSON.stringify({...members, image: record.Config.Image, name: record.Name});
	return text.slice(1, -1);
}

/** Nothing when the container has no folder there: it isn't up. */
function replaceRunFile(paths: Paths, id: string, name: string, content: string | Uint8Array): void {
	try {
		replaceFile(join(paths.runContainer(id), name), content);
	} catch (error) {
		if (!isErrno(error, 'ENOENT')) throw error;
	}
}

export function writeAttributes(paths: Paths, record: ContainerRecord): void {
	replaceRunFile(paths, record.Id, 'attributes', eventMembers(record));
}

export function writeStopPlan(paths: Paths, id: string, plan: Plan): void {
	replaceRunFile(paths, id, 'stop.plan', encodePlan(plan));
}

export function monitorPlan(paths: Paths, id: string): string {
	return join(paths.runContainer(id), 'monitor.plan');
}

/** The stop plan comes first: from then on everybody knows how to clean up. */
export function writeRunFiles(
	paths: Paths,
	record: ContainerRecord,
	plans: {monitor: Plan; stop: Plan; unarmed?: Plan},
	options: {starts?: boolean} = {},
): void {
	const folder = paths.runContainer(record.Id);
	makeFolder(folder);
	if (options.starts && plans.unarmed) {
		// The monitor puts the other in its place when the ports are bound.
		replaceFile(join(folder, armedPlan), encodePlan(plans.stop));
		replaceFile(join(folder, 'stop.plan'), encodePlan(plans.unarmed));
	} else replaceFile(join(folder, 'stop.plan'), encodePlan(plans.stop));
	replaceFile(monitorPlan(paths, record.Id), encodePlan(plans.monitor));
	writeAttributes(paths, record);
}
