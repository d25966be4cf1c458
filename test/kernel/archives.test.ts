/** Packing trees, and unpacking into trees that have files already. */
import {Buffer} from 'node:buffer';
import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {
	chmodSync,
	chownSync,
	closeSync,
	constants,
	existsSync,
	linkSync,
	lstatSync,
	lutimesSync,
	mkdirSync,
	openSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	rmdirSync,
	statSync,
	symlinkSync,
	truncateSync,
	utimesSync,
	writeFileSync,
	writeSync,
} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {native, type PackOptions, type UnpackOptions} from '../../src/kernel/native.ts';
import {describe, privateFolder} from './layer.ts';
import {archive, entry, file, folder, hardLink, pax, symlink} from './tar-archive.ts';

const oPath = 0o10000000;

async function withFds<T>(paths: readonly string[], work: (...fds: number[]) => Promise<T>): Promise<T> {
	const fds = paths.map((path) => openSync(path, oPath | constants.O_NOFOLLOW));
	try {
		return await work(...fds);
	} finally {
		for (const fd of fds) closeSync(fd);
	}
}

async function pack(path: string, to: string, options: PackOptions = {name: '.'}) {
	const output = openSync(to, 'w');
	try {
		return await withFds([path], (fd) => native.packTree(fd!, output, options));
	} finally {
		closeSync(output);
	}
}

async function unpack(root: string, bytes: Uint8Array | string, options: Partial<UnpackOptions> = {}) {
	const path = typeof bytes === 'string' ? bytes : `${root}.tar`;
	if (typeof bytes !== 'string') writeFileSync(path, bytes);
	const input = openSync(path, 'r');
	try {
		return await withFds([root], (fd) => native.unpackTree(fd!, input, {folder: '/', ...options}));
	} finally {
		closeSync(input);
	}
}

const listTar = (path: string): string[] =>
	execFileSync('tar', ['--numeric-owner', '-tf', path], {encoding: 'utf8'}).split('\n').filter(Boolean);

function makeTree(root: string): void {
	const path = (name: string) => join(root, name);
	mkdirSync(path('d/e'), {recursive: true});
	writeFileSync(path('d/file'), 'x'.repeat(700_001));
	chownSync(path('d/file'), 7, 8);
	chmodSync(path('d/file'), 0o6755);
	native.setXattr(path('d/file'), 'user.binary', Buffer.from('a\nb\0=c'));
	native.setXattr(
		path('d/file'),
		'security.capability',
		Buffer.from('0100000200040000000000000000000000000000', 'hex'),
	);
	linkSync(path('d/file'), path('same'));
	linkSync(path('d/file'), path('d/e/same'));
	symlinkSync('../../nowhere', path('d/link'));
	lutimesSync(path('d/link'), 3, 4);
	native.mknod(path('fifo'), 0o010640, 0);
	native.mknod(path('null'), 0o020666, 0x103);
	const sparse = openSync(path('sparse'), 'w');
	writeSync(sparse, 'start', 0);
	writeSync(sparse, 'middle', 20_000_000);
	closeSync(sparse);
	truncateSync(path('sparse'), 50_000_000);
	mkdirSync(path(Array(6).fill('n'.repeat(90)).join('/')), {recursive: true});
	writeFileSync(path('é ='), 'name');
	writeFileSync(path('empty'), '');
	chownSync(path('empty'), 3_000_000, 4_000_000_000);
	execFileSync('touch', ['-d', '1960-01-01', path('empty')]);
	symlinkSync('y'.repeat(300), path('long link'));
	const lastFolders = [
		'd/e',
		'd',
		...[5, 4, 3, 2, 1].map((depth) => Array(depth).fill('n'.repeat(90)).join('/')),
		'.',
	];
	utimesSync(path(Array(6).fill('n'.repeat(90)).join('/')), 5, 6);
	for (const name of [...readdirSync(root), 'd/file', ...lastFolders]) {
		if (name !== 'empty' && !lstatSync(path(name)).isSymbolicLink()) utimesSync(path(name), 5, 1_600_000_000);
	}
	lutimesSync(path('long link'), 1, 1);
}

test('a packed tree is what GNU tar unpacks, and what is unpacked here, and packing it again gives the same bytes', async (t) => {
	const base = privateFolder(t);
	const [tree, other, third] = ['tree', 'other', 'third'].map((name) => join(base, name)) as [
		string,
		string,
		string,
	];
	for (const path of [tree, other, third]) mkdirSync(path);
	makeTree(tree);
	const stats = await pack(tree, join(base, '1.tar'), {name: 'top', sparse: true, hash: true, sync: true});
	t.is(stats.size, statSync(join(base, '1.tar')).size);
	t.is(
		stats.digest,
		`sha256:${createHash('sha256')
			.update(readFileSync(join(base, '1.tar')))
			.digest('hex')}`,
	);
	t.true(stats.size < 2 << 20, 'holes take no room');
	execFileSync('tar', ['--xattrs', '--xattrs-include=*', '-xpf', join(base, '1.tar'), '-C', other], {
		stdio: ['ignore', 'ignore', 'ignore'],
	});
	const wanted = describe(tree);
	t.deepEqual(describe(join(other, 'top')), wanted);
	t.is(await unpack(third, join(base, '1.tar')), stats.entries);
	t.deepEqual(describe(join(third, 'top')), wanted);
	for (const root of [other, third]) {
		const name = join(root, 'top/same');
		t.deepEqual(native.getXattr(name, 'user.binary'), Buffer.from('a\nb\0=c'));
		t.is(native.getXattr(name, 'security.capability')?.length, 20);
	}
	t.true(lstatSync(join(third, 'top/sparse')).blocks < 100);
	await pack(join(third, 'top'), join(base, '2.tar'), {name: 'top', sparse: true});
	t.true(readFileSync(join(base, '2.tar')).equals(readFileSync(join(base, '1.tar'))));
});

test('without the sparse format holes are zeros', async (t) => {
	const base = privateFolder(t);
	mkdirSync(join(base, 'tree'));
	writeFileSync(join(base, 'tree/sparse'), '');
	truncateSync(join(base, 'tree/sparse'), 3_000_001);
	const {size} = await pack(join(base, 'tree'), join(base, 'tar'), {name: ''});
	t.is(size, 512 + 512 + 3_000_320 + 1024);
	const {size: alone} = await pack(join(base, 'tree'), join(base, 'tar'), {name: '', withTop: false});
	t.is(alone, size - 512);
});

for (const [name, names] of [
	['.', ['./', './a', './b/', './b/c']],
	['new', ['new/', 'new/a', 'new/b/', 'new/b/c']],
	['/', ['/', '/a', '/b/', '/b/c']],
] as const) {
	test(`the entries of a tree called ${name} begin with that`, async (t) => {
		const base = privateFolder(t);
		mkdirSync(join(base, 'tree/b'), {recursive: true});
		for (const path of ['a', 'b/c']) writeFileSync(join(base, 'tree', path), '');
		await pack(join(base, 'tree'), join(base, 'tar'), {name});
		t.deepEqual(listTar(join(base, 'tar')), [...names]);
	});
}

test('one file, one link and one device are packed under the name they are given', async (t) => {
	const base = privateFolder(t);
	writeFileSync(join(base, 'file'), 'content');
	symlinkSync('target', join(base, 'link'));
	native.mknod(join(base, 'zero'), 0o020600, 0x105);
	mkdirSync(join(base, 'to'));
	for (const name of ['file', 'link', 'zero']) {
		await pack(join(base, name), join(base, 'tar'), {name: `new ${name}`});
		await unpack(join(base, 'to'), join(base, 'tar'));
	}
	t.is(readFileSync(join(base, 'to/new file'), 'utf8'), 'content');
	t.is(readlinkSync(join(base, 'to/new link')), 'target');
	t.is(statSync(join(base, 'to/new zero')).rdev, 0x105);
	t.is((await pack(join(base, 'file'), join(base, 'tar'), {name: 'x'})).size, 2048);
});

test('an upper folder becomes a layer: whiteouts and opaque folders are told as layers tell them', async (t) => {
	const base = privateFolder(t);
	const upper = join(base, 'upper');
	mkdirSync(join(upper, 'opaque/in'), {recursive: true});
	native.setXattr(join(upper, 'opaque'), 'trusted.overlay.opaque', Buffer.from('y'));
	native.setXattr(join(upper, 'opaque/in'), 'trusted.overlay.origin', Buffer.from('x'));
	native.setXattr(join(upper, 'opaque/in'), 'trusted.other', Buffer.from('x'));
	native.mknod(join(upper, 'gone'), 0o020000, 0);
	linkSync(join(upper, 'gone'), join(upper, 'opaque/gone too'));
	writeFileSync(join(upper, '.dockerenv'), '');
	writeFileSync(join(upper, 'file'), 'x');
	await pack(upper, join(base, 'tar'), {
		upper: true,
		withTop: false,
		marks: {files: ['.dockerenv', 'file'], folders: []},
	});
	t.deepEqual(listTar(join(base, 'tar')), [
		'file',
		'.wh.gone',
		'opaque/',
		'opaque/.wh..wh..opq',
		'opaque/.wh.gone too',
		'opaque/in/',
	]);
	const text = readFileSync(join(base, 'tar'), 'latin1');
	t.false(text.includes('trusted.overlay'));
	t.true(text.includes('SCHILY.xattr.trusted.other=x'));
});

test('folders are merged, files replaced, and neither becomes the other', async (t) => {
	const base = privateFolder(t);
	const root = join(base, 'root');
	mkdirSync(join(root, 'folder/kept'), {recursive: true});
	writeFileSync(join(root, 'file'), 'old');
	linkSync(join(root, 'file'), join(root, 'other name'));
	await unpack(
		root,
		archive(
			folder('folder', {mode: 0o700, uid: 5, mtime: 77}),
			file('folder/new'),
			file('file', 'new'),
			file('deep/er/file'),
		),
	);
	t.is(readFileSync(join(root, 'file'), 'utf8'), 'new');
	t.is(readFileSync(join(root, 'other name'), 'utf8'), 'old');
	t.deepEqual(readdirSync(join(root, 'folder')).sort(), ['kept', 'new']);
	t.like(statSync(join(root, 'folder')), {mode: 0o040700, uid: 5, mtimeMs: 77_000});
	t.is(statSync(join(root, 'deep/er')).mode, 0o040755);
	const over = (bytes: Buffer) => unpack(root, bytes, {folder: '/folder/..'});
	await t.throwsAsync(over(archive(file('folder', ''))), {
		message: 'cannot overwrite directory "/folder/../folder" with non-directory "/folder/.."',
	});
	await t.throwsAsync(unpack(root, archive(folder('file'))), {
		code: 'EREFUSED',
		message: 'cannot overwrite non-directory "/file" with directory "/"',
	});
	await t.throwsAsync(unpack(root, archive(file('../x'))), {
		code: 'EREFUSED',
		message: '"../x" is outside of "/"',
	});
	t.is(readFileSync(join(root, 'file'), 'utf8'), 'new');
});

test('a folder called . keeps its looks, and one called / gets those of the archive', async (t) => {
	const root = join(privateFolder(t), 'root');
	mkdirSync(root, {mode: 0o711});
	await unpack(root, archive(folder('./', {mode: 0o700, mtime: 5})));
	t.is(statSync(root).mode & 0o777, 0o711);
	await unpack(root, archive(folder('/', {mode: 0o750, mtime: 5}), file('/a')));
	t.like(statSync(root), {mode: 0o040750, mtimeMs: 5000});
	t.true(existsSync(join(root, 'a')));
});

test('owners are those of the entries, or one for all, or left alone', async (t) => {
	const base = privateFolder(t);
	const bytes = archive(folder('f', {uid: 11, gid: 12}), file('f/x', 'x', {uid: 13, gid: 14, mode: 0o4755}));
	const owners: string[] = [];
	for (const options of [{}, {owners: false}, {uid: 21, gid: 22}]) {
		const root = join(base, `root ${owners.length}`);
		mkdirSync(root);
		await unpack(root, bytes, options);
		const [one, two] = [statSync(join(root, 'f')), statSync(join(root, 'f/x'))];
		owners.push(`${one.uid}:${one.gid} ${two.uid}:${two.gid} ${(two.mode & 0o7777).toString(8)}`);
	}
	t.deepEqual(owners, ['11:12 13:14 4755', '0:0 0:0 4755', '21:22 21:22 4755']);
});

test('compressed archives are unpacked, too, and what is no archive is refused', async (t) => {
	const root = join(privateFolder(t), 'root');
	mkdirSync(root);
	writeFileSync(`${root}.tar`, archive(file('a')));
	execFileSync('gzip', [`${root}.tar`]);
	await unpack(root, `${root}.tar.gz`);
	t.deepEqual(readdirSync(root), ['a']);
	await t.throwsAsync(unpack(root, Buffer.alloc(1000, 'not a tar archive')), {code: 'EBADLAYER'});
	await t.throwsAsync(unpack(root, archive(file('b', 'x'.repeat(5000))).subarray(0, 2000)), {
		code: 'EBADLAYER',
		message: /unexpected end/,
	});
	t.is(await unpack(root, Buffer.alloc(0)), 0);
});

test('what comes through a pipe, with padding behind the end, is read to its end', async (t) => {
	const root = join(privateFolder(t), 'root');
	mkdirSync(root);
	const script = `const {native} = await import(${JSON.stringify(new URL('../../src/kernel/native.ts', import.meta.url).href)});
		const fs = await import('node:fs');
		await native.unpackTree(fs.openSync(${JSON.stringify(root)}, 'r'), 0, {folder: '/'});`;
	writeFileSync(`${root}.tar`, archive(file('a', 'x'.repeat(300_000))));
	execFileSync(
		'bash',
		[
			'-o',
			'pipefail',
			'-c',
			`{ cat ${root}.tar; head -c 2000000 /dev/zero; } | "$@"`,
			'bash',
			process.execPath,
			'--input-type=module',
			'-e',
			script,
		],
		{stdio: ['ignore', 'ignore', 'inherit']},
	);
	t.is(statSync(join(root, 'a')).size, 300_000);
});

test('names of a root lead nowhere else: neither links of the root nor links of the archive', async (t) => {
	const base = privateFolder(t);
	const root = join(base, 'root');
	const outside = join(base, 'outside');
	mkdirSync(join(root, 'usr/lib'), {recursive: true});
	mkdirSync(outside);
	writeFileSync(join(outside, 'secret'), 'secret');
	symlinkSync('usr/lib', join(root, 'lib'));
	symlinkSync(outside, join(root, 'absolute'));
	symlinkSync(`../../../../../..${outside}`, join(root, 'up'));
	mkdirSync(join(root, outside), {recursive: true});
	await unpack(
		root,
		archive(
			file('lib/a'),
			file('absolute/b'),
			file('up/c'),
			symlink('made', outside),
			file('made/d'),
			symlink('made2', '/'),
			file(`made2${outside}/e`),
		),
	);
	t.true(existsSync(join(root, 'usr/lib/a')));
	t.deepEqual(readdirSync(join(root, outside)).sort(), ['b', 'c', 'd', 'e']);
	t.deepEqual(readdirSync(outside), ['secret']);
	// A link in the last place is replaced, and nothing is written through it.
	await unpack(root, archive(file('absolute', 'a file now')));
	t.is(readFileSync(join(root, 'absolute'), 'utf8'), 'a file now');
	await t.throwsAsync(unpack(root, archive(hardLink('stolen', 'up/secret'))), {code: 'ENOENT'});
	// On a host's folder even links that are there already are not followed.
	symlinkSync(outside, join(root, 'host link'));
	await t.throwsAsync(unpack(root, archive(file('host link/x')), {beneath: true, folder: root}), {
		code: 'ELOOP',
	});
	t.deepEqual(readdirSync(outside), ['secret']);
});

test('attributes that the file system refuses are left out, pax records of all kinds are applied', async (t) => {
	const root = join(privateFolder(t), 'root');
	mkdirSync(root);
	await unpack(
		root,
		archive(
			pax([
				['SCHILY.xattr.user.x', 'y'],
				['mtime', '12.5'],
				['uid', '5000000'],
			]),
			symlink('link', 'x'),
			pax([['path', 'é'.repeat(100)]]),
			file('short', 'data'),
			entry({name: 'fifo', type: '6', mode: 0o640}),
		),
	);
	t.like(lstatSync(join(root, 'link')), {uid: 5_000_000, mtimeMs: 12_500});
	t.is(readFileSync(join(root, 'é'.repeat(100)), 'utf8'), 'data');
	t.is(lstatSync(join(root, 'fifo')).mode, 0o010640);
});

test('a tree that is 1,500 folders deep is packed with few descriptors', async (t) => {
	const base = privateFolder(t);
	const deep = join(base, 'deep');
	mkdirSync(deep);
	// By steps: no path is that long.
	execFileSync(
		'perl',
		['-e', 'for (1..1500) { mkdir "d"; mkdir "x"; open F, ">", "e"; close F; chdir "d" }'],
		{
			cwd: deep,
		},
	);
	const stats = await pack(deep, join(base, 'tar'), {name: 'n'});
	t.is(stats.entries, 1 + 3 * 1500);
	await native.removeTree(deep);
});

test('a tree that is taken apart meanwhile is packed as far as it is there', async (t) => {
	const base = privateFolder(t);
	const tree = join(base, 'tree');
	for (let at = 0; at < 40; at++) {
		mkdirSync(join(tree, `${at}/a/b`), {recursive: true});
		writeFileSync(join(tree, `${at}/a/b/file`), 'x'.repeat(10_000));
	}
	const packings = [1, 2, 3].map((number) => pack(tree, join(base, `tar ${number}`), {name: 't'}));
	await native.removeTree(tree);
	for (const [at, packing] of packings.entries()) {
		const {entries} = await packing;
		t.is(listTar(join(base, `tar ${at + 1}`)).length, entries);
	}
});

test('an output that nobody reads any more ends the packing', async (t) => {
	const base = privateFolder(t);
	mkdirSync(join(base, 'tree'));
	writeFileSync(join(base, 'tree/big'), Buffer.alloc(8 << 20));
	execFileSync('mkfifo', [join(base, 'pipe')]);
	const reader = openSync(join(base, 'pipe'), constants.O_RDONLY | constants.O_NONBLOCK);
	const writer = openSync(join(base, 'pipe'), 'w');
	const packing = withFds([join(base, 'tree')], (fd) => native.packTree(fd!, writer, {name: '.'}));
	closeSync(reader);
	await t.throwsAsync(packing, {code: 'EPIPE'});
	closeSync(writer);
});

function diff(t: ExecutionContext, prepare: (upper: string, base: string) => void, whole = false) {
	const folder = privateFolder(t);
	const [upper, base] = [join(folder, 'upper'), join(folder, 'base')];
	mkdirSync(upper);
	mkdirSync(base);
	prepare(upper, base);
	return withFds([upper, base], (one, two) =>
		native.listChanges(one!, two!, {
			upper: !whole,
			marks: {files: ['.dockerenv', 'etc/hosts'], folders: ['etc', 'proc'], base: two!},
		}),
	);
}

test('changes of an upper folder are those that docker tells', async (t) => {
	const changes = await diff(t, (upper, base) => {
		for (const path of ['opaque/old', 'opaque/both', 'dir', 'moved', 'etc'])
			mkdirSync(join(base, path), {recursive: true});
		for (const path of ['gone', 'dir/file', 'dir/same', 'opaque/old/x', 'to-dir', 'mode'])
			writeFileSync(join(base, path), '1');
		symlinkSync('/gone', join(base, 'link'));
		for (const path of ['dir', 'opaque/both', 'moved', 'new/in', 'to-dir', 'link', 'etc', 'proc'])
			mkdirSync(join(upper, path), {recursive: true});
		native.setXattr(join(upper, 'opaque'), 'trusted.overlay.opaque', Buffer.from('y'));
		native.mknod(join(upper, 'gone'), 0o020000, 0);
		native.mknod(join(upper, 'never was'), 0o020000, 0);
		for (const path of ['dir/file', 'link/x', 'to-dir/x']) writeFileSync(join(upper, path), '22');
		execFileSync('cp', ['-p', join(base, 'dir/same'), join(upper, 'dir/same')]);
		execFileSync('cp', ['-p', join(base, 'mode'), join(upper, 'mode')]);
		chmodSync(join(upper, 'mode'), 0o600);
		chownSync(join(upper, 'moved'), 5, 5);
		for (const path of ['.dockerenv', 'etc/hosts']) writeFileSync(join(upper, path), '');
	});
	t.deepEqual(changes, [
		'C dir',
		'C dir/file',
		'D gone',
		'C link',
		'A link/x',
		'C mode',
		'C moved',
		'A new',
		'A new/in',
		'C opaque',
		'D opaque/old',
		'C to-dir',
		'A to-dir/x',
	]);
});

test('a start marks nothing as changed, unless the container did more than that', async (t) => {
	const prepare = (upper: string, base: string) => {
		mkdirSync(join(base, 'etc'));
		mkdirSync(join(upper, 'etc'));
		writeFileSync(join(upper, 'etc/hosts'), '');
	};
	t.deepEqual(await diff(t, prepare), []);
	const changed = (more: (upper: string) => void) =>
		diff(t, (upper, base) => {
			prepare(upper, base);
			more(upper);
		});
	t.deepEqual(await changed((upper) => chmodSync(join(upper, 'etc'), 0o700)), ['C etc']);
	t.deepEqual(await changed((upper) => writeFileSync(join(upper, 'etc/hosts'), 'x')), [
		'C etc',
		'A etc/hosts',
	]);
	t.deepEqual(await changed((upper) => writeFileSync(join(upper, 'etc/other'), '')), [
		'C etc',
		'A etc/other',
	]);
});

test('changes of a whole root are found without an upper folder, and packed as a layer', async (t) => {
	const folder = privateFolder(t);
	const [root, base] = [join(folder, 'root'), join(folder, 'base')];
	for (const path of [root, base]) {
		mkdirSync(join(path, 'a/b'), {recursive: true});
		mkdirSync(join(path, 'gone/in'), {recursive: true});
		for (const name of ['a/b/c', 'a/kept', 'old']) {
			writeFileSync(join(path, name), '1');
			utimesSync(join(path, name), 9, 9);
		}
	}
	rmdirSync(join(root, 'gone/in'));
	rmdirSync(join(root, 'gone'));
	writeFileSync(join(root, 'a/b/c'), '2');
	writeFileSync(join(root, 'new'), '2');
	await native.removeTree(join(root, 'old'));
	mkdirSync(join(root, 'old'));
	t.deepEqual(await withFds([root, base], (one, two) => native.listChanges(one!, two!, {})), [
		'C a',
		'C a/b',
		'C a/b/c',
		'D gone',
		'A new',
		'C old',
	]);
	await withFds([base], (fd) => pack(root, join(folder, 'tar'), {withTop: false, base: fd!}));
	t.deepEqual(listTar(join(folder, 'tar')), ['a/', 'a/b/', 'a/b/c', 'new', 'old/', '.wh.gone']);
});
