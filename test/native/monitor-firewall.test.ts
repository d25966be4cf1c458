import {rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {encodeBatch, type Message, protocol} from '../../src/kernel/netlink/message.ts';
import * as nft from '../../src/kernel/netlink/nftables.ts';
import {request} from '../../src/runtime/monitor-protocol.ts';
import type {Op} from '../../src/runtime/plan/ops.ts';
import {Container, until} from './monitor-container.ts';
import {NetworkNamespace} from './network-namespace.ts';

const table = 'mended';
const family = nft.nfFamily.ipv4;
const transaction = (messages: readonly Message[]): Buffer => encodeBatch(nft.transaction(messages));

/** A table with a map and two rules, which would be there twice if the batch were sent twice. */
const base = transaction([
	nft.newTable(family, table),
	nft.deleteTable(family, table),
	nft.newTable(family, table),
	nft.newSet(family, table, 'published', {
		key: [nft.dataType.protocol, nft.dataType.service],
		data: [nft.dataType.ipv4, nft.dataType.service],
		id: 1,
	}),
	nft.newChain(family, table, 'input', {type: 'filter', hook: nft.hook.input, priority: 0}),
	nft.newRule(family, table, 'input', [nft.counter()]),
	nft.newRule(family, table, 'input', [nft.counter()]),
]);

const netlink = (messages: Buffer): Op => ({
	op: 'netlink',
	where: 0,
	protocol: protocol.netfilter,
	messages,
	flags: 0,
});
const publish = (port: number): Op => ({
	op: 'publishPorts',
	family,
	table,
	map: 'published',
	protocol: 6,
	address: Buffer.alloc(0),
	toAddress: Buffer.of(10, 0, 0, 2),
	ports: `${port}:80`,
});
/** Not one of those that are sent again. */
const once = netlink(
	transaction([
		nft.newElements(family, table, 'published', [
			{key: nft.concatenate(Buffer.of(17), 9200), data: nft.concatenate(Buffer.of(10, 0, 0, 2), 80)},
		]),
	]),
);

function elements(host: NetworkNamespace): string[] {
	try {
		const text = host.run('nft', 'list', 'map', 'ip', table, 'published');
		return [...text.matchAll(/(?:tcp|udp) \. (\d+) :/g)].map(([, port]) => port!).sort();
	} catch {
		return [];
	}
}

interface Boxes {
	host: NetworkNamespace;
	boxes: Container[];
	basePath: string;
}

function start(t: ExecutionContext, count: number): Boxes {
	const host = new NetworkNamespace(t);
	const boxes = Array.from({length: count}, () => new Container(t, {argv: ['/bin/sleep', '1000'], host}));
	const basePath = join(boxes[0]!.folder, 'base');
	const lock = join(boxes[0]!.folder, 'lock');
	writeFileSync(basePath, base);
	for (const [index, box] of boxes.entries()) {
		box.options.network = [
			{op: 'healFirewall', base: basePath, lock, family, table},
			publish(9000 + index),
			...(index === 0 ? [once] : []),
		];
		box.writePlan();
	}
	return {host, boxes, basePath};
}

test('a flushed table comes back once, with the elements of every container that runs', async (t) => {
	const {host, boxes, basePath} = start(t, 8);
	await boxes[0]!.start();
	await Promise.all(boxes.slice(1).map((box) => box.start()));
	const all = boxes.map((_, index) => String(9000 + index));
	t.deepEqual(elements(host), [...all, '9200']);
	const rules = (): number => host.run('nft', 'list', 'ruleset').match(/counter packets/g)?.length ?? 0;
	t.is(rules(), 2);
	for (const flush of [
		['flush', 'ruleset'],
		['delete', 'table', 'ip', table],
		// The table stays, empty of rules; or one of two is gone; or the chain.
		['flush', 'table', 'ip', table],
		['flush', 'chain', 'ip', table, 'input'],
		[`flush table ip ${table}; delete chain ip ${table} input`],
		['flush', 'ruleset'],
	]) {
		host.run('nft', 'add', 'table', 'inet', 'another');
		host.run('nft', ...flush);
		await until(
			`all that ${flush.join(' ')} took`,
			() => rules() === 2 && elements(host).length === boxes.length,
		);
		t.deepEqual(elements(host), all);
	}
	const handle = /counter packets.*handle (\d+)/.exec(
		host.run('nft', '-a', 'list', 'table', 'ip', table),
	)![1]!;
	host.run('nft', 'delete', 'rule', 'ip', table, 'input', 'handle', handle);
	await until('the one rule', () => rules() === 2 && elements(host).length === boxes.length);

	// One that has ended does not come back; what a plan has been changed to does.
	await boxes[7]!.stop(0);
	boxes[6]!.options.network = [publish(9106)];
	boxes[6]!.writePlan();
	t.deepEqual(await (await boxes[6]!.ask(request.reload)).ok, {});
	host.run('nft', 'flush', 'ruleset');
	await until('all elements', () => elements(host).length === 7);
	t.deepEqual(elements(host), [...all.slice(0, 6), '9106']);

	// A table that nobody wants any more.
	rmSync(basePath);
	host.run('nft', 'flush', 'ruleset');
	await sleep(300);
	t.is(host.run('nft', 'list', 'ruleset'), '');
	await Promise.all(boxes.slice(0, 7).map((box) => box.stop(0)));
});

test('changes of other tables and of elements do not wake a monitor', async (t) => {
	const {host, boxes} = start(t, 1);
	const [box] = boxes as [Container];
	await box.start();
	const {monitorPid} = box.state();
	const wakes = (): number => {
		const status = host.run('cat', `/proc/${monitorPid}/status`);
		return Number(/voluntary_ctxt_switches:\s+(\d+)/.exec(status)![1]);
	};
	// Until it has done what it does when all is quiet.
	let before = -1;
	await until('quiet', () => {
		const now = wakes();
		const quiet = now === before;
		before = now;
		host.run('sleep', '1.2');
		return quiet;
	});
	for (let index = 0; index < 20; index++) {
		const element = `ip ${table} published { tcp . 7777`;
		host.run('nft', `add element ${element} : 10.0.0.9 . 1 }; add table ip other; add chain ip other c`);
		host.run('nft', `add rule ip other c counter; flush chain ip other c; delete element ${element} }`);
	}
	t.is(wakes(), before);
	// In a transaction of more messages than it looks through the deletion is seen, too.
	const many = Array.from({length: 30}, (_, index) => `add chain ip other c${index}`).join('; ');
	host.run('nft', `${many}; delete table ip ${table}`);
	await until('the element', () => elements(host).length === 1);
	await box.stop(0);
});

const comments = ['mine from', 'mine to'];
const allow = (lock: string): Op => ({
	op: 'allowInHostFilter',
	family,
	lock,
	table: 'filter',
	chains: ['DOCKER-USER', 'FORWARD'],
	comments,
	rules: ['DOCKER-USER', 'FORWARD'].flatMap((chain) =>
		comments.map((comment) =>
			transaction([nft.newRule(family, 'filter', chain, [nft.counter()], {comment, prepend: true})]),
		),
	),
});

/** In which chains the rules are, and how often. */
function pairs(host: NetworkNamespace): Record<string, number> {
	const found: Record<string, number> = {};
	let chain = '';
	for (const line of host.run('nft', 'list', 'ruleset').split('\n')) {
		chain = /chain (\S+)/.exec(line)?.[1] ?? chain;
		if (/comment "mine (from|to)"/.test(line)) found[chain] = (found[chain] ?? 0) + 1;
	}
	return found;
}

test("a filter of the host's that drops has the rules of each container's bridge, whatever is done to it", async (t) => {
	const host = new NetworkNamespace(t);
	const boxes = Array.from({length: 3}, () => new Container(t, {argv: ['/bin/sleep', '1000'], host}));
	for (const box of boxes) {
		box.options.network = [allow(join(boxes[0]!.folder, 'lock'))];
		box.writePlan();
	}
	const [first, ...others] = boxes as [Container, ...Container[]];
	await first.start();
	const seen = async (what: string, wanted: Record<string, number>) => {
		try {
			await until(what, () => JSON.stringify(pairs(host)) === JSON.stringify(wanted));
		} catch {
			t.deepEqual(pairs(host), wanted, what);
		}
		t.pass();
	};
	t.deepEqual(pairs(host), {});
	// A filter that only counts is none of ours.
	const forward = 'type filter hook forward priority 0;';
	host.run('nft', `add table ip filter; add chain ip filter FORWARD { ${forward} policy accept; }`);
	host.run('nft', 'add', 'rule', 'ip', 'filter', 'FORWARD', 'counter', 'accept');
	await sleep(200);
	t.deepEqual(pairs(host), {});
	// iptables -P FORWARD DROP
	host.run('nft', `chain ip filter FORWARD { ${forward} policy drop; }`);
	await seen('policy drop', {FORWARD: 2});
	await Promise.all(others.map((box) => box.start()));
	t.deepEqual(pairs(host), {FORWARD: 2});
	// iptables -F
	host.run('nft', 'flush', 'table', 'ip', 'filter');
	await seen('flush', {FORWARD: 2});
	// Of a pair only one is gone.
	const handle = /mine to" # handle (\d+)/.exec(host.run('nft', '-a', 'list', 'table', 'ip', 'filter'))![1]!;
	host.run('nft', 'delete', 'rule', 'ip', 'filter', 'FORWARD', 'handle', handle);
	await seen('half of the pair', {FORWARD: 2});
	// docker comes: its chain for rules of others counts once packets pass it.
	host.run('nft', 'add', 'chain', 'ip', 'filter', 'DOCKER-USER');
	host.run('nft', 'insert', 'rule', 'ip', 'filter', 'FORWARD', 'counter', 'jump', 'DOCKER-USER');
	await seen('docker', {FORWARD: 2, 'DOCKER-USER': 2});
	// The policy accepts, but the chain ends with a rule that doesn't.
	host.run('nft', 'delete', 'table', 'ip', 'filter');
	host.run(
		'nft',
		`add table ip filter; add chain ip filter FORWARD { ${forward} policy accept; }; add rule ip filter FORWARD reject with icmp type host-prohibited`,
	);
	await seen('a rule that rejects', {FORWARD: 2});
	await Promise.all(boxes.map((box) => box.stop(0)));
	// Nobody is there to bring them back.
	host.run('nft', 'flush', 'table', 'ip', 'filter');
	await sleep(200);
	t.deepEqual(pairs(host), {});
});
