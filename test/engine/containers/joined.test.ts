import {readFileSync, readlinkSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import type {HostConfig, Session} from '../../../src/engine/api.ts';
import type {MonitorState} from '../../../src/runtime/monitor-protocol.ts';
import {baseImage, runDetached, runToEnd, testEngine, textOf, until} from '../../setup/engine.ts';

const fixture = await testEngine();
const {engine, root} = fixture;
const {containers} = engine;
test.after.always('nothing is left', () => fixture.close());

const state = (id: string) =>
	JSON.parse(readFileSync(join(root, 'containers', id, 'state.json'), 'utf8')) as MonitorState;
const always: Partial<HostConfig> = {RestartPolicy: {Name: 'always', MaximumRetryCount: 0}};

async function inside(id: string, ...argv: string[]): Promise<string> {
	const session: Session = await containers.exec(id, {argv, stdout: true, stderr: true});
	return (await textOf(session.stdout)).trim();
}

const namespaceOf = (id: string, kind: string) => inside(id, 'readlink', `/proc/self/ns/${kind}`);
const anew = (id: string, old: number) =>
	until(`${id} has a new process`, () => state(id).status === 'running' && state(id).pid !== old);

test('a container that joins another’s namespaces finds them again after either has been restarted', async (t) => {
	const donor = await runDetached(engine, undefined, {hostConfig: {...always, IpcMode: 'shareable'}});
	const mode = `container:${donor}`;
	const joined = await runDetached(engine, ['sh', '-c', 'echo here >/dev/shm/file; exec sleep 1000'], {
		hostConfig: {...always, PidMode: mode, IpcMode: mode, NetworkMode: mode},
	});
	const kinds = ['pid', 'ipc', 'net'];
	const shared = async () => {
		try {
			for (const kind of kinds)
				if ((await namespaceOf(joined, kind)) !== (await namespaceOf(donor, kind))) return false;
			return (await inside(donor, 'cat', '/dev/shm/file')) === 'here';
		} catch (error) {
			// One that has just come back may go once more with the other.
			if (/is restarting|is not running/.test((error as Error).message)) return false;
			throw error;
		}
	};
	const same = () => until('their namespaces and the file are the same', shared);
	await same();

	let {pid} = state(joined);
	process.kill(pid, 'SIGKILL');
	await anew(joined, pid);
	await same();

	// With the donor's process its pid namespace ends, and all in it.
	({pid} = state(joined));
	process.kill(state(donor).pid, 'SIGKILL');
	await anew(joined, pid);
	await same();

	({pid} = state(joined));
	await containers.restart(donor, {timeout: 0});
	await anew(joined, pid);
	await same();
	t.true(state(joined).restartCount >= 3);

	// What waits for the other one can be stopped.
	await containers.stop(donor, {timeout: 0});
	await until('it waits', () => state(joined).error.startsWith('cannot join'));
	t.is(state(joined).status, 'restarting');
	await containers.stop(joined, {timeout: 0});
	t.is(state(joined).status, 'exited');
	await containers.remove(joined);
	await containers.remove(donor);
});

test('what can’t be joined is refused in docker’s words', async (t) => {
	const stopped = (await containers.create({image: baseImage, config: {Cmd: ['true']}})).id;
	const isPrivate = await runDetached(engine);
	const refusal = async (hostConfig: Partial<HostConfig>) => {
		const {id} = await containers.create({image: baseImage, config: {Cmd: ['true']}, hostConfig});
		const error = await t.throwsAsync(containers.start(id));
		await containers.remove(id);
		return error?.message;
	};
	t.is(
		await refusal({IpcMode: `container:${stopped}`}),
		`can't join IPC of container ${stopped}: container ${stopped} is not running`,
	);
	t.is(await refusal({PidMode: `container:${stopped}`}), `container ${stopped} is not running`);
	t.is(
		await refusal({NetworkMode: `container:${stopped}`}),
		`cannot join network of a non running container: ${stopped}`,
	);
	t.is(
		await refusal({IpcMode: `container:${isPrivate}`}),
		`can't join IPC of container ${isPrivate}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
	);
	await t.throwsAsync(refusal({IpcMode: 'container:nobody'}), {message: 'No such container: nobody'});
	await containers.remove(stopped);
	await containers.remove(isPrivate, {force: true});
});

test('IPC can be the container’s own, nobody’s or the host’s', async (t) => {
	const script = 'readlink /proc/self/ns/ipc; grep -c " /dev/shm " /proc/self/mounts';
	const host = readFileSync('/proc/self/mounts', 'latin1').includes(' /dev/shm ') ? '1' : '0';
	const own = readlinkSync('/proc/self/ns/ipc');
	const seen = async (IpcMode: string) => {
		const {id, stdout} = await runToEnd(engine, ['sh', '-c', script], {hostConfig: {IpcMode}});
		await containers.remove(id);
		return stdout.trim().split('\n');
	};
	const [privateIpc, privateShm] = await seen('private');
	t.not(privateIpc, own);
	t.is(privateShm, '1');
	t.is((await seen('none'))[1], '0');
	if (host === '1') t.deepEqual(await seen('host'), [own, '1']);
});
