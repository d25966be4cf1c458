import test from 'ava';
import {busybox, makeNamespace, startEngine} from '../../setup/netns.ts';

const sleep = ['sleep', '1000'];

test('containers of a user network find each other by name, alias and short id', async (t) => {
	const host = makeNamespace(t);
	const engine = await startEngine(t, host);
	await engine.call('networks.create', {name: 'my-net', driver: 'bridge'});
	const on = (aliases: string[] = []) => ({
		hostConfig: {NetworkMode: 'my-net', Binds: ['/bin/busybox:/bin/busybox:ro']},
		networks: {'my-net': {Aliases: aliases}},
	});
	const one = await engine.startContainer(busybox(sleep, {name: 'busybox1', ...on()}));
	const two = await engine.startContainer(busybox(sleep, {name: 'busybox2', ...on(['other'])}));
	for (const name of ['busybox2', 'other', two.slice(0, 12), 'BUSYBOX2', 'busybox2.my-net']) {
		const ping = await engine.exec(one, '/bin/busybox', 'ping', '-c', '1', '-W', '2', name);
		t.is(ping.code, 0, `${name}: ${ping.stdout}${ping.stderr}`);
	}
	const {NetworkSettings} = await engine.call<{
		NetworkSettings: {Networks: Record<string, {IPAddress: string; DNSNames: string[]}>};
	}>('containers.inspect', two);
	const {IPAddress, DNSNames} = NetworkSettings.Networks['my-net']!;
	t.deepEqual(DNSNames, ['busybox2', 'other', two.slice(0, 12)]);
	const reverse = await engine.exec(one, '/bin/busybox', 'nslookup', IPAddress);
	t.regex(reverse.stdout, /busybox2\.my-net/);
	const unknown = await engine.exec(one, '/bin/busybox', 'nslookup', 'nobody.my-net');
	t.not(unknown.code, 0);

	await engine.call('containers.stop', two, {timeout: 0});
	const gone = await engine.exec(one, '/bin/busybox', 'ping', '-c', '1', '-W', '1', 'busybox2');
	t.not(gone.code, 0);
});
