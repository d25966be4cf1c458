/**
 * What strangers send in the place of an image. Each is refused with a message that names the layer, and nothing is
 * left in the store; or it is harmless. test/kernel/hostile-layer.test.ts has the archives one by one.
 */
import {existsSync, lstatSync, mkdirSync, readdirSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {gunzipSync, gzipSync, zstdCompressSync} from 'node:zlib';
import test, {type ExecutionContext} from 'ava';
import {entryLimit, layerLimit} from '../../../src/engine/images/layer-limit.ts';
import {archive, base256, entry, file, folder, hardLink, pax, symlink} from '../../kernel/tar-archive.ts';
import {leftovers, openStore, type TestStore, temporaryFolder} from '../../setup/images.ts';
import {digestOf, type FakeImage, fakeImage, serveImage, startFake} from '../../setup/registry.ts';

async function serve(t: ExecutionContext, image: FakeImage, type?: string): Promise<string> {
	const server = await startFake((request, response) => {
		if (type && request.url!.includes('/manifests/')) {
			response.setHeader('content-type', type);
			response.end(image.manifest);
		} else if (!serveImage(image, request, response)) response.writeHead(404).end('{}');
	});
	t.teardown(() => server.stop());
	return `${server.host}/attack`;
}

/** The store is as if nothing had been. */
function isEmpty(t: ExecutionContext, {paths}: TestStore): void {
	for (const folderPath of [paths.layers, join(paths.images, 'blobs', 'sha256')])
		t.deepEqual(existsSync(folderPath) ? readdirSync(folderPath) : [], []);
	// What came whole of other layers is kept for the next attempt.
	t.deepEqual(
		leftovers({paths}).filter((name) => !name.endsWith('.partial')),
		[],
	);
}

const up = '../'.repeat(20);
const times = (count: number, make: (at: number) => Buffer): Buffer[] =>
	Array.from({length: count}, (_, at) => make(at));

/** Layers that are refused; the message names the blob. */
const refused: Record<string, {layer: Buffer; message: RegExp}> = {
	'a path with ..': {layer: archive(file(`${up}etc/x`, 'x')), message: /leads out of the layer/},
	'a hard link outside': {layer: archive(hardLink('a', `${up}etc/passwd`)), message: /out of the layer/},
	'a hard link to a file of the host': {
		layer: archive(symlink('l', '/etc'), hardLink('a', 'l/passwd')),
		message: /does not contain/,
	},
	'a whiteout of ..': {layer: archive(folder('a'), file('a/.wh...', '')), message: /a whiteout of nothing/},
	'a name of 300 characters': {
		layer: archive(pax([['path', 'n'.repeat(300)]]), file('a')),
		message: /name too long/,
	},
	'a negative size': {
		layer: archive(entry({name: 'a', size: base256(-1n, 12)}, 'x')),
		message: /negative size|bad number/,
	},
	'a size that is not there': {
		layer: archive(entry({name: 'a', size: base256(1n << 50n, 12)}, 'x')),
		message: /unexpected end of the archive/,
	},
	'a pax size that lies': {
		layer: archive(pax([['size', '99999999']]), file('a', 'x')),
		message: /unexpected end/,
	},
	'a pax record that lies about its length': {
		layer: archive(entry({name: 'x', type: 'x'}, '99 path=a\n'), file('a')),
		message: /bad pax record/,
	},
	'links in a circle': {
		layer: archive(symlink('a', 'b'), symlink('b', 'a'), file('a/x')),
		message: /too many symbolic links|ELOOP/,
	},
	'a sparse file whose parts are beyond its end': {
		layer: archive(
			pax([
				['GNU.sparse.map', '9223372036854775800,10'],
				['GNU.sparse.size', '20'],
			]),
			file('a', '0123456789'),
		),
		message: /sparse/,
	},
	'gzip data that is cut off': {
		layer: gzipSync(archive(file('a', 'x'.repeat(100_000)))).subarray(0, 100),
		message: /unexpected end of the gzip data/,
	},
	'attributes of folders that fill the memory': {
		// A kilobyte of zstd for each megabyte.
		layer: zstdCompressSync(
			archive(
				...times(280, (at) =>
					Buffer.concat([pax([['SCHILY.xattr.user.x', 'y'.repeat(1_000_000)]]), folder(`d${at}`)]),
				),
			),
		),
		message: /take more than 256 MiB of memory/,
	},
};

for (const [what, {layer, message}] of Object.entries(refused)) {
	test(`refused: ${what}`, async (t) => {
		const store = openStore(t);
		const name = await serve(t, fakeImage([layer]));
		const error = await t.throwsAsync(store.images.pull(name), {code: 'corrupt'});
		t.true(error!.message.startsWith(`failed to register layer ${digestOf(layer)}: `), error!.message);
		t.regex(error!.message, message);
		t.notRegex(error!.message, /[\n\x1b]/);
		t.deepEqual(await store.images.list(), []);
		isEmpty(t, store);
	});
}

test.serial(
	'a layer that unpacks to more than the limit is refused, and the user can raise it',
	async (t) => {
		const bomb = gzipSync(archive(file('zeros', '\0'.repeat(40 << 20))));
		const plain = archive(file('zeros', '\0'.repeat(40 << 20)));
		const name = await serve(t, fakeImage([bomb], [digestOf(plain)]));
		const store = openStore(t);
		process.env.WHERRY_MAX_LAYER = '10m';
		try {
			const error = await t.throwsAsync(store.images.pull(name), {code: 'corrupt'});
			t.is(
				error!.message,
				`failed to register layer ${digestOf(bomb)}: the layer unpacks to more than 10485760 bytes; when you trust the image, allow it with the environment variable WHERRY_MAX_LAYER=SIZE (100g)`,
			);
			isEmpty(t, store);
			process.env.WHERRY_MAX_LAYER = '100m';
			await store.images.pull(name);
		} finally {
			delete process.env.WHERRY_MAX_LAYER;
		}
		t.is((await store.images.list()).length, 1);
		t.is(layerLimit(1000, {}), 8 * 2 ** 30);
		t.is(layerLimit(2 ** 30, {}), 100 * 2 ** 30);
		t.is(layerLimit(1, {WHERRY_MAX_LAYER: '2G'}), 2 * 2 ** 30);
		for (const wrong of ['x', '-1', '1.5g', '1e9', '99999999999t'])
			t.throws(() => layerLimit(1, {WHERRY_MAX_LAYER: wrong}), {code: 'invalid'}, wrong);
	},
);

test.serial('a layer of more empty files than the limit is refused, and the user can raise it', async (t) => {
	const many = gzipSync(archive(...Array.from({length: 3000}, (_, at) => file(`f${at}`, ''))));
	const name = await serve(t, fakeImage([many], [digestOf(gunzipSync(many))]));
	const store = openStore(t);
	process.env.WHERRY_MAX_LAYER_ENTRIES = '2999';
	try {
		const error = await t.throwsAsync(store.images.pull(name), {code: 'corrupt'});
		t.is(
			error!.message,
			`failed to register layer ${digestOf(many)}: the layer has more than 2999 entries; when you trust the image, allow it with the environment variable WHERRY_MAX_LAYER_ENTRIES=NUMBER`,
		);
		isEmpty(t, store);
		process.env.WHERRY_MAX_LAYER_ENTRIES = '3000';
		await store.images.pull(name);
	} finally {
		delete process.env.WHERRY_MAX_LAYER_ENTRIES;
	}
	t.is((await store.images.list()).length, 1);
	t.is(entryLimit({}), 5_000_000);
	for (const wrong of ['x', '-1', '1.5', '1e9'])
		t.throws(() => entryLimit({WHERRY_MAX_LAYER_ENTRIES: wrong}), {code: 'invalid'}, wrong);
});

test('what is odd but harmless is unpacked as docker does it', async (t) => {
	const outside = temporaryFolder(t);
	mkdirSync(join(outside, 'victim'));
	writeFileSync(join(outside, 'victim/file'), 'untouched');
	const layer = archive(
		file('/absolute', 'x'),
		symlink('link', join(outside, 'victim')),
		file('link/file', 'inside'),
		symlink('swap', outside),
		folder('swap'),
		symlink('swap', join(outside, 'victim')),
		file('twice', 'first'),
		file('twice', 'second'),
		folder('parent'),
		file('parent/child', 'x'),
		file('.wh.parent', ''),
		file('implied/deep/file', 'x'),
		entry({name: 'setuid', mode: 0o4755}, 'x'),
		entry({name: 'device', type: '4', major: 8, minor: 0, mode: 0o666}),
		pax([
			['GNU.sparse.map', '0,1'],
			['GNU.sparse.size', String(2 ** 40)],
		]),
		file('hole', '0'),
		...times(2000, (at) => file(`many/${at}`)),
	);
	const store = openStore(t);
	const name = await serve(t, fakeImage([layer]));
	await store.images.pull(name);
	const [key] = (await store.images.resolve(name)).layers;
	const tree = join(store.paths.layer(key!), 'fs');
	t.is(readdirSync(join(tree, 'many')).length, 2000);
	t.true(existsSync(join(tree, 'absolute')));
	t.true(existsSync(join(tree, outside, 'victim/file')));
	t.is(statSync(join(tree, 'twice')).size, 6);
	t.is(lstatSync(join(tree, 'setuid')).mode & 0o7777, 0o4755);
	t.true(lstatSync(join(tree, 'device')).isBlockDevice());
	// A hole takes no room.
	t.is(statSync(join(tree, 'hole')).size, 2 ** 40);
	t.true(statSync(join(tree, 'hole')).blocks < 1000);
	// The whiteout is about the layers below.
	t.true(existsSync(join(tree, 'parent/child')));
	t.deepEqual(readdirSync(join(outside, 'victim')), ['file']);
	t.is(statSync(join(outside, 'victim/file')).size, 9);
	// Devices of the host can't be opened through it: its folder is root's alone.
	t.is(statSync(store.paths.root).mode & 0o077, 0);
});

const good = archive(file('a', 'x'));

test('a document that could be an image and an index is refused', async (t) => {
	const {manifest, blobs} = fakeImage([good]);
	const both = {...JSON.parse(manifest.toString()), manifests: []};
	const oci = 'application/vnd.oci.image.manifest.v1+json';
	const cases: [object, string][] = [
		[both, oci],
		[both, 'application/vnd.oci.image.index.v1+json'],
		[{...both, mediaType: undefined}, 'application/json'],
		[JSON.parse(manifest.toString()), 'application/vnd.oci.image.index.v1+json'],
		[
			{schemaVersion: 1, name: 'x', tag: 'y', fsLayers: [], signatures: []},
			'application/vnd.docker.distribution.manifest.v1+prettyjws',
		],
	];
	for (const [document, type] of cases) {
		const store = openStore(t);
		const bytes = Buffer.from(JSON.stringify(document));
		const name = await serve(t, {manifest: bytes, blobs}, type);
		for (const options of [{}, {platform: 'all'} as const])
			await t.throwsAsync(store.images.pull(name, options), {
				message: /expected (manifest|index) but found|media type in manifest should be|no longer supported/,
			});
		isEmpty(t, store);
	}
});

test('a configuration that lists other layers than there are is refused', async (t) => {
	for (const diffIds of [[], [digestOf('other')], [digestOf(good), digestOf(good)]]) {
		const store = openStore(t);
		const name = await serve(t, fakeImage([good], diffIds));
		await t.throwsAsync(store.images.pull(name), {
			code: 'corrupt',
			message: /don't match image configuration|but the image configuration names/,
		});
		isEmpty(t, store);
	}
});
