import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {busybox, makeNamespace, startEngine} from '../../setup/netns.ts';

const binds = ['/bin/busybox:/bin/busybox:ro'];
const sleep = ['sleep', '1000'];

test("a link on the default bridge gives names and docker's variables", async (t) => {
	const engine = await startEngine(t, makeNamespace(t));
	const db = await engine.startContainer(
		busybox(sleep, {
			name: 'mydb',
			config: {Env: ['PASSWORD=secret', 'HOME=/x'], ExposedPorts: {'5432/tcp': {}}},
		}),
	);
	const address = (await engine.call<{NetworkSettings: {IPAddress: string}}>('containers.inspect', db))
		.NetworkSettings.IPAddress;
	const {stdout, code} = await engine.runContainer(
		busybox(['sh', '-c', 'env | sort; cat /etc/hosts; ping -c 1 -W 2 db'], {
			name: 'web',
			hostConfig: {Binds: binds, Links: ['mydb:db']},
		}),
	);
	t.is(code, 0, stdout);
	for (const line of [
		'DB_ENV_PASSWORD=secret',
		'DB_NAME=/web/db',
		`DB_PORT=tcp://${address}:5432`,
		`DB_PORT_5432_TCP=tcp://${address}:5432`,
		`DB_PORT_5432_TCP_ADDR=${address}`,
		'DB_PORT_5432_TCP_PORT=5432',
		'DB_PORT_5432_TCP_PROTO=tcp',
		`${address}\tdb ${db.slice(0, 12)} mydb`,
	]) {
		t.true(stdout.split('\n').includes(line), `${line} in ${stdout}`);
	}
	t.notRegex(stdout, /DB_ENV_HOME/);
	const inspect = await engine.call<{HostConfig: {Links: string[]}}>('containers.inspect', 'web');
	t.deepEqual(inspect.HostConfig.Links, ['/mydb:/web/db']);
	await engine.call('containers.stop', db, {timeout: 0});
	const error = await t.throwsAsync(engine.call('containers.start', 'web'));
	t.is(error.message, 'Cannot link to a non running container: /mydb AS /web/db');
});

test('a link follows the other container: to its new name, to its new address, and not to another of its name', async (t) => {
	const engine = await startEngine(t, makeNamespace(t));
	const one = await engine.startContainer(busybox(sleep, {name: 'one'}));
	const web = await engine.startContainer(
		busybox(sleep, {
			name: 'web',
			hostConfig: {Binds: binds, Links: ['one:db', '/one', `${one.slice(0, 12)}:short`]},
		}),
	);
	const hosts = async () => (await engine.exec(web, '/bin/busybox', 'cat', '/etc/hosts')).stdout;
	const inspect = async () =>
		(await engine.call<{HostConfig: {Links: string[]}}>('containers.inspect', web)).HostConfig.Links;
	const address = async () =>
		(await engine.call<{NetworkSettings: {IPAddress: string}}>('containers.inspect', one)).NetworkSettings
			.IPAddress;
	const names = async () =>
		(await engine.call<{Id: string; Names: string[]}[]>('containers.list', {})).find(({Id}) => Id === one)!
			.Names;
	t.deepEqual(await inspect(), ['/one:/web/db', '/one:/web/one', '/one:/web/short']);
	t.deepEqual(await names(), ['/one', '/web/db', '/web/one', '/web/short']);

	// Another container gets its address while it is stopped.
	const old = await address();
	await engine.call('containers.stop', one, {timeout: 0});
	await engine.startContainer(busybox(sleep, {name: 'squatter'}));
	await engine.call('containers.start', one);
	const now = await address();
	t.not(now, old);
	const text = await hosts();
	t.true(text.includes(`${now}\tdb `) && text.includes(`${now}\tone `), text);
	t.false(text.includes(`${old}\tdb`), text);
	t.is((await engine.exec(web, '/bin/busybox', 'ping', '-c', '1', '-W', '2', 'db')).code, 0);

	await engine.call('containers.rename', one, 'two');
	t.deepEqual(await inspect(), ['/two:/web/db', '/two:/web/one', '/two:/web/short']);
	await engine.startContainer(busybox(sleep, {name: 'one'}));
	await engine.call('containers.restart', web, {timeout: 0});
	t.true((await hosts()).includes(`${now}\tdb ${one.slice(0, 12)} two\n`), await hosts());

	await engine.call('containers.remove', 'web/db', {link: true});
	t.deepEqual(await inspect(), ['/two:/web/one', '/two:/web/short']);
	t.false((await hosts()).includes('\tdb '), await hosts());
	for (const [name, message] of [
		['web/db', 'No such container: web/db'],
		['nobody/x', 'No such container: nobody/x'],
		['two', 'Conflict, cannot remove the default link name of the container'],
	] as const) {
		await t.throwsAsync(engine.call('containers.remove', name, {link: true}), {message});
	}
	await engine.call('containers.remove', one, {force: true});
	const gone = await t.throwsAsync(engine.call('containers.restart', web, {timeout: 0}));
	t.is(
		gone.message,
		`Cannot restart container ${web}: Cannot link to a non running container: /one AS /web/one`,
	);
});

test('ports of a linked container that follow one another are told of as a range, too', async (t) => {
	const engine = await startEngine(t, makeNamespace(t));
	const exposed = ['80/tcp', '81/tcp', '82/tcp', '53/udp', '443/tcp'];
	await engine.startContainer(
		busybox(sleep, {
			name: 'db',
			config: {ExposedPorts: Object.fromEntries(exposed.map((port) => [port, {}])), Env: ['X=a=b']},
		}),
	);
	const {stdout} = await engine.runContainer(
		busybox(['env'], {name: 'web', hostConfig: {Binds: binds, Links: ['db:the-db']}}),
	);
	const lines = stdout.split('\n').filter((line) => line.startsWith('THE_DB'));
	for (const line of [
		...['THE_DB_PORT=udp://10.213.0.2:53', 'THE_DB_NAME=/web/the-db', 'THE_DB_ENV_X=a=b'],
		...['THE_DB_PORT_80_TCP_START=tcp://10.213.0.2:80', 'THE_DB_PORT_80_TCP_PORT_START=80'],
		...['THE_DB_PORT_80_TCP_END=tcp://10.213.0.2:82', 'THE_DB_PORT_80_TCP_PORT_END=82'],
		...['THE_DB_PORT_81_TCP_ADDR=10.213.0.2', 'THE_DB_PORT_53_UDP_PROTO=udp'],
	]) {
		t.true(lines.includes(line), `${line} in ${stdout}`);
	}
	t.is(lines.length, 27);
});

test('links that lead nowhere are refused before the container is made', async (t) => {
	const engine = await startEngine(t, makeNamespace(t));
	await engine.call('networks.create', {name: 'n'});
	await engine.startContainer(busybox(sleep, {name: 'host', hostConfig: {NetworkMode: 'host'}}));
	const elsewhere = await engine.startContainer(
		busybox(sleep, {name: 'elsewhere', hostConfig: {NetworkMode: 'n', Binds: binds}}),
	);
	const linked = (link: string, mode = 'bridge') =>
		busybox(['true'], {name: 'web', hostConfig: {NetworkMode: mode, Binds: binds, Links: [link]}});
	const undefinedBehaviour =
		"conflicting options: host type networking can't be used with links. This would result in undefined behavior";
	for (const [options, message] of [
		[linked('bogus:alias'), 'could not get container for bogus: No such container: bogus'],
		[linked('web:self'), 'could not get container for web: No such container: web'],
		[linked('host:h'), undefinedBehaviour],
		[linked('elsewhere:x', 'host'), undefinedBehaviour],
		[linked('a:b:c'), 'bad format for links: a:b:c'],
		[linked(''), 'empty string specified for links'],
	] as const) {
		await t.throwsAsync(engine.call('containers.create', options), {message});
	}
	t.is((await engine.call<object[]>('containers.list', {all: true})).length, 2);
	await engine.call('containers.create', linked('elsewhere:x'));
	await t.throwsAsync(engine.call('containers.start', 'web'), {
		message: 'Cannot link to /elsewhere, as it does not belong to the default network',
	});
	// Once it does, the link holds; one that shares another's network is found there.
	await engine.call('networks.connect', 'bridge', elsewhere);
	await engine.call('containers.start', 'web');
	await engine.startContainer(
		busybox(sleep, {name: 'sharer', hostConfig: {NetworkMode: `container:${elsewhere}`, Binds: binds}}),
	);
	const {code} = await engine.runContainer(
		busybox(['ping', '-c', '1', '-W', '2', 'x'], {hostConfig: {Binds: binds, Links: ['sharer:x']}}),
	);
	t.is(code, 0);
});

test('a link on a user network is a name for one container only', async (t) => {
	const engine = await startEngine(t, makeNamespace(t));
	await engine.call('networks.create', {name: 'n'});
	const on = (links: string[] = []) => ({hostConfig: {NetworkMode: 'n', Binds: binds, Links: links}});
	await engine.startContainer(busybox(sleep, {name: 'mydb', ...on()}));
	const one = await engine.startContainer(busybox(sleep, on(['mydb:db'])));
	const other = await engine.startContainer(busybox(sleep, on()));
	t.is((await engine.exec(one, '/bin/busybox', 'ping', '-c', '1', '-W', '2', 'db')).code, 0);
	t.not((await engine.exec(other, '/bin/busybox', 'ping', '-c', '1', '-W', '2', 'db')).code, 0);
});

test('a link on a user network is for the other container on that network', async (t) => {
	const engine = await startEngine(t, makeNamespace(t));
	for (const name of ['foo1', 'foo2']) await engine.call('networks.create', {name});
	const on = (network: string, links: string[] = []) => ({
		hostConfig: {NetworkMode: network, Binds: binds, Links: links},
	});
	await engine.startContainer(busybox(sleep, {name: 'first', ...on('foo1')}));
	// Who isn't there may still come.
	const second = await engine.startContainer(
		busybox(sleep, {name: 'second', ...on('foo1', ['first:FirstInFoo1', 'third:bar'])}),
	);
	const finds = async (name: string) =>
		(await engine.exec(second, '/bin/busybox', 'ping', '-c', '1', '-W', '1', name)).code === 0;
	t.deepEqual([await finds('first'), await finds('FirstInFoo1'), await finds('bar')], [true, true, false]);
	await engine.call('networks.connect', 'foo2', 'first');
	await engine.call('networks.connect', 'foo2', 'second', {Links: ['first:FirstInFoo2']});
	t.true(await finds('FirstInFoo2'));
	await engine.startContainer(busybox(sleep, {name: 'third', ...on('foo1')}));
	t.true(await finds('bar'));
	await engine.call('networks.disconnect', 'foo1', 'first');
	t.deepEqual(
		[await finds('FirstInFoo1'), await finds('FirstInFoo2'), await finds('first')],
		[false, true, true],
	);
	const {HostConfig, NetworkSettings} = await engine.call<{
		HostConfig: {Links: string[] | null};
		NetworkSettings: {Networks: Record<string, {Links: string[]}>};
	}>('containers.inspect', second);
	t.is(HostConfig.Links, null);
	t.deepEqual(NetworkSettings.Networks.foo1!.Links, ['first:FirstInFoo1', 'third:bar']);
});

test('resolv.conf and hosts are what was asked for', async (t) => {
	const engine = await startEngine(t, makeNamespace(t));
	const {stdout} = await engine.runContainer(
		busybox(['sh', '-c', 'cat /etc/resolv.conf /etc/hosts; hostname -f'], {
			config: {Hostname: 'web', Domainname: 'example.org'},
			hostConfig: {
				Binds: binds,
				Dns: ['192.0.2.53'],
				DnsSearch: ['example.org'],
				DnsOptions: ['timeout:1'],
				ExtraHosts: ['there:192.0.2.7', 'six=[2001:db8::7]', 'gateway:host-gateway'],
			},
		}),
	);
	t.regex(stdout, /^nameserver 192\.0\.2\.53\nsearch example\.org\noptions timeout:1\n/);
	t.regex(stdout, /^192\.0\.2\.7\tthere$/m);
	t.regex(stdout, /^2001:db8::7\tsix$/m);
	t.regex(stdout, /^10\.213\.0\.1\tgateway$/m);
	t.regex(stdout, /^10\.213\.0\.2\tweb\.example\.org web$/m);
	t.regex(stdout, /^web\.example\.org$/m);
});

test("a user network asks 127.0.0.11, and a running container's files follow its networks", async (t) => {
	const engine = await startEngine(t, makeNamespace(t));
	const id = await engine.startContainer(busybox(sleep));
	const file = (name: string) => readFileSync(join(engine.root, 'containers', id, name), 'utf8');
	t.notRegex(file('resolv.conf'), /127\.0\.0\.11/);
	await engine.call('networks.create', {name: 'n'});
	await engine.call('networks.connect', 'n', id);
	t.regex(file('resolv.conf'), /^nameserver 127\.0\.0\.11$/m);
	t.regex(file('resolv.conf'), /ndots:0/);
	t.is((await engine.exec(id, '/bin/busybox', 'nslookup', id.slice(0, 12))).code, 0);
	await engine.call('networks.disconnect', 'n', id);
	t.notRegex(file('resolv.conf'), /127\.0\.0\.11/);
});

test('containers that share a network namespace are one host', async (t) => {
	const engine = await startEngine(t, makeNamespace(t));
	const id = await engine.startContainer(
		busybox(['nc', '-ll', '-p', '80', '-e', '/bin/sh', '-c', 'echo served']),
	);
	const {stdout} = await engine.runContainer(
		busybox(['sh', '-c', 'sleep 0.2; nc -w 1 127.0.0.1 80; cat /etc/hostname'], {
			hostConfig: {NetworkMode: `container:${id}`, Binds: binds},
		}),
	);
	t.is(stdout, `served\n${id.slice(0, 12)}\n`);
	const ports = await t.throwsAsync(
		engine.runContainer(
			busybox(['true'], {
				hostConfig: {
					NetworkMode: `container:${id}`,
					PortBindings: {'80/tcp': [{HostIp: '', HostPort: '80'}]},
				},
			}),
		),
	);
	t.is(ports.message, 'conflicting options: port publishing and the container type network mode');
	await engine.call('containers.stop', id, {timeout: 0});
	const stopped = await t.throwsAsync(
		engine.runContainer(busybox(['true'], {hostConfig: {NetworkMode: `container:${id}`}})),
	);
	t.regex(stopped.message, /^cannot join network of a non running container: [0-9a-f]{64}$/);
});
