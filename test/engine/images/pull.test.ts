import {type ChildProcess, spawn, spawnSync} from 'node:child_process';
import {existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import type {IncomingMessage, ServerResponse} from 'node:http';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {gzipSync} from 'node:zlib';
import test, {type ExecutionContext} from 'ava';
import type {PullEvent} from '../../../src/engine/api.ts';
import {
	layoutFaults,
	leftovers,
	openStore,
	type TestStore,
	tarOf,
	tarOfScript,
	temporaryFolder,
} from '../../setup/images.ts';
import {
	digestOf,
	type FakeImage,
	fakeImage,
	push,
	type Registry,
	serveImage,
	skopeo,
	startFake,
	startRegistry,
	writeLayout,
} from '../../setup/registry.ts';

let registry: Registry;
test.before(async () => {
	registry = await startRegistry();
});
test.after.always(() => registry.stop());

const small = (name: string) => tarOf({etc: null, [`etc/${name}`]: name});

/** A registry in this process; `answer` may take a request over. */
async function fake(
	t: ExecutionContext,
	image: FakeImage,
	answer: (request: IncomingMessage, response: ServerResponse) => boolean = () => false,
) {
	const server = await startFake((request, response) => {
		if (answer(request, response)) return;
		if (!serveImage(image, request, response)) response.writeHead(404).end('{}');
	});
	t.teardown(() => server.stop());
	return server;
}

const isBlob = (request: IncomingMessage, bytes: Buffer) =>
	request.url?.endsWith(`/blobs/${digestOf(bytes)}`);

/** The trees of an image, lowest first. */
async function trees(store: TestStore, name: string): Promise<string[]> {
	const {layers} = await store.images.resolve(name);
	return layers.map((key) => join(store.paths.layer(key), 'fs'));
}

const lines = (events: PullEvent[]) =>
	events.map((event) =>
		event.kind === 'status'
			? event.id === undefined
				? event.message
				: `${event.id}: ${event.message}`
			: `${event.id}: ${event.state}`,
	);

test('an image of several layers is pulled, unpacked, listed and read by skopeo', async (t) => {
	const store = openStore(t);
	const lower = tarOfScript(
		t,
		`mkdir -p etc/old bin; echo one >etc/one; echo gone >etc/gone; ln etc/one etc/same
		ln -s ../etc/one bin/link; printf x >bin/run; chmod 4755 bin/run; chown 12:34 etc/gone
		setfattr -n user.note -v hello etc/one 2>/dev/null || true; touch -d @1000000000 etc/one`,
	);
	const upper = tarOf({
		etc: null,
		'etc/.wh.gone': '',
		'etc/old': null,
		'etc/old/.wh..wh..opq': '',
		'etc/two': 'two',
	});
	const layout = writeLayout(temporaryFolder(t), [lower, upper], {
		created: '2024-01-02T03:04:05.678Z',
		config: {Cmd: ['run'], Env: ['A=b'], Labels: {k: 'v'}},
	});
	const name = push(layout, registry, 'multi:1');
	const events: PullEvent[] = [];
	const pulled = await store.images.pull(name, {onProgress: (event) => events.push(event)});
	t.true(pulled.changed);
	const said = lines(events);
	t.is(said[0], '1: Pulling from multi');
	t.deepEqual(said.slice(-2), [`Digest: ${pulled.digest}`, `Status: Downloaded newer image for ${name}`]);
	t.is(said.filter((line) => line.endsWith(': Pull complete')).length, 2);

	const [first, second] = await trees(store, name);
	t.is(readFileSync(join(first!, 'etc/one'), 'utf8'), 'one\n');
	t.is(statSync(join(first!, 'etc/one')).ino, statSync(join(first!, 'etc/same')).ino);
	t.is(statSync(join(first!, 'etc/one')).mtimeMs, 1e12);
	t.is(statSync(join(first!, 'bin/run')).mode & 0o7777, 0o4755);
	t.like(statSync(join(first!, 'etc/gone')), {uid: 12, gid: 34});
	const whiteout = lstatSync(join(second!, 'etc/gone'));
	t.true(whiteout.isCharacterDevice());
	t.is(whiteout.rdev, 0);
	t.deepEqual(readdirSync(join(second!, 'etc')).sort(), ['gone', 'old', 'two']);

	const [listed] = await store.images.list();
	t.like(listed, {
		Id: pulled.id,
		RepoTags: [name],
		RepoDigests: [`${registry.host}/multi@${pulled.digest}`],
		Created: 1704164645,
		Labels: {k: 'v'},
		// What the files and links of both layers hold, hard links once.
		Size: 23,
		Containers: 0,
	});
	t.like(JSON.parse(skopeo('inspect', `oci:${store.paths.images}:${name}`)), {
		Labels: {k: 'v'},
		Env: ['A=b'],
	});
	t.deepEqual(layoutFaults(store), []);
	t.deepEqual(leftovers(store), []);
	t.deepEqual(store.events, [['image', 'pull', name, {k: 'v', name: name.replace(/:1$/, '')}]]);
	t.is((await store.images.resolve(name)).config.Cmd?.[0], 'run');
});

test('a second pull finds everything', async (t) => {
	const store = openStore(t);
	const name = push(writeLayout(temporaryFolder(t), [small('again')]), registry, 'again');
	const {id} = await store.images.pull(name);
	const events: PullEvent[] = [];
	const second = await store.images.pull(name, {onProgress: (event) => events.push(event)});
	t.like(second, {id, changed: false});
	const said = lines(events);
	t.deepEqual(said, [
		'latest: Pulling from again',
		`Digest: ${second.digest}`,
		`Status: Image is up to date for ${name}:latest`,
	]);
});

test('a layer that another image has is not fetched again', async (t) => {
	const store = openStore(t);
	const shared = small('shared');
	await store.images.pull(push(writeLayout(temporaryFolder(t), [shared, small('a')]), registry, 'share-a'));
	const events: PullEvent[] = [];
	await store.images.pull(push(writeLayout(temporaryFolder(t), [shared, small('b')]), registry, 'share-b'), {
		onProgress: (event) => events.push(event),
	});
	t.is(lines(events).filter((line) => line.endsWith(': Already exists')).length, 1);
	t.is(lines(events).filter((line) => line.endsWith(': Pull complete')).length, 1);
});

test('gzip and zstd give the same image as plain layers', async (t) => {
	const store = openStore(t);
	const layout = writeLayout(temporaryFolder(t), [tarOf({data: 'x'.repeat(100_000)})]);
	const ids = new Set<string>();
	for (const format of ['gzip', 'zstd', 'zstd:chunked']) {
		const options = ['--dest-compress', '--dest-compress-format', format];
		let name: string;
		try {
			name = push(layout, registry, `compressed:${format.replace(':', '-')}`, ...options);
		} catch (error) {
			// An older skopeo doesn't know this one.
			if (format === 'zstd:chunked') continue;
			throw error;
		}
		const {id} = await store.images.pull(name);
		ids.add(JSON.stringify((await store.images.inspect(id)).RootFS));
		t.is(statSync(join((await trees(store, name))[0]!, 'data')).size, 100_000, format);
	}
	t.is(ids.size, 1);
	t.deepEqual(layoutFaults(store), []);
});

test("docker's own media types are understood, and skopeo reads them in our store", async (t) => {
	const store = openStore(t);
	const layout = writeLayout(temporaryFolder(t), [small('docker')]);
	const name = push(layout, registry, 'docker', '--format', 'v2s2');
	await store.images.pull(name);
	t.is((await trees(store, name)).length, 1);
	t.is(JSON.parse(skopeo('inspect', `oci:${store.paths.images}:${name}:latest`)).Os, 'linux');
});

/** An index of images for platforms, as a fake registry serves it. */
function platforms(names: readonly {architecture: string; variant?: string}[]) {
	const images = names.map((platform) =>
		fakeImage([small(JSON.stringify(platform).replace(/\W/g, ''))], undefined, platform),
	);
	const index = Buffer.from(
		JSON.stringify({
			schemaVersion: 2,
			mediaType: 'application/vnd.oci.image.index.v1+json',
			manifests: images.map(({manifest}, at) => ({
				mediaType: 'application/vnd.oci.image.manifest.v1+json',
				digest: digestOf(manifest),
				size: manifest.length,
				platform: {os: 'linux', ...names[at]},
			})),
		}),
	);
	const answer = (request: IncomingMessage, response: ServerResponse): boolean => {
		const wanted = images.find(
			({manifest, blobs}) =>
				request.url?.endsWith(digestOf(manifest)) ||
				[...blobs.keys()].some((digest) => request.url?.endsWith(digest)),
		);
		if (wanted) return serveImage(wanted, request, response);
		if (!request.url?.includes('/manifests/')) return false;
		response.setHeader('content-type', 'application/vnd.oci.image.index.v1+json');
		response.end(index);
		return true;
	};
	return {images, index, answer};
}

test('of an index the entry for the platform is taken', async (t) => {
	const store = openStore(t);
	const {images, index, answer} = platforms([
		{architecture: 'unknown'},
		{architecture: 'arm64', variant: 'v8'},
		{architecture: 'amd64'},
		{architecture: 'arm', variant: 'v6'},
	]);
	const server = await fake(t, images[0]!, answer);
	const name = `${server.host}/many:1`;
	const pull = async (architecture: string, variant?: string) => {
		const platform = {os: 'linux', architecture, ...(variant ? {variant} : {})};
		const {id, digest} = await store.images.pull(name, {platform});
		t.is(digest, digestOf(index));
		return (await store.images.inspect(id)).Architecture;
	};
	t.is(await pull('amd64'), 'amd64');
	t.is(await pull('arm64'), 'arm64');
	t.is(await pull('aarch64'), 'arm64');
	t.is(await pull('arm', 'v7'), 'arm');
	await t.throwsAsync(pull('s390x'), {
		code: 'not-found',
		message: 'no matching manifest for linux/s390x in the manifest list entries',
	});
	await t.throwsAsync(pull('arm', 'v5'), {
		message: 'no matching manifest for linux/arm/v5 in the manifest list entries',
	});
	const byDigest = `${server.host}/many@${digestOf(index)}`;
	const events: PullEvent[] = [];
	await store.images.pull(byDigest, {onProgress: (event) => events.push(event)});
	t.is(lines(events)[0], `${byDigest}: Pulling from many`);
	t.is((await store.images.resolve(byDigest)).name, byDigest);
});

test('one image for another platform is pulled with a warning', async (t) => {
	const store = openStore(t);
	const name = push(writeLayout(temporaryFolder(t), [small('other')]), registry, 'other');
	const events: PullEvent[] = [];
	await store.images.pull(name, {
		platform: {os: 'linux', architecture: 'arm64'},
		onProgress: (event) => events.push(event),
	});
	t.true(
		lines(events).includes(
			`WARNING: image with reference ${name}:latest was found but does not match the specified platform: wanted linux/arm64, actual: linux/amd64`,
		),
	);
});

test('an image that skopeo has put into the store is unpacked when it is used', async (t) => {
	const store = openStore(t);
	const layout = writeLayout(temporaryFolder(t), [small('foreign'), small('foreign2')]);
	mkdirSync(store.paths.root);
	skopeo('copy', '-q', `oci:${layout}`, `oci:${store.paths.images}:foreign:1`);
	t.deepEqual(
		(await store.images.list()).map(({RepoTags}) => RepoTags),
		[['foreign:1']],
	);
	t.is(readFileSync(join((await trees(store, 'foreign:1'))[1]!, 'etc/foreign2'), 'utf8'), 'foreign2');
	t.deepEqual(leftovers(store), []);
});

test('one layer may be in an image twice', async (t) => {
	const store = openStore(t);
	const [twice, between] = [small('twice'), small('between')];
	const name = push(writeLayout(temporaryFolder(t), [twice, between, twice]), registry, 'twice');
	await store.images.pull(name);
	const [first, , third] = await trees(store, name);
	t.is(first, third);
	t.deepEqual(leftovers(store), []);
});

test('folders that a layer only implies look like those of the layers below', async (t) => {
	const store = openStore(t);
	const base = tarOfScript(
		t,
		'mkdir -p srv/private; chmod 711 srv; chmod 700 srv/private; chown 7:8 srv/private; touch -d @1234567890 srv/private',
	);
	const implying = tarOf({'srv/private/key': 'k', 'opt/new/file': 'f'});
	const name = push(writeLayout(temporaryFolder(t), [base, implying]), registry, 'implied');
	await store.images.pull(name);
	const [, upper] = await trees(store, name);
	t.like(statSync(join(upper!, 'srv/private')), {uid: 7, gid: 8, mtimeMs: 1234567890_000});
	t.is(statSync(join(upper!, 'srv/private')).mode & 0o7777, 0o700);
	t.is(statSync(join(upper!, 'srv')).mode & 0o7777, 0o711);
	t.is(statSync(join(upper!, 'opt/new')).mode & 0o7777, 0o755);
	// The same layer on another base looks like that one.
	const otherBase = tarOfScript(t, 'mkdir -p srv/private; chmod 750 srv/private');
	const other = push(writeLayout(temporaryFolder(t), [otherBase, implying]), registry, 'implied-other');
	await store.images.pull(other);
	const [, otherUpper] = await trees(store, other);
	t.not(upper, otherUpper);
	t.is(statSync(join(otherUpper!, 'srv/private')).mode & 0o7777, 0o750);
	t.is(statSync(join(upper!, 'srv/private')).mode & 0o7777, 0o700);
});

test('a registry with a password gives images only with it', async (t) => {
	// `htpasswd -nbB user secret`, made once.
	const guarded = await startRegistry({
		htpasswd: 'user:$2y$05$5.q0uu7ZtMeGhfzGK.XNtuHxgg7BFRcfh98cu491VzdWxVaxsaLki',
	});
	t.teardown(() => guarded.stop());
	const docker = temporaryFolder(t);
	const store = openStore(t, {env: {DOCKER_CONFIG: docker}});
	const layout = writeLayout(temporaryFolder(t), [small('secret')]);
	const name = push(layout, guarded, 'private', '--dest-creds', 'user:secret');
	await t.throwsAsync(store.images.pull(name), {
		code: 'denied',
		message: `Get "http://${guarded.host}/v2/private/manifests/latest": no basic auth credentials`,
	});
	const logIn = (pair: string) =>
		writeFileSync(
			join(docker, 'config.json'),
			JSON.stringify({auths: {[guarded.host]: {auth: Buffer.from(pair).toString('base64')}}}),
		);
	logIn('user:wrong');
	const stale = openStore(t, {env: {DOCKER_CONFIG: docker}});
	await t.throwsAsync(stale.images.pull(name), {
		code: 'denied',
		message: 'unauthorized: authentication required',
	});
	logIn('user:secret');
	const knowing = openStore(t, {env: {DOCKER_CONFIG: docker}});
	await knowing.images.pull(name);
	t.is((await trees(knowing, name)).length, 1);
});

test('what is not there is said as docker says it', async (t) => {
	const store = openStore(t);
	await t.throwsAsync(store.images.pull(`${registry.host}/nothing:here`), {
		code: 'not-found',
		message: `manifest for ${registry.host}/nothing:here not found: manifest unknown: manifest unknown`,
	});
	await t.throwsAsync(store.images.pull('Not A Name'), {code: 'invalid'});
	t.deepEqual(await store.images.list(), []);
	t.deepEqual(leftovers(store), []);
});

/** Pulls what must be refused, and sees that nothing has come of it. */
async function refused(
	t: ExecutionContext,
	server: Registry,
	message: RegExp,
	code = 'corrupt',
): Promise<void> {
	const store = openStore(t, {stallTimeout: 2000});
	const error = await t.throwsAsync(store.images.pull(`${server.host}/bad`), {message});
	t.is((error as {code?: string}).code, code, error!.message);
	t.deepEqual(await store.images.list(), []);
	t.deepEqual(
		leftovers(store).filter((name) => !name.endsWith('.partial')),
		[],
	);
	for (const folder of [store.paths.layers, join(store.paths.images, 'blobs', 'sha256')])
		t.deepEqual(existsSync(folder) ? readdirSync(folder) : [], []);
}

const content = tarOf({etc: null, 'etc/file': 'x'.repeat(200_000)});

test('wrong bytes of a layer are refused', async (t) => {
	const wrong = Buffer.from(content);
	wrong[1500] = 0x79;
	const server = await fake(t, fakeImage([content]), (request, response) => {
		if (!isBlob(request, content)) return false;
		response.end(wrong);
		return true;
	});
	await refused(
		t,
		server,
		new RegExp(`^filesystem layer verification failed for digest ${digestOf(content)}$`),
	);
});

test('a truncated layer is refused after five tries', async (t) => {
	const server = await fake(t, fakeImage([content]), (request, response) => {
		if (!isBlob(request, content)) return false;
		const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
		if (start > 0) response.writeHead(206, {'content-range': `bytes ${start}-${start}/${start + 1}`});
		response.end(content.subarray(start, 100_000));
		return true;
	});
	await refused(t, server, /ends after 100000 of \d+ bytes: unexpected EOF/, 'unavailable');
	t.is(server.requests.filter((line) => line.endsWith(digestOf(content))).length, 5);
});

test('garbage in place of an archive is refused', async (t) => {
	for (const garbage of [Buffer.alloc(100_000, 'garbage '), gzipSync(content).subarray(0, 150)])
		await refused(t, await fake(t, fakeImage([garbage])), /failed to register layer|unpacks to/);
});

test('an archive whose content is not what the configuration names is refused', async (t) => {
	await refused(
		t,
		await fake(t, fakeImage([content], [digestOf('other')])),
		/unpacks to .* but the image configuration names/,
	);
});

test('a configuration with another number of layers is refused', async (t) => {
	await refused(
		t,
		await fake(t, fakeImage([content], [])),
		/layers from manifest don't match image configuration/,
	);
});

test('an archive that tries to leave its folder does not', async (t) => {
	const outside = temporaryFolder(t);
	const store = openStore(t);
	const escaping = tarOf({
		[`../../../../../../../..${outside}/dots`]: 'x',
		way: `-> ${outside}`,
		'way/link': 'x',
	});
	const server = await fake(t, fakeImage([escaping]));
	await store.images.pull(`${server.host}/escape`).catch(() => {});
	t.deepEqual(readdirSync(outside), []);
	t.deepEqual(
		leftovers(store).filter((name) => !name.endsWith('.partial')),
		[],
	);
});

test('a pull can be cancelled, and the next one goes on', async (t) => {
	const store = openStore(t);
	const big = tarOf({big: Buffer.alloc(1 << 20, 'cancel')});
	let hold = true;
	const server = await fake(t, fakeImage([big]), (request, response) => {
		if (!isBlob(request, big) || !hold) return false;
		response.writeHead(200, {'content-length': big.length});
		response.write(big.subarray(0, 300_000));
		return true;
	});
	const cancel = new AbortController();
	const name = `${server.host}/cancel`;
	const pull = store.images.pull(name, {
		signal: cancel.signal,
		onProgress: (event) => {
			if (event.kind === 'layer' && event.state === 'Downloading' && (event.current ?? 0) > 0) cancel.abort();
		},
	});
	await t.throwsAsync(pull, {code: 'cancelled', message: 'context canceled'});
	hold = false;
	t.deepEqual(leftovers(store), [`${digestOf(big).slice(7)}.partial`]);
	await store.images.pull(name);
	t.regex(server.ranges.filter(Boolean).at(-1)!, /^bytes=\d+-/);
	t.deepEqual(leftovers(store), []);
});

test('an earlier partial download with wrong bytes is thrown away', async (t) => {
	const store = openStore(t);
	const big = tarOf({big: Buffer.alloc(1 << 20, 'partial')});
	let wrong = true;
	const server = await fake(t, fakeImage([big]), (request, response) => {
		if (!isBlob(request, big) || !wrong) return false;
		response.writeHead(200, {'content-length': big.length});
		response.write(Buffer.alloc(500_000, 'wrong'));
		return true;
	});
	const name = `${server.host}/wrong-start`;
	const cancel = new AbortController();
	const first = store.images.pull(name, {signal: cancel.signal});
	const partial = join(store.paths.ingest, `${digestOf(big).slice(7)}.partial`);
	while (!existsSync(partial) || statSync(partial).size < 500_000) await sleep(10);
	cancel.abort();
	await t.throwsAsync(first, {code: 'cancelled'});
	wrong = false;
	await store.images.pull(name);
	t.is(statSync(join((await trees(store, name))[0]!, 'big')).size, 1 << 20);
});

function pullProcess(store: TestStore, name: string): {child: ChildProcess; ended: Promise<string>} {
	const script = new URL('../../setup/pull.ts', import.meta.url).pathname;
	const child = spawn(process.execPath, [script, store.paths.root, store.paths.run, name], {
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	let output = '';
	child.stdout!.on('data', (chunk) => {
		output += chunk;
	});
	return {child, ended: new Promise((resolve) => child.once('close', () => resolve(output.trim())))};
}

test('two processes that pull the same image fetch each blob once', async (t) => {
	const store = openStore(t);
	const layers = ['p', 'q', 'r', 's'].map((name) => tarOf({[name]: Buffer.alloc(2 << 20, name)}));
	const server = await fake(t, fakeImage(layers));
	const name = `${server.host}/both`;
	const ids = await Promise.all([pullProcess(store, name).ended, pullProcess(store, name).ended]);
	t.regex(ids[0]!, /^sha256:/);
	t.is(ids[0], ids[1]);
	for (const layer of layers)
		t.is(server.requests.filter((line) => line.endsWith(digestOf(layer))).length, 1);
	t.deepEqual(leftovers(store), []);
	t.deepEqual(layoutFaults(store), []);
});

test('a pull that is killed leaves nothing that counts, and the next one goes on where it was', async (t) => {
	const store = openStore(t);
	const big = tarOf({big: Buffer.alloc(4 << 20, 'killed')});
	const layers = [small('first'), big];
	let hold = true;
	const server = await fake(t, fakeImage(layers), (request, response) => {
		if (!isBlob(request, big) || !hold) return false;
		response.writeHead(200, {'content-length': big.length});
		response.write(big.subarray(0, 2 << 20));
		return true;
	});
	const name = `${server.host}/killed`;
	const {child, ended} = pullProcess(store, name);
	const partial = join(store.paths.ingest, `${digestOf(big).slice(7)}.partial`);
	while (!existsSync(partial) || statSync(partial).size < 2 << 20) await sleep(10);
	child.kill('SIGKILL');
	await ended;
	hold = false;
	t.deepEqual(await store.images.list(), []);
	t.true(leftovers(store).some((entry) => entry.endsWith('.unpack')));
	await store.images.pull(name);
	t.is(server.ranges.filter(Boolean).at(-1), `bytes=${2 << 20}-${big.length - 1}`);
	t.deepEqual(leftovers(store), []);
	t.is(statSync(join((await trees(store, name))[1]!, 'big')).size, 4 << 20);
});

test('a full disk is said, and nothing is left on it', async (t) => {
	const disk = temporaryFolder(t);
	const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', disk], {encoding: 'utf8'});
	t.is(mounted.status, 0, mounted.stderr);
	try {
		const store = openStore(t, {root: join(disk, 'root')});
		const server = await fake(t, fakeImage([small('fits'), tarOf({big: Buffer.alloc(8 << 20, 'full')})]));
		const error = await t.throwsAsync(store.images.pull(`${server.host}/full`), {code: 'exhausted'});
		t.regex(error!.message, /no space left on device/);
		t.deepEqual(await store.images.list(), []);
		t.deepEqual(leftovers(store), []);
	} finally {
		spawnSync('umount', [disk]);
	}
});
