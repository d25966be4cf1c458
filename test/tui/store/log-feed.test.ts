import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import type {LogEntry, LogOptions} from '../../../src/engine/api.ts';
import {initialState} from '../../../src/tui/store/initial.ts';
import {LogFeed} from '../../../src/tui/store/log-feed.ts';
import {Store} from '../../../src/tui/store/store.ts';
import {FakeEngine, NOW} from '../fake-engine.ts';

type Source = (options: LogOptions) => AsyncIterable<LogEntry[]>;

/** A feed whose container's logs come from these sources, one for each time that they are opened. */
function open(...sources: Source[]) {
	const fake = new FakeEngine();
	const {engine} = fake;
	const asked: LogOptions[] = [];
	engine.containers.logs = (_container, options = {}) => {
		asked.push(options);
		return (sources.shift() ?? nothing)(options);
	};
	const store = new Store(initialState({columns: 80, rows: 24}, NOW));
	const feed = new LogFeed(engine, store, (error) => {
		throw error;
	});
	const lines = () => {
		const {buffer} = store.state.logs;
		return Array.from({length: buffer.total - buffer.first}, (_, index) =>
			buffer.at(buffer.first + index)!.text.trim(),
		);
	};
	return {store, feed, asked, lines};
}

const entry = (line: string, time = new Date().toISOString()): LogEntry => ({
	stream: 'stdout',
	time,
	line: `${line}\n`,
});
const lines = (...texts: string[]): Source =>
	async function* () {
		yield texts.map((text) => entry(text, '2026-01-01T00:00:00.123456789Z'));
	};
async function* nothing(): AsyncIterable<LogEntry[]> {}

async function until(condition: () => boolean): Promise<void> {
	while (!condition()) await sleep(5);
}

test('only the container on which the selection rests is read', async (t) => {
	const {feed, asked, store} = open(lines('a'));
	for (const id of ['one', 'two', 'three']) feed.select([id]);
	await until(() => store.state.logs.phase === 'ended');
	t.is(asked.length, 1);
	t.deepEqual(store.state.logs.sources, ['three']);
	feed.close();
});

test('a container that is started again goes on after its last line', async (t) => {
	const {feed, asked, store, lines: shown} = open(lines('first run'), lines('second run'));
	feed.select(['one']);
	await until(() => store.state.logs.phase === 'ended');
	feed.restarted('another');
	t.is(asked.length, 1);
	feed.restarted('one');
	await until(() => store.state.logs.buffer.total === 2);
	t.deepEqual(shown(), ['first run', 'second run']);
	t.is(asked[1]!.since, BigInt(Date.parse('2026-01-01T00:00:00Z')) * 1_000_000n + 123_456_790n);
	feed.close();
});

test('a start that is heard before the last run has been read to its end is not forgotten', async (t) => {
	let end = (): void => {};
	const slow: Source = async function* () {
		yield [entry('old')];
		await new Promise<void>((resolve) => {
			end = resolve;
		});
	};
	const {feed, store, lines: shown} = open(slow, lines('new'));
	feed.select(['one']);
	await until(() => store.state.logs.buffer.total === 1);
	feed.restarted('one');
	end();
	await until(() => store.state.logs.buffer.total === 2);
	t.deepEqual(shown(), ['old', 'new']);
	feed.close();
});

test('a flood that can’t be kept up with is skipped, and the log says so', async (t) => {
	const old = new Date(Date.now() - 5000).toISOString();
	const flood: Source = async function* ({signal}) {
		while (!signal?.aborted) yield Array.from({length: 1000}, (_, index) => entry(`old ${index}`, old));
	};
	const {feed, store, lines: shown} = open(flood, lines('now'));
	feed.select(['one']);
	await until(() => shown().at(-1) === 'now');
	t.regex(shown().at(-2)!, /^… 5\.\d s of output skipped/);
	t.is(store.state.logs.skips, 1);
	feed.close();
});

test('what another container still sends after the selection left it is not shown', async (t) => {
	let late = (): void => {};
	const source: Source = async function* () {
		await new Promise<void>((resolve) => {
			late = resolve;
		});
		yield [entry('late')];
	};
	const {feed, store, lines: shown} = open(source, lines('mine'));
	feed.select(['one']);
	await sleep(100);
	feed.select(['two']);
	late();
	await until(() => store.state.logs.buffer.total === 1);
	t.deepEqual(shown(), ['mine']);
	feed.close();
});

test('clearing forgets the lines and goes on with the next', async (t) => {
	const endless: Source = async function* ({signal}) {
		for (let index = 0; !signal?.aborted; index++) {
			yield [entry(`line ${index}`)];
			await sleep(10);
		}
	};
	const {feed, asked, store, lines: shown} = open(endless, lines('fresh'));
	feed.select(['one']);
	await until(() => store.state.logs.buffer.total > 2);
	feed.clear();
	await until(() => store.state.logs.buffer.total > 0);
	t.deepEqual(shown(), ['fresh']);
	t.is(asked[1]!.tail, 0);
	feed.close();
});

/** The same for several containers: each has its own sources. */
function openSeveral(all: Record<string, Source[]>) {
	const opened = open();
	const fake = new FakeEngine().engine;
	const asked: [string, LogOptions][] = [];
	fake.containers.logs = (container, options = {}) => {
		asked.push([container, options]);
		return (all[container]!.shift() ?? nothing)(options);
	};
	const {store} = opened;
	const feed = new LogFeed(fake, store, (error) => {
		throw error;
	});
	return {store, feed, asked};
}

const timed = (...lines: [string, string][]): Source =>
	async function* () {
		yield lines.map(([second, text]) => entry(text, `2026-01-01T00:00:${second}.000000000Z`));
	};

test('the past of several containers is in the order of its time, and what follows comes after it', async (t) => {
	const {store, feed, asked} = openSeveral({
		one: [timed(['01', 'a'], ['03', 'c']), timed(['05', 'e'])],
		two: [timed(['02', 'b'], ['04', 'd'])],
		gone: [
			() => {
				throw Object.assign(new Error('No such container'), {code: 'not-found'});
			},
		],
	});
	feed.select(['one', 'two', 'gone']);
	const {logs} = await (async () => {
		await until(() => store.state.logs.buffer.total === 5 && store.state.logs.phase === 'ended');
		return store.state;
	})();
	const shown = [0, 1, 2, 3, 4].map((number) => {
		const {text, source} = logs.buffer.at(number)!;
		return `${source} ${text.trim()}`;
	});
	t.deepEqual(shown, ['0 a', '1 b', '0 c', '1 d', '0 e']);
	const follows = asked.filter(([, {follow}]) => follow);
	t.is(
		follows.find(([id]) => id === 'one')![1].since,
		BigInt(Date.parse('2026-01-01T00:00:03Z')) * 1_000_000n + 1n,
	);
	feed.close();
});

test('with a time chosen, only what is younger is asked for', async (t) => {
	const {feed, asked, store} = open(lines('a'), lines('b'));
	feed.select(['one']);
	await until(() => store.state.logs.phase === 'ended');
	t.is(asked[0]!.since, undefined);
	store.update((state) => ({...state, logs: {...state.logs, since: 300}}));
	const before = Date.now();
	feed.reload();
	await until(() => asked.length === 2);
	const ago = before - Number(asked[1]!.since! / 1_000_000n);
	t.true(ago > 290_000 && ago <= 300_000, `${ago} ms`);
	feed.close();
});
