/**
 * Limits as docker's API has them: what is refused, what is discarded with a warning, and what they are in
 * the OCI form. The words are docker's.
 */
import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {availableParallelism} from 'node:os';
import {join} from 'node:path';
import type {LinuxDeviceCgroup, LinuxResources, LinuxThrottleDevice, LinuxWeightDevice} from '../oci.ts';
import {type CgroupLayout, controllerDir} from './layout.ts';

/** The part of docker's HostConfig that is about limits; 0, '' and null mean not set. */
export interface LimitRequest {
	/** Bytes. */
	Memory?: number;
	/** Memory and swap; -1 is without limit. */
	MemorySwap?: number;
	MemoryReservation?: number;
	MemorySwappiness?: number | null;
	OomKillDisable?: boolean | null;
	OomScoreAdj?: number;
	NanoCpus?: number;
	CpuShares?: number;
	/** Microseconds. */
	CpuPeriod?: number;
	CpuQuota?: number;
	CpusetCpus?: string;
	CpusetMems?: string;
	PidsLimit?: number | null;
	BlkioWeight?: number;
	BlkioWeightDevice?: readonly {Path: string; Weight: number}[] | null;
	/** Bytes or operations each second. */
	BlkioDeviceReadBps?: readonly DeviceRate[] | null;
	BlkioDeviceWriteBps?: readonly DeviceRate[] | null;
	BlkioDeviceReadIOps?: readonly DeviceRate[] | null;
	BlkioDeviceWriteIOps?: readonly DeviceRate[] | null;
	/** Microseconds. */
	CpuRealtimePeriod?: number;
	CpuRealtimeRuntime?: number;
	ShmSize?: number;
}

export interface DeviceRate {
	Path: string;
	Rate: number;
}

/** What the host can limit. */
export interface LimitHost {
	/** How many CPUs there are. */
	readonly cpus: number;
	/** Lists such as `0-3,8`. */
	readonly onlineCpus: string;
	readonly onlineMems: string;
	readonly memory: boolean;
	readonly swap: boolean;
	readonly reservation: boolean;
	readonly swappiness: boolean;
	readonly oomKillDisable: boolean;
	readonly cpuShares: boolean;
	readonly cpuCfs: boolean;
	readonly cpuset: boolean;
	readonly pids: boolean;
	readonly blkioWeight: boolean;
	readonly blkioWeightDevice: boolean;
	readonly blkioThrottle: boolean;
	readonly realtime: boolean;
	/** The kernel takes shares as they are, from 2 to 262144 (v1); v2 has weights, to which all are mapped. */
	readonly sharesAsGiven: boolean;
}

const minMemory = 6 * 1024 * 1024;
const minShares = 2;
const maxShares = 262_144;
const nanoCpu = 1e9;
const cfsPeriod = 100_000;
/** The most CPUs that Linux can be built for; a list that names more is refused before it takes any memory. */
const maxCpus = 8192;

type Range = readonly [first: number, last: number];

/** Parses a list such as `0-2,7`. Throws Error in docker's words; never makes more than the text's length. */
export function parseNumberList(text: string, maximum: number): Range[] {
	if (text === '') return [];
	return text.split(',').map((part) => {
		const match = /^ *([0-9]{1,10}) *(?:- *([0-9]{1,10}) *)?$/.exec(part);
		if (!match) throw new Error(`invalid format: ${text}`);
		const first = Number(match[1]);
		const last = match[2] === undefined ? first : Number(match[2]);
		if (last < first) throw new Error(`invalid format: ${text}`);
		if (last > maximum) throw new Error(`value of out range, maximum is ${maximum}`);
		return [first, last];
	});
}

/** Whether every number of one list is in the other. */
function isAvailable(requested: string, available: string): boolean {
	const ranges = parseNumberList(available, Number.MAX_SAFE_INTEGER);
	const highest = Math.max(maxCpus, ...ranges.map(([, last]) => last));
	return parseNumberList(requested, highest).every(([first, last]) => {
		for (let next = first; next <= last; ) {
			const holder = ranges.find(([from, to]) => from <= next && next <= to);
			if (!holder) return false;
			next = holder[1] + 1;
		}
		return true;
	});
}

type Adjusted<T> = {-readonly [K in keyof T]: T[K]};

function checkMemory(
	request: Adjusted<LimitRequest>,
	host: LimitHost,
	warnings: string[],
	update: boolean,
): void {
	const fail = (message: string): never => {
		throw new Error(message);
	};
	// docker's client says "not set" with -1 too.
	if (request.MemorySwappiness === -1) request.MemorySwappiness = null;
	const memory = request.Memory ?? 0;
	if (memory !== 0 && memory < minMemory) fail('Minimum memory limit allowed is 6MB');
	// What an update leaves out stays as it is.
	if (memory > 0 && (request.MemorySwap ?? 0) === 0 && !update) request.MemorySwap = memory * 2;
	if (memory > 0 && !host.memory) {
		warnings.push(
			'Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.',
		);
		request.Memory = 0;
		request.MemorySwap = -1;
	}
	if ((request.Memory ?? 0) > 0 && request.MemorySwap !== -1 && !host.swap) {
		warnings.push(
			'Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.',
		);
		request.MemorySwap = -1;
	}
	const swap = request.MemorySwap ?? 0;
	if ((request.Memory ?? 0) > 0 && swap > 0 && swap < request.Memory!) {
		fail('Minimum memoryswap limit should be larger than memory limit, see usage');
	}
	if ((request.Memory ?? 0) === 0 && swap > 0 && !update) {
		fail('You should always set the Memory limit when using Memoryswap limit, see usage');
	}
	if (request.MemorySwappiness != null && !host.swappiness) {
		warnings.push(
			'Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.',
		);
		request.MemorySwappiness = null;
	}
	const swappiness = request.MemorySwappiness;
	if (swappiness != null && (swappiness < 0 || swappiness > 100)) {
		fail(`Invalid value: ${swappiness}, valid memory swappiness range is 0-100`);
	}
	if ((request.MemoryReservation ?? 0) > 0 && !host.reservation) {
		warnings.push(
			'Your kernel does not support memory soft limit capabilities or the cgroup is not mounted. Limitation discarded.',
		);
		request.MemoryReservation = 0;
	}
	const reservation = request.MemoryReservation ?? 0;
	if (reservation > 0 && reservation < minMemory) fail('Minimum memory reservation allowed is 6MB');
	if (reservation > 0 && (request.Memory ?? 0) > 0 && request.Memory! < reservation) {
		fail('Minimum memory limit can not be less than memory reservation limit, see usage');
	}
	if (request.OomKillDisable && !host.oomKillDisable) {
		warnings.push('Your kernel does not support OomKillDisable. OomKillDisable discarded.');
		request.OomKillDisable = null;
	}
	if (request.OomKillDisable && (request.Memory ?? 0) === 0) {
		warnings.push(
			'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.',
		);
	}
}

function checkCpu(request: Adjusted<LimitRequest>, host: LimitHost, warnings: string[]): void {
	const {NanoCpus = 0} = request;
	if (NanoCpus > 0 && (request.CpuPeriod ?? 0) > 0) {
		throw new Error('Conflicting options: Nano CPUs and CPU Period cannot both be set');
	}
	if (NanoCpus > 0 && (request.CpuQuota ?? 0) > 0) {
		throw new Error('Conflicting options: Nano CPUs and CPU Quota cannot both be set');
	}
	if (NanoCpus > 0 && !host.cpuCfs) {
		throw new Error(
			'NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted',
		);
	}
	// The kernel's smallest quota is 1 ms, a hundredth of the period.
	if (NanoCpus !== 0 && (NanoCpus < nanoCpu / 100 || NanoCpus > host.cpus * nanoCpu)) {
		throw new Error(
			`range of CPUs is from 0.01 to ${host.cpus}.00, as there are only ${host.cpus} CPUs available`,
		);
	}
	if ((request.CpuShares ?? 0) !== 0 && !host.cpuShares) {
		warnings.push('Your kernel does not support CPU shares or the cgroup is not mounted. Shares discarded.');
		request.CpuShares = 0;
	}
	const {CpuShares = 0} = request;
	if (CpuShares < 0) throw new Error('shares: invalid argument');
	if (CpuShares !== 0 && host.sharesAsGiven) {
		if (CpuShares < minShares) throw new Error(`the minimum allowed cpu-shares is ${minShares}`);
		if (CpuShares > maxShares) throw new Error(`the maximum allowed cpu-shares is ${maxShares}`);
	}
	if (((request.CpuPeriod ?? 0) !== 0 || (request.CpuQuota ?? 0) !== 0) && !host.cpuCfs) {
		warnings.push(
			'Your kernel does not support CPU CFS scheduler or the cgroup is not mounted. Period and quota discarded.',
		);
		request.CpuPeriod = 0;
		request.CpuQuota = 0;
	}
	const {CpuPeriod = 0, CpuQuota = 0} = request;
	if (CpuPeriod !== 0 && (CpuPeriod < 1000 || CpuPeriod > 1_000_000)) {
		throw new Error('CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)');
	}
	if (CpuQuota > 0 && CpuQuota < 1000) throw new Error('CPU cfs quota can not be less than 1ms (i.e. 1000)');
	const {CpuRealtimePeriod: period = 0, CpuRealtimeRuntime: runtime = 0} = request;
	if ((period !== 0 || runtime !== 0) && !host.realtime) {
		throw new Error('Your kernel does not support CPU real-time scheduler');
	}
	if (period !== 0 && runtime !== 0 && runtime > period) {
		throw new Error('cpu real-time runtime cannot be higher than cpu real-time period');
	}
}

/** Limits of block devices: what is discarded, and how that is said. */
const blockLimits = [
	[
		'BlkioWeightDevice',
		'blkioWeightDevice',
		'Block I/O weight_device or the cgroup is not mounted. Weight-device discarded.',
	],
	[
		'BlkioDeviceReadBps',
		'blkioThrottle',
		'BPS Block I/O read limit or the cgroup is not mounted. Block I/O BPS read limit discarded.',
	],
	[
		'BlkioDeviceWriteBps',
		'blkioThrottle',
		'BPS Block I/O write limit or the cgroup is not mounted. Block I/O BPS write limit discarded.',
	],
	[
		'BlkioDeviceReadIOps',
		'blkioThrottle',
		'IOPS Block read limit or the cgroup is not mounted. Block I/O IOPS read limit discarded.',
	],
	[
		'BlkioDeviceWriteIOps',
		'blkioThrottle',
		'IOPS Block write limit or the cgroup is not mounted. Block I/O IOPS write limit discarded.',
	],
] as const;

function checkBlockIo(request: Adjusted<LimitRequest>, host: LimitHost, warnings: string[]): void {
	if ((request.BlkioWeight ?? 0) > 0 && !host.blkioWeight) {
		warnings.push(
			'Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.',
		);
		request.BlkioWeight = 0;
	}
	const {BlkioWeight: weight = 0} = request;
	if (weight !== 0 && (weight < 10 || weight > 1000)) {
		throw new Error('Range of blkio weight is from 10 to 1000');
	}
	for (const [key, feature, what] of blockLimits) {
		if (!request[key]?.length || host[feature]) continue;
		warnings.push(`Your kernel does not support ${what}`);
		request[key] = [];
	}
}

function checkCpuset(request: Adjusted<LimitRequest>, host: LimitHost, warnings: string[]): void {
	if ((request.CpusetCpus || request.CpusetMems) && !host.cpuset) {
		warnings.push('Your kernel does not support cpuset or the cgroup is not mounted. Cpuset discarded.');
		request.CpusetCpus = '';
		request.CpusetMems = '';
	}
	const check = (requested: string, available: string, kind: string, what: string) => {
		let fits: boolean;
		try {
			fits = isAvailable(requested, available);
		} catch (error) {
			throw new Error(`Invalid value ${requested} for cpuset ${kind}: ${(error as Error).message}`);
		}
		if (!fits) {
			throw new Error(
				`Requested ${what} are not available - requested ${requested}, available: ${available}`,
			);
		}
	};
	check(request.CpusetCpus ?? '', host.onlineCpus, 'cpus', 'CPUs');
	check(request.CpusetMems ?? '', host.onlineMems, 'mems', 'memory nodes');
}

/**
 * Checks limits against docker's rules and what the host can do. `request` stays as it is; `limits` is what
 * to store and to apply: without what had to be discarded, with docker's swap (twice the memory) when none
 * is given. In an update only what is given is changed. Throws Error in docker's words.
 */
export function checkResources<T extends LimitRequest>(
	request: T,
	host: LimitHost,
	options: {update?: boolean} = {},
): {warnings: string[]; limits: T & LimitRequest} {
	const warnings: string[] = [];
	const limits: T & LimitRequest = {...request};
	checkMemory(limits, host, warnings, options.update ?? false);
	if ((limits.PidsLimit ?? 0) > 0 && !host.pids) {
		warnings.push(
			'Your kernel does not support PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded.',
		);
		limits.PidsLimit = null;
	}
	checkCpu(limits, host, warnings);
	checkCpuset(limits, host, warnings);
	checkBlockIo(limits, host, warnings);
	const {OomScoreAdj: oomScore = 0} = limits;
	if (oomScore < -1000 || oomScore > 1000) {
		throw new Error(`Invalid value ${oomScore}, range for oom score adj is [-1000, 1000]`);
	}
	if ((limits.ShmSize ?? 0) < 0) throw new Error('SHM size can not be less than 0');
	return {warnings, limits};
}

/** Limits of devices that are already known by number. */
export interface ThrottleRequest {
	readonly weights?: readonly LinuxWeightDevice[];
	readonly readBps?: readonly LinuxThrottleDevice[];
	readonly writeBps?: readonly LinuxThrottleDevice[];
	readonly readIops?: readonly LinuxThrottleDevice[];
	readonly writeIops?: readonly LinuxThrottleDevice[];
}

/** Checked limits in the OCI form, with the device filter. Absent fields are limits that are not set. */
export function linuxResources(
	limits: LimitRequest,
	devices: readonly LinuxDeviceCgroup[],
	throttle: ThrottleRequest = {},
): LinuxResources {
	const memory = {
		...(limits.Memory ? {limit: limits.Memory} : {}),
		...(limits.MemoryReservation ? {reservation: limits.MemoryReservation} : {}),
		...(limits.Memory ? {swap: limits.MemorySwap || limits.Memory * 2} : {}),
		...(limits.MemorySwappiness == null ? {} : {swappiness: limits.MemorySwappiness}),
		...(limits.OomKillDisable ? {disableOOMKiller: true} : {}),
	};
	const cpu = {
		...(limits.CpuShares ? {shares: limits.CpuShares} : {}),
		...(limits.NanoCpus
			? {period: cfsPeriod, quota: Math.floor((limits.NanoCpus * cfsPeriod) / nanoCpu)}
			: {
					...(limits.CpuPeriod ? {period: limits.CpuPeriod} : {}),
					...(limits.CpuQuota ? {quota: limits.CpuQuota} : {}),
				}),
		...(limits.CpuRealtimePeriod ? {realtimePeriod: limits.CpuRealtimePeriod} : {}),
		...(limits.CpuRealtimeRuntime ? {realtimeRuntime: limits.CpuRealtimeRuntime} : {}),
		...(limits.CpusetCpus ? {cpus: limits.CpusetCpus} : {}),
		...(limits.CpusetMems ? {mems: limits.CpusetMems} : {}),
	};
	const blockIO = {
		...(limits.BlkioWeight ? {weight: limits.BlkioWeight} : {}),
		...(throttle.weights?.length ? {weightDevice: [...throttle.weights]} : {}),
		...(throttle.readBps?.length ? {throttleReadBpsDevice: [...throttle.readBps]} : {}),
		...(throttle.writeBps?.length ? {throttleWriteBpsDevice: [...throttle.writeBps]} : {}),
		...(throttle.readIops?.length ? {throttleReadIOPSDevice: [...throttle.readIops]} : {}),
		...(throttle.writeIops?.length ? {throttleWriteIOPSDevice: [...throttle.writeIops]} : {}),
	};
	const filled = (group: object) => Object.keys(group).length > 0;
	return {
		devices: [...devices],
		...(filled(memory) ? {memory} : {}),
		...(filled(cpu) ? {cpu} : {}),
		...(limits.PidsLimit == null ? {} : {pids: {limit: limits.PidsLimit > 0 ? limits.PidsLimit : -1}}),
		...(filled(blockIO) ? {blockIO} : {}),
	};
}

/** Weights of single devices are taken only for those that bfq schedules. */
function someDeviceSchedulesByWeight(): boolean {
	try {
		return readdirSync('/sys/block').some((name) => {
			const path = join('/sys/block', name, 'queue/scheduler');
			return existsSync(path) && readFileSync(path, 'latin1').includes('[bfq]');
		});
	} catch {
		return false;
	}
}

/** What this host can limit, from its layout and the files of the hierarchies' roots and of its devices. */
export function limitHost(layout: CgroupLayout): LimitHost {
	const version = (controller: string) => controllerDir(layout, controller, '.')?.version;
	const v1File = (controller: string, file: string) => {
		const place = controllerDir(layout, controller, '..');
		return place?.version === 1 && existsSync(join(place.dir, file));
	};
	const list = (path: string, otherwise: string) => {
		try {
			return readFileSync(path, 'utf8').trim();
		} catch {
			return otherwise;
		}
	};
	const cpus = availableParallelism();
	const memoryV1 = version('memory') === 1;
	// The root has no weight of its own, but bfq's other files where bfq is there.
	const hasWeights =
		v1File('blkio', 'blkio.weight') || v1File('blkio', 'blkio.bfq.io_service_bytes') || version('io') === 2;
	return {
		cpus,
		onlineCpus: list('/sys/devices/system/cpu/online', `0-${cpus - 1}`),
		onlineMems: list('/sys/devices/system/node/online', '0'),
		memory: version('memory') !== undefined,
		// v2's root has no memory.swap.max to look at; /proc/swaps is there when the kernel can swap.
		swap: memoryV1
			? v1File('memory', 'memory.memsw.limit_in_bytes')
			: version('memory') === 2 && existsSync('/proc/swaps'),
		reservation: version('memory') !== undefined,
		swappiness: v1File('memory', 'memory.swappiness'),
		oomKillDisable: v1File('memory', 'memory.oom_control'),
		cpuShares: version('cpu') !== undefined,
		cpuCfs: v1File('cpu', 'cpu.cfs_quota_us') || version('cpu') === 2,
		cpuset: version('cpuset') !== undefined,
		pids: version('pids') !== undefined,
		blkioWeight: hasWeights,
		blkioWeightDevice:
			v1File('blkio', 'blkio.weight_device') || (hasWeights && someDeviceSchedulesByWeight()),
		blkioThrottle: v1File('blkio', 'blkio.throttle.read_bps_device') || version('io') === 2,
		realtime: v1File('cpu', 'cpu.rt_period_us') && v1File('cpu', 'cpu.rt_runtime_us'),
		sharesAsGiven: version('cpu') === 1,
	};
}
