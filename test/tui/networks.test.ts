/** Networks in the terminal UI: the built program in a pseudo-terminal, in a namespace that stands for the host. */
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {Command} from '../e2e/command.ts';
import {makeNamespace} from '../setup/netns.ts';
import {TestTerminal} from './terminal.ts';

const launcher = fileURLToPath(new URL('../../src/wherry.sh', import.meta.url));

test('networks are made, joined, left and removed by keys, and follow what other processes do', async (t) => {
	const host = makeNamespace(t);
	const env = {WHERRY_SUBNET_POOL: '10.216.0.0/16'};
	const wherry = new Command({namespace: host.path, env});
	t.teardown(() => wherry.end());
	const sleep = ['--stop-timeout', '0', 'wherry/base', 'sleep', '1000'];
	await wherry.output('run', '-d', '--name', 'web', '-p', '8080:80', ...sleep);
	await wherry.output('run', '-d', '--name', 'db', ...sleep);
	const terminal = new TestTerminal('nsenter', [`--net=${host.path}`, launcher, 'ui'], {
		columns: 130,
		rows: 34,
		env: {...env, WHERRY_ROOT: wherry.root, WHERRY_RUN: wherry.run},
	});
	t.teardown(() => terminal.close());
	await terminal.until(/▶ {2}web .*8080→80/);
	terminal.type('3');
	await terminal.until(/❯ bridge +bridge +10\.216\.0\.0\/24 +2┃/);
	await terminal.until(
		/Members[^\n]* bridge[\s\S]*▶ {2}db +10\.216\.0\.3\/24[\s\S]*▶ {2}web +10\.216\.0\.2\/24 +8080→80/,
	);

	// By keys: a network, then a container on it.
	terminal.type('Afront\t\t10.77.0.0/24\r');
	await terminal.until(/❯ front +bridge +10\.77\.0\.0\/24 +–┃/);
	t.is(await wherry.output('network', 'ls', '-q', '-f', 'name=front', '--format', '{{.Driver}}'), 'bridge');
	await terminal.until(/\$ wherry network create --subnet 10\.77\.0\.0\/24 front/);
	terminal.type('Cweb\r');
	await terminal.until(/Connect web to front/);
	terminal.type('www\t10.77.0.9\r');
	await terminal.until(/Members[^\n]* front[\s\S]*▶ {2}web +10\.77\.0\.9\/24 .*www/);
	t.is(
		await wherry.output('inspect', '-f', '{{.NetworkSettings.Networks.front.IPAddress}}', 'web'),
		'10.77.0.9',
	);

	// By another process.
	await wherry.output('network', 'connect', 'front', 'db');
	await terminal.until(/▶ {2}db +10\.77\.0\.2\/24/);
	await wherry.output('network', 'disconnect', 'front', 'db');
	await terminal.until((now) => !now.text.includes('10.77.0.2/24'));
	await wherry.output('network', 'create', '--internal', 'back');
	await terminal.until(/3 Networks 5/);
	await wherry.output('network', 'rm', 'back');
	await terminal.until(/3 Networks 4/);
	await wherry.output('update', '--publish-add', '7070:70', 'db');
	await terminal.until(/▶ {2}db .*7070→70/);

	// One in use stays, and says why.
	terminal.type('dy');
	await terminal.untilShown(/Error: network front is in use by web; U disconnects/);
	terminal.type('i');
	await terminal.until(/Network front[\s\S]*Subnet +10\.77\.0\.0\/24[\s\S]*web +10\.77\.0\.9/);
	terminal.type('q');
	terminal.type('\rU');
	await terminal.until(/Disconnect web from front\?/);
	terminal.type('y');
	await terminal.until(/Members[^\n]* front[\s\S]*No containers are on it/);
	t.is(await wherry.output('inspect', '-f', '{{len .NetworkSettings.Networks}}', 'web'), '1');
	terminal.type('3D');
	await terminal.until(/Remove unused networks[\s\S]* front /);
	terminal.type('y');
	await terminal.untilShown(/Removed 1 network\./);
	await terminal.until(/3 Networks 3/);
	t.is(await wherry.output('network', 'ls', '--format', '{{.Name}}', '-f', 'type=custom'), '');

	// What is wrong is one line.
	terminal.type('Awrong\t\t10.216.0.0/16\r');
	await terminal.untilShown(/Error: .*(overlap|10\.216\.0\.0)/);
	terminal.type('q');
	t.is(await terminal.exited(), 0);
});
