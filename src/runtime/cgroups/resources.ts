/** What limits become as contents of cgroup files, on v1 and on v2. Pure. */
import type {LinuxBlockIO, LinuxCPU, LinuxMemory, LinuxResources, LinuxThrottleDevice} from '../oci.ts';

/** A write to a file of a controller. */
export interface ControllerWrite {
	readonly controller: string;
	readonly file: string;
	readonly content: string;
	/** The file may be missing (a feature that the kernel wasn't built with), or a first try may fail. */
	readonly optional?: 'missing' | 'any';
}

const defaultPeriod = 100_000;

/**
 * cpu.shares (v1: 2 to 262144, 1024 is the default) to cpu.weight (v2: 1 to 10000, 100 is the default): the
 * curve through minimum, default and maximum that runc and crun use today.
 */
export function sharesToWeight(shares: number): number {
	if (shares <= 2) return 1;
	if (shares >= 262_144) return 10_000;
	const log = Math.log2(shares);
	return Math.ceil(10 ** ((log * log + 125 * log) / 612 - 7 / 34));
}

/** blkio.weight (10 to 1000) to io.weight (1 to 10000), linear as runc does it. */
export function blkioToIoWeight(weight: number): number {
	return Math.floor(1 + ((weight - 10) * 9999) / 990);
}

const unlimited = (limit: number, text: string) => (limit < 0 ? text : String(limit));

/** `update`: the cgroup has limits already, which may be above or below the new ones. */
function memoryV1(memory: LinuxMemory, update: boolean): ControllerWrite[] {
	const writes: ControllerWrite[] = [];
	const put = (file: string, content: string, optional?: 'missing' | 'any') =>
		writes.push({controller: 'memory', file, content, ...(optional === undefined ? {} : {optional})});
	const {limit, swap, reservation, swappiness, disableOOMKiller} = memory;
	const hasLimit = limit !== undefined && limit !== 0;
	const hasSwap = swap !== undefined && swap !== 0;
	// memsw may never be below the limit: raising needs memsw first, lowering the limit first.
	if (update && hasSwap && hasLimit) put('memory.memsw.limit_in_bytes', String(swap), 'any');
	if (hasLimit) put('memory.limit_in_bytes', String(limit));
	if (hasSwap) put('memory.memsw.limit_in_bytes', String(swap), 'missing');
	if (reservation !== undefined && reservation !== 0) put('memory.soft_limit_in_bytes', String(reservation));
	if (swappiness !== undefined && swappiness >= 0) put('memory.swappiness', String(swappiness));
	if (disableOOMKiller) put('memory.oom_control', '1');
	return writes;
}

function memoryV2(memory: LinuxMemory): ControllerWrite[] {
	const writes: ControllerWrite[] = [];
	const {limit = 0, swap = 0, reservation = 0} = memory;
	// v1's memsw is memory and swap together, v2's file is swap alone.
	if (swap !== 0) {
		const alone = swap < 0 ? -1 : limit > 0 ? swap - limit : undefined;
		if (alone !== undefined) {
			writes.push({
				controller: 'memory',
				file: 'memory.swap.max',
				content: unlimited(alone, 'max'),
				optional: 'missing',
			});
		}
	}
	if (limit !== 0) writes.push({controller: 'memory', file: 'memory.max', content: unlimited(limit, 'max')});
	if (reservation !== 0) {
		writes.push({controller: 'memory', file: 'memory.low', content: unlimited(reservation, 'max')});
	}
	return writes;
}

function cpuV1(cpu: LinuxCPU, update: boolean): ControllerWrite[] {
	const writes: ControllerWrite[] = [];
	const put = (file: string, content: number, optional?: 'any') =>
		writes.push({
			controller: 'cpu',
			file,
			content: String(content),
			...(optional === undefined ? {} : {optional}),
		});
	if (cpu.shares) put('cpu.shares', cpu.shares);
	// A quota that is too small for the new period is refused: either order may be the one that works.
	if (cpu.period) put('cpu.cfs_period_us', cpu.period, ...(update && cpu.quota ? (['any'] as const) : []));
	if (cpu.quota) put('cpu.cfs_quota_us', cpu.quota);
	if (update && cpu.period && cpu.quota) put('cpu.cfs_period_us', cpu.period);
	if (cpu.burst) put('cpu.cfs_burst_us', cpu.burst);
	// A runtime above the period is refused: either order may be the one that works.
	if (cpu.realtimePeriod) {
		put('cpu.rt_period_us', cpu.realtimePeriod, ...(cpu.realtimeRuntime ? (['any'] as const) : []));
	}
	if (cpu.realtimeRuntime) put('cpu.rt_runtime_us', cpu.realtimeRuntime);
	if (cpu.realtimePeriod && cpu.realtimeRuntime) put('cpu.rt_period_us', cpu.realtimePeriod);
	return writes;
}

function cpuV2(cpu: LinuxCPU): ControllerWrite[] {
	const writes: ControllerWrite[] = [];
	const put = (file: string, content: string) => writes.push({controller: 'cpu', file, content});
	if (cpu.shares) put('cpu.weight', String(sharesToWeight(cpu.shares)));
	if (cpu.quota || cpu.period) {
		put('cpu.max', `${cpu.quota && cpu.quota > 0 ? cpu.quota : 'max'} ${cpu.period || defaultPeriod}`);
	}
	if (cpu.burst) put('cpu.max.burst', String(cpu.burst));
	return writes;
}

function cpusetWrites(cpu: LinuxCPU): ControllerWrite[] {
	const writes: ControllerWrite[] = [];
	if (cpu.cpus) writes.push({controller: 'cpuset', file: 'cpuset.cpus', content: cpu.cpus});
	if (cpu.mems) writes.push({controller: 'cpuset', file: 'cpuset.mems', content: cpu.mems});
	return writes;
}

/** v1's throttle lists and v2's io.max keys. */
const throttles = [
	['throttleReadBpsDevice', 'blkio.throttle.read_bps_device', 'rbps'],
	['throttleWriteBpsDevice', 'blkio.throttle.write_bps_device', 'wbps'],
	['throttleReadIOPSDevice', 'blkio.throttle.read_iops_device', 'riops'],
	['throttleWriteIOPSDevice', 'blkio.throttle.write_iops_device', 'wiops'],
] as const;

function blkioV1(blockIO: LinuxBlockIO): ControllerWrite[] {
	const writes: ControllerWrite[] = [];
	// Which file there is depends on the scheduler that the kernel was built with; often there is none.
	const weight = (content: string, suffix: string) => {
		for (const prefix of ['blkio.bfq.weight', 'blkio.weight']) {
			writes.push({controller: 'blkio', file: `${prefix}${suffix}`, content, optional: 'missing'});
		}
	};
	if (blockIO.weight) weight(String(blockIO.weight), '');
	for (const device of blockIO.weightDevice ?? []) {
		if (device.weight) weight(`${device.major}:${device.minor} ${device.weight}`, '_device');
	}
	for (const [key, file] of throttles) {
		for (const {major, minor, rate} of blockIO[key] ?? []) {
			writes.push({controller: 'blkio', file, content: `${major}:${minor} ${rate}`});
		}
	}
	return writes;
}

function ioV2(blockIO: LinuxBlockIO): ControllerWrite[] {
	const writes: ControllerWrite[] = [];
	const weight = (target: string, value: number) => {
		writes.push(
			{controller: 'io', file: 'io.bfq.weight', content: `${target} ${value}`, optional: 'missing'},
			{
				controller: 'io',
				file: 'io.weight',
				content: `${target} ${blkioToIoWeight(value)}`,
				optional: 'missing',
			},
		);
	};
	if (blockIO.weight) weight('default', blockIO.weight);
	for (const device of blockIO.weightDevice ?? []) {
		if (device.weight) weight(`${device.major}:${device.minor}`, device.weight);
	}
	// One line for each device: its limits are set together.
	const limits = new Map<string, string[]>();
	for (const [key, , name] of throttles) {
		for (const {major, minor, rate} of (blockIO[key] ?? []) as readonly LinuxThrottleDevice[]) {
			const device = `${major}:${minor}`;
			limits.set(device, [...(limits.get(device) ?? []), `${name}=${rate === 0 ? 'max' : rate}`]);
		}
	}
	for (const [device, parts] of limits) {
		writes.push({controller: 'io', file: 'io.max', content: `${device} ${parts.join(' ')}`});
	}
	return writes;
}

function pidsWrites(limit: number): ControllerWrite[] {
	return [{controller: 'pids', file: 'pids.max', content: limit > 0 ? String(limit) : 'max'}];
}

function hugepageWrites(resources: LinuxResources, version: 1 | 2): ControllerWrite[] {
	return (resources.hugepageLimits ?? []).map(({pageSize, limit}) => {
		if (!/^[0-9]+[KMG]B$/.test(pageSize)) throw new Error(`invalid huge page size "${pageSize}"`);
		return {
			controller: 'hugetlb',
			file: `hugetlb.${pageSize}.${version === 1 ? 'limit_in_bytes' : 'max'}`,
			content: String(limit),
		};
	});
}

function unifiedWrites(unified: Readonly<Record<string, string>>): ControllerWrite[] {
	return Object.entries(unified).map(([file, content]) => {
		if (!/^[a-z0-9_]+(\.[A-Za-z0-9_]+)+$/.test(file)) throw new Error(`invalid cgroup file name "${file}"`);
		return {controller: file.slice(0, file.indexOf('.')), file, content};
	});
}

export interface WriteOptions {
	/** The version of the hierarchy that has a controller; undefined: the host lacks it. */
	readonly versionOf: (controller: string) => 1 | 2 | undefined;
	/** For a cgroup that has limits already. */
	readonly update?: boolean;
}

/**
 * The writes for the limits, in an order that the kernel takes. Limits of a controller that the host lacks
 * give none: checking the limits has warned about them.
 */
export function resourceWrites(
	resources: LinuxResources,
	{versionOf, update = false}: WriteOptions,
): ControllerWrite[] {
	const writes: ControllerWrite[] = [];
	const {memory, cpu, pids, blockIO, unified} = resources;
	if (memory && versionOf('memory') === 1) writes.push(...memoryV1(memory, update));
	if (memory && versionOf('memory') === 2) writes.push(...memoryV2(memory));
	if (cpu && versionOf('cpu') === 1) writes.push(...cpuV1(cpu, update));
	if (cpu && versionOf('cpu') === 2) writes.push(...cpuV2(cpu));
	if (cpu && versionOf('cpuset') !== undefined) writes.push(...cpusetWrites(cpu));
	if (pids && versionOf('pids') !== undefined && (update || pids.limit > 0))
		writes.push(...pidsWrites(pids.limit));
	if (blockIO && versionOf('blkio') === 1) writes.push(...blkioV1(blockIO));
	if (blockIO && versionOf('io') === 2) writes.push(...ioV2(blockIO));
	const hugetlb = versionOf('hugetlb');
	if (hugetlb !== undefined) writes.push(...hugepageWrites(resources, hugetlb));
	if (unified) writes.push(...unifiedWrites(unified).filter(({controller}) => versionOf(controller) === 2));
	return writes;
}
