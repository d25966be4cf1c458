import {
	appendFileSync,
	existsSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {gzipSync} from 'node:zlib';
import test, {type ExecutionContext} from 'ava';
import type {LogOptions} from '../../../src/engine/api.ts';
import {parseLines} from '../../../src/engine/containers/log-lines.ts';
import {readLogs, readLogText} from '../../../src/engine/containers/logs.ts';
import {parseTimestamp, timestamp} from '../../../src/engine/files.ts';
import {logIndexPath} from '../../../src/runtime/monitor-protocol.ts';

const start = 1_700_000_000_000_000_000n;
const timeOf = (number: number) => timestamp(start + BigInt(number) * 1_000_000_000n);
const lineOf = (number: number) =>
	`${JSON.stringify({log: `line ${number}\n`, stream: number % 2 ? 'stderr' : 'stdout', time: timeOf(number)})}\n`;

function folder(t: ExecutionContext): string {
	const path = mkdtempSync(join(tmpdir(), 'wherry-logs-'));
	t.teardown(() => rmSync(path, {recursive: true, force: true}));
	return path;
}

/** Lines [from, to) with an index entry for every `every` lines. */
function writeLog(path: string, from: number, to: number, every = 10): void {
	const text: string[] = [];
	const index: Buffer[] = [];
	let offset = 0;
	for (let number = from; number < to; number++) {
		const line = lineOf(number);
		if ((number - from) % every === 0) {
			const entry = Buffer.alloc(24);
			entry.writeBigUInt64LE(BigInt(offset), 0);
			entry.writeBigUInt64LE(BigInt(number - from), 8);
			entry.writeBigUInt64LE(start + BigInt(number) * 1_000_000_000n, 16);
			index.push(entry);
		}
		text.push(line);
		offset += line.length;
	}
	writeFileSync(path, text.join(''));
	writeFileSync(logIndexPath(path), Buffer.concat([...index, Buffer.from('torn')]));
}

const ended = async () => {};

async function numbers(path: string, options: LogOptions = {}): Promise<number[]> {
	const found: number[] = [];
	for await (const batch of readLogs({path, ended}, options)) {
		found.push(...batch.map(({line}) => Number(/^line (\d+)\n$/.exec(line)![1])));
	}
	return found;
}

const range = (from: number, to: number) => Array.from({length: to - from}, (_, index) => from + index);

function threeFiles(t: ExecutionContext): string {
	const path = join(folder(t), 'x-json.log');
	writeLog(`${path}.2`, 0, 100);
	writeLog(`${path}.1`, 100, 200);
	writeLog(path, 200, 250);
	return path;
}

test('all rotated files are read, oldest first', async (t) => {
	t.deepEqual(await numbers(threeFiles(t)), range(0, 250));
});

test('a rotation that is under way hides no file', async (t) => {
	const path = threeFiles(t);
	for (const number of [3, 2]) {
		renameSync(`${path}.${number - 1}`, `${path}.${number}`);
		t.deepEqual(await numbers(path), range(0, 250), `the one at ${number - 1} has just been moved`);
	}
	t.deepEqual(await numbers(path, {tail: 200}), range(50, 250));
});

test('the last lines are found over files, with and without an index', async (t) => {
	const path = threeFiles(t);
	for (const tail of [0, 1, 7, 50, 51, 55, 150, 151, 249, 250, 1000]) {
		t.deepEqual(await numbers(path, {tail}), range(Math.max(0, 250 - tail), 250), `tail ${tail}`);
	}
	for (const name of [path, `${path}.1`, `${path}.2`]) rmSync(logIndexPath(name));
	t.deepEqual(await numbers(path, {tail: 120}), range(130, 250));
});

test('a wrong index does no harm', async (t) => {
	const path = threeFiles(t);
	const entry = Buffer.alloc(24);
	entry.writeBigUInt64LE(13n, 0);
	entry.writeBigUInt64LE(5n, 8);
	writeFileSync(logIndexPath(path), entry);
	t.deepEqual(await numbers(path, {tail: 20}), range(230, 250));
	writeFileSync(logIndexPath(path), Buffer.alloc(24, 0xff));
	t.deepEqual(await numbers(path, {tail: 20}), range(230, 250));
});

test('since and until bound what is given', async (t) => {
	const path = threeFiles(t);
	const at = (number: number) => parseTimestamp(timeOf(number))!;
	t.deepEqual(await numbers(path, {since: at(120)}), range(120, 250));
	t.deepEqual(await numbers(path, {since: at(99), until: at(101)}), [99, 100, 101]);
	t.deepEqual(await numbers(path, {since: at(300)}), []);
	t.deepEqual(await numbers(path, {tail: 30, since: at(240)}), range(240, 250));
});

test('one stream can be asked for', async (t) => {
	const path = threeFiles(t);
	t.deepEqual(await numbers(path, {tail: 4, stderr: true}), [247, 249]);
	t.deepEqual(await numbers(path, {tail: 4, stdout: true, stderr: false}), [246, 248]);
});

test('compressed files are read like the others', async (t) => {
	const path = threeFiles(t);
	for (const name of [`${path}.1`, `${path}.2`]) {
		writeFileSync(`${name}.gz`, gzipSync(readFileSync(name)));
		rmSync(name);
	}
	t.deepEqual(await numbers(path), range(0, 250));
	t.deepEqual(await numbers(path, {tail: 130}), range(120, 250));
	t.deepEqual(await numbers(path, {since: parseTimestamp(timeOf(90))!}), range(90, 250));
	// One that is cut off gives what it has.
	const packed = readFileSync(`${path}.1.gz`);
	writeFileSync(`${path}.1.gz`, packed.subarray(0, packed.length / 2));
	const rest = await numbers(path);
	t.deepEqual(rest.slice(0, 100), range(0, 100));
	t.deepEqual(rest.slice(-50), range(200, 250));
	t.true(rest.length < 250);
	t.deepEqual(readdirSync(dirname(path)).length, 6);
});

test('following goes on in files that have been compressed meanwhile', async (t) => {
	const path = join(folder(t), 'x-json.log');
	writeLog(path, 0, 5);
	const over = Promise.withResolvers<void>();
	const found: number[] = [];
	const rotate = (from: number) => {
		for (const number of [1, 0]) {
			const name = number === 0 ? path : `${path}.${number}`;
			const moved = `${path}.${number + 1}`;
			for (const [from, to] of [
				[name, moved],
				[`${name}.gz`, `${moved}.gz`],
				[logIndexPath(name), logIndexPath(moved)],
			] as const) {
				if (existsSync(from)) renameSync(from, to);
			}
		}
		writeFileSync(`${path}.1.gz`, gzipSync(readFileSync(`${path}.1`)));
		rmSync(`${path}.1`);
		writeLog(path, from, from + 5);
	};
	for await (const batch of readLogs({path, ended: () => over.promise}, {follow: true})) {
		found.push(...batch.map(({line}) => Number(line.slice(5))));
		if (found.at(-1) !== 4) continue;
		rotate(5);
		rotate(10);
		over.resolve();
	}
	t.deepEqual(found, range(0, 15));
});

test('following goes on over a rotation and ends with the container', async (t) => {
	const path = join(folder(t), 'x-json.log');
	writeLog(path, 0, 5);
	const over = Promise.withResolvers<void>();
	const found: number[] = [];
	for await (const batch of readLogs({path, ended: () => over.promise}, {follow: true, tail: 2})) {
		found.push(...batch.map(({line}) => Number(line.slice(5))));
		if (found.at(-1) === 4) appendFileSync(path, lineOf(5).slice(0, 20));
		if (found.at(-1) === 4) appendFileSync(path, lineOf(5).slice(20));
		if (found.at(-1) === 5) {
			appendFileSync(path, lineOf(6));
			renameSync(path, `${path}.1`);
			writeFileSync(path, lineOf(7));
		}
		if (found.at(-1) === 7) {
			renameSync(`${path}.1`, `${path}.2`);
			renameSync(path, `${path}.1`);
			writeFileSync(path, lineOf(8));
			over.resolve();
		}
	}
	t.deepEqual(found, range(3, 9));
});

test('following ends when the reader has had enough', async (t) => {
	const path = join(folder(t), 'x-json.log');
	writeLog(path, 0, 5);
	const leave = new AbortController();
	const found: string[] = [];
	const never = () => new Promise<void>(() => {});
	for await (const batch of readLogs({path, ended: never}, {follow: true, signal: leave.signal})) {
		found.push(...batch.map(({line}) => line));
		leave.abort();
	}
	t.is(found.length, 5);
});

test('a container that has written nothing has an empty log', async (t) => {
	t.deepEqual(await numbers(join(folder(t), 'x-json.log')), []);
});

test('lines are what JSON says, however they are written', (t) => {
	const entry = (log: string) => ({log, stream: 'stdout', time: timeOf(1)});
	const wellFormed = texts.filter((log) => log.isWellFormed());
	const text = wellFormed.map((log) => `${JSON.stringify(entry(log))}\n`).join('');
	t.deepEqual(
		parseLines(text),
		wellFormed.map((line) => ({stream: 'stdout', time: timeOf(1), line})),
	);
	const attrs = {label: '","stream":"stderr"', time: '","time":"x"'};
	t.deepEqual(parseLines(`${JSON.stringify({log: 'x\n', stream: 'stdout', attrs, time: timeOf(2)})}\n`), [
		{stream: 'stdout', time: timeOf(2), line: 'x\n', attrs},
	]);
	t.deepEqual(parseLines(`${JSON.stringify({time: timeOf(2), stream: 'stderr', log: 'other order\n'})}\n`), [
		{stream: 'stderr', time: timeOf(2), line: 'other order\n'},
	]);
});

test('garbage between lines is left out', (t) => {
	const good = lineOf(4);
	t.deepEqual(parseLines(`nonsense\n{"log":"x\n\n{}\nnull\n${good}{"log":5}\n${good}half`).length, 2);
});

const texts = [
	'plain\n',
	'no newline',
	'',
	'\n',
	'quote " and \\ and \\n\n',
	'","stream":"stderr","time":"x"}\n',
	'tab\tbell\u0007 del\u007f / and \u001b[31mcolour\n',
	'ünïcode 🚣 \u2028\n',
	'ends in backslash\\',
	'bytes \udcff\udc80 and lone \ud83d\n',
	`${'"'.repeat(5000)}\n`,
];

test('text is the lines of the entries, with their bytes, whoever decodes it', async (t) => {
	const path = join(folder(t), 'x-json.log');
	const lines: string[] = [];
	for (const [at, log] of texts.entries()) {
		const stream = at % 3 === 1 ? 'stderr' : 'stdout';
		const entry = {log, stream, ...(at % 4 === 0 ? {attrs: {a: '"}'}} : {}), time: timeOf(at)};
		lines.push(JSON.stringify(entry));
		// As Go's encoder writes them, and in another order.
		if (at % 5 === 0) lines.push(JSON.stringify(entry).replaceAll('/', '\\/').replaceAll('r', '\\u0072'));
		if (at % 5 === 1) lines.push(JSON.stringify({time: timeOf(at), stream, log}));
	}
	writeFileSync(path, `${lines.join('\n')}\nnonsense\n`);
	for (const options of [
		{},
		{timestamps: true},
		{tail: 5},
		{stderr: true},
		{since: start, timestamps: true},
	]) {
		const expected = {stdout: '', stderr: ''};
		for await (const batch of readLogs({path, ended}, options)) {
			for (const {stream, time, line} of batch) {
				const bytes = line
					.split('')
					.map((letter) => (/[\udc80-\udcff]/.test(letter) ? Buffer.from(letter, 'latin1') : letter));
				const whole = Buffer.concat(
					line.isWellFormed() ? [Buffer.from(line)] : bytes.map((part) => Buffer.from(part as string)),
				);
				expected[stream] += ('timestamps' in options ? `${time} ` : '') + whole.toString('latin1');
			}
		}
		const found = {stdout: '', stderr: ''};
		for await (const batch of readLogText({path, ended}, options)) {
			for (const {stream, data} of batch) found[stream] += Buffer.from(data).toString('latin1');
		}
		t.deepEqual(
			found,
			expected,
			JSON.stringify(options, (_, value) => String(value)),
		);
	}
});
