/** `system check --images`: what is damaged in a store is found and said, with what helps. */
import {cpSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import test, {type ExecutionContext} from 'ava';
import {openStore, type TestStore, tarOf, temporaryFolder} from '../../setup/images.ts';
import {digestOf, fakeImage, serveImage, startFake} from '../../setup/registry.ts';

/** A store with one image of two layers; what it consists of. */
async function stored(t: ExecutionContext) {
	const lower = tarOf({etc: null, 'etc/one': 'one', link: '-> etc/one', dir: '-> etc', 'dir/through': 'x'});
	const plain = tarOf({etc: null, 'etc/two': 'two'.repeat(5000), 'etc/.wh.one': ''});
	const upper = gzipSync(plain);
	const image = fakeImage([lower, upper], [digestOf(lower), digestOf(plain)]);
	const server = await startFake((request, response) => {
		if (!serveImage(image, request, response)) response.writeHead(404).end('{}');
	});
	t.teardown(() => server.stop());
	const store = openStore(t);
	const name = `${server.host}/checked:1`;
	await store.images.pull(name);
	const blob = (digest: string) => join(store.paths.images, 'blobs/sha256', digest.slice(7));
	const tree = (digest: string) => join(store.paths.layer(digest.slice(7)), 'fs');
	return {
		store,
		name,
		blob,
		tree,
		image,
		lower: digestOf(lower),
		upper: digestOf(upper),
		diffId: digestOf(plain),
	};
}

type Scene = Awaited<ReturnType<typeof stored>>;

const failures = async ({images}: TestStore) =>
	(await images.verify()).filter(({status}) => status === 'fail');

test('a good store is fine, and nothing in it changes', async (t) => {
	const {store} = await stored(t);
	const all = () => readdirSync(store.paths.root, {recursive: true}).sort();
	const before = all();
	const lines = await store.images.verify();
	t.deepEqual(
		lines.map(({subject, status}) => `${subject} ${status}`),
		['blobs ok', 'layers ok', 'names ok'],
	);
	t.deepEqual(all(), before);
});

/** What is done to the store, and what is said of it. */
const damages: Record<string, {damage: (scene: Scene) => void; says: RegExp; advice: RegExp}> = {
	'a blob that is empty': {
		damage: ({blob, upper}) => truncateSync(blob(upper), 0),
		says: /^blob sha256:\w+: its bytes are not what its name says/m,
		advice: /wherry pull .*\/checked:1/,
	},
	'a blob with other bytes': {
		damage: ({blob, lower}) => writeFileSync(blob(lower), readFileSync(blob(lower)).fill('x', 600, 601)),
		says: /^image .*: its layer sha256:\w+ is damaged/m,
		advice: /rm \S+ && wherry pull/,
	},
	'a missing layer': {
		damage: ({blob, lower}) => rmSync(blob(lower)),
		says: /its layer sha256:\w+ is missing/,
		advice: /wherry pull/,
	},
	'a missing configuration': {
		damage: ({blob, image}) => rmSync(blob(JSON.parse(image.manifest.toString()).config.digest)),
		says: /its configuration sha256:\w+ is missing/,
		advice: /wherry pull/,
	},
	'a missing manifest': {
		damage: ({blob, image}) => rmSync(blob(digestOf(image.manifest))),
		says: /its manifest sha256:\w+ is missing/,
		advice: /wherry pull/,
	},
	'a blob that nobody needs and that is wrong': {
		damage: ({blob, lower}) =>
			writeFileSync(blob(lower.replace(/.$/, (last) => (last === '0' ? '1' : '0'))), ''),
		says: /its bytes are not what its name says/,
		advice: /no image needs it: rm/,
	},
	'a layer without its record': {
		damage: ({tree, lower}) => rmSync(join(tree(lower), '../layer.json')),
		says: /its record, layer.json, is missing or damaged/,
		advice: /rm -r .*; it is unpacked again/,
	},
	'a layer with the record of another': {
		damage: ({tree, lower, diffId}) =>
			cpSync(join(tree(diffId), '../layer.json'), join(tree(lower), '../layer.json')),
		says: /its record is that of sha256:/,
		advice: /rm -r/,
	},
	'a layer without its tree': {
		damage: ({tree, lower}) => rmSync(tree(lower), {recursive: true}),
		says: /its tree, fs, is missing/,
		advice: /rm -r/,
	},
	'a file in a layer that is cut off': {
		damage: ({tree, diffId}) => truncateSync(join(tree(diffId), 'etc/two'), 0),
		says: /etc\/two has 0 bytes in place of 15000/,
		advice: /rm -r/,
	},
	'a file of a layer that is gone': {
		damage: ({tree, lower}) => rmSync(join(tree(lower), 'etc/one')),
		says: /etc\/one is missing/,
		advice: /rm -r/,
	},
	'an index that is none': {
		damage: ({store}) => writeFileSync(join(store.paths.images, 'index.json'), ''),
		says: /index.json is damaged/,
		advice: /put back a copy/,
	},
};

for (const [what, {damage, says, advice}] of Object.entries(damages)) {
	test(`found: ${what}`, async (t) => {
		const scene = await stored(t);
		damage(scene);
		const found = await failures(scene.store);
		t.regex(found.map(({subject, message}) => `${subject} ${message}`).join('\n'), says);
		t.regex(found.map((line) => line.advice).join('\n'), advice);
	});
}

test('what the advice says mends the store', async (t) => {
	const {store, name, blob, tree, upper, diffId} = await stored(t);
	truncateSync(blob(upper), 10);
	truncateSync(join(tree(diffId), 'etc/two'), 0);
	t.not((await failures(store)).length, 0);
	rmSync(blob(upper));
	rmSync(store.paths.layer(diffId.slice(7)), {recursive: true});
	await store.images.pull(name);
	t.deepEqual(await failures(store), []);
	t.is(readFileSync(join(tree(diffId), 'etc/two'), 'utf8').length, 15_000);
	renameSync(blob(upper), join(temporaryFolder(t), 'away'));
	// Of its tag and of its digest.
	t.is((await failures(store)).length, 2);
});
