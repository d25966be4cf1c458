/** What ends and comes back on cgroup v2, where all of a container is killed and frozen through its cgroup. */
import {setTimeout as sleep} from 'node:timers/promises';
import type {ContainerInspect} from '../../src/engine/api.ts';
import type {Guest} from './guest.ts';

export async function checkLife({engine, check, create, equal, text}: Guest): Promise<void> {
	const {containers} = engine;

	async function until(id: string, wanted: (state: ContainerInspect) => boolean): Promise<ContainerInspect> {
		for (let round = 0; round < 300; round++) {
			const state = await containers.inspect(id);
			if (wanted(state)) return state;
			await sleep(100);
		}
		throw new Error(`never as wanted: ${JSON.stringify((await containers.inspect(id)).State)}`);
	}

	await check('what was killed through its cgroup is started again in it', async () => {
		const id = await create('sleep 1000', {
			PidMode: 'host',
			RestartPolicy: {Name: 'always', MaximumRetryCount: 0},
		});
		await containers.start(id);
		for (let round = 1; round <= 2; round++) {
			const {State} = await containers.inspect(id);
			process.kill(State.Pid, 'SIGKILL');
			await until(id, (now) => now.State.Status === 'running' && now.State.Pid !== State.Pid);
		}
		await containers.remove(id, {force: true});
	});

	await check(
		'an unhealthy container is killed, comes back, and is not checked while it is frozen',
		async () => {
			const {id} = await containers.create({
				image: 'wherry/base',
				config: {
					Cmd: ['sh', '-c', 'test -e /seen && touch /tmp/ok; touch /seen; exec sleep 1000'],
					Healthcheck: {Test: ['CMD-SHELL', 'test -e /tmp/ok'], Interval: 1e8, Retries: 1},
					HealthcheckOnFailureAction: 'kill',
				},
				hostConfig: {NetworkMode: 'none', RestartPolicy: {Name: 'on-failure', MaximumRetryCount: 0}},
			});
			await containers.start(id);
			await until(id, ({RestartCount, State}) => Number(RestartCount) > 0 && State.Status === 'running');
			await until(id, ({State}) => State.Health?.Status === 'healthy');
			await containers.pause(id);
			const before = (await containers.inspect(id)).State.Health!.Log.at(-1);
			await sleep(500);
			equal((await containers.inspect(id)).State.Health!.Log.at(-1), before);
			await containers.unpause(id);
			await until(id, ({State}) => State.Health?.Status === 'healthy');
			await containers.remove(id, {force: true});
		},
	);

	await check('IPC and processes of another container are joined', async () => {
		const donor = await create('touch /dev/shm/here; sleep 1000', {IpcMode: 'shareable'});
		await containers.start(donor);
		const mode = `container:${donor}`;
		const joined = await create('ls /dev/shm; cat /proc/1/cmdline | tr "\\0" " "', {
			IpcMode: mode,
			PidMode: mode,
		});
		const session = await containers.start(joined, {attach: {stdout: true, stderr: true}});
		const output = await text(session!.stdout);
		if (!/^here\nsleep 1000/.test(output)) throw new Error(output);
		await containers.remove(joined, {force: true});
		await containers.remove(donor, {force: true});
	});
}
