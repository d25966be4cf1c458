/** What containers, images and other processes chose never breaks the screen, in any pane. */
import test from 'ava';
import {renderFrame} from '../../src/tui/once.tsx';
import {DETAILS} from '../../src/tui/store/details.ts';
import {addEvents} from '../../src/tui/store/reducers.ts';
import {displayWidth} from '../../src/tui/text/width.ts';
import {busyEngine, NOW, volume} from './fake-engine.ts';
import {openUi, until} from './harness.ts';

const ESC = '\u001b';
const EVIL = `${ESC}[2J${ESC}]0;owned\u0007\u202e日本🚣\u0301${'x'.repeat(130)}\r\n\u009b31m\u0000`;
const SIZES = [
	{columns: 60, rows: 16},
	{columns: 120, rows: 40},
];

for (const size of SIZES) {
	test(`names, variables, paths, processes and events at ${size.columns}x${size.rows}`, async (t) => {
		const fake = busyEngine();
		const web = fake.rows[0]!;
		web.Mounts = [{...web.Mounts[0]!, Name: EVIL, Destination: EVIL}];
		web.Ports = [{IP: EVIL, PrivatePort: 1, PublicPort: 2, Type: EVIL as 'tcp'}, ...web.Ports];
		fake.volumes = [volume({Name: EVIL, Options: {[EVIL]: EVIL}, Labels: {[EVIL]: EVIL}, CreatedAt: EVIL})];
		fake.processes.set(web.Id, {Titles: [], Processes: [[EVIL, EVIL, EVIL], [], new Array(20).fill(EVIL)]});
		fake.changes.set(web.Id, [
			{Kind: 0, Path: EVIL},
			{Kind: 1, Path: '/'},
		]);
		const inspected = {
			[EVIL]: {[EVIL]: [EVIL, null, {}, [], 1e308]},
			Config: {Env: [EVIL, '', '=', '日本=本日']},
		};
		fake.inspected = inspected;
		const {store, type} = await openUi(fake, size);
		const event = {
			Type: 'container' as const,
			Action: `exec_create: ${EVIL}`,
			Actor: {ID: EVIL, Attributes: {name: EVIL, image: EVIL, exitCode: EVIL, signal: EVIL}},
			scope: 'local' as const,
			time: NOW,
			timeNano: 1n,
		};
		store.update((state) => addEvents(state, [event, {...event, time: Number.NaN}]));
		const check = (what: string): void => {
			const lines = renderFrame(store, false).split('\n');
			t.is(lines.length, size.rows, what);
			for (const line of lines) {
				t.notRegex(line, /[\u0000-\u001f\u007f-\u009f\u202e]/, what);
				t.true(displayWidth(line) <= size.columns, `${what} ${displayWidth(line)}: ${line}`);
			}
			for (const line of lines.slice(1, -1)) t.is(displayWidth(line), size.columns, `${what}: ${line}`);
		};
		for (const [at, list] of (['containers', 'images', 'networks', 'volumes', 'events'] as const).entries()) {
			await type(String(at + 1));
			check(list);
			for (const tab of DETAILS[list]) {
				await type('0');
				// Whatever it reads is there, or there is nothing to be read.
				if (['top', 'files', 'env', 'inspect'].includes(tab) && list === 'containers')
					await until(() => !renderFrame(store, false).includes('Reading…'));
				check(`${list} ${tab}`);
				await type('j', '\r');
				renderFrame(store, false);
				await type(ESC, String(at + 1), ']');
			}
		}
		await type(ESC, '4', 'd');
		renderFrame(store, false);
		await type(ESC, '1', ' ', '%', '/', EVIL, '\r');
		check('a filter');
		await type(ESC, '0', '/', 'x', '\r', 'J');
		check('a search');
	});
}
