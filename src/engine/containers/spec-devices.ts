/** Devices of a container: their nodes, the filter's rules and the limits on them. */
import {deviceRules, type GrantedDevice} from '../../runtime/cgroups/device-filter.ts';
import type {DeviceRate, ThrottleRequest} from '../../runtime/cgroups/limits.ts';
import type {LinuxDevice, LinuxDeviceCgroup} from '../../runtime/oci.ts';
import type {ContainerEdits, DeviceNode} from '../cdi/specification.ts';
import {WherryError} from '../errors.ts';
import type {HostSettings} from './record.ts';
import type {SpecHost} from './spec.ts';

function noDevice(path: string, reason: string): WherryError {
	return new WherryError(
		'invalid',
		`error gathering device information while adding custom device ${JSON.stringify(path)}: ${reason}`,
		{object: path},
	);
}

/** The device nodes at a path of the host: one, or those of a folder. */
function nodesAt(path: string, host: SpecHost): LinuxDevice[] {
	const found = host.device(path);
	if (!found) throw noDevice(path, 'no such file or directory');
	if (found.length === 0) throw noDevice(path, 'not a device node');
	return found;
}

/** What the specification leaves out is as the node on the host. */
function editedNode(edit: DeviceNode, owner: number, host: SpecHost): LinuxDevice {
	const complete = edit.type !== undefined && (edit.type === 'p' || edit.major !== undefined);
	const [node] = complete ? [] : nodesAt(edit.hostPath, host);
	const given = {
		type: edit.type as LinuxDevice['type'] | undefined,
		major: edit.major,
		minor: edit.minor,
		fileMode: edit.fileMode,
		uid: edit.uid ?? (owner > 0 ? owner : undefined),
		gid: edit.gid,
	};
	const known = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
	return {type: 'c', ...node, ...known, path: edit.path};
}

/** Privileged: all devices of the host. Those of the Container Device Interface come with `edits`. */
export function devicesOf(
	{Privileged: privileged, Devices: mappings, DeviceCgroupRules: cgroupRules}: HostSettings,
	edits: readonly ContainerEdits[],
	owner: number,
	host: SpecHost,
): {nodes: LinuxDevice[]; rules: LinuxDeviceCgroup[]} {
	const nodes: LinuxDevice[] = privileged ? host.devices() : [];
	const granted: GrantedDevice[] = [];
	const grant = (node: LinuxDevice, permissions: string): void => {
		nodes.push(node);
		if (node.type !== 'c' && node.type !== 'b') return;
		granted.push({type: node.type, major: node.major ?? 0, minor: node.minor ?? 0, permissions});
	};
	for (const mapping of privileged ? [] : (mappings ?? [])) {
		for (const node of nodesAt(mapping.PathOnHost, host)) {
			const path = mapping.PathInContainer + node.path.slice(mapping.PathOnHost.length);
			grant({...node, path}, mapping.CgroupPermissions || 'rwm');
		}
	}
	for (const edit of edits.flatMap(({deviceNodes}) => deviceNodes)) {
		grant(editedNode(edit, owner, host), edit.permissions);
	}
	return {nodes, rules: deviceRules({privileged, devices: granted, cgroupRules})};
}

/** Limits of block devices, by their numbers. */
export function throttlesOf(config: HostSettings, host: SpecHost): ThrottleRequest {
	const numbers = (path: string): {major: number; minor: number} => {
		const found = host.deviceNumbers(path);
		if (!found) throw new WherryError('invalid', `stat ${path}: no such file or directory`, {object: path});
		return found;
	};
	const rates = (list: readonly DeviceRate[] | null | undefined) =>
		(list ?? []).map(({Path, Rate}) => ({...numbers(Path), rate: Rate}));
	return {
		weights: (config.BlkioWeightDevice ?? []).map(({Path, Weight}) => ({...numbers(Path), weight: Weight})),
		readBps: rates(config.BlkioDeviceReadBps),
		writeBps: rates(config.BlkioDeviceWriteBps),
		readIops: rates(config.BlkioDeviceReadIOps),
		writeIops: rates(config.BlkioDeviceWriteIOps),
	};
}
