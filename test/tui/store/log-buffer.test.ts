import test from 'ava';
import {LogBuffer} from '../../../src/tui/store/log-buffer.ts';

const line = (text: string, stream: 'stdout' | 'stderr' = 'stdout') => ({
	stream,
	time: '2026-01-01T00:00:00.000000000Z',
	line: text,
});

test('the oldest lines make room, and numbers go on', (t) => {
	const buffer = new LogBuffer(3);
	buffer.push(['a\n', 'b\n', 'c\n', 'd\n', 'e\n'].map((text) => line(text)));
	t.is(buffer.total, 5);
	t.is(buffer.first, 2);
	t.is(buffer.at(1), undefined);
	t.is(buffer.at(2)?.text, 'c\n');
	t.is(buffer.at(4)?.text, 'e\n');
	t.is(buffer.at(5), undefined);
});

test('parts of a line are joined, each stream’s on its own', (t) => {
	const buffer = new LogBuffer(10);
	buffer.push([
		line('out '),
		line('err ', 'stderr'),
		line('more\n'),
		line('end\n', 'stderr'),
		line('next\n'),
	]);
	t.deepEqual(
		[0, 1, 2].map((number) => buffer.at(number)?.text),
		['out more\n', 'err end\n', 'next\n'],
	);
});

test('a line without end stays within its limit', (t) => {
	const buffer = new LogBuffer(10);
	for (let index = 0; index < 100; index++) buffer.push([line('x'.repeat(16_000))]);
	t.is(buffer.total, 1);
	t.true(buffer.at(0)!.text.length <= 16_385);
});

test('a mark stands between lines and ends an open one', (t) => {
	const buffer = new LogBuffer(10);
	buffer.push([line('open')]);
	buffer.mark('skipped');
	buffer.push([line('after\n')]);
	t.deepEqual(
		[0, 1, 2].map((number) => [buffer.at(number)?.text, buffer.at(number)?.mark]),
		[
			['open', undefined],
			['skipped', true],
			['after\n', undefined],
		],
	);
});
