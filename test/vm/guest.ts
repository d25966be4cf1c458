/** Runs inside the virtual machine, as its first program: real containers on cgroup v2 and an older kernel. */
import {readFileSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import type {CreateOptions, Engine} from '../../src/engine/api.ts';

const {openEngine} = (await import('../../dist/index.mjs' as string)) as {
	openEngine: (paths?: object) => Engine;
};
const engine = openEngine();
let passed = 0;
let failed = 0;

function equal(actual: unknown, expected: unknown): void {
	const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
	if (a !== b) throw new Error(`${a} is not ${b}`);
}

async function check(title: string, run: () => Promise<void>): Promise<void> {
	try {
		await run();
		passed++;
		console.log(`ok - ${title}`);
	} catch (error) {
		failed++;
		console.log(`not ok - ${title}: ${error instanceof Error ? error.message : error}`);
	}
}

type HostConfig = NonNullable<CreateOptions['hostConfig']>;

async function create(command: string, hostConfig: HostConfig = {}): Promise<string> {
	const {id} = await engine.containers.create({
		image: 'wherry/base',
		config: {Cmd: ['sh', '-c', command]},
		hostConfig: {NetworkMode: 'none', ...hostConfig},
	});
	return id;
}

async function text(stream: NodeJS.ReadableStream): Promise<string> {
	let all = '';
	for await (const chunk of stream) all += String(chunk);
	return all;
}

async function run(
	command: string,
	hostConfig: HostConfig = {},
): Promise<{code: number; output: string; oom: boolean}> {
	const id = await create(command, hostConfig);
	const session = await engine.containers.start(id, {attach: {stdout: true, stderr: true}});
	const [output, errors, exit] = await Promise.all([
		text(session!.stdout),
		text(session!.stderr),
		session!.exit,
	]);
	const {State} = await engine.containers.inspect(id);
	await engine.containers.remove(id);
	return {code: exit.code, output: (output + errors).trim(), oom: State.OOMKilled};
}

await engine.repair();
await engine.images.ensureBase();

await check('the host has cgroup v2', async () => equal((await engine.info()).CgroupVersion, '2'));
await check('a container runs and ends with its own code', async () => {
	equal(await run('echo hi; exit 3'), {code: 3, output: 'hi', oom: false});
});
await check('the memory limit is set, without swap beyond it', async () => {
	equal((await run('cat /sys/fs/cgroup/memory.max', {Memory: 64 << 20})).output, String(64 << 20));
});
await check('the cpu and pids limits are set', async () => {
	const {output} = await run('cat /sys/fs/cgroup/cpu.max /sys/fs/cgroup/pids.max /sys/fs/cgroup/cpu.weight', {
		NanoCpus: 5e8,
		PidsLimit: 50,
		CpuShares: 512,
	});
	equal(output.split('\n').slice(0, 2), ['50000 100000', '50']);
});
await check('the cpuset is set', async () => {
	equal((await run('cat /sys/fs/cgroup/cpuset.cpus.effective', {CpusetCpus: '1'})).output, '1');
});
await check('a process that takes more memory than it may is killed and the container says so', async () => {
	const {code, oom} = await run('tail /dev/zero', {Memory: 32 << 20, MemorySwap: 32 << 20});
	equal([code, oom], [137, true]);
});
await check('the device filter keeps the disk of the host away', async () => {
	const {output} = await run(
		'mknod /tmp/disk b 254 0 && head -c 1 /tmp/disk; mknod /tmp/n c 1 3 && echo x > /tmp/n && echo null works',
	);
	if (!/not permitted/i.test(output) || !output.includes('null works')) throw new Error(output);
});
await check('a privileged container reaches the disk', async () => {
	const {output} = await run('mknod /tmp/disk b 254 0 && head -c 1 /tmp/disk | wc -c', {Privileged: true});
	equal(output.trim(), '1');
});
await check('the cgroup of the container is the root of its namespace and cannot be written', async () => {
	const {output} = await run('cat /proc/self/cgroup; echo 1 > /sys/fs/cgroup/pids.max');
	if (!output.startsWith('0::/\n') || !/read-only/i.test(output)) throw new Error(output);
});
await check('the filter of system calls is in force', async () => {
	equal((await run('grep Seccomp: /proc/self/status | tr -d "\\t "')).output, 'Seccomp:2');
	const {output} = await run('unshare -m true');
	if (!/not permitted/i.test(output)) throw new Error(output);
});
await check('exec runs in the cgroup and the namespaces of the container', async () => {
	const id = await create('sleep 100');
	await engine.containers.start(id);
	const session = await engine.containers.exec(id, {
		argv: ['sh', '-c', 'cat /proc/self/cgroup; cat /proc/1/comm'],
		stdout: true,
		stderr: true,
	});
	equal(await text(session.stdout), '0::/\nsleep\n');
	equal((await session.exit).code, 0);
	await engine.containers.remove(id, {force: true});
});
await check('pause freezes, and stop ends a paused container', async () => {
	const id = await create('while :; do sleep 1; done');
	await engine.containers.start(id);
	await engine.containers.pause(id);
	equal((await engine.containers.inspect(id)).State.Status, 'paused');
	equal(readFileSync(`/sys/fs/cgroup/wherry/${id}/cgroup.freeze`, 'utf8').trim(), '1');
	await engine.containers.stop(id, {timeout: 1});
	equal((await engine.containers.inspect(id)).State.Status, 'exited');
	await engine.containers.remove(id);
});
await check('the restart policy brings it back without another program', async () => {
	const id = await create('exit 1', {RestartPolicy: {Name: 'on-failure', MaximumRetryCount: 2}});
	await engine.containers.start(id);
	for (let round = 0; round < 100; round++) {
		const state = await engine.containers.inspect(id);
		if (state.State.Status === 'exited' && state.RestartCount === 2) break;
		await sleep(200);
	}
	equal((await engine.containers.inspect(id)).RestartCount, 2);
	await engine.containers.remove(id, {force: true});
});
await check('a killed monitor takes its container along, and the next command cleans up', async () => {
	const id = await create('sleep 1000');
	await engine.containers.start(id);
	const {monitorPid} = JSON.parse(readFileSync(`${engine.paths.container(id)}/state.json`, 'utf8'));
	process.kill(monitorPid, 'SIGKILL');
	await sleep(500);
	await engine.repair();
	equal((await engine.containers.inspect(id)).State.Status, 'exited');
	await engine.containers.remove(id);
	let left = true;
	try {
		readFileSync(`/sys/fs/cgroup/wherry/${id}/cgroup.procs`);
	} catch {
		left = false;
	}
	equal(left, false);
});
await check('a read-only volume is read-only, and a recursive one too', async () => {
	const {output} = await run('touch /mnt/x', {Binds: ['/tmp:/mnt:ro']});
	if (!/read-only/i.test(output)) throw new Error(output);
});
await check('the root can be read-only', async () => {
	const {output} = await run('touch /x', {ReadonlyRootfs: true});
	if (!/read-only/i.test(output)) throw new Error(output);
});

const guest = {engine, check, equal, create, run, text};
export type Guest = typeof guest;
await (await import('./life.ts')).checkLife(guest);
await (await import('./network.ts')).checkNetwork(guest);
await (await import('./resources.ts')).checkResources(guest);
await (await import('./security.ts')).checkSecurity(openEngine, guest);

await engine.close();
console.log(`guest: ${passed} passed, ${failed} failed`);
