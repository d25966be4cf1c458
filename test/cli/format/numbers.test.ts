import {existsSync, readFileSync} from 'node:fs';
import test from 'ava';
import {humanDuration, parseDuration} from '../../../src/cli/format/duration.ts';
import {bytesSize, humanSize, parseHumanSize, parseRamSize} from '../../../src/cli/format/size.ts';
import {formatRfc3339Nano, parseTimestamp} from '../../../src/cli/format/time.ts';
import {parsePublish} from '../../../src/cli/parse/publish-port.ts';
import {parseUlimit} from '../../../src/cli/parse/ulimit.ts';

/** Tables of right answers beside the repository, where there are some. */
function oracle<T>(name: string): T[] {
	const file = new URL(`../../../../shared/reference/oracle/${name}.jsonl`, import.meta.url);
	if (!existsSync(file)) return [];
	return readFileSync(file, 'utf8')
		.split('\n')
		.filter((line) => line !== '')
		.map((line) => JSON.parse(line) as T);
}

const message = (action: () => unknown): string | null => {
	try {
		action();
		return null;
	} catch (error) {
		return (error as Error).message;
	}
};

test('sizes are written as go-units writes them', (t) => {
	const own = [
		{in: 0, bytes: '0B', human: '0B', human3: '0B'},
		{in: 1023, bytes: '1023B', human: '1.023kB', human3: '1.02kB'},
		{in: 1024, bytes: '1KiB', human: '1.024kB', human3: '1.02kB'},
		{in: 187654321, bytes: '179MiB', human: '187.7MB', human3: '188MB'},
	];
	for (const {in: size, bytes, human, human3} of [...own, ...oracle<(typeof own)[0]>('format-size')]) {
		t.is(bytesSize(size), bytes);
		t.is(humanSize(size), human);
		t.is(humanSize(size, 3), human3);
	}
});

test('sizes are read as go-units reads them', (t) => {
	const own = [
		{
			in: '64m',
			human: 64e6,
			ram: 64 * 2 ** 20,
			humanErr: null as string | null,
			ramErr: null as string | null,
		},
		{in: '1.5GiB', human: 1.5e9, ram: 1.5 * 2 ** 30, humanErr: null, ramErr: null},
		{in: '-1', human: -1, ram: -1, humanErr: "invalid size: '-1'", ramErr: "invalid size: '-1'"},
		{in: '', human: -1, ram: -1, humanErr: "invalid size: ''", ramErr: "invalid size: ''"},
		{
			in: '1.2.3',
			human: -1,
			ram: -1,
			humanErr: 'strconv.ParseFloat: parsing "1.2.3": invalid syntax',
			ramErr: 'strconv.ParseFloat: parsing "1.2.3": invalid syntax',
		},
		{in: '1q', human: -1, ram: -1, humanErr: "invalid suffix: 'q'", ramErr: "invalid suffix: 'q'"},
	];
	for (const {in: text, human, ram, humanErr, ramErr} of [...own, ...oracle<(typeof own)[0]>('parse-size')]) {
		// docker lets this wrap to a negative number; it is refused here.
		if (ram < -1) {
			t.throws(() => parseRamSize(text));
			continue;
		}
		t.is(
			message(() => parseHumanSize(text)),
			humanErr,
			text,
		);
		t.is(
			message(() => parseRamSize(text)),
			ramErr,
			text,
		);
		if (humanErr === null) t.is(parseHumanSize(text), human, text);
		if (ramErr === null) t.is(parseRamSize(text), ram, text);
	}
});

test('ages are docker words', (t) => {
	const own = [
		{ns: 45e9, s: '45 seconds'},
		{ns: 60e9, s: 'About a minute'},
		{ns: 47 * 3600e9, s: '47 hours'},
		{ns: 3 * 86400e9, s: '3 days'},
	];
	for (const {ns, s} of [...own, ...oracle<(typeof own)[0]>('human-duration')])
		t.is(humanDuration(ns / 1e9), s);
});

test('ulimits are soft and hard, with docker errors', (t) => {
	const own = [
		{in: 'nofile=1024:2048', err: null as string | null, v: 'nofile=1024:2048'},
		{in: 'nofile', err: 'invalid ulimit argument: nofile', v: ''},
	];
	for (const {in: text, err, v} of [...own, ...oracle<(typeof own)[0]>('ulimit')]) {
		t.is(
			message(() => parseUlimit(text)),
			err,
			text,
		);
		if (err !== null) continue;
		const {Name, Soft, Hard} = parseUlimit(text);
		t.is(`${Name}=${Soft}:${Hard}`, v);
	}
});

test("durations are Go's", (t) => {
	for (const [text, nanoseconds] of [
		['1h30m', 5_400_000_000_000n],
		['1.5s', 1_500_000_000n],
		['-2ms', -2_000_000n],
		['100us', 100_000n],
		['0', 0n],
	] as const) {
		t.is(parseDuration(text), nanoseconds);
	}
	t.throws(() => parseDuration('1x'), {message: 'time: unknown unit "x" in duration "1x"'});
	t.throws(() => parseDuration('10'), {message: 'time: missing unit in duration "10"'});
	t.throws(() => parseDuration(''), {message: 'time: invalid duration ""'});
});

test('points in time are durations before now, dates, or seconds', (t) => {
	const now = 1_700_000_000_000_000_000n;
	t.is(parseTimestamp('10m', now), now - 600_000_000_000n);
	t.is(parseTimestamp('1700000000.5', now), now + 500_000_000n);
	t.is(parseTimestamp('2023-11-14T22:13:20.000000001Z', now), now + 1n);
	t.is(parseTimestamp('2023-11-15T00:13:20+02:00', now), now);
	t.is(
		parseTimestamp('2023-11-14T22:13:20', now),
		BigInt(new Date(2023, 10, 14, 22, 13, 20).getTime()) * 1_000_000n,
	);
	t.is(parseTimestamp('2023-11-14', now), BigInt(new Date(2023, 10, 14).getTime()) * 1_000_000n);
	t.throws(() => parseTimestamp('soon', now));
	for (const [text, part] of [
		['2001-13-01', 'month'],
		['2001-02-30', 'day'],
		['2001-01-01T24:00', 'hour'],
		['2001-01-01T00:60Z', 'minute'],
		['2001-01-01T00:00:61+01:00', 'second'],
	] as const) {
		t.is(
			message(() => parseTimestamp(text, now)),
			`parsing time "${text}": ${part} out of range`,
		);
	}
	for (const [text, problem] of [
		['2006-01-02T15:04:0Z', ' as "2006-01-02T15:04:05Z07:00": cannot parse "0Z" as "05"'],
		['2006-1-2', ' as "2006-01-02": cannot parse "1-2" as "01"'],
		['2006-01-02x', ': extra text: "x"'],
		['x-1', ' as "2006-01-02": cannot parse "x-1" as "2006"'],
		['2006-01-02T15:04:05.5X', ': extra text: "X"'],
	] as const)
		t.is(
			message(() => parseTimestamp(text, now)),
			`parsing time "${text}"${problem}`,
		);
	t.is(parseTimestamp(formatRfc3339Nano(now + 123n), 0n), now + 123n);
});

test('published ports are addresses, ports and ranges', (t) => {
	interface Case {
		in: string;
		bindings?: Record<string, {HostIp: string; HostPort: string}[]>;
		err: string | null;
	}
	const own: Case[] = [
		{in: '8080:80', bindings: {'80/tcp': [{HostIp: '', HostPort: '8080'}]}, err: null},
		{in: '[::1]:53:53/UDP', bindings: {'53/udp': [{HostIp: '::1', HostPort: '53'}]}, err: null},
		{in: '8000-8010:80', bindings: {'80/tcp': [{HostIp: '', HostPort: '8000-8010'}]}, err: null},
		{in: '1-3:1-2', err: 'invalid ranges specified for container and host Ports: 1-2 and 1-3'},
		{in: '70000', err: 'invalid containerPort: 70000'},
	];
	for (const {in: text, bindings, err} of [...own, ...oracle<Case>('publish-port')]) {
		// docker's clients of today begin these with a small letter, and write IP in capitals.
		const today = err?.replace(/^\w/, (letter) => letter.toLowerCase()) ?? null;
		t.is(
			message(() => parsePublish(text)),
			today?.replace(/^invalid ip /, 'invalid IP ') ?? null,
			text,
		);
		if (bindings) t.deepEqual(parsePublish(text), bindings, text);
	}
});
