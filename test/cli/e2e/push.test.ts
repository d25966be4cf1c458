/** What a push asks a real registry for, and what becomes of one that breaks off. */
import {createHash, randomBytes} from 'node:crypto';
import {mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {Command} from '../../e2e/command.ts';
import {pushBusybox} from '../../e2e/images.ts';
import {type Registry, skopeo, startFake, startRegistry} from '../../setup/registry.ts';
import {type RegistryProxy, startProxy} from '../../setup/registry-proxy.ts';

const wherry = new Command();
let registry: Registry;
let proxy: RegistryProxy;
let image: string;

test.before(async () => {
	registry = await startRegistry();
	proxy = await startProxy(registry);
	image = await pushBusybox(registry.host, 'library/box:1');
	await wherry.output('pull', '-q', image);
});

test.after.always(async (t) => {
	t.deepEqual(await wherry.end(), []);
	await proxy.stop();
	await registry.stop();
});

/** What the registry has; skopeo keeps this process, and so the proxy, waiting. */
const rawManifest = (name: string): string =>
	skopeo(
		...['inspect', '--raw', '--tls-verify=false'],
		`docker://${name.replace(proxy.host, registry.host)}`,
	);

interface Manifest {
	config: {digest: string};
	layers: {digest: string}[];
	manifests?: {digest: string}[];
}

/** An image of three layers, two of which are made here. */
async function build(name: string, noise = 100): Promise<void> {
	const folder = join(wherry.folder, `context-${randomBytes(4).toString('hex')}`);
	mkdirSync(folder);
	writeFileSync(join(folder, 'a'), randomBytes(noise));
	writeFileSync(join(folder, 'b'), randomBytes(100));
	writeFileSync(join(folder, 'Dockerfile'), `FROM ${image}\nCOPY a /a\nCOPY b /b\n`);
	await wherry.output('build', '-q', '-t', name, folder);
}

test.serial(
	'of what a registry has a push asks once for each blob and each manifest, and sends nothing',
	async (t) => {
		const name = `${proxy.host}/counted/one`;
		await build(`${name}:b`);
		await wherry.output('tag', `${name}:b`, `${name}:a`);
		const said = await wherry.output('push', '-a', name);
		// In the order of their names, whatever the store has them in.
		t.deepEqual(
			[...said.matchAll(/^(\S+): digest:/gm)].map(([, tag]) => tag),
			['a', 'b'],
		);
		const {config, layers} = JSON.parse(rawManifest(`${name}:a`)) as Manifest;
		t.is(layers.length, 3);
		const blobs = [config, ...layers].map(({digest}) => `HEAD /v2/counted/one/blobs/${digest}`).sort();
		proxy.take();
		const again = await wherry.output('push', `${name}:a`);
		t.deepEqual(again.match(/: Layer already exists$/gm)?.length, 3);
		const requests = proxy.take();
		t.deepEqual(requests.filter((line) => line !== 'GET /v2/').sort(), [
			...blobs,
			'HEAD /v2/counted/one/manifests/a',
		]);
		// All tags of a repository ask no more often for what they have in common.
		await wherry.output('push', '-q', '-a', name);
		t.deepEqual(
			proxy
				.take()
				.filter((line) => line !== 'GET /v2/')
				.sort(),
			[...blobs, 'HEAD /v2/counted/one/manifests/a', 'HEAD /v2/counted/one/manifests/b'],
		);
	},
);

test.serial('the images of all platforms go with one question for each blob and manifest', async (t) => {
	const name = `${proxy.host}/counted/many`;
	const host = registry.host;
	await build(`${host}/many/x:1`);
	await build(`${host}/many/x:2`);
	await wherry.output('push', '-q', '-a', `${host}/many/x`);
	await wherry.output('manifest', 'create', `${host}/many/x:all`, `${host}/many/x:1`, `${host}/many/x:2`);
	await wherry.output(
		...['manifest', 'annotate', '--arch', 'riscv64', `${host}/many/x:all`, `${host}/many/x:2`],
	);
	const list = await wherry.output('manifest', 'push', '-p', `${host}/many/x:all`);
	await wherry.output('pull', '-q', '--platform', 'all', `${host}/many/x:all`);
	await wherry.output('tag', `${host}/many/x:all`, `${name}:all`);
	t.true(
		(await wherry.output('push', '--platform', 'all', `${name}:all`)).includes(`\nall: digest: ${list}`),
	);
	const {manifests = []} = JSON.parse(rawManifest(`${name}:all`)) as Manifest;
	t.is(manifests.length, 2);
	const blobs = new Set<string>();
	for (const {digest} of manifests) {
		const {config, layers} = JSON.parse(rawManifest(`${name}@${digest}`)) as Manifest;
		for (const blob of [config, ...layers]) blobs.add(`HEAD /v2/counted/many/blobs/${blob.digest}`);
	}
	proxy.take();
	await wherry.output('push', '-q', `${name}:all`);
	t.deepEqual(
		proxy
			.take()
			.filter((line) => line !== 'GET /v2/')
			.sort(),
		[
			...blobs,
			'HEAD /v2/counted/many/manifests/all',
			...manifests.map(({digest}) => `HEAD /v2/counted/many/manifests/${digest}`),
		].sort(),
	);
});

test.serial(
	'an image of zstd layers is pulled, run, saved, loaded and pushed under its digests',
	async (t) => {
		const archive = join(wherry.folder, 'box.tar');
		const from = join(wherry.folder, 'zstd-context');
		mkdirSync(from);
		writeFileSync(join(from, 'a'), 'a'.repeat(3 << 20));
		writeFileSync(join(from, 'b'), randomBytes(3 << 20));
		writeFileSync(join(from, 'Dockerfile'), `FROM ${image}\nCOPY a /a\nRUN rm /bin/yes\nCOPY b /b\n`);
		await wherry.output('build', '-q', '-t', 'plain:1', from);
		await wherry.output('save', '-o', archive, 'plain:1');
		const name = `${registry.host}/zstd/box:1`;
		skopeo(
			...['copy', '-q', '--dest-tls-verify=false', '--format', 'oci'],
			...['--dest-compress', '--dest-compress-format', 'zstd'],
			...[`docker-archive:${archive}`, `docker://${name}`],
		);
		const digest = skopeo(
			...['inspect', '--tls-verify=false', '--format', '{{.Digest}}', `docker://${name}`],
		).trim();
		const {layers} = JSON.parse(rawManifest(name)) as {layers: {mediaType: string}[]};
		t.is(layers.length, 4);
		for (const {mediaType} of layers) t.is(mediaType, 'application/vnd.oci.image.layer.v1.tar+zstd');

		await wherry.output('rmi', 'plain:1');
		const anew = await wherry.output('pull', name);
		t.regex(anew, new RegExp(`^Digest: ${digest}$`, 'm'));
		t.is(anew.match(/: Pull complete/g)?.length, 4);
		const check = ['sh', '-c', 'wc -c </a; sha256sum </b; ls /bin/yes 2>/dev/null || echo none'];
		const sum = createHash('sha256')
			.update(readFileSync(join(from, 'b')))
			.digest('hex');
		t.is(await wherry.output('run', '--rm', name, ...check), `${3 << 20}\n${sum}  -\nnone`);

		const copy = `${registry.host}/other/box:1`;
		await wherry.output('save', '-o', archive, name);
		await wherry.output('rmi', '-f', name);
		await wherry.output('load', '-i', archive);
		await wherry.output('tag', name, copy);
		t.regex(await wherry.output('push', copy), new RegExp(`^1: digest: ${digest} size: \\d+$`, 'm'));
		t.is(rawManifest(copy), rawManifest(name));
		t.is(
			skopeo('inspect', '--tls-verify=false', '--format', '{{.Digest}}', `docker://${copy}`).trim(),
			digest,
		);
		await wherry.output('rmi', '-f', name, copy);
	},
);

test.serial('an upload that a registry takes nothing more of begins anew', async (t) => {
	const name = `${proxy.host}/cut/one:1`;
	await build(name, 3_000_000);
	proxy.take();
	proxy.cuts.push(1_000_000);
	t.is((await wherry.result(['push', name])).code, 0);
	t.is(proxy.cuts.length, 0);
	// The two layers and the configuration; the large one twice.
	t.is(proxy.take().filter((line) => line.startsWith('PATCH')).length, 4);
	t.is((await wherry.result(['pull', name])).code, 0);
	t.deepEqual(readdirSync(join(wherry.root, 'cache/uploads')), []);
});

test.serial('a push that is killed goes on where it was in the next process', async (t) => {
	let received = 0;
	const starts: number[] = [];
	let killed: (() => void) | undefined;
	const begun = new Set<string>();
	const fake = await startFake((request, response, host) => {
		const {method, url = ''} = request;
		const place = `http://${host}/v2/x/blobs/uploads/1`;
		if (method === 'HEAD') return void response.writeHead(404).end();
		if (method === 'POST') {
			begun.add(url);
			return void response.writeHead(202, {location: place}).end();
		}
		if (method === 'GET' && url.includes('uploads'))
			return void response.writeHead(204, {location: place, range: `0-${received - 1}`}).end();
		if (method === 'PATCH') {
			const length = Number(request.headers['content-length']);
			const first = /^(\d+)-/.exec(request.headers['content-range'] ?? '')?.[1] ?? '0';
			const isLarge = length > 100_000;
			if (isLarge) starts.push(Number(first));
			request.on('data', (chunk: Buffer) => {
				if (!isLarge || (killed && received > 500_000)) return;
				received += chunk.length;
				if (received > 500_000) killed?.();
			});
			request.on('end', () => response.writeHead(202, {location: place}).end());
			return;
		}
		if (method === 'PUT') {
			request.resume();
			return void request.on('end', () => response.writeHead(201).end());
		}
		response.writeHead(200).end('{}');
	});
	t.teardown(() => fake.stop());
	const name = `${fake.host}/x:1`;
	await wherry.output('tag', image, name);
	const child = wherry.spawn('push', name);
	const ended = new Promise((resolve) => child.once('exit', resolve));
	await new Promise<void>((resolve) => {
		killed = resolve;
	});
	child.kill('SIGKILL');
	await ended;
	killed = undefined;
	const there = received;
	const posts = () => fake.requests.filter((line) => line.startsWith('POST')).length;
	const before = posts();
	t.is((await wherry.result(['push', name])).code, 0);
	t.deepEqual(starts, [0, there]);
	// For the configuration; the layer has its upload.
	t.is(posts(), before + 1);
	// One that is done is nothing to go on with.
	t.is((await wherry.result(['push', name])).code, 0);
	t.deepEqual(starts, [0, there, 0]);
});
