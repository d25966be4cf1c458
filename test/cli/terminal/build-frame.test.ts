import test from 'ava';
import {apply, frameOf, newBuildState} from '../../../src/cli/terminal/build-frame.ts';

const size = {columns: 40, rows: 10};

test('steps are lines in place, and what one writes folds away when it ends', (t) => {
	const state = newBuildState(0);
	apply(state, {kind: 'start', id: 1, name: '[1/3] FROM base'}, 0);
	apply(state, {kind: 'cached', id: 1}, 0);
	apply(state, {kind: 'start', id: 2, name: '[2/3] RUN make'}, 1000);
	apply(state, {kind: 'log', id: 2, stream: 'stdout', text: 'one\n\x1b[2Jtwo\n10%\r50'}, 1100);
	apply(state, {kind: 'log', id: 2, stream: 'stdout', text: '%'}, 1100);
	const running = frameOf(state, 2500, size, false);
	t.deepEqual(
		running.map(({text}) => text.trimEnd()),
		[
			'[+] Building 2.5s (1/2)',
			' => CACHED [1/3] FROM base          0.0s',
			' => [2/3] RUN make                  1.5s',
			' => => # one',
			' => => # two',
			' => => # 50%',
		],
	);
	apply(state, {kind: 'error', id: 2, message: 'no'}, 3000);
	t.deepEqual(
		frameOf(state, 3000, size, true).map(({text, kind}) => [text.trimEnd(), kind]),
		[
			['[+] Building 3.0s (2/2) FINISHED', 'head'],
			[' => CACHED [1/3] FROM base          0.0s', 'done'],
			[' => ERROR [2/3] RUN make            2.0s', 'error'],
		],
	);
});

test('a frame is never higher or wider than the terminal, and what runs is in it', (t) => {
	const state = newBuildState(0);
	for (let id = 1; id <= 50; id++) {
		apply(state, {kind: 'start', id, name: `[${id}/60] RUN ${'é'.repeat(80)}`}, 0);
		if (id % 25 !== 0) apply(state, {kind: 'done', id}, 0);
	}
	const lines = frameOf(state, 0, size, false);
	t.true(lines.length <= size.rows - 1);
	t.true(lines.every(({text}) => [...text].length <= size.columns));
	t.deepEqual(
		lines.filter(({kind}) => kind === 'running').map(({text}) => /\d+\/60/.exec(text)![0]),
		['25/60', '50/60'],
	);
});
