/** Networks from the command line, all inside of a network namespace that stands for the host. */
import test from 'ava';
import {openEngine} from '../../../src/engine/engine.ts';
import {Command} from '../../e2e/command.ts';
import {connect, eventually, makeNamespace} from '../../setup/netns.ts';

const ends: (() => unknown)[] = [];
const namespaces = {teardown: (end: () => unknown) => void ends.push(end)};
const host = makeNamespace(namespaces);
const outside = makeNamespace(namespaces);
connect(host, '192.0.2.1/24', outside, '192.0.2.2/24');
const wherry = new Command({namespace: host.path, env: {WHERRY_SUBNET_POOL: '10.215.0.0/16'}});

/** Debian's static busybox in a container of the host's own files. */
const busybox = ['-v', '/bin/busybox:/bin/busybox:ro', '--stop-timeout', '0', 'wherry/base', '/bin/busybox'];
const sleep = ['--stop-timeout', '0', 'wherry/base', 'sleep', '1000'];
const server = [...busybox, 'nc', '-ll', '-p', '80', '-e', '/bin/echo', 'served'];

const ask = (address: string, port: number) =>
	eventually(async () => {
		const answer = await outside.run('busybox', 'nc', '-w', '2', address, String(port));
		if (!answer.includes('served')) throw new Error(`no answer from ${address}:${port}`);
		return answer.trim();
	});

/** A command that fails: its status and what it says, without the hint. */
async function failure(...args: string[]): Promise<{code: number | null; stderr: string}> {
	const {code, stderr} = await wherry.result(args);
	return {code, stderr: stderr.replace(/\n\n(Usage|Run|See)[\s\S]*$/, '').trimEnd()};
}

test.before(async () => {
	await wherry.output('create', '--name', 'first-of-all', 'wherry/base', 'true');
});

test.after.always(async (t) => {
	try {
		t.deepEqual(await wherry.end(), []);
	} finally {
		for (const end of ends.reverse()) await end();
	}
});

test("docker's tutorial: two containers on a network ping each other by name", async (t) => {
	t.regex(await wherry.output('network', 'create', '-d', 'bridge', 'my-net'), /^[0-9a-f]{64}$/);
	await wherry.output('run', '-d', '--name', 'busybox1', '--network', 'my-net', ...busybox, 'sleep', '1000');
	await wherry.output('run', '-d', '--name', 'busybox2', '--network', 'my-net', ...busybox, 'sleep', '1000');
	const ping = ['exec', 'busybox1', '/bin/busybox', 'ping', '-c', '1', '-W', '2'];
	const {IPAM} = JSON.parse(await wherry.output('network', 'inspect', '-f', '{{json .}}', 'my-net'));
	t.regex(await wherry.output(...ping, 'busybox2'), /1 packets received/);

	t.deepEqual(
		(
			await wherry.output(
				...['network', 'inspect', 'my-net', '-f'],
				'{{range .Containers}}{{.Name}} {{.IPv4Address}} {{end}}',
			)
		)
			.trim()
			.split(' ')
			.filter((word) => !word.includes('/'))
			.sort(),
		['busybox1', 'busybox2'],
	);
	t.is(
		await wherry.output('inspect', '-f', '{{(index .IPAM.Config 0).Subnet}}', 'my-net'),
		IPAM.Config[0].Subnet,
	);
	t.is(await wherry.output('inspect', '--type', 'network', '-f', '{{.Driver}}', 'my-net'), 'bridge');

	// A name goes with its container to the other network, and away with it.
	await wherry.output('network', 'disconnect', 'my-net', 'busybox2');
	t.not((await wherry.result([...ping, 'busybox2'])).code, 0);
	await wherry.output('network', 'connect', '--alias', 'second', 'my-net', 'busybox2');
	t.regex(await wherry.output(...ping, 'second'), /1 packets received/);
	await wherry.output('rename', 'busybox2', 'renamed');
	t.regex(await wherry.output(...ping, 'renamed'), /1 packets received/);

	const used = await failure('network', 'rm', 'my-net');
	t.is(used.code, 1);
	t.regex(used.stderr, /^Error: error while removing network: network my-net has active endpoints \(name:"/);
	await wherry.output('rm', '-f', 'busybox1', 'renamed');
	t.is(await wherry.output('network', 'rm', 'my-net'), 'my-net');
	t.deepEqual(
		(
			await wherry.output(
				...['events', '--since', '1h', '--until', '0s', '-f', 'type=network', '-f', 'network=my-net'],
				...['--format', '{{.Action}}'],
			)
		)
			.split('\n')
			.filter((action, at, all) => action !== all[at - 1])
			.filter((action) => action === 'create' || action === 'destroy'),
		['create', 'destroy'],
	);
});

test('a published port is reached from another host, listed, moved and taken back', async (t) => {
	const of = ['--format', '{{.Ports}}', '-f', 'name=web'];
	const id = await wherry.output('run', '-d', '--name', 'web', '-p', '8080:80', '--expose', '443', ...server);
	t.is(await ask('192.0.2.1', 8080), 'served');
	t.is(await wherry.output('ps', ...of), '443/tcp, 0.0.0.0:8080->80/tcp, [::]:8080->80/tcp');
	t.is(await wherry.output('port', 'web'), '80/tcp -> 0.0.0.0:8080\n80/tcp -> [::]:8080');
	t.is(await wherry.output('port', 'web', '80'), '0.0.0.0:8080\n[::]:8080');
	t.deepEqual(await failure('port', 'web', '443'), {
		code: 1,
		stderr: "Error: No public port '443' published for web",
	});
	t.is(
		await wherry.output(
			'inspect',
			'-f',
			'{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}',
			'web',
		),
		'8080',
	);
	for (const [filter, found] of [
		['publish=8080', true],
		['publish=8081', false],
		['publish=8000-8100/tcp', true],
		['publish=8080/udp', false],
		['expose=443', true],
		['expose=80-81', true],
		['expose=1', false],
		['network=bridge', true],
		['network=host', false],
	] as const) {
		t.is(
			await wherry.output('ps', '-q', '--no-trunc', '-f', filter, '-f', 'name=web'),
			found ? id : '',
			filter,
		);
	}

	t.is(await wherry.output('update', '--publish-add', '9090:80', 'web'), 'web');
	t.is(await ask('192.0.2.1', 9090), 'served');
	t.is(await wherry.output('update', '--publish-rm', '8080:80', 'web'), 'web');
	await t.throwsAsync(outside.run('busybox', 'nc', '-w', '1', '192.0.2.1', '8080'));
	t.is(await wherry.output('port', 'web', '80/tcp'), '0.0.0.0:9090\n[::]:9090');
	t.deepEqual(await failure('update', '--publish-rm', '81', 'web'), {
		code: 1,
		stderr: 'Error: port 81/tcp is not published',
	});

	const taken = await failure('run', '--name', 'late', '-p', '9090:80', ...sleep);
	t.is(taken.code, 125);
	t.regex(
		taken.stderr,
		/^wherry: Error: failed to set up container networking: driver failed programming external connectivity on endpoint late \([0-9a-f]{64}\): Bind for 0\.0\.0\.0:9090 failed: port is already allocated$/,
	);
	t.is((await failure('start', 'late')).code, 1);
	await wherry.output('rm', '-f', 'late', 'web');
	await t.throwsAsync(outside.run('busybox', 'nc', '-w', '1', '192.0.2.1', '9090'));
});

test('ranges, single addresses and -P are published', async (t) => {
	const name = 'ranges';
	await wherry.output(
		...['run', '-d', '--name', name, '-p', '127.0.0.1:7000-7001:70-71', '-p', '0.0.0.0:70-72:80-82/udp'],
		...['-p', 'published=6000,target=60', '--expose', '99', '-P', ...sleep],
	);
	const ports = await wherry.output('port', name);
	t.regex(ports, /^60\/tcp -> 0\.0\.0\.0:6000\n60\/tcp -> \[::\]:6000\n/);
	t.regex(ports, /^70\/tcp -> 127\.0\.0\.1:7000\n71\/tcp -> 127\.0\.0\.1:7001$/m);
	t.regex(ports, /^80\/udp -> 0\.0\.0\.0:70\n81\/udp -> 0\.0\.0\.0:71\n82\/udp -> 0\.0\.0\.0:72$/m);
	const [, chosen] = /^99\/tcp -> 0\.0\.0\.0:(\d+)$/m.exec(ports)!;
	t.true(Number(chosen) > 1024);
	t.is(await wherry.output('ps', '-f', `publish=${chosen}`, '--format', '{{.Names}}'), name);
	await wherry.output('rm', '-f', name);
});

test('addresses, names and hosts of a container are those that were asked for', async (t) => {
	await wherry.output('network', 'create', '--subnet', '10.99.0.0/24', '--label', 'kind=test', 'own');
	t.is(
		await wherry.output(
			...['run', '--rm', '--network', 'name=own,ip=10.99.0.7,mac-address=02:42:0a:63:00:07', '-h', 'box'],
			...['--dns', '192.0.2.53', '--dns-search', 'example.test', '--dns-option', 'ndots:2'],
			...['--add-host', 'db:192.0.2.7', '--add-host', 'gate:host-gateway', '--domainname', 'example.org'],
			...[...busybox, 'sh', '-c'],
			'hostname; cat /sys/class/net/eth0/address; grep -c 10.99.0.7 /etc/hosts; grep -E "db|gate" /etc/hosts; grep -E "^(search|options)" /etc/resolv.conf',
		),
		[
			...['box', '02:42:0a:63:00:07', '1', '192.0.2.7\tdb', '10.99.0.1\tgate'],
			...['search example.test', 'options ndots:2'],
		].join('\n'),
	);
	t.is(
		await wherry.output('network', 'ls', '-f', 'label=kind=test', '--format', '{{.Name}} {{.Driver}}'),
		'own bridge',
	);
	const first = await wherry.output('inspect', '-f', '{{.Id}}', 'first-of-all');
	for (const [args, problem] of [
		[
			['--network', 'own', '--ip', '10.98.0.7'],
			'Error: invalid config for network own: invalid endpoint settings:\nno configured subnet or ip-range contain the IP address 10.98.0.7',
		],
		[['--network', 'own', '--ip', '10.99.0.1'], 'Error: Address already in use'],
		[['--network', 'nowhere'], 'Error: network nowhere not found'],
		[['-p', '80-82:80-81'], 'invalid ranges specified for container and host Ports: 80-81 and 80-82'],
		[['--network', 'container:nobody'], 'Error: No such container: nobody'],
		[
			['--network', 'container:first-of-all'],
			`Error: cannot join network of a non running container: ${first}`,
		],
	] as [string[], string][]) {
		t.deepEqual(await failure('run', '--rm', ...args, ...sleep), {code: 125, stderr: `wherry: ${problem}`});
	}
	// What another has taken can be given back, so this too is seen only when it is started.
	const twice = ['-p', '8090:80', '-p', '8090:81', ...sleep];
	await wherry.output('create', '--name', 'twice', ...twice);
	const allocated =
		/^Error: failed to set up container networking: driver failed programming external connectivity on endpoint twice \([0-9a-f]{64}\): Bind for 0\.0\.0\.0:8090 failed: port is already allocated$/m;
	const late = await failure('start', 'twice');
	t.is(late.code, 1);
	t.regex(late.stderr, allocated);
	t.regex(
		await wherry.output('inspect', '-f', '{{.State.ExitCode}} {{.State.Status}} {{.State.Error}}', 'twice'),
		/^128 created .*allocated$/,
	);
	await wherry.output('rm', 'twice');
	const started = await failure('run', '-d', '--name', 'twice', ...twice);
	t.is(started.code, 125);
	t.regex(started.stderr.replace('wherry: ', ''), allocated);
	t.is(await wherry.output('ps', '-a', '-f', 'name=twice', '--format', '{{.Status}}'), 'Created');
	await wherry.output('rm', 'twice');
	t.is((await failure('create', '--name', 'self', '--network', 'container:self', ...sleep)).code, 1);
	t.is((await failure('inspect', 'self')).code, 1);
	t.is(await wherry.output('network', 'rm', 'own'), 'own');
});

test('a container is on several networks, and the one with the highest priority leads out', async (t) => {
	for (const [name, subnet] of [
		['left', '10.105.0.0/24'],
		['right', '10.106.0.0/24'],
	] as const) {
		await wherry.output('network', 'create', '--subnet', subnet, name);
	}
	t.regex(
		await wherry.output(
			...['run', '--rm', '--network', 'left', '--network', 'name=right,ip=10.106.0.9,gw-priority=1'],
			...[...busybox, 'sh', '-c', 'ip -4 -o addr | grep -o "inet 10[^ ]*"; ip route | grep default'],
		),
		/^inet 10\.105\.0\.\d+\/24\ninet 10\.106\.0\.9\/24\ndefault via 10\.106\.0\.1 /,
	);
	await wherry.output('network', 'rm', 'left', 'right');
});

test('a link on the default bridge gives a name and variables', async (t) => {
	await wherry.output('run', '-d', '--name', 'db', '--expose', '5432', '-e', 'KEY=value', ...sleep);
	const address = await wherry.output('inspect', '-f', '{{.NetworkSettings.IPAddress}}', 'db');
	const text = await wherry.output(
		'run',
		'--rm',
		'--link',
		'db:store',
		...busybox,
		'sh',
		'-c',
		'env; cat /etc/hosts',
	);
	t.true(text.includes(`STORE_PORT_5432_TCP=tcp://${address}:5432\n`));
	t.true(text.includes('STORE_ENV_KEY=value\n'));
	t.regex(text, new RegExp(`^${address}\\tstore `, 'm'));
	t.deepEqual(await failure('run', '--rm', '--link', 'nobody', ...sleep), {
		code: 125,
		stderr: 'wherry: Error: could not get container for nobody: No such container: nobody',
	});
	await wherry.output('rm', '-f', 'db');
});

test('ports of containers that cannot publish are said to be discarded', async (t) => {
	await wherry.output('network', 'create', '--internal', 'inner');
	for (const [network, warning] of [
		['host', 'Published ports are discarded when using host network mode'],
		['none', 'Published ports are discarded when the container has no network'],
		[
			'inner',
			'Published ports are discarded: ports can be published on bridge networks with a way out only (this one has inner)',
		],
	] as const) {
		t.like(await wherry.result(['run', '--rm', '--network', network, '-p', '80:80', 'wherry/base', 'true']), {
			code: 0,
			stderr: `WARNING: ${warning}\n`,
		});
	}
	t.is(await wherry.output('network', 'rm', 'inner'), 'inner');
});

test('networks that cannot be made are refused in docker words', async (t) => {
	await wherry.output('network', 'create', '--subnet', '10.101.0.0/16', 'first');
	for (const [args, problem] of [
		[['first'], 'Error: network with name first already exists'],
		[['bridge'], 'Error: operation is not permitted on predefined bridge network'],
		[
			['--subnet', '10.101.4.0/24', 'x'],
			'Error: invalid pool request: Pool overlaps with other one on this address space: 10.101.4.0/24 overlaps 10.101.0.0/16 of network first',
		],
		[
			['--subnet', '10.102.0.0/16', '--subnet', '10.102.1.0/24', 'x'],
			'multiple overlapping subnet configuration is not supported',
		],
		[
			['--subnet', '10.102.0.0/16', '--gateway', '10.103.0.1', 'x'],
			'no matching subnet for gateway 10.103.0.1',
		],
		[['--gateway', '10.103.0.1', 'x'], 'every ip-range or gateway must have a corresponding subnet'],
		[
			['-d', 'overlay', 'x'],
			'Error: This node is not a swarm manager: networks of the driver overlay need one',
		],
		[['-d', 'macvlan', 'x'], "Error: the macvlan driver needs the host's interface: -o parent=INTERFACE"],
	] as [string[], string][]) {
		t.deepEqual(await failure('network', 'create', ...args), {code: 1, stderr: problem});
	}
	t.like(await wherry.result(['network', 'rm', 'nowhere', 'first', 'host']), {
		code: 1,
		stdout: 'first\n',
		stderr: 'Error: network nowhere not found\nError: host is a pre-defined network and cannot be removed\n',
	});
	t.like(await wherry.result(['network', 'rm', '-f', 'nowhere']), {code: 0, stdout: '', stderr: ''});
	t.like(await wherry.result(['network', 'inspect', 'nowhere']), {
		code: 1,
		stdout: '[]\n',
		stderr: 'Error: network nowhere not found\n',
	});
	t.like(await wherry.result(['network', 'disconnect', 'bridge', 'nobody']), {
		code: 1,
		stderr: 'Error: No such container: nobody\n',
	});
});

test('macvlan and ipvlan networks are made on an interface of the host', async (t) => {
	host.ip('link', 'add', 'parent0', 'type', 'veth', 'peer', 'name', 'parent1');
	host.ip('link', 'set', 'parent0', 'up');
	for (const [driver, subnet] of [
		['macvlan', '10.111.0'],
		['ipvlan', '10.112.0'],
	] as const) {
		await wherry.output(
			...['network', 'create', '-d', driver, '-o', 'parent=parent0', '--subnet', `${subnet}.0/24`],
			...['--ip-range', `${subnet}.128/25`, '--aux-address', `router=${subnet}.129`, driver],
		);
		const {code, stdout, stderr} = await wherry.result([
			...['run', '--rm', '--network', driver, '-p', '80:80', ...busybox, 'ip', '-4', 'addr', 'show', 'eth0'],
		]);
		t.regex(stderr, /^WARNING: Published ports are discarded/);
		if (code === 125) {
			// Not every kernel has both.
			t.regex(stderr, new RegExp(`this kernel has no ${driver} `));
			t.is(await wherry.output('network', 'rm', driver), driver);
			continue;
		}
		t.is(code, 0, stderr);
		t.regex(stdout, new RegExp(`inet ${subnet.replaceAll('.', '\\.')}\\.1(2[89]|[3-9]\\d)/24`));
		t.is(await wherry.output('network', 'rm', driver), driver);
	}
});

test('hundreds of networks are listed, completed and pruned', async (t) => {
	// In process: what counts here is their number.
	const engine = openEngine({root: wherry.root, run: wherry.run});
	t.teardown(() => engine.close());
	for (let at = 0; at < 300; at++) {
		await engine.networks.create({
			name: `many${at}`,
			labels: {many: ''},
			subnets: [`10.${120 + (at >> 8)}.${at & 255}.0/24`],
		});
	}
	const names = (await wherry.output('network', 'ls', '-f', 'label=many', '--format', '{{.Name}}')).split(
		'\n',
	);
	t.is(names.length, 300);
	t.deepEqual(names.slice(0, 3), ['many0', 'many1', 'many2']);
	t.is(
		await wherry.output('__completeNoDesc', 'network', 'rm', 'many29'),
		['many29', ...Array.from({length: 10}, (_, at) => `many29${at}`), ':4'].join('\n'),
	);
	t.is(await wherry.output('run', '--rm', '--network', 'many299', 'wherry/base', 'echo', 'up'), 'up');
	t.is(
		await wherry.output('network', 'prune', '--filter', 'label=many'),
		'WARNING! This will remove all custom networks not used by at least one container.\nAre you sure you want to continue? [y/N] ',
	);
	const pruned = (await wherry.output('network', 'prune', '-f', '--filter', 'label=many')).split('\n');
	t.is(pruned[0], 'Deleted Networks:');
	t.is(pruned.filter((line) => line.startsWith('many')).length, 300);
});

test('the engine looks at the host and says what it finds', async (t) => {
	const {code, stdout} = await wherry.result(['system', 'check']);
	t.is(code, 0);
	t.regex(stdout, /^ok +kernel +Linux /m);
	t.regex(stdout, /^(All is fine|Containers run; \d+ things? limits? them)\.\n$/m);
	for (const line of (await wherry.output('system', 'check', '--format', '{{.Status}} {{.Subject}}')).split(
		'\n',
	)) {
		t.regex(line, /^(ok|warn) [\w_ -]+$/);
	}
	t.regex(await wherry.output('info'), /Network: bridge host ipvlan macvlan null/);
});
