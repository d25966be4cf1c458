import xterm from '@xterm/headless';
import test from 'ava';
import {PullDisplay, progress} from '../../../src/cli/terminal/pull-display.ts';
import type {PullEvent} from '../../../src/engine/api.ts';

const events: PullEvent[] = [
	{kind: 'status', id: 'latest', message: 'Pulling from library/x'},
	{kind: 'layer', id: 'aaaaaaaaaaaa', state: 'Pulling fs layer'},
	{kind: 'layer', id: 'bbbbbbbbbbbb', state: 'Already exists'},
	{kind: 'layer', id: 'aaaaaaaaaaaa', state: 'Downloading', current: 512_000, total: 3_000_000},
	{kind: 'layer', id: 'aaaaaaaaaaaa', state: 'Downloading', current: 3_000_000, total: 3_000_000},
	{kind: 'layer', id: 'aaaaaaaaaaaa', state: 'Retrying', delay: 5},
	{kind: 'layer', id: 'aaaaaaaaaaaa', state: 'Verifying Checksum'},
	{kind: 'layer', id: 'aaaaaaaaaaaa', state: 'Extracting', current: 1_500_000, total: 3_000_000},
	{kind: 'layer', id: 'aaaaaaaaaaaa', state: 'Pull complete'},
	{kind: 'status', message: 'Status: Downloaded newer image for x:latest'},
];

test('without a terminal each change of state is one line', (t) => {
	let text = '';
	const display = new PullDisplay((part) => {
		text += part;
	});
	for (const event of events) display.show(event);
	t.snapshot(text);
});

/** What stands on a terminal after some of the events. */
async function screen(count: number, columns: number): Promise<string> {
	const terminal = new xterm.Terminal({cols: columns, rows: 10, allowProposedApi: true});
	let text = '';
	const display = new PullDisplay(
		(part) => {
			text += part;
		},
		() => columns,
	);
	for (const [at, event] of events.slice(0, count).entries()) display.show(event, at * 1000);
	await new Promise<void>((resolve) => terminal.write(text.replaceAll('\n', '\r\n'), resolve));
	const {active} = terminal.buffer;
	const lines = Array.from({length: 10}, (_, row) => active.getLine(row)!.translateToString(true));
	return lines.join('\n').trimEnd();
}

test('on a terminal a layer is one line that changes', async (t) => {
	t.snapshot(await screen(4, 120));
	t.snapshot(await screen(8, 80));
	t.snapshot(await screen(events.length, 80));
});

test('the bar is there when the terminal is wide', (t) => {
	t.is(progress(512_000, 3_000_000, 80), '   512kB/3MB');
	t.is(progress(512_000, 3_000_000, 120), `[========>${' '.repeat(42)}]    512kB/3MB`);
	t.is(progress(3_000_000, 3_000_000, 120), `[${'='.repeat(50)}>]      3MB/3MB`);
	t.is(progress(100, 0, 120), '    100B');
	t.is(progress(0, 0, 120), '');
});
