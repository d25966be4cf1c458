import {spawn} from 'node:child_process';
import {mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {parseReference} from '../../../src/engine/images/reference.ts';
import {Locks} from '../../../src/engine/locks.ts';
import {Paths} from '../../../src/engine/paths.ts';
import {Catalog} from '../../../src/engine/store/catalog.ts';
import {collect, sweep} from '../../../src/engine/store/collect.ts';
import {chainIds, digestHex, parseDigest, sha256} from '../../../src/engine/store/digest.ts';
import {Layout, namedEntry, withNames, withUnnamed} from '../../../src/engine/store/layout.ts';
import {acquireLease} from '../../../src/engine/store/leases.ts';
import {openStore, tarOf, temporaryFolder} from '../../setup/images.ts';
import {fakeImage, serveImage, startFake} from '../../setup/registry.ts';

const descriptor = (name: string) => ({
	mediaType: 'application/vnd.oci.image.manifest.v1+json',
	digest: sha256(name),
	size: 1,
});

function layoutIn(folder: string) {
	const paths = new Paths(join(folder, 'root'), join(folder, 'run'));
	const locks = new Locks(paths);
	const layout = new Layout(paths, locks);
	return {paths, locks, layout, catalog: new Catalog(paths, layout)};
}

test('a digest that is not one is never a path', (t) => {
	const {layout} = layoutIn(temporaryFolder(t));
	for (const digest of [
		'sha256:../../etc/passwd',
		`sha256:${'A'.repeat(64)}`,
		`sha512:${'0'.repeat(128)}`,
		'',
		'sha256:',
		`sha256:${'0'.repeat(63)}/`,
	]) {
		t.throws(() => layout.blobPath(digest), {code: 'invalid'}, digest);
		t.throws(() => digestHex(digest), {code: 'invalid'});
	}
	t.is(parseDigest(`sha512:${'0'.repeat(128)}`), `sha512:${'0'.repeat(128)}`);
});

test('chain ids are as the specification computes them', (t) => {
	t.deepEqual(chainIds(['sha256:a', 'sha256:b']), ['sha256:a', sha256('sha256:a sha256:b')]);
	t.deepEqual(chainIds([]), []);
});

test('changes by many at once are all kept', async (t) => {
	const folder = temporaryFolder(t);
	const {layout} = layoutIn(folder);
	const script = `
		import {Locks} from ${JSON.stringify(new URL('../../../src/engine/locks.ts', import.meta.url).href)};
		import {Paths} from ${JSON.stringify(new URL('../../../src/engine/paths.ts', import.meta.url).href)};
		import {Layout, namedEntry, withNames} from ${JSON.stringify(new URL('../../../src/engine/store/layout.ts', import.meta.url).href)};
		import {parseReference} from ${JSON.stringify(new URL('../../../src/engine/images/reference.ts', import.meta.url).href)};
		const [root, run, who] = process.argv.slice(-3);
		const paths = new Paths(root, run);
		const layout = new Layout(paths, new Locks(paths));
		const digest = 'sha256:' + '0'.repeat(63) + who;
		await Promise.all(Array.from({length: 10}, (_, at) => layout.update((entries) => withNames(entries,
			[namedEntry({mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: 1}, parseReference('x' + who + ':' + at))]))));
	`;
	await Promise.all(
		['1', '2', '3'].map(
			(who) =>
				new Promise<void>((resolve, reject) => {
					const argv = ['--input-type=module', '-e', script, join(folder, 'root'), join(folder, 'run'), who];
					const child = spawn(process.execPath, argv, {stdio: 'inherit'});
					child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`exit ${code}`))));
				}),
		),
	);
	t.is((await layout.read()).length, 30);
	t.deepEqual(readdirSync(join(folder, 'root', 'images')).sort(), ['index.json', 'oci-layout']);
});

test('an entry keeps its manifest when its name moves on', (t) => {
	const [one, two] = [
		namedEntry(descriptor('1'), parseReference('x:1')),
		namedEntry(descriptor('2'), parseReference('x:1')),
	];
	const moved = withNames([one], [two]);
	t.deepEqual(
		moved.map(({reference}) => reference?.tag),
		['1', undefined],
	);
	t.deepEqual(withNames(moved, [two]).length, 2);
	const back = withNames(moved, [namedEntry(descriptor('1'), parseReference('y:1'))]);
	t.true(back.every(({reference}) => reference));
	t.deepEqual(withUnnamed([], [one, one]).length, 1);
});

test('names that other tools wrote are read, and what is no name does not hurt', async (t) => {
	const {layout, paths} = layoutIn(temporaryFolder(t));
	mkdirSync(paths.images, {recursive: true});
	const written = (name: string) => ({
		...descriptor(name),
		annotations: {'org.opencontainers.image.ref.name': name},
	});
	writeFileSync(
		join(paths.images, 'index.json'),
		JSON.stringify({schemaVersion: 2, manifests: ['busybox', 'a/b:1', 'No Name'].map(written)}),
	);
	t.deepEqual(
		(await layout.read()).map(({reference}) => reference && `${reference.path}:${reference.tag}`),
		['library/busybox:latest', 'a/b:1', undefined],
	);
});

test('a damaged index is an error and is not overwritten', async (t) => {
	const {layout, paths} = layoutIn(temporaryFolder(t));
	mkdirSync(paths.images, {recursive: true});
	const path = join(paths.images, 'index.json');
	for (const text of [
		'{',
		'[]',
		'{"manifests":{}}',
		'{"manifests":[{"digest":"sha256:../x","size":1,"mediaType":"x"}]}',
	]) {
		writeFileSync(path, text);
		await t.throwsAsync(
			layout.update(() => []),
			{code: 'corrupt'},
			text,
		);
		t.is(readFileSync(path, 'utf8'), text);
	}
});

test('the cache of summaries heals itself', async (t) => {
	const store = openStore(t);
	const image = fakeImage([tarOf({a: 'a'})], undefined, {config: {Labels: {a: 'b'}}});
	const server = await startFake((request, response) => {
		if (!serveImage(image, request, response)) response.writeHead(404).end();
	});
	t.teardown(() => server.stop());
	await store.images.pull(`${server.host}/x`);
	const expected = await store.images.list();
	const cache = join(store.paths.cache, 'images.json');
	const good = JSON.parse(readFileSync(cache, 'utf8'));
	const [digest] = Object.keys(good.manifests);
	for (const text of [
		'{',
		'null',
		JSON.stringify({...good, version: 0}),
		JSON.stringify({...good, manifests: {[digest!]: {id: 'sha256:../../x'}}}),
		JSON.stringify({...good, manifests: {...good.manifests, [sha256('stale')]: good.manifests[digest!]}}),
	]) {
		writeFileSync(cache, text);
		t.deepEqual(await store.images.list(), expected, text);
		t.deepEqual(JSON.parse(readFileSync(cache, 'utf8')), good);
	}
});

test('a blob that was damaged is told from a good one and written again', async (t) => {
	const {layout} = layoutIn(temporaryFolder(t));
	const digest = await layout.writeBlob(Buffer.from('good'));
	writeFileSync(layout.blobPath(digest), '');
	t.is(await layout.readBlob(digest), undefined);
	await layout.writeBlob(Buffer.from('good'));
	t.is((await layout.readBlob(digest))?.toString(), 'good');
});

test('collecting spares what a lease protects, and takes it when the lease is gone', async (t) => {
	const store = layoutIn(temporaryFolder(t));
	const {paths, locks, layout} = store;
	const blob = await layout.writeBlob(Buffer.from('leased'));
	const layer = 'a'.repeat(64);
	mkdirSync(join(paths.layer(layer), 'fs'), {recursive: true});
	const lease = await acquireLease(paths, locks, [digestHex(blob), layer]);
	mkdirSync(lease.staging('b'));
	await collect(store);
	t.is(await layout.blobSize(blob), 6);
	t.deepEqual(readdirSync(paths.layers), [layer]);
	t.is(readdirSync(paths.ingest).length, 2);
	lease.release();
	await collect(store);
	t.is(await layout.blobSize(blob), undefined);
	t.deepEqual(readdirSync(paths.layers), []);
	t.deepEqual(readdirSync(paths.ingest), []);
});

test('a lease of a process that was killed protects nothing', async (t) => {
	const store = layoutIn(temporaryFolder(t));
	const {paths} = store;
	mkdirSync(join(paths.ingest, '0123456789abcdef.x.unpack', 'fs'), {recursive: true});
	writeFileSync(join(paths.ingest, '0123456789abcdef.lease'), 'a'.repeat(64));
	await sweep(store);
	t.deepEqual(readdirSync(paths.ingest), []);
});

test('what a killed removal left is collected by the next command', async (t) => {
	const store = layoutIn(temporaryFolder(t));
	const {paths, layout} = store;
	const blob = await layout.writeBlob(Buffer.from('orphan'));
	await sweep(store);
	t.is(await layout.blobSize(blob), 6);
	mkdirSync(paths.ingest, {recursive: true});
	writeFileSync(join(paths.ingest, '0123456789abcdef.lease'), 'removal');
	await sweep(store);
	t.is(await layout.blobSize(blob), undefined);
	t.deepEqual(readdirSync(paths.ingest), []);
});

test('an interrupted download is kept for a week', async (t) => {
	const store = layoutIn(temporaryFolder(t));
	const {ingest} = store.paths;
	mkdirSync(ingest, {recursive: true});
	const [fresh, old] = ['1', '2'].map((digit) => join(ingest, `${digit.repeat(64)}.partial`));
	for (const path of [fresh!, old!]) writeFileSync(path, 'x');
	const weekAgo = Date.now() / 1000 - 8 * 24 * 3600;
	utimesSync(old!, weekAgo, weekAgo);
	await sweep(store);
	t.true(statSync(fresh!).isFile());
	t.deepEqual(readdirSync(ingest).length, 1);
});
