import test from 'ava';
import {loadOnce, PANES, paneJson, renderFrame} from '../../src/tui/once.tsx';
import {displayWidth} from '../../src/tui/text/width.ts';
import {busyEngine, NOW, stats} from './fake-engine.ts';

const SIZES = [
	{columns: 80, rows: 24},
	{columns: 120, rows: 40},
	{columns: 300, rows: 100},
];

/** Rows that repeat the one before, as most of a high screen do, are said once. */
function brief(frame: string): string {
	const kept: {line: string; times: number}[] = [];
	for (const line of frame.split('\n')) {
		const last = kept.at(-1);
		if (last?.line === line) last.times++;
		else kept.push({line, times: 1});
	}
	return kept.map(({line, times}) => (times > 1 ? `${line} ×${times}` : line)).join('\n');
}

for (const pane of PANES) {
	test(`${pane}, alone on the screen at three sizes, and as JSON`, async (t) => {
		process.env.TZ = 'UTC';
		for (const size of SIZES) {
			const fake = busyEngine();
			fake.processes.set(fake.rows[0]!.Id, {
				Titles: [],
				Processes: [['7', '1', 'root', 'Ss', '1.5', '0.2', '2048', '3', '00:01:02', 'nginx -g daemon off;']],
			});
			fake.changes.set(fake.rows[0]!.Id, [
				{Kind: 1, Path: '/run/nginx.pid'},
				{Kind: 0, Path: '/var'},
			]);
			fake.samples = [[stats(fake.rows[0]!.Id, 1)]];
			const store = await loadOnce(fake.engine, size, NOW, {pane});
			const frame = renderFrame(store, false);
			const lines = frame.split('\n');
			t.is(lines.length, size.rows);
			for (const line of lines.slice(1, -1)) t.is(displayWidth(line), size.columns);
			t.snapshot(brief(frame));
			t.notThrows(() => JSON.parse(JSON.stringify(paneJson(store.state, pane) ?? null)));
		}
	});
}
