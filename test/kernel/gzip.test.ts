/** The addon's own decoder of gzip, beside the zlib of Node. */
import {createHash} from 'node:crypto';
import {join} from 'node:path';
import {constants, crc32, gunzipSync, gzipSync, type ZlibOptions} from 'node:zlib';
import test from 'ava';
import {privateFolder, unpack} from './layer.ts';
import {archive, file} from './tar-archive.ts';

const digest = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** Bytes that are the same in every run. */
function noise(size: number, values: number, seed: number): Buffer {
	const bytes = Buffer.alloc(size);
	let state = seed;
	for (let at = 0; at < size; at++) {
		state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
		bytes[at] = (state >>> 16) % values;
	}
	return bytes;
}

/** A pattern that comes again at this distance, and now and then is changed. */
function repeated(size: number, distance: number): Buffer {
	const bytes = noise(size, 256, distance);
	for (let at = distance; at < size; at++) if (at % 97 !== 0) bytes[at] = bytes[at - distance]!;
	return bytes;
}

const skewed = Buffer.from(noise(60_000, 256, 5).map((value) => Math.clz32(value * value * value + 1)));

const contents: Readonly<Record<string, Buffer>> = {
	nothing: Buffer.alloc(0),
	noise: noise(40_000, 256, 1),
	'two values': noise(70_000, 2, 2),
	'codes of all lengths': skewed,
	...Object.fromEntries(
		[1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 258, 32_767, 32_768].map((distance) => [
			`distance ${distance}`,
			repeated(70_000, distance),
		]),
	),
};

const options: Readonly<Record<string, ZlibOptions>> = {
	stored: {level: 0},
	fast: {level: 1},
	best: {level: 9},
	'fixed codes': {strategy: constants.Z_FIXED},
	'no matches': {strategy: constants.Z_HUFFMAN_ONLY},
};

test('whatever zlib compresses is decoded as it was, in pieces of any size', async (t) => {
	const root = privateFolder(t);
	let number = 0;
	for (const [kind, option] of Object.entries(options))
		for (const [name, content] of Object.entries(contents)) {
			const plain = archive(file('a', content.toString('latin1')), file('b', 'x'));
			const packed = gzipSync(plain, option);
			const piece = [65_536, 1000, 77, packed.length][number % 4]!;
			const stats = await unpack(join(root, String(number++)), packed, piece);
			t.is(stats.diffId, digest(plain), `${kind}, ${name}`);
			t.is(stats.digest, digest(packed), `${kind}, ${name}`);
		}
});

const parts = (flags: number, ...fields: readonly Buffer[]) =>
	Buffer.concat([Buffer.from([0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 0, 3]), ...fields]);
const checked = (header: Buffer, more = 0) =>
	Buffer.concat([header, Buffer.from([crc32(header) & 255, ((crc32(header) >> 8) & 255) ^ more])]);
const extra = Buffer.from([5, 0, 1, 2, 3, 4, 5]);
const name = Buffer.from('name\0');

test('all fields of a header may be there, and what is wrong with them is refused', async (t) => {
	const root = privateFolder(t);
	const plain = archive(file('a', 'text'));
	const body = gzipSync(plain).subarray(10);
	const good: Readonly<Record<string, Buffer>> = {
		none: parts(0),
		text: parts(1),
		extra: parts(4, extra),
		'empty extra': parts(4, Buffer.alloc(2)),
		name: parts(8, name),
		comment: parts(16, name),
		checksum: checked(parts(2)),
		all: checked(parts(30, extra, name, name)),
	};
	for (const [kind, header] of Object.entries(good)) {
		const bytes = Buffer.concat([header, body]);
		const [whole, bytewise] = [
			await unpack(join(root, kind), bytes),
			await unpack(join(root, `${kind} bytewise`), Buffer.concat([bytes, bytes]), 1),
		];
		t.is(whole.diffId, digest(plain), kind);
		t.is(bytewise.diffId, digest(Buffer.concat([plain, plain])), kind);
	}
	const bad: Readonly<Record<string, Buffer>> = {
		'a flag that nobody knows': parts(0x20),
		'a wrong checksum': checked(parts(2), 1),
		'an extra field without an end': parts(4, Buffer.from([255, 255])),
		'a name without an end': parts(8, Buffer.from('name')),
	};
	for (const [kind, header] of Object.entries(bad))
		await t.throwsAsync(unpack(join(root, kind), Buffer.concat([header, body])), {
			code: 'EBADLAYER',
		});
});

test('what is cut off or changed anywhere is refused where zlib refuses it, and otherwise decoded as by zlib', async (t) => {
	const root = privateFolder(t);
	const plain = archive(file('a', contents['codes of all lengths']!.subarray(0, 900).toString('latin1')));
	const packed = gzipSync(plain);
	let number = 0;
	const changed: Buffer[] = [];
	for (let at = 3; at < packed.length; at += Math.ceil(packed.length / 40))
		changed.push(packed.subarray(0, at));
	for (let bit = 80; bit < packed.length * 8; bit += Math.ceil(packed.length / 12)) {
		const copy = Buffer.from(packed);
		copy[bit >> 3]! ^= 1 << (bit & 7);
		changed.push(copy);
	}
	t.true(changed.length > 100);
	for (const bytes of changed) {
		let expected: string | undefined;
		try {
			expected = digest(gunzipSync(bytes));
		} catch {}
		const unpacked = unpack(join(root, String(number++)), bytes, number % 2 === 0 ? 65_536 : 7);
		if (expected === undefined) await t.throwsAsync(unpacked, {code: 'EBADLAYER'});
		else t.is((await unpacked).diffId, expected);
	}
});
