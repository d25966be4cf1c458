import test from 'ava';
import {renderFrame} from '../../src/tui/once.tsx';
import {selectedContainer, selectedUser} from '../../src/tui/panes/index.ts';
import {detailData} from '../../src/tui/panes/subject.ts';
import {setContainers} from '../../src/tui/store/reducers.ts';
import {busyEngine, FakeEngine} from './fake-engine.ts';
import {openUi, until} from './harness.ts';

process.env.TZ = 'UTC';

const ESC = '\u001b';
const SIZES = [
	{columns: 80, rows: 24},
	{columns: 120, rows: 40},
	{columns: 200, rows: 50},
];

/** A frame as soon as it has this. */
async function frame(ui: Awaited<ReturnType<typeof openUi>>, what: RegExp): Promise<string> {
	await until(() => what.test(renderFrame(ui.store, false)));
	return renderFrame(ui.store, false);
}

for (const size of SIZES) {
	const at = `${size.columns}x${size.rows}`;

	test(`graphs of what a container uses at ${at}`, async (t) => {
		const fake = busyEngine();
		const ui = await openUi(fake, size);
		await ui.type('u');
		await until(() => ui.store.snapshot().usage.version === fake.samples.length);
		const shown = renderFrame(ui.store, false);
		for (const title of ['CPU', 'Memory', 'Network', 'Block I/O', 'Processes'])
			t.true(shown.includes(title), title);
		t.snapshot(shown);
	});

	test(`processes, changed files, variables, ports and all about a container at ${at}`, async (t) => {
		const ui = await openUi(busyEngine(), size);
		await ui.type('t');
		t.snapshot(await frame(ui, /nginx: master/));
		await ui.type('1', 'f');
		t.snapshot(await frame(ui, /nginx\.pid/));
		await ui.type('1', 'v');
		t.snapshot(await frame(ui, /GREETING +a=b/));
		await ui.type('1', 'P');
		t.snapshot(await frame(ui, /80\/tcp +0\.0\.0\.0:8080/));
		await ui.type('1', 'i');
		t.snapshot(await frame(ui, /Status +running/));
	});

	test(`volumes, their users and all about them at ${at}`, async (t) => {
		const ui = await openUi(busyEngine(), size);
		await ui.type('4');
		t.snapshot(renderFrame(ui.store, false));
		await ui.type('G', '\r');
		t.snapshot(await frame(ui, /▶ {2}db +\/site/));
		await ui.type('4', 'i');
		t.snapshot(await frame(ui, /Mountpoint/));
	});

	test(`a container that does not run at ${at}`, async (t) => {
		const ui = await openUi(busyEngine(), size);
		await ui.type('jj', 'u');
		t.snapshot(await frame(ui, /It is not running/));
		await ui.type('1', 't');
		t.snapshot(await frame(ui, /It is not running/));
		await ui.type('1', 'f');
		t.snapshot(await frame(ui, /No file differs/));
	});

	test(`what can’t be read says why at ${at}`, async (t) => {
		const fake = busyEngine();
		fake.detailError = new Error('container 7765 is restarting, wait until the container is running');
		const ui = await openUi(fake, size);
		for (const key of ['t', 'f', 'i']) {
			await ui.type('1', key);
			t.snapshot(await frame(ui, /It can’t be read/));
		}
		fake.detailError = undefined;
		await ui.type('\u0012');
		await frame(ui, /Status +running/);
	});
}

test('without any container every tab says that none is selected', async (t) => {
	const ui = await openUi(new FakeEngine());
	for (const key of ['u', 't', 'f', 'v', 'P', 'i']) {
		await ui.type('1', key);
		t.regex(renderFrame(ui.store, false), /No container is selected\./, key);
	}
	await ui.type('4', '\r');
	t.regex(renderFrame(ui.store, false), /No volume is selected\./);
});

test('when the container goes while it is looked at, its neighbour’s details take over', async (t) => {
	const fake = busyEngine();
	const ui = await openUi(fake);
	await ui.type('t');
	await frame(ui, /nginx: master/);
	fake.rows.shift();
	ui.store.update((state) => setContainers(state, fake.rows));
	t.is(selectedContainer(ui.store.state)?.Names[0], '/db');
	t.notRegex(renderFrame(ui.store, false), /nginx: master/);
	await frame(ui, /db[\s\S]*No processes/);
	ui.store.update((state) => setContainers(state, []));
	t.regex(renderFrame(ui.store, false), /No container is selected\./);
});

test('processes of a container that stops are gone, whatever was read before', async (t) => {
	const fake = busyEngine();
	const ui = await openUi(fake);
	await ui.type('t');
	await frame(ui, /nginx: master/);
	fake.rows[0] = {...fake.rows[0]!, State: 'exited', Status: 'Exited (0) 1 second ago'};
	ui.store.update((state) => setContainers(state, fake.rows));
	t.regex(renderFrame(ui.store, false), /It is not running\./);
});

test('details are read again when their row changes, and only what is shown is read', async (t) => {
	const fake = busyEngine();
	const ui = await openUi(fake);
	await ui.type('i');
	await until(() => detailData(ui.store.state, 'inspect') !== undefined);
	t.deepEqual(Object.keys(ui.store.state.details), ['inspect']);
	fake.rows[0] = {...fake.rows[0]!, State: 'paused', Status: 'Up 3 minutes (Paused)'};
	ui.store.update((state) => setContainers(state, fake.rows));
	await frame(ui, /Status +paused/);
	t.deepEqual(Object.keys(ui.store.state.details), ['inspect']);
});

test('tabs go round with [ and ], and each list remembers its own', async (t) => {
	const ui = await openUi(busyEngine());
	await ui.type(']');
	t.is(ui.store.state.tabs.containers, 'stats');
	t.is(ui.store.state.focus, 'containers');
	await ui.type('[', '[');
	t.is(ui.store.state.tabs.containers, 'inspect');
	await ui.type('4', ']');
	t.is(ui.store.state.tabs.volumes, 'inspect');
	await ui.type('0', '[');
	t.is(ui.store.state.focus, 'users');
	await ui.type('1', '0');
	t.is(ui.store.state.focus, 'inspect');
	await ui.type(ESC);
	t.is(ui.store.state.focus, 'containers');
});

test('the tree folds, a filter shows whole paths, and a long value is read whole', async (t) => {
	const ui = await openUi(busyEngine(), {columns: 100, rows: 40});
	await ui.type('i');
	await frame(ui, /▾ State/);
	await ui.type('jj', '\r');
	t.regex(renderFrame(ui.store, false), /▸ State +\{4\}/);
	t.notRegex(renderFrame(ui.store, false), /ExitCode/);
	await ui.type('/', 'exitcode', '\r');
	t.regex(renderFrame(ui.store, false), /State\.ExitCode +0/);
	await ui.type('\r');
	t.is(ui.store.state.dialog?.kind, 'text');
});

test('the users of a volume lead to their containers', async (t) => {
	const ui = await openUi(busyEngine());
	await ui.type('4', 'G', '\r', 'j');
	t.is(selectedUser(ui.store.state)?.container.Names[0], '/web');
	t.false(selectedUser(ui.store.state)!.mount!.RW);
	await ui.type('\r');
	t.is(ui.store.state.focus, 'containers');
	t.is(selectedContainer(ui.store.state)?.Names[0], '/web');
});

test('the list shows what each uses, and its order goes by it', async (t) => {
	const fake = busyEngine();
	const ui = await openUi(fake, {columns: 120, rows: 24});
	t.is(ui.store.state.usage.version, 0);
	await ui.type('%');
	await frame(ui, /CPU +MEM/);
	await until(() => ui.store.snapshot().usage.version === fake.samples.length);
	t.regex(renderFrame(ui.store, false), /db .*180\.0% +310MiB/);
	while (ui.store.state.lists.containers.sort !== 'cpu') await ui.type('o');
	await ui.type('g');
	t.is(selectedContainer(ui.store.state)?.Names[0], '/db');
	await ui.type('O', 'g');
	t.not(selectedContainer(ui.store.state)?.Names[0], '/db');
});
