import {Buffer} from 'node:buffer';
import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {
	chmodSync,
	closeSync,
	existsSync,
	linkSync,
	lstatSync,
	lutimesSync,
	mkdirSync,
	openSync,
	readdirSync,
	readFileSync,
	symlinkSync,
	truncateSync,
	utimesSync,
	writeFileSync,
	writeSync,
} from 'node:fs';
import {join} from 'node:path';
import {gzipSync, zstdCompressSync} from 'node:zlib';
import test from 'ava';
import {native} from '../../src/kernel/native.ts';
import {describe, privateFolder, unpack} from './layer.ts';
import {
	archive,
	base256,
	entry,
	file,
	folder,
	hardLink,
	header,
	longName,
	padded,
	pax,
	symlink,
} from './tar-archive.ts';

const sha256 = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const read = (...parts: string[]): string => readFileSync(join(...parts), 'utf8');

/** A tree with one of everything that a layer may hold. */
function makeTree(root: string): void {
	const path = (name: string) => join(root, name);
	mkdirSync(path(`deep/${'long-folder-name-'.repeat(8)}/x`), {recursive: true});
	writeFileSync(path(`deep/${'long-folder-name-'.repeat(8)}/x/${'f'.repeat(200)}`), 'long');
	mkdirSync(path('many'));
	for (let index = 0; index < 300; index++) writeFileSync(path(`many/${index}`), 'x'.repeat(index * 7));
	writeFileSync(path('suid'), '#!', {mode: 0o755});
	execFileSync('chown', ['7:8', path('suid')]);
	chmodSync(path('suid'), 0o6751);
	linkSync(path('suid'), path('suid-again'));
	symlinkSync('/etc/passwd', path('absolute-link'));
	symlinkSync('t'.repeat(300), path('long-link'));
	execFileSync('chown', ['-h', '12345:54321', path('long-link')]);
	lutimesSync(path('long-link'), 1.5, 1_234_567.25);
	mkdirSync(path('sticky'));
	writeFileSync(path('sticky/file'), '');
	execFileSync('chown', ['1000:2000', path('sticky')]);
	chmodSync(path('sticky'), 0o3777);
	chmodSync(path('many'), 0o500);
	native.mknod(path('fifo'), 0o010640, 0);
	native.mknod(path('device'), 0o020666, 0x103);
	native.mknod(path('block'), 0o060600, 0x12_34567 & 0xfffff);
	writeFileSync(path('caps'), 'caps');
	native.setXattr(
		path('caps'),
		'security.capability',
		Buffer.from('0100000200040000000000000000000000000000', 'hex'),
	);
	native.setXattr(path('caps'), 'user.text', Buffer.from('a=b\nc\0d'));
	native.setXattr(path('sticky'), 'user.folder', Buffer.from('yes'));
	const sparse = openSync(path('sparse'), 'w');
	for (let index = 0; index < 30; index++) writeSync(sparse, `part ${index}`, index * 1_000_000);
	closeSync(sparse);
	truncateSync(path('sparse'), 40_000_000);
	writeFileSync(path('big'), Buffer.alloc(3_000_001, 'wherry '));
	writeFileSync(path('ümläut \n new'), 'name');
	utimesSync(path('big'), 5, 1_700_000_000.123);
	for (const name of ['many', 'sticky', 'deep']) utimesSync(path(name), 77, 1_111_111_111);
}

const formats: Readonly<Record<string, readonly string[]>> = {
	pax: ['--format=pax'],
	'pax with sparse map 0.0': ['--format=pax', '--sparse', '--sparse-version=0.0'],
	'pax with sparse map 0.1': ['--format=pax', '--sparse', '--sparse-version=0.1'],
	'pax with sparse map 1.0': ['--format=pax', '--sparse', '--sparse-version=1.0'],
	gnu: ['--format=gnu', '--sparse'],
};

for (const [format, options] of Object.entries(formats)) {
	test(`an archive that GNU tar wrote as ${format} is unpacked as GNU tar unpacks it`, async (t) => {
		const root = privateFolder(t);
		mkdirSync(join(root, 'source'));
		makeTree(join(root, 'source'));
		const hasXattrs = format.startsWith('pax');
		const xattrs = hasXattrs ? ['--xattrs', '--xattrs-include=*'] : [];
		const names = readdirSync(join(root, 'source'));
		execFileSync('tar', [
			'-C',
			join(root, 'source'),
			...options,
			...xattrs,
			'-cf',
			join(root, 'a.tar'),
			...names,
		]);
		mkdirSync(join(root, 'expected'));
		execFileSync('tar', [
			'-C',
			join(root, 'expected'),
			...xattrs,
			'-xpf',
			join(root, 'a.tar'),
			'--numeric-owner',
		]);
		const stats = await unpack(join(root, 'layer'), readFileSync(join(root, 'a.tar')));
		t.deepEqual(describe(join(root, 'layer')), describe(join(root, 'expected')));
		t.deepEqual(stats.implied, []);
		t.is(stats.entries, describe(join(root, 'layer')).length);
		if (hasXattrs) {
			for (const [name, key] of [
				['caps', 'security.capability'],
				['caps', 'user.text'],
				['sticky', 'user.folder'],
			] as const) {
				t.deepEqual(
					native.getXattr(join(root, 'layer', name), key),
					native.getXattr(join(root, 'source', name), key),
				);
			}
		}
		const isSparse = options.includes('--sparse');
		t.is(lstatSync(join(root, 'layer/sparse')).blocks < 2000, isSparse);
	});
}

test('gzip, several gzip members, zstd, several zstd frames and plain archives give the same layer and diff id', async (t) => {
	const root = privateFolder(t);
	const bytes = archive(folder('a'), file('a/b', 'x'.repeat(1_000_000)), file('c'));
	const half = bytes.length / 2;
	const forms = {
		plain: bytes,
		gzip: gzipSync(bytes),
		members: Buffer.concat([gzipSync(bytes.subarray(0, half)), gzipSync(''), gzipSync(bytes.subarray(half))]),
		zeros: Buffer.concat([gzipSync(bytes), Buffer.alloc(100)]),
		zstd: zstdCompressSync(bytes),
		frames: Buffer.concat([
			zstdCompressSync(bytes.subarray(0, half)),
			zstdCompressSync(bytes.subarray(half)),
		]),
		skippable: Buffer.concat([Buffer.from('502a4d1803000000616263', 'hex'), zstdCompressSync(bytes)]),
	};
	for (const [form, data] of Object.entries(forms)) {
		for (const pieceSize of [1 << 20, 997]) {
			const stats = await unpack(join(root, form + pieceSize), data, pieceSize);
			t.is(stats.diffId, sha256(bytes), form);
			t.is(stats.digest, sha256(data), form);
			t.is(stats.fed, data.length);
			t.is(stats.size, bytes.length);
			t.is(read(root, form + pieceSize, 'c'), 'c');
		}
	}
	const stats = await unpack(join(root, 'bytewise'), gzipSync(archive(file('a'))), 1);
	t.is(stats.entries, 1);
});

test('the digest of nothing and of an archive without entries is right, and both are empty layers', async (t) => {
	const root = privateFolder(t);
	for (const bytes of [Buffer.alloc(0), Buffer.alloc(512), Buffer.alloc(1024), Buffer.alloc(10_240)]) {
		const stats = await unpack(join(root, String(bytes.length)), bytes);
		t.like(stats, {diffId: sha256(bytes), digest: sha256(bytes), entries: 0, size: bytes.length});
	}
});

test('bytes behind the end of the archive count for the diff id and are not unpacked', async (t) => {
	const root = privateFolder(t);
	const bytes = Buffer.concat([archive(file('a')), file('hidden'), Buffer.from('rest')]);
	const stats = await unpack(join(root, 'layer'), gzipSync(bytes));
	t.is(stats.diffId, sha256(bytes));
	t.deepEqual(readdirSync(join(root, 'layer')), ['a']);
});

test('an archive without the padding of its last file and without an end is whole', async (t) => {
	const root = privateFolder(t);
	const bytes = archive(file('a'), file('b', 'x'.repeat(700)));
	const cut = bytes.subarray(0, bytes.lastIndexOf('x') + 1);
	const stats = await unpack(join(root, 'layer'), gzipSync(cut));
	t.is(stats.diffId, sha256(cut));
	t.is(readFileSync(join(root, 'layer/b'), 'utf8'), 'x'.repeat(700));
});

test('whiteouts become what overlay understands', async (t) => {
	const root = privateFolder(t);
	const layer = join(root, 'layer');
	await unpack(
		layer,
		archive(
			file('.wh.gone'),
			folder('kept'),
			file('kept/.wh..wh..opq'),
			file('other/.wh.x', ''),
			file('.wh..wh.plnk'),
		),
	);
	const status = lstatSync(join(layer, 'gone'));
	t.true(status.isCharacterDevice());
	t.is(status.rdev, 0);
	t.is(native.getXattr(join(layer, 'kept'), 'trusted.overlay.opaque')?.toString(), 'y');
	t.is(native.getXattr(join(layer, 'other'), 'trusted.overlay.opaque'), undefined);
	t.deepEqual(readdirSync(layer).sort(), ['gone', 'kept', 'other']);

	// And in a mount: what is below is hidden.
	const lower = join(root, 'lower');
	mkdirSync(join(lower, 'kept'), {recursive: true});
	writeFileSync(join(lower, 'gone'), '');
	writeFileSync(join(lower, 'kept/hidden'), '');
	writeFileSync(join(lower, 'stays'), '');
	const mount = native.mountOverlay([layer, lower], undefined, undefined);
	t.deepEqual(readdirSync(`/proc/self/fd/${mount}`).sort(), ['kept', 'other', 'stays']);
	t.deepEqual(readdirSync(`/proc/self/fd/${mount}/kept`), []);
	closeSync(mount);
});

test('a whiteout concerns the layers below and not its own layer', async (t) => {
	const layer = join(privateFolder(t), 'layer');
	await unpack(
		layer,
		archive(
			file('.wh.first'),
			folder('first'),
			folder('second'),
			file('second/x'),
			file('.wh.second'),
			file('.wh.file'),
			file('file'),
			file('late'),
			file('.wh.late'),
			file('.wh.implied'),
			file('implied/x'),
		),
	);
	for (const name of ['first', 'second', 'implied']) {
		t.is(native.getXattr(join(layer, name), 'trusted.overlay.opaque')?.toString(), 'y', name);
	}
	t.true(existsSync(join(layer, 'second/x')));
	t.is(read(layer, 'file'), 'file');
	t.is(read(layer, 'late'), 'late');
});

test('of several entries of one name the last counts, and a folder keeps what is in it', async (t) => {
	const layer = join(privateFolder(t), 'layer');
	const stats = await unpack(
		layer,
		archive(
			file('a', 'first'),
			file('a', 'second', {mode: 0o600}),
			folder('b', {mode: 0o700}),
			file('b/x'),
			folder('b', {mode: 0o711}),
			folder('c'),
			file('c/d/e'),
			file('c', 'a file now'),
			file('d', 'a folder soon'),
			folder('d'),
			file('d/x'),
			symlink('e', 'd'),
			folder('e'),
			file('e/y'),
			folder('f'),
			symlink('f', '/d'),
		),
	);
	t.is(read(layer, 'a'), 'second');
	t.is(lstatSync(join(layer, 'b')).mode & 0o7777, 0o711);
	t.is(read(layer, 'b/x'), 'b/x');
	t.is(read(layer, 'c'), 'a file now');
	t.deepEqual(readdirSync(join(layer, 'd')), ['x']);
	t.true(lstatSync(join(layer, 'e')).isDirectory());
	t.true(lstatSync(join(layer, 'f')).isSymbolicLink());
	t.deepEqual(stats.implied, []);
});

test('replacing one name of a hard link leaves the other', async (t) => {
	const layer = join(privateFolder(t), 'layer');
	await unpack(
		layer,
		archive(
			file('a', 'one'),
			hardLink('b', 'a'),
			hardLink('b', './b'),
			file('a', 'two'),
			hardLink('c', '/b'),
		),
	);
	t.is(read(layer, 'a'), 'two');
	t.is(read(layer, 'b'), 'one');
	t.is(lstatSync(join(layer, 'b')).ino, lstatSync(join(layer, 'c')).ino);
});

test('folders that the layer needs but has no entry for are named, parents first', async (t) => {
	const layer = join(privateFolder(t), 'layer');
	const stats = await unpack(
		layer,
		archive(file('usr/local/bin/x'), folder('usr/local/bin'), file('opt/y'), file('gone/z'), file('gone')),
	);
	t.deepEqual(stats.implied, ['opt', 'usr', 'usr/local']);
	t.is(lstatSync(join(layer, 'usr')).mode & 0o7777, 0o755);
});

test('the entry of the root gives the root its mode and owner', async (t) => {
	const layer = join(privateFolder(t), 'layer');
	const stats = await unpack(
		layer,
		archive(folder('./', {mode: 0o1777, uid: 5, gid: 6, mtime: 99}), file('./a')),
	);
	const status = lstatSync(layer);
	t.like(status, {uid: 5, gid: 6, mtimeMs: 99_000});
	t.is(status.mode & 0o7777, 0o1777);
	t.deepEqual(stats.implied, []);
});

test('nothing of the folder that holds the layer passes on to its files', async (t) => {
	const root = privateFolder(t);
	execFileSync('chown', ['0:1234', root]);
	chmodSync(root, 0o2770);
	// A default ACL as setfacl would set it: rwx for everybody, and for user 99.
	const acl = '0200000001000700ffffffff0200070063000000040007 00ffffffff10000700ffffffff20000700ffffffff';
	native.setXattr(root, 'system.posix_acl_default', Buffer.from(acl.replaceAll(' ', ''), 'hex'));
	await unpack(
		join(root, 'layer'),
		archive(file('a', 'x', {mode: 0o640}), folder('b', {mode: 0o755}), file('c/d')),
	);
	for (const [name, mode] of [
		['a', 0o640],
		['b', 0o755],
		['c', 0o755],
		['c/d', 0o644],
	] as const) {
		const status = lstatSync(join(root, 'layer', name));
		t.is(status.mode & 0o7777, mode, name);
		t.is(status.gid, 0, name);
		t.is(native.getXattr(join(root, 'layer', name), 'system.posix_acl_access'), undefined, name);
	}
});

test('a parent that is a link is followed within the layer', async (t) => {
	const layer = join(privateFolder(t), 'layer');
	await unpack(
		layer,
		archive(
			folder('usr/bin'),
			symlink('bin', 'usr/bin'),
			file('bin/a'),
			symlink('up', '../../../usr/./bin/'),
			file('up/b'),
			symlink('usr/abs', '/usr/bin'),
			file('usr/abs/c'),
			symlink('new', 'not/there/yet'),
			file('new/d'),
		),
	);
	t.deepEqual(readdirSync(join(layer, 'usr/bin')).sort(), ['a', 'b', 'c']);
	t.deepEqual(readdirSync(join(layer, 'not/there/yet')), ['d']);
});

test('pax records, GNU long names, prefixes and base-256 numbers are understood', async (t) => {
	const layer = join(privateFolder(t), 'layer');
	const long = `${'p'.repeat(120)}/${'q'.repeat(120)}`;
	await unpack(
		layer,
		archive(
			pax([['path', 'global/ignored']], 'g'),
			pax([
				['path', 'pax/näme'],
				['uid', '4000000'],
				['gid', '4000001'],
				['mtime', '-1.25'],
				['size', '5'],
				['comment', 'none'],
				['SCHILY.xattr.user.binary', Buffer.from([0, 255, 10, 61])],
				['SCHILY.xattr.trusted.overlay.redirect', '/etc'],
				['SCHILY.xattr.user.overlay.opaque', 'y'],
			]),
			Buffer.concat([header({name: 'short', size: 0}), padded(Buffer.from('12345'))]),
			longName(long),
			longName('t'.repeat(200), 'K'),
			entry({name: 'cut', link: 'cut', type: '2', magic: 'ustar  \0'}),
			entry({name: 'name', prefix: 'prefix/of'}, 'prefix'),
			entry({name: 'v7/', type: '\0', magic: ''}),
			entry({name: 'contiguous', type: '7'}, 'seven'),
			entry(
				{name: 'large', size: base256(3n, 12), raw: {108: base256(3_000_000n, 8), 136: base256(-5n, 12)}},
				'abc',
			),
		),
	);
	const status = lstatSync(join(layer, 'pax/näme'), {bigint: true});
	t.like(status, {uid: 4_000_000n, gid: 4_000_001n, size: 5n, mtimeNs: -1_250_000_000n});
	t.deepEqual(native.getXattr(join(layer, 'pax/näme'), 'user.binary'), Buffer.from([0, 255, 10, 61]));
	t.is(native.getXattr(join(layer, 'pax/näme'), 'trusted.overlay.redirect'), undefined);
	t.is(native.getXattr(join(layer, 'pax/näme'), 'user.overlay.opaque'), undefined);
	t.true(lstatSync(join(layer, long)).isSymbolicLink());
	t.is(read(layer, 'prefix/of/name'), 'prefix');
	t.true(lstatSync(join(layer, 'v7')).isDirectory());
	t.is(read(layer, 'contiguous'), 'seven');
	t.like(lstatSync(join(layer, 'large')), {uid: 3_000_000, mtimeMs: -5000, size: 3});
	t.false(existsSync(join(layer, 'global')));
});

test('the links of one header do not need data, whatever size it claims', async (t) => {
	const layer = join(privateFolder(t), 'layer');
	await unpack(layer, archive(file('a'), header({name: 'b', link: 'a', type: '1', size: 5000}), file('c')));
	t.is(read(layer, 'b'), 'a');
	t.is(read(layer, 'c'), 'c');
});

test('a layer of more bytes than allowed is refused', async (t) => {
	const root = privateFolder(t);
	const bytes = gzipSync(archive(file('zeros', '\0'.repeat(50_000_000))));
	const error = await t.throwsAsync(unpack(join(root, 'bomb'), bytes, 65_536, 10_000_000));
	t.like(error, {code: 'EFBIG'});
	t.true((lstatSync(join(root, 'bomb/zeros'), {throwIfNoEntry: false})?.size ?? 0) <= 11_000_000);
});

test('an unpacker that is stopped ends, and refuses what comes later', async (t) => {
	const unpacker = native.unpackLayer(privateFolder(t));
	await unpacker.write(file('a').subarray(0, 100));
	await unpacker.abort();
	await t.throwsAsync(unpacker.write(file('b')), {code: 'ECANCELED'});
	await t.throwsAsync(unpacker.finish(), {code: 'ECANCELED'});
});

test('a folder that is not there is a clear error', (t) => {
	const error = t.throws(() => native.unpackLayer('/nonexistent/folder'));
	t.like(error, {code: 'ENOENT', path: '/nonexistent/folder'});
});

test('ten layers are unpacked at the same time', async (t) => {
	const root = privateFolder(t);
	const bytes = gzipSync(archive(...Array.from({length: 200}, (_, index) => file(`d/${index}`))));
	const all = await Promise.all(
		Array.from({length: 10}, (_, index) => unpack(join(root, String(index)), bytes, 4096)),
	);
	t.deepEqual(new Set(all.map((stats) => stats.entries)), new Set([200]));
	t.is(readdirSync(join(root, '9/d')).length, 200);
});
