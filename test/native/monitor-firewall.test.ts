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

/** A table with a set and one rule, which would be there twice if the batch were sent twice. */
const base = transaction([
	nft.newTable(family, table),
	nft.newSet(family, table, 'members', {key: [nft.dataType.ipv4], id: 1}),
	nft.newChain(family, table, 'input', {type: 'filter', hook: nft.hook.input, priority: 0}),
	nft.newRule(family, table, 'input', [nft.counter()]),
]);

const netlink = (messages: Buffer, flags: number): Op => ({
	op: 'netlink',
	where: 0,
	protocol: protocol.netfilter,
	messages,
	flags,
});
const key = (index: number): Buffer => Buffer.of(10, 0, 0, index);
const addElement = (index: number, flags = 2): Op =>
	netlink(transaction([nft.newElements(family, table, 'members', [{key: key(index)}])]), flags);

function elements(host: NetworkNamespace): string[] {
	try {
		return host.run('nft', 'list', 'set', 'ip', table, 'members').match(/10\.0\.0\.\d+/g) ?? [];
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
			...(index === 0 ? [netlink(base, 0)] : []),
			addElement(index),
			// Not one of those that are sent again.
			...(index === 0 ? [addElement(200, 0)] : []),
			{op: 'healFirewall', base: basePath, lock, family, table},
		];
		box.writePlan();
	}
	return {host, boxes, basePath};
}

test('a flushed table comes back once, with the elements of every container that runs', async (t) => {
	const {host, boxes, basePath} = start(t, 8);
	await boxes[0]!.start();
	await Promise.all(boxes.slice(1).map((box) => box.start()));
	const all = boxes.map((_, index) => `10.0.0.${index}`);
	t.deepEqual(elements(host), [...all, '10.0.0.200']);
	for (const flush of [
		['flush', 'ruleset'],
		['delete', 'table', 'ip', table],
		['flush', 'ruleset'],
	]) {
		host.run('nft', 'add', 'table', 'inet', 'another');
		host.run('nft', ...flush);
		await until('all elements', () => elements(host).length === boxes.length);
		t.deepEqual(elements(host), all);
		t.is(host.run('nft', 'list', 'chain', 'ip', table, 'input').match(/counter/g)?.length, 1);
	}
	// Somebody else brings the table back at once: only the elements are missing.
	host.run(
		'nft',
		`delete table ip ${table}; add table ip ${table}; add set ip ${table} members { type ipv4_addr; }`,
	);
	await until('all elements', () => elements(host).length === boxes.length);
	t.notRegex(host.run('nft', 'list', 'table', 'ip', table), /chain/);

	// One that has ended does not come back; what a plan has been changed to does.
	await boxes[7]!.stop(0);
	boxes[6]!.options.network = [addElement(106)];
	boxes[6]!.writePlan();
	t.deepEqual(await (await boxes[6]!.ask(request.reload)).ok, {});
	host.run('nft', 'flush', 'ruleset');
	await until('all elements', () => elements(host).length === 7);
	t.deepEqual(elements(host), [...all.slice(0, 6), '10.0.0.106']);

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
		host.run('nft', `add element ip ${table} members { 10.0.0.9 }; add table ip other; add chain ip other c`);
		host.run('nft', `delete element ip ${table} members { 10.0.0.9 }; flush chain ip other c`);
	}
	t.is(wakes(), before);
	// In a transaction of more messages than it looks through the deletion is seen, too.
	const many = Array.from({length: 30}, (_, index) => `add chain ip other c${index}`).join('; ');
	host.run('nft', `${many}; delete table ip ${table}`);
	await until('the element', () => elements(host).length === 1);
	await box.stop(0);
});
