import test from 'ava';
import {busybox, connect, eventually, makeNamespace, type Namespace, startEngine} from '../../setup/netns.ts';

const binds = ['/bin/busybox:/bin/busybox:ro'];

function kernelHasIpvlan(host: Namespace, parent: string): boolean {
	try {
		host.ip('link', 'add', 'link', parent, 'name', 'probe0', 'type', 'ipvlan');
		host.ip('link', 'del', 'probe0');
		return true;
	} catch {
		return false;
	}
}

for (const [driver, mode] of [
	['macvlan', undefined],
	['ipvlan', undefined],
	['ipvlan', 'l3'],
] as const) {
	test(`a container of a ${driver} network${mode ? ` in mode ${mode}` : ''} is on the parent's wire`, async (t) => {
		const host = makeNamespace(t);
		const outside = makeNamespace(t);
		connect(host, '192.0.2.1/24', outside, '192.0.2.2/24');
		const parent = host
			.ipJson<{ifname: string}[]>('link')
			.find(({ifname}) => ifname.startsWith('va'))!.ifname;
		const engine = await startEngine(t, host);
		const options = {parent, ...(mode ? {ipvlan_mode: mode} : {})};
		const create = engine.call('networks.create', {
			name: 'wire',
			driver,
			subnets: ['192.0.2.0/24'],
			gateways: ['192.0.2.2'],
			ipRanges: ['192.0.2.128/25'],
			options,
		});
		await create;
		const run = engine.runContainer(
			busybox(['sh', '-c', 'ping -c 1 -W 3 192.0.2.2; echo $?; ip -o addr; ip route'], {
				hostConfig: {NetworkMode: 'wire', Binds: binds},
			}),
		);
		if (driver === 'ipvlan' && !kernelHasIpvlan(host, parent)) {
			const error = await t.throwsAsync(run);
			t.regex(error.message, /this kernel has no ipvlan/);
			return;
		}
		const {code, stdout, stderr} = await run;
		t.is(code, 0, stderr);
		t.regex(stdout, /^0$/m, stdout);
		t.regex(stdout, /inet 192\.0\.2\.12[89]\/24/);
		t.regex(stdout, mode ? /default dev eth0/ : /default via 192\.0\.2\.2/);
	});
}

test('a network without its parent is refused', async (t) => {
	const engine = await startEngine(t, makeNamespace(t));
	const absent = await t.throwsAsync(
		engine.call('networks.create', {name: 'x', driver: 'macvlan', options: {parent: 'nobody0'}}),
	);
	t.is(absent.message, 'the parent interface nobody0 is not there');
	const none = await t.throwsAsync(engine.call('networks.create', {name: 'x', driver: 'ipvlan'}));
	t.regex(none.message, /-o parent=/);
});

test('a network with IPv6 has addresses, names and published ports of both families', async (t) => {
	const host = makeNamespace(t);
	const outside = makeNamespace(t);
	connect(host, '192.0.2.1/24', outside, '192.0.2.2/24');
	connect(host, '2001:db8::1/64', outside, '2001:db8::2/64');
	const engine = await startEngine(t, host);
	await engine.call('networks.create', {name: 'six', ipv6: true, subnets: ['fd00:9::/64']});
	const id = await engine.startContainer(
		busybox(['nc', '-ll', '-p', '80', '-e', '/bin/sh', '-c', 'echo served'], {
			name: 'web',
			hostConfig: {
				NetworkMode: 'six',
				Binds: binds,
				PortBindings: {'80/tcp': [{HostIp: '', HostPort: '8080'}]},
			},
		}),
	);
	const client = await engine.startContainer(
		busybox(['sleep', '1000'], {hostConfig: {NetworkMode: 'six', Binds: binds}}),
	);
	const six = await engine.exec(client, '/bin/busybox', 'ping', '-6', '-c', '1', '-W', '3', 'web');
	t.is(six.code, 0, six.stdout + six.stderr);
	const four = await engine.exec(client, '/bin/busybox', 'ping', '-4', '-c', '1', '-W', '3', 'web');
	t.is(four.code, 0, four.stdout + four.stderr);
	const out = await engine.exec(client, '/bin/busybox', 'ping', '-6', '-c', '1', '-W', '3', '2001:db8::2');
	t.is(out.code, 0, out.stdout + out.stderr);
	for (const address of ['192.0.2.1', '2001:db8::1']) {
		t.regex(
			await eventually(() => outside.run('busybox', 'nc', '-w', '2', address, '8080')),
			/served/,
			address,
		);
	}
	for (const address of ['127.0.0.1', '::1', '2001:db8::1']) {
		t.regex(await eventually(() => host.run('busybox', 'nc', '-w', '2', address, '8080')), /served/, address);
	}
	t.truthy(id);
});
