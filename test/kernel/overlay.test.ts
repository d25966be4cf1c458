import {closeSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {native} from '../../src/kernel/native.ts';
import {privateFolder} from './layer.ts';

function makeLayers(root: string, count: number): string[] {
	return Array.from({length: count}, (_, index) => {
		// With what needs escaping in mount options, and longer than one fsconfig value may be.
		const folder = join(root, `layer:${index},\\ ${'long'.repeat(50)}`);
		mkdirSync(folder);
		writeFileSync(join(folder, `file-${index}`), String(index));
		writeFileSync(join(folder, 'all'), String(index));
		return folder;
	});
}

for (const classic of [false, true]) {
	const how = classic ? 'with mount(2)' : 'with fsconfig';

	test(`an overlay is mounted ${how}, attached nowhere, and ends with its descriptor`, (t) => {
		const root = privateFolder(t);
		const layers = makeLayers(root, 3);
		mkdirSync(join(root, 'upper'));
		mkdirSync(join(root, 'work'));
		const before = readFileSync('/proc/self/mountinfo', 'utf8');
		const fd = native.mountOverlay(layers, join(root, 'upper'), join(root, 'work'), classic);
		const mount = `/proc/self/fd/${fd}`;
		t.deepEqual(readdirSync(mount).sort(), ['all', 'file-0', 'file-1', 'file-2']);
		t.is(readFileSync(`${mount}/all`, 'utf8'), '0');
		writeFileSync(`${mount}/new`, 'new');
		rmSync(`${mount}/file-2`);
		t.is(readFileSync(join(root, 'upper/new'), 'utf8'), 'new');
		t.true(existsSync(join(layers[2] ?? '', 'file-2')));
		t.is(readFileSync('/proc/self/mountinfo', 'utf8'), before);
		closeSync(fd);
		// The work directory is free again.
		closeSync(native.mountOverlay(layers, join(root, 'upper'), join(root, 'work'), classic));
	});

	test(`without an upper directory an overlay is read-only ${how}, of one layer as of many`, (t) => {
		const root = privateFolder(t);
		for (const count of [1, 2, 60]) {
			const folder = join(root, String(count));
			mkdirSync(folder);
			const fd = native.mountOverlay(makeLayers(folder, count), undefined, undefined, classic);
			t.is(readdirSync(`/proc/self/fd/${fd}`).length, count + 1);
			t.throws(() => writeFileSync(`/proc/self/fd/${fd}/new`, ''), {code: 'EROFS'});
			closeSync(fd);
		}
	});
}

test('what is missing or wrong is named', (t) => {
	const root = privateFolder(t);
	const [layer = ''] = makeLayers(root, 1);
	mkdirSync(join(root, 'upper'));
	t.like(
		t.throws(() => native.mountOverlay([join(root, 'none')], join(root, 'upper'), join(root, 'upper'))),
		{code: 'ENOENT', path: join(root, 'none')},
	);
	mkdirSync(join(root, 'upper/work'));
	t.like(
		t.throws(() => native.mountOverlay([layer], join(root, 'upper'), join(root, 'upper/work'))),
		{code: 'EINVAL', syscall: 'fsconfig', path: 'overlay'},
	);
});
