/** What of the host a container gets at a start besides what its settings say outright. */
import type {ContainerEdits} from '../cdi/specification.ts';
import {profileForStart} from '../security/apparmor.ts';
import type {ContainerRecord} from './record.ts';

export interface Grants {
	/** The AppArmor profile; empty where there is none to set. */
	readonly apparmor: string;
	/** Of the Container Device Interface. */
	readonly edits: readonly ContainerEdits[];
}

export const noGrants: Grants = {apparmor: '', edits: []};

/** Loads the profile and reads the devices' specifications where they are needed. */
export async function hostGrants({HostConfig}: ContainerRecord): Promise<Grants> {
	const requests = HostConfig.DeviceRequests ?? [];
	return {
		apparmor: await profileForStart(HostConfig),
		edits: requests.length > 0 ? (await import('../cdi/devices.ts')).deviceEdits(requests) : [],
	};
}
