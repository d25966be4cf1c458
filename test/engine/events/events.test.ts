import {spawn} from 'node:child_process';
import {appendFileSync, mkdtempSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {EngineEvent, EventOptions, Filters} from '../../../src/engine/api.ts';
import {eventFilter} from '../../../src/engine/events/filter.ts';
import {decodeRecord, encodeRecord, maxRecord, wallClock} from '../../../src/engine/events/record.ts';
import {EventJournal} from '../../../src/engine/events.ts';
import {Paths} from '../../../src/engine/paths.ts';

function paths(t: ExecutionContext): Paths {
	const folder = mkdtempSync(join(tmpdir(), 'wherry-events-'));
	t.teardown(() => rmSync(folder, {recursive: true, force: true}));
	return new Paths(join(folder, 'root'), join(folder, 'run'));
}

function event(change: Partial<EngineEvent> = {}): EngineEvent {
	return {
		Type: 'container',
		Action: 'start',
		Actor: {ID: 'a'.repeat(64), Attributes: {image: 'busybox', name: 'one'}},
		scope: 'local',
		time: 1_700_000_000,
		timeNano: 1_700_000_000_123_456_789n,
		...change,
	};
}

async function past(journal: EventJournal, options: EventOptions = {}): Promise<EngineEvent[]> {
	const events: EngineEvent[] = [];
	for await (const batch of journal.stream({since: 0n, until: wallClock(), ...options})) {
		if (Array.isArray(batch)) events.push(...batch);
	}
	return events;
}

/** The first `count` live events. */
async function live(journal: EventJournal, count: number, ready: () => void): Promise<EngineEvent[]> {
	const events: EngineEvent[] = [];
	const leave = new AbortController();
	const iterator = journal.stream({signal: leave.signal});
	const first = iterator.next();
	// The stream has begun when its first turn waits.
	setTimeout(ready, 50);
	for (let turn = await first; !turn.done; turn = await iterator.next()) {
		if (Array.isArray(turn.value)) events.push(...turn.value);
		if (events.length >= count) leave.abort();
	}
	return events;
}

test('a record keeps every digit of its time', (t) => {
	const record = encodeRecord(event());
	t.deepEqual(decodeRecord(record.toString().trimEnd()), event());
	t.like(JSON.parse(record.toString()), {status: 'start', id: 'a'.repeat(64), from: 'busybox'});
});

test('a record that is too long loses its labels before its name', (t) => {
	const labels = Object.fromEntries(
		Array.from({length: 100}, (_, index) => [`label${index}`, 'x'.repeat(100)]),
	);
	const record = encodeRecord(
		event({
			Action: `exec_create: ${'y'.repeat(9000)}`,
			Actor: {ID: 'id', Attributes: {...labels, name: 'kept', image: 'busybox'}},
		}),
	);
	t.true(record.length <= maxRecord);
	const {Actor, Action} = decodeRecord(record.toString())!;
	t.is(Actor.Attributes.name, 'kept');
	t.true(Action.startsWith('exec_create: yyy'));
});

test('a line that is no record is none', (t) => {
	for (const line of ['', 'x', '{}', 'null', '[]', '{"Type":"container","Action":"x","timeNano":5}', '5']) {
		t.is(decodeRecord(line), undefined, line);
	}
});

test('what one process appends another one reads', async (t) => {
	const where = paths(t);
	const journal = new EventJournal(where);
	const source = `
		import {EventJournal} from ${JSON.stringify(new URL('../../../src/engine/events.ts', import.meta.url).href)};
		import {Paths} from ${JSON.stringify(new URL('../../../src/engine/paths.ts', import.meta.url).href)};
		const journal = new EventJournal(new Paths(${JSON.stringify(where.root)}, ${JSON.stringify(where.run)}));
		for (let index = 0; index < 50; index++) journal.append('volume', 'create', 'v' + index);
	`;
	const events = await live(journal, 50, () => {
		spawn(process.execPath, ['--input-type=module', '--eval', source], {stdio: 'inherit'});
	});
	t.deepEqual(
		events.map(({Actor}) => Actor.ID),
		Array.from({length: 50}, (_, index) => `v${index}`),
	);
	t.deepEqual(await past(journal), events);
});

test('since and until choose from the past', async (t) => {
	const journal = new EventJournal(paths(t));
	const times: bigint[] = [];
	for (const id of ['a', 'b', 'c']) {
		journal.append('volume', 'create', id);
		times.push(wallClock());
		await new Promise((resolve) => setTimeout(resolve, 2));
	}
	const ids = async (options: EventOptions) => (await past(journal, options)).map(({Actor}) => Actor.ID);
	t.deepEqual(await ids({}), ['a', 'b', 'c']);
	t.deepEqual(await ids({since: times[0]!}), ['b', 'c']);
	t.deepEqual(await ids({until: times[1]!}), ['a', 'b']);
	t.deepEqual(await ids({filters: {volume: ['c']}}), ['c']);
});

test('who only says until when is told of the last 256', async (t) => {
	const journal = new EventJournal(paths(t));
	for (let id = 0; id < 300; id++) journal.append('volume', 'create', String(id));
	const events = await past(journal, {since: undefined});
	t.deepEqual([events.length, events[0]!.Actor.ID, events.at(-1)!.Actor.ID], [256, '44', '299']);
	t.is((await past(journal, {since: undefined, filters: {volume: ['299', '0']}})).length, 1);
});

test('the journal is bounded, and a reader loses nothing over rotations', async (t) => {
	const where = paths(t);
	const journal = new EventJournal(where, {rotateAt: 20_000});
	const count = 1000;
	let next = 0;
	const more = () => {
		for (let index = 0; index < 20 && next < count; index++)
			journal.append('volume', 'create', String(next++));
		if (next < count) setTimeout(more, 2);
	};
	const events = await live(journal, count, more);
	t.deepEqual(
		events.map(({Actor}) => Number(Actor.ID)),
		Array.from({length: count}, (_, index) => index),
	);
	t.true((statSync(where.events, {throwIfNoEntry: false})?.size ?? 0) < 25_000);
	t.true(statSync(`${where.events}.1`).size < 25_000);
});

test('a reader that rotations outran is told of the gap', async (t) => {
	const where = paths(t);
	const journal = new EventJournal(where, {rotateAt: 2000});
	journal.append('volume', 'create', 'first');
	const leave = new AbortController();
	const seen: unknown[] = [];
	for await (const batch of journal.stream({since: 0n, signal: leave.signal})) {
		seen.push(Array.isArray(batch) ? batch.length : batch);
		// While the reader is busy here, two whole files go by.
		if (seen.length === 1)
			for (let index = 0; index < 60; index++) journal.append('volume', 'create', String(index));
		if (seen.length === 3) leave.abort();
	}
	t.is(seen[0], 1);
	t.deepEqual(seen[1], {gap: true});
});

test('garbage in the journal is passed over', async (t) => {
	const where = paths(t);
	const journal = new EventJournal(where);
	journal.append('volume', 'create', 'a');
	appendFileSync(where.events, `garbage\n{"Type":\n${'x'.repeat(200_000)}\n`);
	journal.append('volume', 'create', 'b');
	t.deepEqual(
		(await past(journal)).map(({Actor}) => Actor.ID),
		['a', 'b'],
	);
	writeFileSync(where.events, '');
	t.deepEqual(await past(journal), []);
});

test('filters mean what docker’s mean', (t) => {
	const matches = (filters: Filters, change: Partial<EngineEvent> = {}) =>
		eventFilter(filters)(event(change));
	t.true(matches({}));
	t.true(matches({container: ['one']}));
	t.true(matches({container: ['aaaa']}));
	t.false(matches({container: ['two']}));
	t.true(matches({event: ['die', 'start']}));
	t.false(matches({event: ['sta']}));
	t.true(matches({event: ['exec_create']}, {Action: 'exec_create: sh -c true'}));
	t.true(matches({image: ['busybox']}));
	t.true(matches({image: ['busybox']}, {Actor: {ID: 'x', Attributes: {image: 'busybox:1.36'}}}));
	t.false(matches({image: ['alpine']}));
	t.true(matches({type: ['container']}));
	t.false(matches({type: ['image']}));
	t.true(matches({label: ['a', 'b=c']}, {Actor: {ID: 'x', Attributes: {a: '', b: 'c'}}}));
	t.false(matches({label: ['a', 'b=d']}, {Actor: {ID: 'x', Attributes: {a: '', b: 'c'}}}));
	t.false(matches({volume: ['v']}));
	t.true(matches({nonsense: ['x']}));
});
