import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import {settleSelections} from '../../../src/tui/panes/index.ts';
import {membersOf} from '../../../src/tui/panes/networks.ts';
import {Feed} from '../../../src/tui/store/feed.ts';
import {initialState} from '../../../src/tui/store/initial.ts';
import {Store} from '../../../src/tui/store/store.ts';
import {busyEngine, container, endpoint, type FakeEngine, image, NOW, network} from '../fake-engine.ts';

async function until(condition: () => boolean): Promise<void> {
	while (!condition()) await sleep(5);
}

function start(fake: FakeEngine) {
	const store = new Store(initialState({columns: 120, rows: 30}, NOW), settleSelections);
	const errors: unknown[] = [];
	const feed = new Feed(fake.engine, store, {onError: (error) => errors.push(error)});
	return {store, feed, errors};
}

test('an event reads only the row that it names, and a row that is gone goes', async (t) => {
	const fake = busyEngine();
	const {store, feed} = start(fake);
	await feed.start();
	t.is(store.snapshot().phase, 'ready');
	t.is(store.snapshot().containers.size, 5);
	t.is(fake.fullReads, 1);
	const web = fake.rows[0]!;
	fake.rows[0] = {...web, State: 'exited', Status: 'Exited (0) 1 second ago'};
	fake.emit({Action: 'die', id: web.Id});
	await until(() => store.snapshot().containers.get(web.Id)?.State === 'exited');
	fake.rows.shift();
	fake.emit({Action: 'destroy', id: web.Id});
	await until(() => !store.snapshot().containers.has(web.Id));
	t.is(fake.fullReads, 1);
	feed.close();
});

test('events count from when the first read was begun, where that was before the start', async (t) => {
	const fake = busyEngine();
	const {store, feed} = start(fake);
	await feed.start(1_700_000_000_123);
	t.is(store.snapshot().phase, 'ready');
	await until(() => fake.followedFrom !== undefined);
	t.is(fake.followedFrom, 1_700_000_000_122_000_000n);
	feed.close();
});

test('a network comes and goes by its events, and who is on it by those of connecting', async (t) => {
	const fake = busyEngine();
	const {store, feed} = start(fake);
	await feed.start();
	t.is(store.snapshot().networks.length, 6);
	const mine = network('mine', '10.213.9.0/24');
	fake.networks = [...fake.networks, mine];
	fake.emit({Type: 'network', Action: 'create', id: mine.Id});
	await until(() => store.snapshot().networks.length === 7);
	const web = fake.rows[0]!;
	const connected = {...web, NetworkSettings: {Networks: {mine: endpoint('10.213.9.2')}}};
	fake.rows[0] = connected;
	const before = store.snapshot().networks;
	fake.emit({Type: 'network', Action: 'connect', id: mine.Id, container: web.Id});
	await until(() => membersOf(store.snapshot(), mine).length === 1);
	t.is(store.snapshot().networks, before);
	fake.rows[0] = web;
	fake.emit({Type: 'network', Action: 'disconnect', id: mine.Id, container: web.Id});
	await until(() => membersOf(store.snapshot(), mine).length === 0);
	fake.networks = fake.networks.filter((one) => one !== mine);
	fake.emit({Type: 'network', Action: 'destroy', id: mine.Id});
	await until(() => store.snapshot().networks.length === 6);
	t.is(fake.fullReads, 1);
	feed.close();
});

test('after a gap everything is read again', async (t) => {
	const fake = busyEngine();
	const {store, feed} = start(fake);
	await feed.start();
	fake.rows = [container({name: 'only'})];
	fake.images = [image({})];
	fake.networks = [network('only', '10.0.0.0/8')];
	fake.gap();
	await until(() => store.snapshot().containers.size === 1);
	await until(() => store.snapshot().networks.length === 1);
	t.is(fake.fullReads, 2);
	feed.close();
});

test('what an exec or an attach does reads nothing', async (t) => {
	const fake = busyEngine();
	const {store, feed} = start(fake);
	await feed.start();
	const before = store.snapshot().containers;
	fake.emit({Action: 'exec_create: sh', id: fake.rows[0]!.Id}, {Action: 'attach', id: fake.rows[0]!.Id});
	await sleep(50);
	t.is(store.snapshot().containers, before);
	feed.close();
});

test('the selection stays on its row when others come, and goes to a neighbour when it goes', async (t) => {
	const fake = busyEngine();
	const {store, feed} = start(fake);
	await feed.start();
	const selected = () => store.state.lists.containers.selected;
	const [web, db] = fake.rows.map((row) => row.Id);
	t.is(selected(), web);
	const fresh = container({name: 'fresh', Created: NOW});
	fake.rows.push(fresh);
	fake.emit({Action: 'create', id: fresh.Id});
	await until(() => store.snapshot().containers.size === 6);
	t.is(selected(), web);
	fake.rows = fake.rows.filter((row) => row.Id !== web);
	fake.emit({Action: 'destroy', id: web!});
	await until(() => store.snapshot().containers.size === 5);
	t.is(selected(), db);
	feed.close();
});

test('what the world does is published in bunches, what the user does at once', async (t) => {
	const store = new Store(initialState({columns: 80, rows: 24}, NOW));
	let seen = 0;
	store.subscribe(() => seen++);
	for (let index = 0; index < 1000; index++) store.observe((state) => ({...state, now: NOW + index}));
	t.is(seen, 0);
	store.update((state) => ({...state, zoomed: true}));
	t.is(seen, 1);
	t.is(store.snapshot().now, NOW + 999);
	store.observe((state) => state);
	await sleep(150);
	t.is(seen, 1);
});
