import {appendFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {dirname} from 'node:path';
import {gunzipSync} from 'node:zlib';
import test from 'ava';
import {logIndexPath, logIndexRecord, request, streams} from '../../src/runtime/monitor-protocol.ts';
import {Container, until} from './monitor-container.ts';

const sh = (script: string): string[] => ['/bin/sh', '-c', script];

type Teardown = ConstructorParameters<typeof Container>[0];
const make = (t: Teardown, script: string, settings = {}) => new Container(t, {argv: sh(script), settings});

/** Runs a script to its end. */
async function logged(t: Teardown, script: string, settings = {}): Promise<Container> {
	const box = make(t, script, settings);
	await box.start(streams.detached);
	await box.ended();
	return box;
}

function index(path: string): {offset: number; line: number; time: bigint}[] {
	const data = readFileSync(logIndexPath(path));
	const records = [];
	for (let at = 0; at + logIndexRecord <= data.length; at += logIndexRecord)
		records.push({
			offset: Number(data.readBigUInt64LE(at)),
			line: Number(data.readBigUInt64LE(at + 8)),
			time: data.readBigUInt64LE(at + 16),
		});
	return records;
}

const lines = (text: string): number[] =>
	text
		.split('\n')
		.filter(Boolean)
		.map((line) => Number((JSON.parse(line) as {log: string}).log));

/** Every index record points at the line that it names. */
function checkIndex(
	t: {true(value: boolean, message?: string): void; is(a: unknown, b: unknown): void},
	path: string,
) {
	const text = readFileSync(path);
	const starts = [0];
	for (let at = text.indexOf(10); at >= 0 && at + 1 < text.length; at = text.indexOf(10, at + 1))
		starts.push(at + 1);
	const records = index(path);
	t.true(
		records.length >= Math.floor(text.length / (64 << 10)),
		`${records.length} records for ${text.length} bytes`,
	);
	for (const record of records) {
		t.is(starts[record.line], record.offset);
		const line = text.subarray(record.offset, text.indexOf(10, record.offset)).toString();
		const seconds = Date.parse(JSON.parse(line).time) / 1000;
		t.is(Math.floor(seconds), Number(record.time / 1_000_000_000n));
	}
	return records;
}

test('lines carry their stream and a time in nanoseconds', async (t) => {
	const before = Date.now();
	const box = await logged(t, 'echo one; sleep 0.05; echo two >&2');
	const lines = box.log();
	t.deepEqual(
		lines.map(({log, stream}) => [log, stream]),
		[
			['one\n', 'stdout'],
			['two\n', 'stderr'],
		],
	);
	for (const {time} of lines) {
		t.regex(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
		t.true(Date.parse(time) >= before - 5 && Date.parse(time) <= Date.now() + 5);
	}
	t.true(lines[0]!.time < lines[1]!.time);
});

test('any bytes become valid JSON, each invalid one U+FFFD', async (t) => {
	const cases: [script: string, text: string][] = [
		['a\\"b\\\\c\\td\\re', 'a"b\\c\td\re'],
		['\\001\\033[1m\\177', '\u0001\u001b[1m\u007f'],
		['\\303\\251\\342\\202\\254\\360\\237\\230\\200', 'é€😀'],
		['x\\377\\376y', 'x\ufffd\ufffdy'],
		// A lone surrogate, an overlong slash, a sequence cut off, and a code point above U+10FFFF.
		['\\355\\240\\200', '\ufffd\ufffd\ufffd'],
		['\\300\\257', '\ufffd\ufffd'],
		['\\342\\202z', '\ufffd\ufffdz'],
		['\\364\\220\\200\\200', '\ufffd\ufffd\ufffd\ufffd'],
		['nul\\000nul', 'nul\0nul'],
	];
	const box = await logged(t, cases.map(([script]) => `printf '${script.replace('\\"', '"')}\\n'`).join(';'));
	t.deepEqual(
		box.log().map(({log}) => log),
		cases.map(([, text]) => `${text}\n`),
	);
});

test('a line without its end is written at the end, one longer than 16 KiB in parts that cut no character', async (t) => {
	const box = await logged(
		t,
		"head -c 40000 /dev/zero | tr '\\0' x; echo; printf y; head -c 16384 /dev/zero | tr '\\0' z | sed 's/zz/é/g'; echo; printf half",
		{},
	);
	const lines = box.log().map(({log}) => log);
	t.deepEqual(
		lines.slice(0, 3).map((log) => log.length),
		[16_384, 16_384, 40_000 - 2 * 16_384 + 1],
	);
	t.true(lines.slice(3, -1).join('') === `y${'é'.repeat(8192)}\n`);
	t.false(lines.join('').includes('\ufffd'));
	t.is(lines.at(-1), 'half');
});

test('the streams are put together line by line, each for itself', async (t) => {
	const box = await logged(
		t,
		'printf a; sleep 0.05; printf 1 >&2; sleep 0.05; echo b; sleep 0.05; echo 2 >&2',
	);
	t.deepEqual(
		box.log().map(({log, stream}) => `${stream} ${log}`),
		['stdout ab\n', 'stderr 12\n'],
	);
});

test('the index names an offset about every 64 KiB', async (t) => {
	const box = await logged(t, 'seq 1 20000; sleep 0.01; seq 20001 40000');
	const records = checkIndex(t, box.logPath);
	for (const [at, record] of records.entries())
		if (at > 0) t.true(record.offset - records[at - 1]!.offset < 66_000);
	t.deepEqual(
		box.log().map(({log}) => log),
		Array.from({length: 40_000}, (_, line) => `${line + 1}\n`),
	);
});

test('a log that is full rotates, and its indexes with it', async (t) => {
	const box = await logged(t, 'seq 1 10000', {'log-max-size': '200000', 'log-max-files': '3'});
	const files = [`${box.logPath}.2`, `${box.logPath}.1`, box.logPath];
	t.false(existsSync(`${box.logPath}.3`));
	const seen: number[] = [];
	for (const path of files) {
		t.true(statSync(path).size <= 200_000);
		checkIndex(t, path);
		seen.push(...box.log(path).map(({log}) => Number(log)));
	}
	t.is(seen.at(-1), 10_000);
	t.deepEqual(
		seen,
		Array.from({length: seen.length}, (_, at) => seen[0]! + at),
	);
});

test('a log of one file begins anew when it is full', async (t) => {
	const box = await logged(t, 'seq 1 10000', {'log-max-size': '200000', 'log-max-files': '1'});
	t.false(existsSync(`${box.logPath}.1`));
	t.true(statSync(box.logPath).size <= 200_000);
	t.is(box.log().at(-1)!.log, '10000\n');
	checkIndex(t, box.logPath);
});

test('a new monitor goes on after the last whole line', async (t) => {
	const box = await logged(t, 'seq 1 3000');
	const before = readFileSync(box.logPath);
	appendFileSync(box.logPath, '{"log":"torn');
	appendFileSync(logIndexPath(box.logPath), 'torn');
	await box.start(streams.detached);
	await until('the second run', () => box.log().length === 6000);
	await box.ended();
	t.true(readFileSync(box.logPath).subarray(0, before.length).equals(before));
	checkIndex(t, box.logPath);
});

test('an index that belongs to another file is begun anew', async (t) => {
	const box = make(t, 'seq 1 3000');
	writeFileSync(box.logPath, '{"log":"old\\n","stream":"stdout","time":"2024-01-01T00:00:00.000000000Z"}\n');
	writeFileSync(logIndexPath(box.logPath), Buffer.alloc(48, 0x7f));
	await box.start(streams.detached);
	await box.ended();
	t.is(box.log().length, 3001);
	const records = index(box.logPath);
	t.true(
		records.length > 0 &&
			records.every(({line, offset}) => line <= 3001 && offset < statSync(box.logPath).size),
	);
});

test('full files are compressed, and nothing of them is lost', async (t) => {
	const box = await logged(t, 'seq 1 20000', {
		'log-max-size': '100000',
		'log-max-files': '9',
		'log-compress': '1',
	});
	const numbers = Array.from({length: 8}, (_, at) => 8 - at);
	await until('eight compressed files', () =>
		numbers.every(
			(number) => !existsSync(`${box.logPath}.${number}`) && existsSync(`${box.logPath}.${number}.gz`),
		),
	);
	const seen: number[] = [];
	for (const number of numbers) {
		const packed = readFileSync(`${box.logPath}.${number}.gz`);
		const text = gunzipSync(packed);
		t.true(packed.length < text.length / 8, `${packed.length} of ${text.length} bytes`);
		seen.push(...lines(text.toString()));
		t.true(index(`${box.logPath}.${number}`).length > 0);
	}
	seen.push(...lines(readFileSync(box.logPath, 'utf8')));
	t.is(seen.at(-1), 20_000);
	t.deepEqual(
		seen,
		Array.from({length: seen.length}, (_, at) => seen[0]! + at),
	);
	t.false(readdirSync(dirname(box.logPath)).some((name) => name.endsWith('.new')));
});

test('attributes are a member of every line', async (t) => {
	const box = await logged(t, 'echo one; sleep 0.05; echo two >&2', {'log-attributes': '{"a":"b\\"c"}'});
	t.deepEqual(
		readFileSync(box.logPath, 'utf8')
			.trim()
			.split('\n')
			.map((line) => {
				const {log, attrs, stream} = JSON.parse(line) as Record<string, unknown>;
				return [log, attrs, stream];
			}),
		[
			['one\n', {a: 'b"c'}, 'stdout'],
			['two\n', {a: 'b"c'}, 'stderr'],
		],
	);
});

test('the driver local keeps bytes that are no text', async (t) => {
	const box = await logged(t, "printf 'a\\377\\200\\303\\251b\\n'", {'log-driver': 'local'});
	t.is(box.log()[0]!.log, 'a\udcff\udc80éb\n');
});

test('very many short writes arrive whole, in the log and at a client', async (t) => {
	const box = new Container(t, {
		argv: sh('i=0; while [ $i -lt 30000 ]; do echo $i; i=$((i+1)); done; echo end >&2'),
		settings: {},
	});
	const client = await box.start(streams.stdout | streams.stderr);
	t.is((await client.exit).code, 0);
	const text = Array.from({length: 30_000}, (_, at) => `${at}\n`).join('');
	t.true(client.text === text);
	t.is(client.stderr.toString(), 'end\n');
	await box.ended();
	t.true(
		box
			.log()
			.filter(({stream}) => stream === 'stdout')
			.map(({log}) => log)
			.join('') === text,
	);
});

test('reload changes the size at which a log rotates', async (t) => {
	const box = new Container(t, {argv: sh('read a; seq 1 5000'), settings: {'open-stdin': '1'}});
	const starter = await box.start(streams.stdin);
	box.writePlan({'log-max-size': '100000', 'log-max-files': '2'});
	await (await box.ask(request.reload)).ok;
	starter.stdin('go\n');
	t.is((await starter.exit).code, 0);
	t.true(existsSync(`${box.logPath}.1`));
	t.true(statSync(box.logPath).size <= 100_000);
});

test('a full disk loses lines, not the container', async (t) => {
	const box = make(t, 'i=0; while [ $i -lt 30 ]; do echo line $i; i=$((i+1)); done; exit 4', {
		'log-file': '/dev/full',
	});
	await box.start(streams.detached);
	const state = await box.ended();
	t.is(state.exitCode, 4);
	t.regex(state.error, /log.*no space left on device/);
});
