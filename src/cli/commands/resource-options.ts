/** The part of `run` and `create` that is about limits, devices and what keeps a container in. */
import {readFileSync} from 'node:fs';
import {posix} from 'node:path';
import type {DeviceMapping, DeviceRequest, HostConfig} from '../../engine/api.ts';
import {parseOciJson, printOciJson} from '../../runtime/oci-json.ts';
import {jsonErrorWords} from '../format/json-error.ts';
import {parseOperationsDevice, parseRateDevice, parseWeightDevice} from '../parse/block-io.ts';
import type {FlagValues} from '../parse/flag-values.ts';
import type {Ulimit} from '../parse/ulimit.ts';
import {systemMessage} from './env-file.ts';

export function resourceOptions(flags: FlagValues): Partial<HostConfig> {
	const list = (name: string): string[] | null => (flags.changed(name) ? flags.list(name) : null);
	const swappiness = flags.number('memory-swappiness');
	if (flags.changed('memory-swappiness') && swappiness !== -1 && (swappiness < 0 || swappiness > 100)) {
		throw new Error(`invalid value: ${swappiness}. Valid memory swappiness range is 0-100`);
	}
	const {devices, requests} = deviceOptions(flags);
	const {securityOpts, unconfinedPaths} = securityOptions(flags.list('security-opt'));
	const config: Partial<HostConfig> = {
		CgroupParent: flags.string('cgroup-parent'),
		GroupAdd: list('group-add'),
		OomScoreAdj: flags.number('oom-score-adj'),
		Privileged: flags.bool('privileged'),
		SecurityOpt: securityOpts.length > 0 ? securityOpts : null,
		ShmSize: flags.number('shm-size'),
		Runtime: flags.string('runtime'),
		Isolation: flags.string('isolation'),
		BlkioWeight: flags.number('blkio-weight'),
		BlkioWeightDevice: flags.list('blkio-weight-device').map(parseWeightDevice),
		BlkioDeviceReadBps: flags.list('device-read-bps').map(parseRateDevice),
		BlkioDeviceWriteBps: flags.list('device-write-bps').map(parseRateDevice),
		BlkioDeviceReadIOps: flags.list('device-read-iops').map(parseOperationsDevice),
		BlkioDeviceWriteIOps: flags.list('device-write-iops').map(parseOperationsDevice),
		CpuShares: flags.number('cpu-shares'),
		Memory: flags.number('memory'),
		NanoCpus: flags.number('cpus'),
		CpuPeriod: flags.number('cpu-period'),
		CpuQuota: flags.number('cpu-quota'),
		CpuRealtimePeriod: flags.number('cpu-rt-period'),
		CpuRealtimeRuntime: flags.number('cpu-rt-runtime'),
		CpusetCpus: flags.string('cpuset-cpus'),
		CpusetMems: flags.string('cpuset-mems'),
		Devices: devices,
		DeviceCgroupRules: list('device-cgroup-rule'),
		DeviceRequests: requests,
		MemoryReservation: flags.number('memory-reservation'),
		MemorySwap: flags.number('memory-swap'),
		MemorySwappiness: flags.changed('memory-swappiness') && swappiness !== -1 ? swappiness : null,
		OomKillDisable: flags.changed('oom-kill-disable') ? flags.bool('oom-kill-disable') : null,
		PidsLimit: flags.changed('pids-limit') ? flags.number('pids-limit') : null,
		Ulimits: flags.changed('ulimit') ? lastOfEach(flags.list<Ulimit>('ulimit')) : null,
	};
	if (flags.changed('storage-opt')) config.StorageOpt = storageOptions(flags.list('storage-opt'));
	if (flags.changed('sysctl')) config.Sysctls = flags.map('sysctl');
	if (flags.changed('annotation')) config.Annotations = flags.map('annotation');
	if (unconfinedPaths) Object.assign(config, {MaskedPaths: [], ReadonlyPaths: []});
	return config;
}

const onWindows = ['cpu-count', 'cpu-percent', 'io-maxbandwidth', 'io-maxiops'];

/** docker's client refuses these by what its daemon runs on. */
export function foreignFlags(flags: FlagValues): string | undefined {
	const lines = onWindows
		.filter((name) => flags.changed(name))
		.map((name) => `"--${name}" is only supported on windows, but the engine is running on linux`);
	return lines.length > 0 ? lines.join('\n') : undefined;
}

/** What docker's client itself warns of. */
export function clientWarnings({OomKillDisable, Memory, Dns}: Partial<HostConfig>): string[] {
	const warnings: string[] = [];
	if (OomKillDisable && !Memory) {
		warnings.push(
			"Disabling the OOM killer on containers without setting a '-m/--memory' limit may be dangerous.",
		);
	}
	const local = Dns?.find((address) => /^127\.|^::1$/.test(address));
	if (local) warnings.push(`Localhost DNS setting (--dns=${local}) may fail in containers.`);
	return warnings;
}

function lastOfEach(ulimits: readonly Ulimit[]): Ulimit[] {
	const byName = new Map(ulimits.map((ulimit) => [ulimit.Name, ulimit]));
	return [...byName.values()].sort((a, b) => (a.Name < b.Name ? -1 : 1));
}

function storageOptions(options: readonly string[]): Record<string, string> {
	return Object.fromEntries(
		options.map((option) => {
			const equals = option.indexOf('=');
			if (equals < 0) throw new Error('invalid storage option');
			return [option.slice(0, equals), option.slice(equals + 1)];
		}),
	);
}

/** A name of the Container Device Interface: `vendor.com/class=device`. */
const cdiName =
	/^[A-Za-z](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?\/[A-Za-z](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?=[A-Za-z0-9](?:[A-Za-z0-9_.:-]*[A-Za-z0-9])?$/;

function deviceOptions(flags: FlagValues): {
	devices: DeviceMapping[] | null;
	requests: DeviceRequest[] | null;
} {
	const given = flags.list('device');
	const DeviceIDs = given.filter((device) => cdiName.test(device));
	const requests = flags.list<DeviceRequest>('gpus');
	if (DeviceIDs.length > 0) {
		requests.push({Driver: 'cdi', Count: 0, DeviceIDs, Capabilities: null, Options: null});
	}
	return {
		devices: given.filter((device) => !cdiName.test(device)).map(parseDevice),
		requests: requests.length > 0 ? requests : null,
	};
}

const deviceMode = /^(?=[rwm]{1,3}$)(?!.*(.).*\1)/;

/** `source[:target][:mode]`. */
export function parseDevice(text: string): DeviceMapping {
	const [source = '', second, third, ...rest] = text.split(':');
	if (source === '' || rest.length > 0) throw new Error(`bad format for path: ${text}`);
	let target = source;
	let permissions = 'rwm';
	if (third !== undefined) {
		target = second!;
		permissions = third;
		if (!deviceMode.test(permissions)) throw new Error(`bad mode specified: ${permissions}`);
	} else if (second !== undefined && deviceMode.test(second)) permissions = second;
	else if (second !== undefined) target = second;
	if (!target.startsWith('/')) throw new Error(`${target} is not an absolute path`);
	return {
		PathOnHost: source,
		PathInContainer: posix.normalize(target),
		CgroupPermissions: permissions,
	};
}

function securityOptions(options: readonly string[]): {securityOpts: string[]; unconfinedPaths: boolean} {
	const securityOpts: string[] = [];
	let unconfinedPaths = false;
	for (const option of options) {
		let [key, value] = option.includes('=') ? cut(option, '=') : [option, undefined];
		if (value === undefined && option.includes(':') && !option.startsWith('no-new-privileges')) {
			[key, value] = cut(option, ':');
		}
		if ((value === undefined || value === '') && !key.startsWith('no-new-privileges')) {
			throw new Error(`Invalid --security-opt: ${JSON.stringify(option)}`);
		}
		if (key === 'systempaths' && value === 'unconfined') unconfinedPaths = true;
		else if (key === 'seccomp' && value !== 'unconfined' && value !== 'builtin') {
			securityOpts.push(`seccomp=${seccompProfile(value!)}`);
		} else securityOpts.push(option);
	}
	return {securityOpts, unconfinedPaths};
}

function cut(text: string, at: string): [string, string] {
	const index = text.indexOf(at);
	return [text.slice(0, index), text.slice(index + 1)];
}

/** The engine gets the profile itself: the file is the caller's. */
function seccompProfile(path: string): string {
	let text: string;
	try {
		text = readFileSync(path, 'utf8');
	} catch (error) {
		throw new Error(`opening seccomp profile (${path}) failed: open ${path}: ${systemMessage(error)}`);
	}
	try {
		return printOciJson(parseOciJson(text));
	} catch (error) {
		throw new Error(`compacting json for seccomp profile (${path}) failed: ${jsonErrorWords(text, error)}`);
	}
}
