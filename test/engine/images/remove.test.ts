import {existsSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {openStore, type TestStore, tarOf, temporaryFolder} from '../../setup/images.ts';
import {push, type Registry, startRegistry, writeLayout} from '../../setup/registry.ts';

let registry: Registry;
test.before(async () => {
	registry = await startRegistry();
});
test.after.always(() => registry.stop());

const shared = tarOf({shared: 'x'});

/** Pulls an image of its own with one shared and one own layer. */
async function pulled(t: ExecutionContext, store: TestStore, name: string) {
	const own = tarOf({[name]: name});
	const pushed = push(
		writeLayout(temporaryFolder(t), [shared, own], {created: `2024-01-0${name.length}T00:00:00Z`}),
		registry,
		name,
	);
	const {id, digest} = await store.images.pull(pushed);
	return {id, name: `${pushed}:latest`, repoDigest: `${pushed}@${digest}`, repository: pushed};
}

const files = ({paths}: TestStore) => ({
	blobs: readdirSync(join(paths.images, 'blobs', 'sha256')).length,
	layers: readdirSync(paths.layers).length,
});

const container = 'c'.repeat(64);
const short = (id: string) => id.slice(7, 19);

test('the last name takes the image, its digest and its own layers along', async (t) => {
	const store = openStore(t);
	const a = await pulled(t, store, 'a');
	const b = await pulled(t, store, 'bb');
	t.deepEqual(files(store), {blobs: 7, layers: 3});
	const [, top] = ((await store.images.inspect(b.id)).RootFS as {Layers: string[]}).Layers;
	const lines = await store.images.remove(b.name);
	t.deepEqual(lines.slice(0, 3), [{Untagged: b.name}, {Untagged: b.repoDigest}, {Deleted: b.id}]);
	t.is(lines.length, 4);
	t.truthy(top);
	t.deepEqual(files(store), {blobs: 4, layers: 2});
	t.deepEqual(
		store.events.filter(([, action]) => action !== 'pull').map(([, action, id]) => [action, id]),
		[
			// Not of the digest, which has gone with its tag.
			['untag', b.id],
			['delete', b.id],
		],
	);
	t.is((await store.images.remove(a.id)).length, 5);
	t.deepEqual(files(store), {blobs: 0, layers: 0});
	await t.throwsAsync(store.images.remove(a.name), {code: 'not-found', message: `No such image: ${a.name}`});
});

test('an image that a container takes while it is looked at is kept, by prune and by rmi', async (t) => {
	const store = openStore(t);
	const a = await pulled(t, store, 'a');
	let looks = 0;
	// Nobody when the work begins; a container by the time that nobody else can make one.
	Object.defineProperty(store, 'users', {
		get: () => (looks++ === 0 ? [] : [{id: container, image: a.id, running: true}]),
	});
	t.deepEqual(await store.images.prune({filters: {dangling: ['false']}}), {
		ImagesDeleted: [],
		SpaceReclaimed: 0,
	});
	t.is(looks, 2);
	looks = 0;
	await t.throwsAsync(store.images.remove(a.id), {code: 'conflict'});
	t.is(looks, 2);
	t.is((await store.images.list()).length, 1);
	t.deepEqual(files(store), {blobs: 4, layers: 2});
	t.deepEqual(
		store.events.map(([, action]) => action),
		['pull', 'prune'],
	);
});

test('with several names one is only untagged, and the id needs force', async (t) => {
	const store = openStore(t);
	const {id, name, repoDigest} = await pulled(t, store, 'several');
	await store.images.tag(name, 'other:1');
	t.deepEqual((await store.images.inspect(id)).RepoTags, [name, 'other:1'].sort());
	t.true((await store.images.inspect('other:1')).RepoDigests.includes(repoDigest));
	await t.throwsAsync(store.images.remove(short(id)), {
		code: 'conflict',
		message: `conflict: unable to delete ${short(id)} (must be forced) - image is referenced in multiple repositories`,
	});
	t.deepEqual(await store.images.remove('other:1'), [{Untagged: 'other:1'}]);
	await store.images.tag(id, 'other:2');
	const lines = await store.images.remove(id, {force: true});
	t.is(lines.length, 6);
	t.true(lines.some((line) => 'Untagged' in line && line.Untagged === 'other:2'));
});

test('what a removal would do is said without doing it', async (t) => {
	const store = openStore(t);
	const {id, name} = await pulled(t, store, 'preview');
	await store.images.tag(name, 'other:1');
	const before = await store.images.list();
	t.like(await store.images.previewRemoval([name]), {SpaceReclaimed: 0, failures: []});
	// One after the other: the second name takes the image along.
	const both = await store.images.previewRemoval([name, 'other:1', 'none:1']);
	t.deepEqual(
		both.failures.map(({message}) => message),
		['No such image: none:1'],
	);
	t.is(both.SpaceReclaimed, before[0]!.Size);
	store.users = [{id: container, image: id, running: false}];
	t.is((await store.images.previewRemoval([name, 'other:1'])).failures.length, 1);
	// A container keeps the layers.
	t.is((await store.images.previewRemoval([id], {force: true})).SpaceReclaimed, 0);
	store.users = [];
	t.deepEqual(await store.images.list(), before);
	const lines = [...(await store.images.remove(name)), ...(await store.images.remove('other:1'))];
	t.deepEqual(lines, both.ImagesDeleted);
});

test('an image that a container uses stays', async (t) => {
	const store = openStore(t);
	const {id, name, repoDigest} = await pulled(t, store, 'used');
	store.users = [{id: container, image: id, running: true}];
	await t.throwsAsync(store.images.remove(name), {
		code: 'conflict',
		message: `conflict: unable to remove repository reference "${name}" (must force) - container cccccccccccc is using its referenced image ${short(id)}`,
	});
	await t.throwsAsync(store.images.remove(id, {force: true}), {
		message: `conflict: unable to delete ${short(id)} (cannot be forced) - image is being used by running container cccccccccccc`,
	});
	store.users = [{id: container, image: id, running: false}];
	await t.throwsAsync(store.images.remove(id), {
		message: `conflict: unable to delete ${short(id)} (must be forced) - image is being used by stopped container cccccccccccc`,
	});
	store.users = [{id: container, image: id, running: true}];
	t.deepEqual(await store.images.remove(name, {force: true}), [{Untagged: name}, {Untagged: repoDigest}]);
	const [dangling] = await store.images.list();
	t.like(dangling, {Id: id, RepoTags: [], RepoDigests: [], Containers: 1});
	t.is((await store.images.resolve(id)).name, id);
	store.users = [];
	t.is((await store.images.remove(id)).length, 3);
});

test('layers that a container names are kept although its image is gone', async (t) => {
	const store = openStore(t);
	const {name} = await pulled(t, store, 'kept');
	const {layers} = await store.images.resolve(name);
	const {mkdirSync, writeFileSync} = await import('node:fs');
	mkdirSync(store.paths.container(container), {recursive: true});
	writeFileSync(join(store.paths.container(container), 'container.json'), JSON.stringify({layers}));
	await store.images.remove(name, {force: true});
	for (const key of layers) t.true(existsSync(store.paths.layer(key)));
	t.is(files(store).blobs, 0);
});

test('a name that moves to another image leaves the old one without a tag', async (t) => {
	const store = openStore(t);
	const first = await pulled(t, store, 'moving');
	push(writeLayout(temporaryFolder(t), [tarOf({new: 'new'})]), registry, 'moving');
	const second = await store.images.pull(first.repository);
	t.true(second.changed);
	const list = await store.images.list();
	t.is(list.length, 2);
	t.deepEqual(list.find(({Id}) => Id === first.id)?.RepoTags, []);
	t.deepEqual(list.find(({Id}) => Id === first.id)?.RepoDigests, [first.repoDigest]);
	t.is((await store.images.resolve(first.repository)).id, second.id);
});

test('an image is found by every form of its id, and a name comes before an id', async (t) => {
	const store = openStore(t);
	const {id, name} = await pulled(t, store, 'found');
	const hex = id.slice(7);
	for (const form of [id, hex, hex.slice(0, 12), hex.slice(0, 4), `sha256:${hex.slice(0, 8)}`])
		t.is((await store.images.inspect(form)).Id, id, form);
	const other = await pulled(t, store, 'foundtoo');
	await store.images.tag(other.id, hex.slice(0, 6));
	t.is((await store.images.inspect(hex.slice(0, 6))).Id, other.id);
	await t.throwsAsync(store.images.inspect('f'.repeat(64)), {
		message: `No such image: sha256:${'f'.repeat(64)}`,
	});
	await t.throwsAsync(store.images.inspect('nope'), {
		code: 'not-found',
		message: 'No such image: nope:latest',
	});
	await t.throwsAsync(store.images.tag('nope', 'x'), {message: 'No such image: nope:latest'});
	await t.throwsAsync(store.images.tag(name, `x@${id}`), {
		message: 'refusing to create a tag with a digest reference',
	});
	await t.throwsAsync(store.images.tag(name, 'Not A Name'), {code: 'invalid'});
});

test('inspect has all that docker shows', async (t) => {
	const store = openStore(t);
	const {id, name, repoDigest} = await pulled(t, store, 'inspect');
	const image = await store.images.inspect(name);
	t.deepEqual(Object.keys(image), [
		...['Id', 'RepoTags', 'RepoDigests', 'Parent', 'Comment', 'Created', 'Container', 'ContainerConfig'],
		...[
			'DockerVersion',
			'Author',
			'Config',
			'Architecture',
			'Os',
			'Size',
			'VirtualSize',
			'GraphDriver',
			'RootFS',
		],
		'Metadata',
	]);
	t.like(image, {Id: id, RepoTags: [name], RepoDigests: [repoDigest], Os: 'linux', Architecture: 'amd64'});
	t.deepEqual(image.Metadata, {LastTagTime: '0001-01-01T00:00:00Z'});
	await store.images.tag(name, 'again');
	t.notDeepEqual((await store.images.inspect(name)).Metadata, image.Metadata);
	const {Data} = image.GraphDriver as {Data: {LowerDir: string; UpperDir: string}};
	t.true(existsSync(Data.LowerDir) && existsSync(Data.UpperDir));
});

test('two processes that remove the same image do not hurt each other or a third image', async (t) => {
	const store = openStore(t);
	const gone = await pulled(t, store, 'gone');
	const stays = await pulled(t, store, 'stays-here');
	await Promise.allSettled([
		store.images.remove(gone.name),
		store.images.remove(gone.name),
		store.images.remove(gone.id),
	]);
	t.deepEqual(
		(await store.images.list()).map(({Id}) => Id),
		[stays.id],
	);
	t.is((await store.images.resolve(stays.name)).layers.length, 2);
	t.deepEqual(files(store), {blobs: 4, layers: 2});
});
