import test from 'ava';
import {renderFrame} from '../../../src/tui/once.tsx';
import {settleSelections} from '../../../src/tui/panes/index.ts';
import {cpuTimes, HostFeed, memoryInfo} from '../../../src/tui/store/host-feed.ts';
import {initialState} from '../../../src/tui/store/initial.ts';
import {Store} from '../../../src/tui/store/store.ts';

test('time of CPUs is what is neither idle nor waiting, and the guest’s isn’t counted twice', (t) => {
	const text = 'cpu  100 10 50 800 40 3 7 5 60 2\ncpu0 1 1 1 1 1 1 1 1 1 1\n';
	t.deepEqual(cpuTimes(text), {busy: 175, total: 1015});
});

test('memory that could be had at once isn’t used', (t) => {
	t.deepEqual(memoryInfo('MemTotal:  1000 kB\nMemFree: 10 kB\nMemAvailable:   600 kB\n'), {
		used: 400 * 1024,
		total: 1000 * 1024,
	});
});

test('the machine’s numbers stand in the upper line where there is room', (t) => {
	const host = {cpu: 42, memory: 3.14 * 2 ** 30, memoryTotal: 2 ** 34, load: '1.25'};
	for (const [columns, shown] of [
		[140, true],
		[70, false],
	] as const) {
		const store = new Store(
			{...initialState({columns, rows: 24}, 0), phase: 'ready', host},
			settleSelections,
		);
		t.is(/cpu 42% {2}mem 3\.1\/16\.0GiB {2}load 1\.25 {2}\? help/.test(renderFrame(store, false)), shown);
	}
});

test('nothing is measured while a session has the screen', (t) => {
	const store = new Store({...initialState({columns: 80, rows: 24}, 0), attached: true}, settleSelections);
	const feed = new HostFeed(store);
	feed.close();
	t.is(store.state.host, undefined);
});
