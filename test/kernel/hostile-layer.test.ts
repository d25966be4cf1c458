/** Archives that want out, that lie, or that are broken. What strangers send must stay in its folder. */
import {Buffer} from 'node:buffer';
import {execFileSync} from 'node:child_process';
import {
	existsSync,
	lstatSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	statfsSync,
	writeFileSync,
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

/** A folder with something to damage, and a place for the layer beside it. */
function makeScene(root: string): {layer: string; outside: () => string[]} {
	const layer = join(root, 'layers/one');
	mkdirSync(layer, {recursive: true});
	mkdirSync(join(root, 'victim'));
	writeFileSync(join(root, 'victim/file'), 'untouched');
	writeFileSync(join(root, 'layers/beside'), 'untouched');
	const outside = () => describe(root).filter((line) => !/^layers(\/one(\/| )| )/.test(line));
	return {layer, outside};
}

const up = '../'.repeat(20);

/** Each is refused with EBADLAYER, or with the system error named. */
const refused: Readonly<Record<string, {archive: Buffer; code?: string; message?: RegExp}>> = {
	'a name with ..': {
		archive: archive(file('../beside', 'x')),
		message: /\.\.\/beside: the name leads out of the layer/,
	},
	'a name with .. inside': {archive: archive(folder('a'), file('a/../../beside', 'x'))},
	'a name with .. in a pax record': {archive: archive(pax([['path', '../../victim/file']]), file('a', 'x'))},
	'a long name with ..': {archive: archive(longName(`${up}${'a/../'.repeat(30)}x`), file('a', 'x'))},
	'a prefix with ..': {archive: archive(entry({name: 'beside', prefix: '..'}, 'x'))},
	'a sparse name with ..': {
		archive: archive(
			pax([
				['GNU.sparse.major', '1'],
				['GNU.sparse.minor', '0'],
				['GNU.sparse.name', '../beside'],
				['GNU.sparse.realsize', '3'],
			]),
			entry({name: 'a'}, Buffer.concat([padded(Buffer.from('1\n0\n3\n')), Buffer.from('abc')])),
		),
	},
	'a folder with ..': {archive: archive(folder('../new'))},
	'a hard link outside': {archive: archive(hardLink('a', '../beside')), message: /out of the layer/},
	'a hard link to what is not there': {
		archive: archive(hardLink('a', '/etc/passwd')),
		message: /does not contain/,
	},
	'a hard link through a link': {archive: archive(symlink('l', `${up}etc`), hardLink('a', 'l/passwd'))},
	'a hard link to a folder': {archive: archive(folder('d'), hardLink('a', 'd'))},
	'a hard link to the root': {archive: archive(hardLink('a', '.'))},
	'a hard link to what it replaces': {archive: archive(folder('d'), file('d/x'), hardLink('d', 'd/x'))},
	'a file in the place of the root': {archive: archive(file('.', 'x'))},
	'a link in the place of the root': {archive: archive(symlink('a/..', '/etc'))},
	'a whiteout of nothing': {archive: archive(file('.wh.', ''))},
	'a whiteout of .': {archive: archive(file('.wh..', ''))},
	'a whiteout of ..': {archive: archive(folder('a'), file('a/.wh...', ''))},
	'a whiteout with ..': {archive: archive(file('../.wh.beside', ''))},
	'a file as a parent': {archive: archive(file('a'), file('a/b')), code: 'ENOTDIR'},
	'a device as a parent': {
		archive: archive(entry({name: 'a', type: '3', major: 1, minor: 3}), file('a/b')),
		code: 'ENOTDIR',
	},
	'links in a circle': {archive: archive(symlink('a', 'b'), symlink('b', 'a'), file('a/x')), code: 'ELOOP'},
	'a link to itself': {archive: archive(symlink('a', 'a'), file('a/x')), code: 'ELOOP'},
	'a component of 300 characters': {
		archive: archive(pax([['path', 'n'.repeat(300)]]), file('a')),
		code: 'ENAMETOOLONG',
	},
	'a path of 10,000 characters': {
		archive: archive(pax([['path', 'a/'.repeat(5000)]]), file('a')),
		code: 'ENAMETOOLONG',
	},
	'a link target of 10,000 characters': {
		archive: archive(pax([['linkpath', 'a/'.repeat(5000)]]), symlink('a', 'b')),
		code: 'ENAMETOOLONG',
	},
	'a name with a null byte': {archive: archive(pax([['path', 'a\0b']]), file('a'))},
	'a pax header of 2 MiB': {archive: archive(pax([['comment', 'x'.repeat(2_000_000)]]), file('a'))},
	'a pax header that claims to be huge': {
		archive: archive(header({name: 'x', type: 'x', size: 0o77777777777})),
	},
	'a pax record with a wrong length': {
		archive: archive(entry({name: 'x', type: 'x'}, '99 path=a\n'), file('a')),
	},
	'a pax record without an end': {archive: archive(entry({name: 'x', type: 'x'}, '9 path=abc'), file('a'))},
	'a pax record of negative length': {
		archive: archive(entry({name: 'x', type: 'x'}, '-9 path=a\n'), file('a')),
	},
	'a pax size that is negative': {archive: archive(pax([['size', '-1']]), file('a'))},
	'a pax size beyond 63 bits': {archive: archive(pax([['size', '9223372036854775808']]), file('a'))},
	'a pax owner of -1': {archive: archive(pax([['uid', '4294967295']]), file('a'))},
	'a pax time that is not one': {archive: archive(pax([['mtime', '1.2.3']]), file('a'))},
	'a negative size': {archive: archive(entry({name: 'a', size: base256(-1n, 12)}, 'x'))},
	'a size beyond 63 bits': {archive: archive(entry({name: 'a', size: base256(1n << 70n, 12)}, 'x'))},
	'a size that is not a number': {archive: archive(entry({name: 'a', size: 'notanumber'}, 'x'))},
	'a huge size': {archive: archive(entry({name: 'a', size: base256(1n << 50n, 12)}, 'x'))},
	'a bad checksum': {archive: archive(entry({name: 'a', badChecksum: true}, 'x')), message: /checksum/},
	'text instead of an archive': {archive: Buffer.from('not a tar archive at all. '.repeat(100))},
	'a header that is cut off': {archive: file('a').subarray(0, 300)},
	'data that is cut off': {
		archive: file('a', 'x'.repeat(10_000)).subarray(0, 3000),
		message: /unexpected end/,
	},
	'a pax header at the end': {archive: archive(file('a'), pax([['path', 'b']]))},
	'one empty block in the middle': {archive: archive(file('a'), Buffer.alloc(512), file('b'))},
	'an unknown type': {archive: archive(entry({name: 'a', type: 'Z'}))},
	'a continued volume': {archive: archive(entry({name: 'a', type: 'M'}))},
	'gzip data that is cut off': {archive: gzipSync(archive(file('a', 'x'.repeat(100_000)))).subarray(0, 100)},
	'gzip data with a wrong checksum': {
		archive: ((bytes: Buffer) => {
			bytes[bytes.length - 6] = (bytes[bytes.length - 6] ?? 0) ^ 1;
			return bytes;
		})(gzipSync(archive(file('a')))),
		message: /broken gzip data/,
	},
	'garbage behind gzip data': {
		archive: Buffer.concat([gzipSync(archive(file('a'))), Buffer.from('garbage')]),
	},
	'zstd data that is cut off': {
		archive: zstdCompressSync(archive(file('a', 'x'.repeat(100_000)))).subarray(0, 30),
	},
	'broken zstd data': {archive: Buffer.concat([Buffer.from('28b52ffd', 'hex'), Buffer.alloc(100, 0xee)])},
	'xz data that is cut off': {
		archive: Buffer.from('fd377a585a000004e6d6b446', 'hex'),
		message: /unexpected end of the xz data/,
	},
	'bzip2 data that is cut off': {
		archive: Buffer.from('BZh91AY&SY'),
		message: /unexpected end of the bzip2 data/,
	},
	'overlapping sparse parts': {
		archive: archive(
			pax([
				['GNU.sparse.map', '0,5,3,5'],
				['GNU.sparse.size', '20'],
			]),
			file('a', '0123456789'),
		),
	},
	'sparse parts beyond the end': {
		archive: archive(
			pax([
				['GNU.sparse.map', '9223372036854775800,10'],
				['GNU.sparse.size', '20'],
			]),
			file('a', '0123456789'),
		),
	},
	'sparse parts that are not all the data': {
		archive: archive(
			pax([
				['GNU.sparse.map', '0,5'],
				['GNU.sparse.size', '20'],
			]),
			file('a', '0123456789'),
		),
	},
	'a sparse map with a billion lines': {
		archive: archive(
			pax([
				['GNU.sparse.major', '1'],
				['GNU.sparse.minor', '0'],
				['GNU.sparse.realsize', '20'],
			]),
			file('a', '1000000000\n'),
		),
	},
	'a sparse file of 8 EiB': {
		archive: archive(
			pax([
				['GNU.sparse.map', '0,1'],
				['GNU.sparse.size', '9223372036854775807'],
			]),
			file('a', '0'),
		),
		code: 'EFBIG',
	},
};

for (const [what, {archive: bytes, code = 'EBADLAYER', message}] of Object.entries(refused)) {
	test(`refused: ${what}`, async (t) => {
		const {layer, outside} = makeScene(privateFolder(t));
		const before = outside();
		const error = await t.throwsAsync(unpack(layer, bytes));
		t.is((error as NodeJS.ErrnoException).code, code, error?.message);
		t.notRegex(error?.message ?? '', /\n/);
		if (message) t.regex(error?.message ?? '', message);
		t.deepEqual(outside(), before);
	});
}

/** Each is unpacked, and harms nobody. `inside`: what the layer holds then. */
const confined: Readonly<Record<string, {archive: Buffer; inside: readonly string[]}>> = {
	'an absolute name': {archive: archive(file('/victim/file', 'x')), inside: ['victim', 'victim/file']},
	'an absolute name with ..': {
		archive: archive(file('/../../victim/file', 'x')),
		inside: ['victim', 'victim/file'],
	},
	'a name through a link with ..': {
		archive: archive(symlink('l', `${up}victim`), file('l/file', 'x')),
		inside: ['l', 'victim', 'victim/file'],
	},
	'a name through an absolute link': {
		archive: archive(symlink('l', '/etc'), file('l/passwd', 'x')),
		inside: ['etc', 'etc/passwd', 'l'],
	},
	'a file over a link': {archive: archive(symlink('l', `${up}victim/file`), file('l', 'x')), inside: ['l']},
	'a folder over a link, and back': {
		archive: archive(
			symlink('l', `${up}victim`),
			folder('l'),
			symlink('l', `${up}victim`),
			file('l/file', 'x'),
		),
		inside: ['l', 'victim', 'victim/file'],
	},
	'links through links': {
		archive: archive(
			folder('a'),
			symlink('a/b', '..'),
			symlink('c', 'a/b/..'),
			symlink('d', 'c/../..'),
			file('d/x', 'x'),
		),
		inside: ['a', 'a/b', 'c', 'd', 'x'],
	},
	'a whiteout through a link': {
		archive: archive(symlink('l', `${up}victim`), file('l/.wh.file', '')),
		inside: ['l', 'victim', 'victim/file'],
	},
	'a hard link to a link': {
		archive: archive(symlink('l', `${up}victim/file`), hardLink('h', 'l'), file('h', 'x')),
		inside: ['h', 'l'],
	},
	'a hard link to a link that is replaced by a folder': {
		archive: archive(symlink('l', '/etc'), hardLink('h', 'l'), folder('l'), file('h/x', 'x')),
		inside: ['etc', 'etc/x', 'h', 'l'],
	},
	'dots and slashes': {archive: archive(file('.//./a/.//b', 'x'), folder('a//')), inside: ['a', 'a/b']},
	'control characters': {archive: archive(file('a\n\x1b[2J\t', 'x')), inside: ['a\n\x1b[2J\t']},
	'a device of the host': {
		archive: archive(entry({name: 'disk', type: '4', major: 254, minor: 0, mode: 0o666})),
		inside: ['disk'],
	},
};

function list(folderPath: string, relative = ''): string[] {
	return readdirSync(join(folderPath, relative))
		.sort()
		.flatMap((name) => {
			const path = join(relative, name);
			return lstatSync(join(folderPath, path)).isDirectory() ? [path, ...list(folderPath, path)] : [path];
		});
}

for (const [what, {archive: bytes, inside}] of Object.entries(confined)) {
	test(`kept inside: ${what}`, async (t) => {
		const {layer, outside} = makeScene(privateFolder(t));
		const before = outside();
		await unpack(layer, bytes);
		t.deepEqual(outside(), before);
		t.deepEqual(list(layer), inside);
	});
}

test('links that lead ever deeper end in an error, and the tree can be removed', async (t) => {
	const {layer} = makeScene(privateFolder(t));
	const long = 'd/'.repeat(1500);
	const parts: Buffer[] = [];
	let name = '';
	for (let level = 0; level < 6; level++) {
		parts.push(pax([['linkpath', name + long]]), symlink(`l${level}`, 'x'));
		name = `l${level}/`;
		parts.push(pax([['path', `${name}${long}f`]]), file('f', 'x'));
	}
	const error = await t.throwsAsync(unpack(layer, archive(...parts)));
	t.is((error as NodeJS.ErrnoException).code, 'ENAMETOOLONG');
	await native.removeTree(layer);
	t.false(existsSync(layer));
});

test('a full file system is the error ENOSPC', async (t) => {
	const {layer} = makeScene(privateFolder(t));
	execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'wherry-test', layer]);
	t.teardown(() => execFileSync('umount', [layer]));
	const bytes = gzipSync(archive(file('a', 'x'.repeat(3_000_000))));
	const error = await t.throwsAsync(unpack(layer, bytes));
	t.like(error, {code: 'ENOSPC', path: 'a'});
	t.true(statfsSync(layer).bavail <= 1);
});

test('what the fuzz target has kept is unpacked or refused with an error, and nothing outside changes', async (t) => {
	const {layer, outside} = makeScene(privateFolder(t));
	const before = outside();
	const corpus = new URL('../fuzz/corpus/', import.meta.url);
	const names = readdirSync(corpus);
	t.true(names.length > 10);
	let fine = 0;
	for (const name of names) {
		const target = join(layer, 'one');
		try {
			await unpack(target, readFileSync(new URL(name, corpus)));
			fine++;
		} catch (error) {
			t.regex((error as NodeJS.ErrnoException).code ?? String(error), /^E[A-Z0-9]+$/, name);
		}
		await native.removeTree(target);
	}
	t.true(fine > 0);
	t.deepEqual(outside(), before);
});

/** A small, fast and repeatable source of numbers (xorshift). */
function makeRandom(seed: number): (below: number) => number {
	let state = seed;
	return (below) => {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		return (state >>> 0) % below;
	};
}

test('3,000 damaged archives are unpacked or refused with an error, and nothing outside changes', async (t) => {
	const root = privateFolder(t);
	const {layer, outside} = makeScene(root);
	const before = outside();
	const seeds = [
		...Object.values(refused).map((each) => each.archive),
		...Object.values(confined).map((each) => each.archive),
		archive(
			folder('a'),
			file('a/b'),
			symlink('c', 'a'),
			hardLink('d', 'a/b'),
			file('c/e'),
			file('.wh.f', ''),
		),
		gzipSync(archive(folder('a'), file('a/b', 'data'.repeat(100)))),
		zstdCompressSync(archive(folder('a'), file('a/b', 'data'.repeat(100)))),
	].filter((bytes) => bytes.length < 8000);
	const random = makeRandom(0x5eed);
	const codes = new Set<string>();
	for (let round = 0; round < 3000; round++) {
		const bytes = Buffer.from(seeds[random(seeds.length)] ?? Buffer.alloc(0));
		let damaged = bytes;
		for (let change = random(4); change >= 0 && bytes.length > 0; change--) {
			const at = random(bytes.length);
			const kind = random(4);
			if (kind === 0) bytes[at] = random(256);
			else if (kind === 1) bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
			else if (kind === 2) damaged = bytes.subarray(0, at);
			else bytes.copy(bytes, at, random(bytes.length), random(bytes.length));
		}
		// Most changes break the checksum of a header: made right again, they get further.
		if (random(3) > 0 && damaged.length >= 512 && damaged[0] !== 0x1f) {
			for (let start = 0; start + 512 <= damaged.length; start += 512) {
				if (damaged.toString('latin1', start + 257, start + 262) !== 'ustar') continue;
				damaged.fill(' ', start + 148, start + 156);
				let sum = 0;
				for (const byte of damaged.subarray(start, start + 512)) sum += byte;
				damaged.write(`${sum.toString(8).padStart(6, '0')}\0 `, start + 148, 'latin1');
			}
		}
		const target = join(layer, String(round % 50));
		try {
			await unpack(target, damaged);
			codes.add('fine');
		} catch (error) {
			codes.add((error as NodeJS.ErrnoException).code ?? String(error));
		}
		if (round % 50 === 49) {
			for (let index = 0; index < 50; index++) await native.removeTree(join(layer, String(index)));
			t.deepEqual(outside(), before, `rounds up to ${round}`);
		}
	}
	t.true(codes.has('fine') && codes.has('EBADLAYER'));
	const expected =
		/^(fine|EBADLAYER|E2BIG|EFBIG|EINVAL|ELOOP|ENAMETOOLONG|ENOENT|ENOSPC|ENOTDIR|EPERM|ERANGE|ENOTSUP)$/;
	for (const code of codes) t.regex(code, expected);
});
