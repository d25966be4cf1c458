import test from 'ava';
import type {PullEvent} from '../../../src/engine/api.ts';
import {transferProgress, withEvent} from '../../../src/tui/actions/transfer.ts';
import {bar, progressLines} from '../../../src/tui/widgets/progress-lines.ts';

test('a pull is told in layers that are done and bytes that have come', (t) => {
	const progress = transferProgress();
	const layer = (
		id: string,
		state: Extract<PullEvent, {kind: 'layer'}>['state'],
		current?: number,
		total?: number,
	) => progress({kind: 'layer', id, state, ...(current === undefined ? {} : {current, total: total!})});
	t.is(layer('a', 'Pulling fs layer'), '0/1 layers');
	t.is(layer('b', 'Already exists'), '1/2 layers');
	t.is(layer('a', 'Downloading', 25, 100), '1/2 layers 25%');
	t.is(layer('c', 'Downloading', 50, 300), '1/3 layers 18%');
	t.is(layer('a', 'Pull complete'), '2/3 layers 37%');
	t.is(layer('c', 'Downloading', 900, 300), '2/3 layers 100%');
});

test('each layer keeps its row, with what it is at', (t) => {
	const first = withEvent([], {kind: 'layer', id: 'a', state: 'Pulling fs layer'});
	const second = withEvent(first, {kind: 'layer', id: 'b', state: 'Waiting'});
	const third = withEvent(second, {kind: 'layer', id: 'a', state: 'Downloading', current: 5, total: 10});
	t.deepEqual(third, [
		{id: 'a', state: 'Downloading', current: 5, total: 10},
		{id: 'b', state: 'Waiting', current: 0, total: 0},
	]);
	t.is(first.length, 1);
});

test('bars grow by eighths and stay as wide as they are', (t) => {
	t.deepEqual(
		[0, 0.5, 0.5625, 1, 7, -1].map((share) => bar(share, 4)),
		['    ', '██  ', '██▎ ', '████', '████', '    '],
	);
});

test('where there is no room for all layers those that are done make room', (t) => {
	const rows = Array.from({length: 12}, (_, at) => ({
		id: `layer ${at}`,
		state: at % 2 === 0 ? 'Pull complete' : 'Downloading',
		current: at,
		total: 12,
	}));
	const lines = progressLines(rows, 80, 8);
	t.deepEqual(
		lines.map(({key}) => key),
		[1, 3, 5, 7, 8, 9, 10, 11].map((at) => `layer ${at}`),
	);
	t.is(lines.find(({key}) => key === 'layer 3')?.size.trim(), '3B/12B');
	const hostile = {id: '\u001b[2J'.repeat(50), state: '日\u202e'.repeat(50), current: -5, total: 1};
	for (const width of [10, 40, 200])
		for (const {id, state, bar: cells, size} of progressLines([hostile], width, 5))
			t.notRegex(id + state + cells + size, /[\u0000-\u001f\u202e]/);
});
