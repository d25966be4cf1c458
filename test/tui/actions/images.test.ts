import test from 'ava';
import type {PullEvent} from '../../../src/engine/api.ts';
import {pullProgress} from '../../../src/tui/actions/images.ts';

test('a pull is told in layers that are done and bytes that have come', (t) => {
	const progress = pullProgress();
	const layer = (
		id: string,
		state: Extract<PullEvent, {kind: 'layer'}>['state'],
		current?: number,
		total?: number,
	) => progress({kind: 'layer', id, state, ...(current === undefined ? {} : {current, total: total!})});
	t.is(progress({kind: 'status', message: 'Pulling from library/alpine'}), undefined);
	t.is(layer('a', 'Pulling fs layer'), '0/1 layers');
	t.is(layer('b', 'Already exists'), '1/2 layers');
	t.is(layer('a', 'Downloading', 25, 100), '1/2 layers 25%');
	t.is(layer('c', 'Downloading', 50, 300), '1/3 layers 18%');
	t.is(layer('a', 'Pull complete'), '2/3 layers 37%');
	t.is(layer('c', 'Downloading', 900, 300), '2/3 layers 100%');
});
