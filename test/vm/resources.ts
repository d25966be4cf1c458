/** Limits, statistics and updates on cgroup v2. */
import {existsSync, readFileSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import type {ContainerStats, ContainerUpdate} from '../../src/engine/api.ts';
import type {Guest} from './guest.ts';

const file = (id: string, name: string): string =>
	readFileSync(`/sys/fs/cgroup/wherry/${id}/${name}`, 'utf8').trim();

export async function checkResources({engine, check, equal, create, run}: Guest): Promise<void> {
	const {containers} = engine;

	async function statsOf(id: string): Promise<ContainerStats> {
		for await (const [first] of containers.stats([id], {stream: false})) return first!;
		throw new Error('no statistics');
	}

	async function refused(id: string, change: ContainerUpdate, words: RegExp): Promise<void> {
		const message = await containers.update(id, change).then(
			() => 'it was accepted',
			(error: Error) => error.message,
		);
		if (!words.test(message)) throw new Error(message);
	}

	const script =
		'dd if=/dev/zero of=/dev/shm/x bs=1M count=30; dd if=/dev/zero of=/tmp/x bs=1M count=10; touch /tmp/done; while :; do :; done';
	const id = await create(script, {Memory: 64 << 20, MemorySwap: 64 << 20, ShmSize: 64 << 20, PidsLimit: 50});
	await containers.start(id);
	for (let round = 0; round < 600 && Number(file(id, 'memory.current')) < 41 << 20; round++) await sleep(100);

	await check('statistics have percentages, memory without the cache, processes and limits', async () => {
		const {cpu_stats: cpu, precpu_stats: before, memory_stats: memory, pids_stats: pids} = await statsOf(id);
		if (cpu.cpu_usage.total_usage <= before.cpu_usage.total_usage) throw new Error('no CPU time');
		if (cpu.system_cpu_usage! <= before.system_cpu_usage!) throw new Error('no time of the system');
		equal([memory.limit, pids.limit, pids.current], [64 << 20, 50, 1]);
		const {inactive_file: inactive = 0} = memory.stats as Record<string, number>;
		if (!(inactive >= 5 << 20 && memory.usage! - inactive >= 30 << 20)) {
			throw new Error(`${memory.usage} with ${inactive} of inactive files`);
		}
	});
	await check('statistics count what is read from disks', async () => {
		const reader = await create('head -c 4000000 /dev/vda >/dev/null; sleep 1000', {Privileged: true});
		await containers.start(reader);
		let read = 0;
		for (let round = 0; round < 100 && read < 1_000_000; round++) {
			const {blkio_stats: io} = await statsOf(reader);
			const entries = io.io_service_bytes_recursive ?? [];
			read = entries.find(({op, major}) => /^read$/i.test(op) && major === 254)?.value ?? 0;
		}
		await containers.remove(reader, {force: true});
		if (read < 1_000_000) throw new Error(`${read} bytes were read`);
	});
	await check(
		'the limits of a running container change, and those that can not leave all as it was',
		async () => {
			await containers.update(id, {
				...{Memory: 96 << 20, MemorySwap: -1, MemoryReservation: 48 << 20, PidsLimit: 9},
				...{NanoCpus: 5e8, CpuShares: 256, CpusetCpus: '0'},
			});
			const all = ['memory.max', 'memory.swap.max', 'memory.low', 'pids.max', 'cpu.max', 'cpuset.cpus'];
			const now = (): string[] => all.map((name) => file(id, name));
			const wanted = [String(96 << 20), 'max', String(48 << 20), '9', '50000 100000', '0'];
			equal(now(), wanted);
			if (Number(file(id, 'cpu.weight')) >= 100) throw new Error('the weight is not lower');
			await refused(
				id,
				{Memory: 20 << 20, PidsLimit: 5},
				/unable to set memory limit to 20971520 \(current usage: \d+\)/,
			);
			await refused(id, {CpusetMems: '7'}, /Requested memory nodes are not available/);
			equal(now(), wanted);
			await containers.restart(id, {timeout: 0});
			equal(now(), wanted);
		},
	);
	await check('the processes of a container are seen from outside', async () => {
		const {Titles: titles, Processes: processes} = await containers.top(id, []);
		equal(titles, ['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD']);
		equal(processes[0]?.[0], 'root');
		if (!processes.some((fields) => fields.at(-1)!.startsWith('sh -c dd')))
			throw new Error(JSON.stringify(processes));
	});
	await containers.remove(id, {force: true});

	await check('limits of block devices are set', async () => {
		const {output} = await run('cat /sys/fs/cgroup/io.max', {
			BlkioDeviceReadBps: [{Path: '/dev/vda', Rate: 1 << 20}],
			BlkioDeviceWriteIOps: [{Path: '/dev/vda', Rate: 30}],
		});
		equal(output, '254:0 rbps=1048576 wbps=max riops=max wiops=30');
	});
	await check('what v2 does not have is said and left out', async () => {
		const {id: made, warnings} = await containers.create({
			image: 'wherry/base',
			config: {Cmd: ['true']},
			hostConfig: {NetworkMode: 'none', OomKillDisable: true, MemorySwappiness: 5, Memory: 64 << 20},
		});
		equal(warnings.length, 2);
		if (!warnings.every((text) => /does not support .*discarded\.$/i.test(text)))
			throw new Error(warnings.join());
		await containers.start(made);
		await containers.remove(made, {force: true});
	});
	await check('a cgroup parent has the controllers that its containers need', async () => {
		for (const [parent, path] of [
			['/own/parent', 'own/parent'],
			['own-one.slice', 'own.slice/own-one.slice'],
		] as const) {
			const child = await create('sleep 1000', {CgroupParent: parent, Memory: 64 << 20, PidsLimit: 7});
			await containers.start(child);
			const of = (name: string): string =>
				readFileSync(`/sys/fs/cgroup/${path}/${child}/${name}`, 'utf8').trim();
			equal([of('memory.max'), of('pids.max')], [String(64 << 20), '7']);
			await containers.update(child, {PidsLimit: 8});
			equal(of('pids.max'), '8');
			await containers.pause(child);
			equal(of('cgroup.freeze'), '1');
			await containers.unpause(child);
			await containers.remove(child, {force: true});
			equal(existsSync(`/sys/fs/cgroup/${path}/${child}`), false);
		}
	});
}
