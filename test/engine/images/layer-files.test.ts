import test from 'ava';
import type {ImageFileChange} from '../../../src/engine/api.ts';
import {analyseLayers, type LayerEntry} from '../../../src/engine/images/layer-files.ts';

/** `etc/` a folder, `etc/=` an opaque one, `-x` a whiteout, `x 5` a file of 5 bytes. */
function entry(text: string): LayerEntry {
	if (text.endsWith('/=')) return {path: text.slice(0, -2), kind: 'folder', size: 0, opaque: true};
	if (text.endsWith('/')) return {path: text.slice(0, -1), kind: 'folder', size: 0};
	if (text.startsWith('-')) return {path: text.slice(1), kind: 'whiteout', size: 0};
	const [path, size] = text.split(' ');
	return {path: path!, kind: 'file', size: Number(size)};
}

const analyse = (...layers: string[][]) =>
	analyseLayers(
		layers.map((texts, at) => ({
			label: {diffId: `sha256:${at}`, command: `step ${at}`, created: at},
			entries: texts.map(entry),
		})),
	);

const sign = {added: '+', changed: '~', removed: '-'};
const lines = (files: ImageFileChange[]) =>
	files.map(({path, change, size}) => `${sign[change]}${path} ${size}`);

test('each layer has what it adds, changes and removes', (t) => {
	const {layers, size, wasted, waste, biggest} = analyse(
		['etc/', 'etc/hosts 10', 'etc/old 20', 'usr/', 'usr/lib/', 'usr/lib/a 300', 'usr/lib/b 400'],
		['etc/', 'etc/hosts 15', 'etc/new 1', '-etc/old'],
		['usr/', '-usr/lib'],
	);
	t.deepEqual(
		layers.map(({files}) => lines(files)),
		[
			['+/etc/hosts 10', '+/etc/old 20', '+/usr/lib/a 300', '+/usr/lib/b 400'],
			['~/etc/hosts 15', '+/etc/new 1', '-/etc/old 20'],
			['-/usr/lib/ 700'],
		],
	);
	t.deepEqual(
		layers.map(({size: bytes, added, changed, removed}) => [bytes, added, changed, removed]),
		[
			[730, 4, 0, 0],
			[16, 1, 1, 1],
			[0, 0, 0, 2],
		],
	);
	t.deepEqual([layers[1]!.command, layers[1]!.created, layers[1]!.diffId], ['step 1', 1, 'sha256:1']);
	t.is(size, 746);
	t.is(wasted, 730);
	t.deepEqual(
		waste.map(({path, size: bytes, count}) => `${path} ${bytes} ${count}`),
		['/usr/lib/b 400 1', '/usr/lib/a 300 1', '/etc/old 20 1', '/etc/hosts 10 1'],
	);
	t.deepEqual(biggest, [
		{path: '/etc/hosts', size: 15, layer: 1},
		{path: '/etc/new', size: 1, layer: 1},
	]);
});

test('a file that is replaced again and again is wasted each time but the last', (t) => {
	const {waste, wasted} = analyse(['x 1'], ['x 2'], ['x 4'], ['-x'], ['x 8'], ['x 16']);
	t.deepEqual(waste, [{path: '/x', size: 15, count: 4}]);
	t.is(wasted, 15);
});

test('an opaque folder hides what was in it, and not what it brings', (t) => {
	const {layers, biggest} = analyse(['a/', 'a/x 1', 'a/b/', 'a/b/y 2'], ['a/=', 'a/z 4']);
	t.deepEqual(lines(layers[1]!.files), ['-/a/x 1', '-/a/b/ 2', '+/a/z 4']);
	t.deepEqual(
		biggest.map(({path}) => path),
		['/a/z'],
	);
});

test('files become folders and folders files', (t) => {
	const {layers} = analyse(['a 5', 'b/', 'b/x 6'], ['a/', 'a/y 1', 'b 2']);
	t.deepEqual(lines(layers[1]!.files), ['-/a 5', '+/a/y 1', '-/b/ 6', '+/b 2']);
});

test('whiteouts of what is not there, and folders that a layer implies, are harmless', (t) => {
	const {layers, wasted} = analyse(['-nothing', 'a/b/c 3', 'a/', 'a/b/'], ['-a/b/nothing', 'a/b/d 1']);
	t.deepEqual(
		layers.map(({files}) => lines(files)),
		[['+/a/b/c 3'], ['+/a/b/d 1']],
	);
	t.is(wasted, 0);
});

test('names of objects’ own properties are names like others', (t) => {
	const {layers} = analyse(['__proto__/', '__proto__/constructor 1'], ['-__proto__/constructor']);
	t.deepEqual(lines(layers[1]!.files), ['-/__proto__/constructor 1']);
});

test('a deep tree is no problem', (t) => {
	const path = Array.from({length: 3000}, () => 'd').join('/');
	const {wasted} = analyse([`${path} 7`], ['-d']);
	t.is(wasted, 7);
});

test('only the largest are listed', (t) => {
	const many = Array.from({length: 500}, (_, at) => `f${at} ${at}`);
	const {biggest, waste} = analyse(many, many);
	t.deepEqual([biggest.length, waste.length], [200, 200]);
	t.is(biggest[0]!.path, '/f499');
});
