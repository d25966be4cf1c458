import test from 'ava';
import type {DiskUsage} from '../../../src/engine/api.ts';
import {containerLines, imageLines} from '../../../src/tui/actions/disk-owner.ts';
import {showExposure} from '../../../src/tui/actions/exposure.ts';
import {exposureRows, type HostAddress, isPrivate} from '../../../src/tui/panes/exposure.ts';
import {busyEngine, container, endpoint, network} from '../fake-engine.ts';
import {openUi} from '../harness.ts';

const HOST: HostAddress[] = [
	{interface: 'lo', address: '127.0.0.1', family: 'IPv4', internal: true},
	{interface: 'eth0', address: '192.168.1.5', family: 'IPv4', internal: false},
	{interface: 'eth0', address: 'fe80::1', family: 'IPv6', internal: false},
	{interface: 'wherry0', address: '10.88.0.1', family: 'IPv4', internal: false},
];
const PUBLIC: HostAddress = {interface: 'eth1', address: '203.0.113.9', family: 'IPv4', internal: false};

function reach(IP: string, addresses: readonly HostAddress[]): string {
	const row = container({name: 'a', Ports: [{IP, PrivatePort: 80, PublicPort: 8080, Type: 'tcp'}]});
	const [found] = exposureRows([row], [], addresses);
	return `${found!.reach}: ${found!.text}`;
}

test('a published port is as open as the addresses that it is published at', (t) => {
	t.is(reach('0.0.0.0', HOST), 'lan: the local network, by 192.168.1.5 (eth0)');
	t.is(
		reach('0.0.0.0', [...HOST, PUBLIC]),
		'public: everybody who reaches 203.0.113.9 (eth1): a public address',
	);
	t.is(reach('127.0.0.1', [...HOST, PUBLIC]), 'machine: this machine only');
	t.is(reach('::', HOST), 'machine: this machine only: it has no other address');
	t.is(reach('192.168.1.5', [...HOST, PUBLIC]), 'lan: the local network, by 192.168.1.5 (eth0)');
	t.is(reach('10.88.0.1', HOST), 'networks: who reaches 10.88.0.1, which is a bridge’s or not here');
});

test('what is not published is reached from its networks; the host’s network and a LAN’s are open', (t) => {
	const networks = [
		network('back', '', {Internal: true}),
		network('lan', '', {Driver: 'macvlan', Options: {parent: 'eth0'}}),
	];
	const on = (name: string, mode: string) =>
		container({
			name,
			Ports: [{PrivatePort: 53, Type: 'udp'}],
			HostConfig: {NetworkMode: mode},
			NetworkSettings: {Networks: {[mode]: endpoint('10.0.0.2')} as never},
		});
	const rows = exposureRows(
		[on('a', 'back'), on('b', 'lan'), on('c', 'host'), on('d', 'none')],
		networks,
		HOST,
	);
	t.deepEqual(
		rows.map((row) => `${row.container.Names[0]} ${row.reach} ${row.inside} ${row.text}`),
		[
			'/b lan 53/udp the network of eth0: it has an address there',
			'/c lan all that it opens the local network, by 192.168.1.5 (eth0); it has the machine’s network',
			'/a networks 53/udp containers on back (internal), and this machine',
			'/d itself 53/udp itself only: it is on no network',
		],
	);
	t.deepEqual(
		exposureRows([container({name: 'x', State: 'exited', Ports: [{PrivatePort: 1, Type: 'tcp'}]})], [], HOST),
		[],
	);
});

test('private addresses are known', (t) => {
	for (const one of [
		'10.1.2.3',
		'172.31.0.1',
		'192.168.0.1',
		'100.64.0.1',
		'169.254.1.1',
		'fd00::1',
		'fe80::1',
	])
		t.true(isPrivate(one), one);
	for (const one of ['11.1.2.3', '172.32.0.1', '192.169.0.1', '100.128.0.1', '2001:db8::1', '8.8.8.8'])
		t.false(isPrivate(one), one);
});

test('X shows them all, the widest first, and goes to the container', async (t) => {
	const {store, type} = await openUi(busyEngine(), {columns: 120, rows: 30});
	await type('X');
	t.is(store.state.dialog?.kind, 'pick');
	await type('db', '\r');
	t.is(store.state.lists.containers.selected, busyEngine().rows[1]!.Id);
	t.notThrows(() => showExposure);
});

test('what takes space is told down to the layer, the log and the volume', (t) => {
	const image = (Id: string, tag: string, SharedSize: number) =>
		({Id, RepoTags: [tag], Size: 3000, SharedSize, Containers: 1}) as DiskUsage['Images'][number];
	const one = container({
		name: 'web',
		ImageID: 'sha256:aaaaaaaaaaaaaaaa',
		SizeRw: 500,
		Mounts: [{Type: 'volume', Name: 'data', Destination: '/d'} as never],
	});
	const usage: DiskUsage = {
		LayersSize: 0,
		Images: [
			image('sha256:aaaaaaaaaaaaaaaa', 'app:1', 1000),
			image('sha256:bbbbbbbbbbbbbbbb', 'app:2', 1000),
		],
		Containers: [one],
		ContainerLogs: {[one.Id]: 70},
		Volumes: [{Name: 'data', Labels: null, UsageData: {Size: 9000, RefCount: 2}} as never],
		BuildCache: [],
	};
	const owners = new Map([
		['sha256:aaaaaaaaaaaaaaaa', ['l1', 'l2']],
		['sha256:bbbbbbbbbbbbbbbb', ['l1', 'l3']],
	]);
	const layers = [
		{size: 1000, command: 'ADD base'},
		{size: 2000, command: 'COPY app'},
	];
	const text = (lines: {name: string; text: string}[]) =>
		lines.map((line) => `${line.name} ${line.text}`.trim());
	const lines = text(imageLines(usage, 'sha256:aaaaaaaaaaaaaaaa', layers, owners));
	t.true(lines.includes('2kB of this image alone: what its removal frees'));
	t.true(lines.includes('1kB ADD base  · also app:2'));
	t.true(lines.includes('2kB COPY app'));
	t.true(lines.includes('500B web, beyond the image'));
	const own = text(containerLines(usage, one.Id));
	t.true(own.includes('570B its own: what its removal frees'));
	t.true(own.includes('70B its log'));
	t.true(own.includes('9kB volume data at /d, 1 more have it'));
});
