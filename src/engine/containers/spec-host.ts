/** What of the host goes into a spec (spec.ts), read once. */
import {lstatSync, readdirSync, readFileSync, type Stats, statSync} from 'node:fs';
import {join} from 'node:path';
import {detectCgroups} from '../../runtime/cgroups/layout.ts';
import type {LinuxDevice} from '../../runtime/oci.ts';
import type {SpecHost} from './spec.ts';

/** Folders of /dev that are file systems of their own, which a container has itself. */
const ownFileSystems = new Set(['pts', 'shm', 'mqueue', 'fd', '.lxc', '.lxd-mounts', '.udev']);

/** glibc's encoding of dev_t (gnu_dev_major in sysmacros.h). */
export function deviceNumbers(device: number): {major: number; minor: number} {
	const value = BigInt(device);
	return {
		major: Number(((value >> 8n) & 0xfffn) | ((value >> 32n) & ~0xfffn)),
		minor: Number((value & 0xffn) | ((value >> 12n) & ~0xffn)),
	};
}

function deviceNode(path: string, stat: Stats): LinuxDevice | undefined {
	const type = stat.isCharacterDevice() ? 'c' : stat.isBlockDevice() ? 'b' : undefined;
	if (!type) return undefined;
	return {type, path, ...deviceNumbers(stat.rdev), fileMode: stat.mode & 0o777, uid: stat.uid, gid: stat.gid};
}

function entries(folder: string): string[] {
	try {
		return readdirSync(folder);
	} catch {
		return [];
	}
}

/** All device nodes of a folder and below; what can't be looked at is none. */
function devicesBelow(folder: string, skip: ReadonlySet<string>): LinuxDevice[] {
	const found: LinuxDevice[] = [];
	// The kernel takes no longer path.
	if (folder.length > 4000) return found;
	for (const name of entries(folder)) {
		const path = join(folder, name);
		const stat = lstatSync(path, {throwIfNoEntry: false});
		if (!stat) continue;
		if (stat.isDirectory()) {
			if (!skip.has(name)) found.push(...devicesBelow(path, new Set()));
			continue;
		}
		const device = name === 'console' ? undefined : deviceNode(path, stat);
		if (device) found.push(device);
	}
	return found;
}

function devicesAt(path: string): LinuxDevice[] | undefined {
	const stat = statSync(path, {throwIfNoEntry: false});
	if (!stat) return undefined;
	if (stat.isDirectory()) return devicesBelow(path, new Set());
	const device = deviceNode(path, stat);
	return device ? [device] : [];
}

function thermalThrottle(): number[] {
	try {
		return readdirSync('/sys/devices/system/cpu')
			.filter((name) => name.startsWith('cpu') && name.length > 3)
			.map((name) => Number(name.slice(3)))
			.filter(Number.isInteger)
			.filter((cpu) =>
				statSync(`/sys/devices/system/cpu/cpu${cpu}/thermal_throttle`, {throwIfNoEntry: false}),
			);
	} catch {
		return [];
	}
}

function lastCapability(): number {
	try {
		return Number(readFileSync('/proc/sys/kernel/cap_last_cap', 'latin1'));
	} catch {
		return 40;
	}
}

export const hostArch = process.arch === 'arm64' ? 'arm64' : 'x64';

/** Not os.release(): node:os takes longer to load than the file to read. */
function kernelVersion(): [number, number] {
	const [major = 0, minor = 0] = readFileSync('/proc/sys/kernel/osrelease', 'latin1')
		.split('.')
		.map((part) => Number.parseInt(part, 10));
	return [major, minor];
}

type HostFacts = Omit<SpecHost, 'defaultSeccomp'>;

let host: HostFacts | undefined;

export function specHost(): HostFacts {
	if (host) return host;
	host = {
		cgroupVersion: detectCgroups().version === 'v2' ? 2 : 1,
		arch: hostArch,
		kernel: kernelVersion(),
		lastCapability: lastCapability(),
		devices: () => devicesBelow('/dev', ownFileSystems),
		device: devicesAt,
		deviceNumbers: (path) => {
			const stat = statSync(path, {throwIfNoEntry: false});
			return stat && deviceNumbers(stat.rdev);
		},
		thermalThrottle,
	};
	return host;
}
