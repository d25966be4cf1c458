import test from 'ava';
import {renderFrame} from '../../src/tui/once.tsx';
import {displayWidth} from '../../src/tui/text/width.ts';
import {busyEngine, NOW} from './fake-engine.ts';
import {openUi, until} from './harness.ts';

const ESC = '\u001b';
const SIZES = [
	{columns: 80, rows: 24},
	{columns: 120, rows: 40},
	{columns: 200, rows: 50},
];

/** Without a size a file is one that the layer takes away. */
function layer(place: number, command: string, files: [path: string, size?: number][]) {
	return {
		label: {diffId: `sha256:${String(place).repeat(64)}`, command, created: NOW - 86_400 + place},
		entries: files.map(([path, size]) => ({
			path,
			kind: size === undefined ? ('whiteout' as const) : ('file' as const),
			size: size ?? 0,
		})),
	};
}

async function openLayers(size = SIZES[0]!) {
	const fake = busyEngine();
	fake.layers = [
		layer(0, 'ADD rootfs.tar.gz / # buildkit', [
			['etc/hosts', 174],
			['usr/bin/busybox', 3_100_000],
			['var/cache/index.tar.gz', 2_400_000],
		]),
		layer(1, '/bin/sh -c apk add --no-cache curl && rm -rf /var/cache/*', [
			['usr/bin/curl', 258_000],
			['usr/lib/libcurl.so.4.8.0', 603_000],
			['var/cache/index.tar.gz'],
		]),
		layer(2, '/bin/sh -c #(nop)  COPY dir:0123 in /srv ', [
			['srv/日本語.txt', 12],
			['etc/hosts', 190],
		]),
	];
	const ui = await openUi(fake, size);
	await ui.type('2', '\r');
	await until(() => /busybox|MADE BY/.test(renderFrame(ui.store, false)));
	return {fake, frame: () => renderFrame(ui.store, false), ...ui};
}

for (const size of SIZES) {
	test(`layers and their files at ${size.columns}x${size.rows}`, async (t) => {
		const {frame, type} = await openLayers(size);
		t.snapshot(frame(), 'layers');
		await type('j', '\r');
		t.snapshot(frame(), 'files of the second layer');
		await type('v');
		t.snapshot(frame(), 'the biggest');
		await type('v', 'z');
		t.snapshot(frame(), 'hidden ones, on the whole screen');
	});
}

test('a layer is read whole, its files are filtered and sorted, and Esc leads back', async (t) => {
	const {frame, type} = await openLayers();
	await type('j', 'i');
	t.regex(frame(), /RUN apk add --no-cache curl && rm -rf \/var\/cache/);
	await type(ESC, '\r', '/', 'curl', '\r');
	t.regex(frame(), /\+ +258kB +\/usr\/bin\/curl/);
	t.notRegex(frame(), /index\.tar/);
	await type(ESC, 'o');
	t.regex(frame(), /SIZE▼[\s\S]*2\.4MB[\s\S]*603kB[\s\S]*258kB/);
	await type(ESC);
	t.regex(frame(), /┏━.*2 Images/);
});

test('an image is read once, however often it is looked at', async (t) => {
	const {fake, type, store} = await openLayers();
	await type('2', 'jj');
	await until(() => fake.layersRead.length === 2);
	await type('kk', '0');
	await until(() => store.state.details.layers?.subject.includes('sha256:22') === true);
	t.is(fake.layersRead.length, 2);
});

test('layers that a stranger made up keep the frame whole', async (t) => {
	const fake = busyEngine();
	const evil = `${ESC}[2J\u202e日本🚣\u0301${'x'.repeat(300)}\r\n\u009b31m`;
	fake.layers = [
		layer(0, evil, [
			[evil, 1e15],
			[`a/${evil}`, 0],
		]),
		layer(1, evil, [[evil], ['🚣'.repeat(90), 1]]),
	];
	for (const size of [...SIZES, {columns: 40, rows: 10}]) {
		const {store, type} = await openUi(fake, size);
		await type('2', '\r');
		await until(() => store.snapshot().details.layers?.data !== undefined);
		for (const keys of ['', '\r', 'v', 'v', '\r']) {
			await type(keys);
			const lines = renderFrame(store, false).split('\n');
			t.is(lines.length, size.rows);
			for (const line of lines) {
				t.notRegex(line, /[\u0000-\u001f\u007f-\u009f\u202e]/);
				t.true(displayWidth(line) <= size.columns, `${displayWidth(line)}: ${line}`);
			}
		}
	}
});

test('an image whose layers can’t be read says why', async (t) => {
	const fake = busyEngine();
	const {engine} = fake;
	engine.images.layers = () => Promise.reject(new Error('a layer of the image is not there any more'));
	const {store, type} = await openUi({...fake, engine} as typeof fake);
	await type('2', '\r');
	await until(() => /not there any more/.test(renderFrame(store, false)));
	t.pass();
});
