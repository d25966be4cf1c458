import test from 'ava';
import type {DiskUsage, Engine, PullEvent} from '../../src/engine/api.ts';
import {renderFrame} from '../../src/tui/once.tsx';
import {busyEngine} from './fake-engine.ts';
import {openUi, until} from './harness.ts';

const ESC = '\u001b';
const SIZES = [
	{columns: 80, rows: 24},
	{columns: 120, rows: 40},
	{columns: 200, rows: 50},
];

/** A UI on an engine some of whose functions are the test's. */
async function openWith(change: (engine: Engine) => void, size = SIZES[0]!) {
	const fake = busyEngine();
	const {engine} = fake;
	change(engine);
	const ui = await openUi({...fake, engine} as typeof fake, size);
	return {engine, fake, frame: () => renderFrame(ui.store, false), ...ui};
}

const layer = (
	id: string,
	state: Extract<PullEvent, {kind: 'layer'}>['state'],
	current = 0,
	total = 0,
): PullEvent => ({kind: 'layer', id, state, current, total});

/** A pull that goes on until it is told how it ends. */
function heldPull(engine: Engine) {
	const {promise, resolve, reject} = Promise.withResolvers<void>();
	engine.images.pull = async (reference, {onProgress, signal} = {}) => {
		signal?.addEventListener('abort', () => reject(signal.reason));
		for (const event of [
			layer('a1b2c3d4e5f6', 'Already exists'),
			layer('0123456789ab', 'Downloading', 45e6, 60e6),
			layer('ffeeddccbbaa', 'Extracting', 5e6, 40e6),
			layer('abcdefabcdef', 'Waiting'),
		])
			onProgress?.(event);
		await promise;
		return {id: 'x', digest: 'x', reference, changed: true};
	};
	return {finish: resolve, fail: reject};
}

for (const size of SIZES) {
	test(`bars of a pull at ${size.columns}x${size.rows}`, async (t) => {
		let held: ReturnType<typeof heldPull> | undefined;
		const {frame, type} = await openWith((engine) => {
			held = heldPull(engine);
		}, size);
		await type('2', 'p', 'nginx:1.29', '\r');
		await until(() => /Waiting/.test(frame()));
		t.snapshot(frame());
		held?.finish();
		await until(() => !/Waiting/.test(frame()));
		t.regex(frame(), /Pulled nginx:1\.29\./);
	});
}

test('a pull goes on behind, comes back to the front, and can be given up', async (t) => {
	const {frame, type, store} = await openWith((engine) => void heldPull(engine));
	await type('2', 'p', 'nginx:1.29', '\r');
	await until(() => /Waiting/.test(frame()));
	await type(ESC);
	t.notRegex(frame(), /Waiting/);
	t.is(store.state.jobs.get('pull nginx:1.29'), '1/4 layers 75%');
	await type('b');
	t.regex(frame(), /Waiting/);
	await type('x');
	await until(() => store.state.jobs.size === 0);
	t.is(store.state.dialog, undefined);
	t.regex(frame(), /Given up: pull nginx:1\.29\./);
	await type('b');
	t.regex(frame(), /Nothing is pulled or pushed\./);
});

test('a pull that fails says why and leaves no bars', async (t) => {
	let held: ReturnType<typeof heldPull> | undefined;
	const {frame, type, store} = await openWith((engine) => {
		held = heldPull(engine);
	});
	await type('2', 'p', 'nginx:1.29', '\r');
	held?.fail(new Error('unauthorized: access to the requested resource is not authorized'));
	await until(() => store.state.jobs.size === 0);
	t.regex(frame(), /Error: unauthorized/);
	t.is(store.state.dialog, undefined);
});

test('a push tags what goes under another name first', async (t) => {
	const {fake, frame, type, store} = await openWith((engine) => {
		engine.images.push = async (reference, {onProgress} = {}) => {
			fake.calls.push(`push ${reference}`);
			onProgress?.({kind: 'layer', id: 'a1b2c3d4e5f6', state: 'Pushed'});
			return [{tag: '1', digest: `sha256:${'ab'.repeat(32)}`, size: 100}];
		};
	});
	await type('2', 'P');
	t.regex(frame(), /Push wherry\/base:latest[\s\S]*To +wherry\/base:latest/);
	await type('\u0015', 'registry:5000/mine:1', '\r');
	await until(() => /Pushed registry/.test(frame()));
	t.deepEqual(fake.calls, ['tag wherry/base:latest registry:5000/mine:1', 'push registry:5000/mine:1']);
	t.is(store.state.command, 'wherry push registry:5000/mine:1');
});

/** Sizes in megabytes. */
const usage = {
	LayersSize: 180e6,
	Images: [],
	Containers: [],
	ContainerLogs: {},
	Volumes: [
		{Name: 'data', UsageData: {Size: 70e6, RefCount: 1}},
		{Name: 'old', UsageData: {Size: 30e6, RefCount: 0}},
	],
	BuildCache: [
		{Id: 'sha256:c1', Description: 'RUN make', Size: 90e6, Shared: false},
		{Id: 'sha256:c2', Description: 'COPY . .', Size: 10e6, Shared: true},
	],
} as unknown as DiskUsage;

function withDisk(engine: Engine): void {
	engine.diskUsage = async () => {
		const [web, , job] = await engine.containers.list({all: true});
		const images = await engine.images.list();
		return {
			...usage,
			Images: images.map((image) => ({...image, SharedSize: image.Containers > 0 ? 5e6 : 0})),
			Containers: [
				{...web!, SizeRw: 3e6},
				{...job!, SizeRw: 8e6},
			],
			ContainerLogs: {[web!.Id]: 55e6, [job!.Id]: 1e6},
		};
	};
	engine.images.prune = async ({filters, preview} = {}) => {
		if (!preview) throw new Error('nothing may be removed unasked');
		return {ImagesDeleted: [], SpaceReclaimed: filters?.dangling ? 4.2e6 : 1000};
	};
}

for (const size of SIZES) {
	test(`what takes space at ${size.columns}x${size.rows}`, async (t) => {
		const {frame, type} = await openWith(withDisk, size);
		await type('W');
		await until(() => /prune frees/.test(frame()));
		t.snapshot(frame());
	});
}

test('what takes space leads to its row, and a kind to the question of its prune', async (t) => {
	const {frame, type, store} = await openWith(withDisk);
	await type('W');
	await until(() => /prune frees/.test(frame()));
	await type('nginx', '\r');
	// What it is made of is before its row.
	await until(() => store.state.dialog?.kind === 'text');
	await type(ESC);
	t.is(store.state.focus, 'images');
	t.regex(frame(), /❯ nginx +1\.27/);
	await type('W');
	await until(() => /prune frees/.test(frame()));
	await type('\r');
	await until(() => store.state.dialog?.kind === 'confirm');
	t.regex(frame(), /1 without a name that no container uses: frees 1kB/);
	t.regex(frame(), /2 that no container uses, with or without a name: frees 4\.2MB/);
	await type(ESC, 'W');
	await until(() => store.state.dialog?.kind === 'pick');
	await type(`${ESC}[B`, '\r');
	t.regex(frame(), /1 of 2 don’t run[\s\S]*job/);
});
