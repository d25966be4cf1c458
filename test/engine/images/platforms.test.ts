/** Images for several platforms: kept whole on request, and taken apart again. */
import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {PassThrough, Readable} from 'node:stream';
import {buffer} from 'node:stream/consumers';
import test from 'ava';
import {leftovers, openStore, type TestStore, tarOf} from '../../setup/images.ts';
import {digestOf, fakeImage, type Registry, skopeo, startFake, startRegistry} from '../../setup/registry.ts';

let registry: Registry;
test.before(async () => {
	registry = await startRegistry();
});
test.after.always(async () => {
	await registry.stop();
});

const index = 'application/vnd.oci.image.index.v1+json';

/** Puts documents into a registry, blobs before manifests. */
async function put(path: string, type: string, bytes: Buffer): Promise<void> {
	const base = `http://${registry.host}/v2/`;
	if (type !== '') {
		const response = await fetch(base + path, {
			method: 'PUT',
			headers: {'content-type': type},
			body: new Uint8Array(bytes),
		});
		if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
		return;
	}
	const begun = await fetch(`${base}${path}`, {method: 'POST'});
	const place = new URL(begun.headers.get('location')!, base);
	place.searchParams.set('digest', digestOf(bytes));
	const sent = await fetch(place, {method: 'PUT', body: new Uint8Array(bytes)});
	if (!sent.ok) throw new Error(`${path}: ${sent.status}`);
}

/** An index of images for these platforms, with an attestation, pushed as `name:tag`; its digest. */
async function pushIndex(name: string, tag: string, docker = false): Promise<{name: string; digest: string}> {
	const manifests: object[] = [];
	const types = docker
		? [
				'application/vnd.docker.distribution.manifest.v2+json',
				'application/vnd.docker.distribution.manifest.list.v2+json',
			]
		: ['application/vnd.oci.image.manifest.v1+json', index];
	const platforms = [
		{os: 'linux', architecture: 'amd64'},
		{os: 'linux', architecture: 'arm64', variant: 'v8'},
		{os: 'windows', architecture: 'amd64', 'os.version': '10.0.1'},
		...(docker ? [] : [{os: 'unknown', architecture: 'unknown'}]),
	];
	for (const platform of platforms) {
		const text = `${tag} ${platform.os} ${platform.architecture}`;
		const image = fakeImage([tarOf({etc: null, 'etc/platform': text})], undefined, platform);
		const document = JSON.parse(image.manifest.toString());
		if (docker) {
			document.mediaType = types[0];
			document.config.mediaType = 'application/vnd.docker.container.image.v1+json';
			document.layers[0].mediaType = 'application/vnd.docker.image.rootfs.diff.tar';
		}
		if (platform.os === 'unknown') document.layers[0].mediaType = 'application/vnd.in-toto+json';
		const manifest = Buffer.from(JSON.stringify(document, undefined, 1));
		for (const blob of image.blobs.values()) await put(`${name}/blobs/uploads/`, '', blob);
		await put(`${name}/manifests/${digestOf(manifest)}`, types[0]!, manifest);
		manifests.push({mediaType: types[0], digest: digestOf(manifest), size: manifest.length, platform});
	}
	const document = Buffer.from(
		JSON.stringify({schemaVersion: 2, mediaType: types[1], manifests}, undefined, 1),
	);
	await put(`${name}/manifests/${tag}`, types[1]!, document);
	return {name: `${registry.host}/${name}:${tag}`, digest: digestOf(document)};
}

const blobs = ({paths}: TestStore) => readdirSync(join(paths.images, 'blobs', 'sha256')).sort();
const arm = {platform: {os: 'linux', architecture: 'arm64'}};

async function platformFile(store: TestStore, name: string, options = {}): Promise<string> {
	const {layers} = await store.images.resolve(name, options);
	return readFileSync(join(store.paths.layer(layers[0]!), 'fs/etc/platform'), 'utf8');
}

for (const docker of [false, true]) {
	const kind = docker ? "docker's list" : 'an OCI index';
	test(`${kind} is kept whole, used by platform, saved, loaded and pushed as it was`, async (t) => {
		const store = openStore(t);
		const {name, digest} = await pushIndex(docker ? 'list' : 'index', 'one', docker);
		const pulled = await store.images.pull(name, {platform: 'all'});
		t.is(pulled.digest, digest);
		t.true(pulled.changed);
		t.false((await store.images.pull(name, {platform: 'all'})).changed);
		t.deepEqual(leftovers(store), []);

		t.is(await platformFile(store, name), 'one linux amd64');
		t.is(readdirSync(store.paths.layers).length, 1);
		t.is(await platformFile(store, name, arm), 'one linux arm64');
		t.is((await store.images.inspect(name, arm)).Architecture, 'arm64');
		const other = (await store.images.resolve(name, arm)).id;
		t.not(other, pulled.id);
		t.like(await store.images.inspect(other.slice(7, 19)), {Id: other, Architecture: 'arm64'});
		await t.throwsAsync(store.images.resolve(name, {platform: {os: 'linux', architecture: 's390x'}}), {
			code: 'not-found',
			message: `image with reference ${name} was found but does not provide the specified platform (linux/s390x)`,
		});
		const [listed, ...more] = await store.images.list({platforms: true});
		t.deepEqual(more, []);
		t.like(listed, {Id: pulled.id, RepoTags: [name]});
		t.deepEqual(
			listed!.Platforms!.map(({Platform, Available}) => [Platform, Available]),
			[
				['linux/amd64', true],
				['linux/arm64/v8', true],
				['windows/amd64', true],
			],
		);

		// A container of the other platform's image holds all of it.
		store.users = [{id: 'c'.repeat(64), image: other, running: true}];
		await t.throwsAsync(store.images.remove(name), {code: 'conflict'});
		store.users = [];
		const before = blobs(store);
		await store.images.prune();
		t.deepEqual(blobs(store), before);

		const copy = `${registry.host}/${docker ? 'list' : 'index'}-copy`;
		await store.images.tag(name, `${copy}:all`);
		t.like(await store.images.push(`${copy}:all`), [{digest}]);
		t.is(
			digestOf(Buffer.from(skopeo('inspect', '--raw', '--tls-verify=false', `docker://${copy}:all`))),
			digest,
		);
		await store.images.tag(name, `${copy}:arm`);
		const [sent] = await store.images.push(`${copy}:arm`, arm);
		t.not(sent!.digest, digest);
		t.is(
			JSON.parse(skopeo('inspect', '--config', '--tls-verify=false', `docker://${copy}:arm`)).architecture,
			'arm64',
		);

		const archive = new PassThrough();
		const bytes = buffer(archive);
		await store.images.save([name], archive);
		archive.end();
		const whole = openStore(t);
		await whole.images.load(Readable.from([await bytes]), {platform: 'all'});
		t.is(await platformFile(whole, name), 'one linux amd64');
		t.is(await platformFile(whole, name, arm), 'one linux arm64');
		const one = openStore(t);
		await one.images.load(Readable.from([await bytes]), arm);
		t.is(await platformFile(one, name), 'one linux arm64');
		const part = new PassThrough();
		const partBytes = buffer(part);
		await store.images.save([name], part, arm);
		part.end();
		t.true((await partBytes).length < (await bytes).length);

		for (const each of [name, `${copy}:all`, `${copy}:arm`]) await store.images.remove(each, {force: true});
		t.deepEqual(blobs(store), []);
		t.deepEqual(readdirSync(store.paths.layers), []);
	});
}

test('all tags of a repository are pulled; one that fails does not keep the others', async (t) => {
	const store = openStore(t);
	const image = fakeImage([tarOf({a: 'x'})]);
	const pages = [['one', 'broken', '../bad'], ['two']];
	const server = await startFake((request, response) => {
		const url = new URL(request.url!, 'http://x');
		if (url.pathname === '/v2/') return void response.end('{}');
		if (url.pathname.endsWith('/tags/list')) {
			const page = Number(url.searchParams.get('page') ?? 0);
			if (page === 0) response.setHeader('link', '</v2/many/tags/list?page=1>; rel="next"');
			return void response.end(JSON.stringify({name: 'many', tags: pages[page]}));
		}
		if (url.pathname.endsWith('/manifests/broken')) return void response.writeHead(404).end('{}');
		if (url.pathname.includes('/manifests/')) {
			response.setHeader('content-type', 'application/vnd.oci.image.manifest.v1+json');
			return void response.end(image.manifest);
		}
		response.end(image.blobs.get(url.pathname.split('/blobs/')[1]!));
	});
	t.teardown(() => server.stop());
	const said: string[] = [];
	const name = `${server.host}/many`;
	await t.throwsAsync(
		store.images.pullAll(name, {onProgress: (event) => event.kind === 'status' && said.push(event.message)}),
		{code: 'not-found'},
	);
	t.deepEqual((await store.images.list())[0]!.RepoTags, [`${name}:one`, `${name}:two`]);
	t.is(said.at(-1), `Status: Downloaded newer image for ${name}`);
	t.is(said.filter((line) => line.startsWith('Digest: ')).length, 2);
	await t.throwsAsync(store.images.pullAll(`${name}:one`), {message: "tag can't be used with --all-tags/-a"});
	t.false(server.requests.some((line) => line.includes('bad')));
});

test('an index that names another index, or has no image, is refused and leaves nothing', async (t) => {
	for (const inner of [
		{schemaVersion: 2, mediaType: index, manifests: []},
		{schemaVersion: 1, name: 'x', tag: 'y', fsLayers: []},
	]) {
		const store = openStore(t);
		const nested = Buffer.from(JSON.stringify(inner));
		const top = Buffer.from(
			JSON.stringify({
				schemaVersion: 2,
				mediaType: index,
				manifests: [{mediaType: index, digest: digestOf(nested), size: nested.length}],
			}),
		);
		const server = await startFake((request, response) => {
			if (request.url === '/v2/') return void response.end('{}');
			response.setHeader('content-type', inner.schemaVersion === 1 ? 'application/json' : index);
			response.end(request.url!.endsWith(digestOf(nested)) ? nested : top);
		});
		t.teardown(() => server.stop());
		for (const options of [{}, {platform: 'all'} as const])
			await t.throwsAsync(store.images.pull(`${server.host}/cycle`, options), {
				code: 'unsupported',
				message: /names another index|image format v1|media type/,
			});
		t.deepEqual(await store.images.list(), []);
		t.deepEqual(leftovers(store), []);
		const kept = join(store.paths.images, 'blobs', 'sha256');
		t.deepEqual(existsSync(kept) ? readdirSync(kept) : [], []);
	}
});
