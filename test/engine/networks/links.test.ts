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
