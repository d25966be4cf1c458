import test from 'ava';
import {
	busybox,
	connect,
	eventually,
	makeNamespace,
	type Namespace,
	type RemoteEngine,
	startEngine,
} from '../../setup/netns.ts';

const hostAddress = '192.0.2.1';

/** A host with a cable to an outside host. */
async function setUp(
	t: import('ava').ExecutionContext,
): Promise<{host: Namespace; outside: Namespace; engine: RemoteEngine}> {
	const host = makeNamespace(t);
	const outside = makeNamespace(t);
	connect(host, `${hostAddress}/24`, outside, '192.0.2.2/24');
	return {host, outside, engine: await startEngine(t, host)};
}

/** A server that says who asks. */
const server = ['nc', '-ll', '-p', '80', '-e', '/bin/sh', '-c', 'echo served'];
const ask = (from: Namespace, address: string, port: number) =>
	eventually(async () => {
		const answer = await from.run('busybox', 'nc', '-w', '2', address, String(port));
		if (!answer.includes('served')) throw new Error(`no answer from ${address}:${port}`);
		return answer;
	});

test('a published TCP port answers from outside, on the addresses of the host, and on localhost', async (t) => {
	const {host, outside, engine} = await setUp(t);
	const id = await engine.startContainer(
		busybox(server, {
			hostConfig: {
				Binds: ['/bin/busybox:/bin/busybox:ro'],
				PortBindings: {'80/tcp': [{HostIp: '', HostPort: '8080'}]},
			},
		}),
	);
	t.regex(await ask(outside, hostAddress, 8080), /served/);
	t.regex(await ask(host, hostAddress, 8080), /served/);
	t.regex(await ask(host, '127.0.0.1', 8080), /served/);
	const inspect = await engine.call<{NetworkSettings: {IPAddress: string; Gateway: string; Ports: object}}>(
		'containers.inspect',
		id,
	);
	t.deepEqual(inspect.NetworkSettings.Ports, {
		'80/tcp': [
			{HostIp: '0.0.0.0', HostPort: '8080'},
			{HostIp: '::', HostPort: '8080'},
		],
	});
	t.regex(await ask(host, inspect.NetworkSettings.Gateway, 8080), /served/);
	await engine.call('containers.remove', id, {force: true});
	await t.throwsAsync(outside.run('busybox', 'nc', '-w', '1', hostAddress, '8080'));
});
