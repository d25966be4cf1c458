/** What a container adds to the table of the engine goes with it, to the last byte of what `nft` shows. */
import {globSync} from 'node:fs';
import test from 'ava';
import {tableName} from '../../../src/engine/networks/firewall.ts';
import {Paths} from '../../../src/engine/paths.ts';
import {busybox, eventually, makeNamespace, nft, startEngine} from '../../setup/netns.ts';

const containers = 100;
const atOnce = 5;

test(`after ${containers} containers with published ports the table is what it was before`, async (t) => {
	const host = makeNamespace(t);
	const engine = await startEngine(t, host);
	const table = tableName(new Paths(engine.root, engine.run));
	const networks = ['bridge', 'front', 'inner', 'apart'];
	await engine.call('networks.create', {name: 'front', ipv6: true});
	await engine.call('networks.create', {name: 'inner', internal: true});
	await engine.call('networks.create', {
		name: 'apart',
		options: {'com.docker.network.bridge.enable_icc': 'false'},
	});
	const create = (name: string, number: number) => ({
		...busybox(['sleep', number % 2 === 0 ? '0' : '1000']),
		hostConfig: {
			NetworkMode: name,
			Binds: ['/bin/busybox:/bin/busybox:ro'],
			AutoRemove: number % 2 === 0,
			PortBindings: {
				'80/tcp': [{HostIp: '', HostPort: String(20_000 + number)}],
				'53/udp': [{HostIp: '127.0.0.1', HostPort: String(20_000 + number)}],
				'81/tcp': [{HostIp: '', HostPort: ''}],
			},
		},
	});
	/** Every other one ends by itself and goes by its own stop plan. */
	const one = async (number: number): Promise<void> => {
		const options = create(networks[number % networks.length]!, number);
		const id = await engine.startContainer(options);
		if (!options.hostConfig.AutoRemove) await engine.call('containers.remove', id, {force: true});
	};
	const list = () =>
		Promise.all(['ip', 'ip6'].map((family) => host.run(nft, 'list', 'table', family, table)));
	const leases = () => globSync('networks/*/leases/*', {cwd: engine.root});
	const links = () => host.ipJson('link').filter(({ifname}) => /^wh(?!erry0)/.test(String(ifname)));
	/** The kernel takes a namespace's links away some time after its last process. */
	const settled = async (): Promise<void> => {
		for (let round = 0; round < 1500; round++) {
			const left = await engine.call<unknown[]>('containers.list', {all: true});
			if (left.length === 0 && links().length === 0) return;
			await new Promise((resolve) => setTimeout(resolve, 20));
		}
	};

	for (const name of networks) {
		const id = await engine.startContainer(create(name, 1));
		t.regex(
			await host.run(nft, 'list', 'table', 'ip', table),
			name === 'inner' ? /elements/ : /tcp \. 20001 : \d/,
		);
		await engine.call('containers.remove', id, {force: true});
	}
	await settled();
	const before = await list();
	t.regex(before[0]!, /wherry0/);
	t.notRegex(before[0]!, /20001/);
	t.notRegex(before[1]!, /20001/);

	let number = 2;
	const last = number + containers;
	const worker = async (): Promise<void> => {
		while (number < last) await one(number++);
	};
	await Promise.all(Array.from({length: atOnce}, worker));
	await settled();
	t.deepEqual(await list(), before);
	t.deepEqual(leases(), []);
	t.deepEqual(links(), []);
});

test('a table that lacks sets, as that of another version, is made anew, with what is published', async (t) => {
	const host = makeNamespace(t);
	const engine = await startEngine(t, host);
	const table = tableName(new Paths(engine.root, engine.run));
	const server = (port: number, network: string) => ({
		...busybox(['nc', '-ll', '-p', '80', '-e', '/bin/busybox', 'echo', network]),
		hostConfig: {
			NetworkMode: network,
			Binds: ['/bin/busybox:/bin/busybox:ro'],
			PortBindings: {'80/tcp': [{HostIp: '', HostPort: String(port)}]},
		},
	});
	await engine.startContainer(server(20_001, 'bridge'));
	await host.run(
		nft,
		`delete table ip ${table}; add table ip ${table}; add set ip ${table} bridges {type ifname;}`,
	);
	await engine.call('networks.create', {name: 'later'});
	await engine.startContainer(server(20_002, 'later'));
	for (const [port, answer] of [
		['20001', /bridge/],
		['20002', /later/],
	] as const) {
		t.regex(await eventually(() => host.run('busybox', 'nc', '-w', '1', '127.0.0.1', port)), answer);
	}
});
