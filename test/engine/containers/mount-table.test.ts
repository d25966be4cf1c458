import {
	chmodSync,
	existsSync,
	lstatSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	rmSync,
	statSync,
	symlinkSync,
	utimesSync,
	writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {linkMountTable} from '../../../src/engine/containers/mount-table.ts';
import {native} from '../../../src/kernel/native.ts';

/** `layers`, highest first, each made by a function of its folder; gives the container's own folder. */
function made(t: ExecutionContext, ...layers: ((folder: string) => void)[]): string {
	const base = mkdtempSync(join(tmpdir(), 'wherry-mtab-'));
	t.teardown(() => rmSync(base, {recursive: true, force: true}));
	const lowers = layers.map((make, index) => {
		const folder = join(base, `layer${index}`);
		mkdirSync(folder);
		make(folder);
		return folder;
	});
	const upper = join(base, 'upper');
	mkdirSync(upper);
	linkMountTable(upper, lowers);
	return upper;
}

const etc = (folder: string): void => void mkdirSync(join(folder, 'etc'));
const withTable = (folder: string): void => {
	etc(folder);
	writeFileSync(join(folder, 'etc/mtab'), 'stale');
};
const linked = (target: string) => (folder: string) => {
	etc(folder);
	symlinkSync(target, join(folder, 'etc/mtab'));
};
const table = (upper: string): string => readlinkSync(join(upper, 'etc/mtab'));

test('an image without a mount table gets one, in a folder like its own', (t) => {
	t.is(table(made(t)), '/proc/mounts');
	const time = new Date('2020-01-02T03:04:05Z');
	const upper = made(
		t,
		() => {},
		(folder) => {
			etc(folder);
			chmodSync(join(folder, 'etc'), 0o751);
			utimesSync(join(folder, 'etc'), time, time);
		},
		etc,
	);
	t.is(table(upper), '/proc/mounts');
	const {mode, mtime} = statSync(join(upper, 'etc'));
	t.is(mode & 0o7777, 0o751);
	t.deepEqual(mtime, time);
});

test('a file and a link elsewhere are replaced, links to /proc and folders stay', (t) => {
	t.is(table(made(t, etc, withTable)), '/proc/mounts');
	t.is(table(made(t, linked('/nowhere'))), '/proc/mounts');
	for (const target of ['/proc/mounts', '../proc/self/mounts']) {
		t.deepEqual(readdirSync(made(t, () => {}, linked(target))), [], target);
	}
	t.deepEqual(
		readdirSync(made(t, (folder) => void mkdirSync(join(folder, 'etc/mtab'), {recursive: true}))),
		[],
	);
});

test('what a layer has taken away is not there', (t) => {
	const gone = (path: string) => (folder: string) => {
		if (path.includes('/')) etc(folder);
		native.mknod(join(folder, path), 0o020000, 0);
	};
	t.is(table(made(t, gone('etc/mtab'), linked('/proc/mounts'))), '/proc/mounts');
	t.is(table(made(t, gone('etc'), linked('/proc/mounts'))), '/proc/mounts');
});

test('a link in place of /etc is not followed', (t) => {
	const outside = mkdtempSync(join(tmpdir(), 'wherry-outside-'));
	t.teardown(() => rmSync(outside, {recursive: true, force: true}));
	t.deepEqual(readdirSync(made(t, (folder) => symlinkSync(outside, join(folder, 'etc')))), []);
	t.deepEqual(readdirSync(outside), []);
	// That of a root which is a copy of the image's.
	const root = made(t, () => {});
	rmSync(join(root, 'etc'), {recursive: true});
	symlinkSync(outside, join(root, 'etc'));
	linkMountTable(root, [root]);
	t.deepEqual(readdirSync(outside), []);
	rmSync(join(root, 'etc'));
	withTable(root);
	writeFileSync(join(outside, 'kept'), 'kept');
	rmSync(join(root, 'etc/mtab'));
	symlinkSync(join(outside, 'kept'), join(root, 'etc/mtab'));
	linkMountTable(root, [root]);
	t.is(table(root), '/proc/mounts');
	t.true(lstatSync(join(root, 'etc/mtab')).isSymbolicLink());
	t.is(readFileSync(join(outside, 'kept'), 'utf8'), 'kept');
	t.false(existsSync(join(outside, 'mtab')));
});
