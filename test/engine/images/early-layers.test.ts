/** Layers that are unpacked while their archive is read: nothing of them counts before all is verified. */
import {existsSync, mkdirSync, readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {Readable} from 'node:stream';
import {gzipSync, zstdCompressSync} from 'node:zlib';
import test from 'ava';
import {leftovers, openStore, type TestStore, tarOf} from '../../setup/images.ts';
import {digestOf} from '../../setup/registry.ts';

/** An archive in docker's format of one image; `more` lies beside what it names. */
function dockerArchive(layers: Record<string, Buffer>, diffIds: string[], more: Record<string, Buffer> = {}) {
	const config = JSON.stringify({
		architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
		os: 'linux',
		config: {},
		rootfs: {type: 'layers', diff_ids: diffIds},
	});
	const manifest = [{Config: 'config.json', RepoTags: ['early:1'], Layers: Object.keys(layers)}];
	return tarOf({...more, ...layers, 'config.json': config, 'manifest.json': JSON.stringify(manifest)});
}

const load = ({images}: TestStore, archive: Buffer, piece = 64 << 10) =>
	images.load(
		Readable.from(
			(function* () {
				for (let at = 0; at < archive.length; at += piece) yield archive.subarray(at, at + piece);
			})(),
			{objectMode: false},
		),
	);
const layersOf = ({paths}: TestStore) => (existsSync(paths.layers) ? readdirSync(paths.layers).sort() : []);

const tar = (name: string) => tarOf({etc: null, [`etc/${name}`]: name.repeat(2000)});
const [one, two, three] = [tar('one'), tar('two'), tar('three')] as [Buffer, Buffer, Buffer];
const ids = [one, two, three].map(digestOf);
const packed = {'1': one, '2': gzipSync(two), '3': zstdCompressSync(three)};

test('what an archive has besides its image is not kept, be it a layer, half of one or none', async (t) => {
	const other = gzipSync(tar('other'));
	const archive = dockerArchive(packed, ids, {
		other,
		half: other.subarray(0, 200),
		'not a layer': gzipSync(Buffer.alloc(5000, 'x')),
		short: Buffer.from([0x1f, 0x8b, 8]),
		outside: tarOf({'../../outside': 'x'}),
	});
	for (const piece of [64 << 10, 700]) {
		const store = openStore(t);
		const [{names} = {names: []}] = await load(store, archive, piece);
		t.deepEqual(names, ['early:1']);
		t.deepEqual(layersOf(store), ids.map((id) => id.slice(7)).sort());
		t.deepEqual(leftovers(store), []);
		for (const [at, name] of ['one', 'two', 'three'].entries()) {
			const file = join(store.paths.layer(ids[at]!.slice(7)), 'fs/etc', name);
			t.is(readFileSync(file, 'utf8'), name.repeat(2000));
		}
		t.is((await load(store, archive)).length, 1);
		t.deepEqual(leftovers(store), []);
	}
});

test('a layer that is named twice is one, and one that is there already is taken', async (t) => {
	const store = openStore(t);
	await load(store, dockerArchive({a: one}, [ids[0]!]));
	const twice = tarOf({
		[`blobs/sha256/${ids[1]!.slice(7)}`]: two,
		again: `-> blobs/sha256/${ids[1]!.slice(7)}`,
		'config.json': JSON.stringify({
			architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
			os: 'linux',
			rootfs: {type: 'layers', diff_ids: [ids[1], ids[1]]},
		}),
		'manifest.json': JSON.stringify([
			{Config: 'config.json', RepoTags: ['early:2'], Layers: [`blobs/sha256/${ids[1]!.slice(7)}`, 'again']},
		]),
	});
	await load(store, twice);
	t.deepEqual(layersOf(store), [ids[0]!.slice(7), ids[1]!.slice(7)].sort());
	t.deepEqual(leftovers(store), []);
});

test('an image with a layer that is not what it says is refused and leaves nothing that counts', async (t) => {
	const good = {first: one, second: gzipSync(two)};
	const bad: Record<string, [Record<string, Buffer>, string[], RegExp]> = {
		'another diff id': [good, [ids[0]!, ids[2]!], /unpacks to/],
		'diff ids in another order': [good, [ids[1]!, ids[0]!], /unpacks to/],
		'a layer that is cut off': [
			{...good, second: gzipSync(two).subarray(0, -12)},
			ids.slice(0, 2),
			/unexpected end/,
		],
		'a layer with a name outside': [
			{...good, second: tarOf({'../outside': 'x'})},
			[ids[0]!, digestOf(tarOf({'../outside': 'x'}))],
			/leads out/,
		],
	};
	for (const [name, [layers, diffIds, message]] of Object.entries(bad)) {
		const store = openStore(t);
		mkdirSync(store.paths.root, {recursive: true});
		await t.throwsAsync(load(store, dockerArchive(layers, diffIds)), {message}, name);
		t.deepEqual(leftovers(store), [], name);
		t.deepEqual(await store.images.list(), [], name);
		t.false(existsSync(join(store.paths.root, 'outside')), name);
	}
});

test('an archive that breaks off while layers are unpacked leaves nothing', async (t) => {
	const archive = dockerArchive(packed, ids);
	for (const size of [600, 5000, Math.floor(archive.length / 2)]) {
		const store = openStore(t);
		await t.throwsAsync(load(store, archive.subarray(0, size)), {code: 'corrupt'});
		t.deepEqual(leftovers(store), []);
		t.deepEqual(layersOf(store), []);
	}
});
