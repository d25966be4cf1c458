/** Manifest lists: put together, annotated, shown, pushed and forgotten. */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {ManifestEntry, ManifestList} from '../../../src/engine/api.ts';
import {encodeList, LocalManifestLists} from '../../../src/engine/images/manifest-lists.ts';
import {Locks} from '../../../src/engine/locks.ts';
import {Paths} from '../../../src/engine/paths.ts';
import {tarOf, temporaryFolder} from '../../setup/images.ts';
import {digestOf, push, type Registry, skopeo, startRegistry, writeLayout} from '../../setup/registry.ts';

let registry: Registry;
test.before(async () => {
	registry = await startRegistry();
});
test.after.always(() => registry.stop());

function open(t: ExecutionContext) {
	const folder = temporaryFolder(t);
	const paths = new Paths(join(folder, 'root'), join(folder, 'run'));
	const transport = {env: {HOME: folder}, retryDelay: 5};
	const lists = new LocalManifestLists({
		paths,
		locks: new Locks(paths),
		credentials: async () => undefined,
		transport,
	});
	return {paths, lists};
}

function image(t: ExecutionContext, name: string, config: object = {}, ...options: string[]): string {
	return push(writeLayout(temporaryFolder(t), [tarOf({[name]: 'x'})], config), registry, name, ...options);
}

test('a list is begun, annotated, shown, pushed with the images of other repositories, and gone with --purge', async (t) => {
	const {lists} = open(t);
	const amd = image(t, 'lists/a:1');
	const arm = image(t, 'target/list:arm', {architecture: 'arm64', variant: 'v8'});
	const docker = image(t, 'lists/c:1', {}, '--format', 'v2s2');
	const list = `${registry.host}/target/list:1`;
	t.is(await lists.create(list, [amd, arm, docker]), list);
	await t.throwsAsync(lists.create(list, [amd]), {
		message: 'refusing to amend an existing manifest list with no --amend flag',
	});
	await lists.create(list, [arm], {amend: true});
	await lists.annotate(list, arm, {
		architecture: 'arm',
		variant: 'v7',
		'os.version': '3',
		'os.features': ['x', 'y'],
	});
	await t.throwsAsync(lists.annotate(list, arm, {architecture: 'zzz'}), {
		message: 'manifest entry for image has unsupported os/arch combination: /zzz',
	});
	await t.throwsAsync(lists.annotate(list, `${registry.host}/no:1`, {os: 'linux'}), {
		code: 'not-found',
		message: `manifest for image ${registry.host}/no:1 does not exist in ${list}`,
	});
	const shown = (await lists.inspect(list)) as ManifestList;
	// docker's order: that of the names of its files.
	t.deepEqual(
		shown.entries.map(({Ref}) => Ref),
		[amd, docker, arm].sort(),
	);
	t.like(shown.entries.find(({Ref}) => Ref === arm)!.Descriptor.platform, {
		architecture: 'arm',
		os: 'linux',
		variant: 'v7',
	});
	t.like(await lists.inspect(docker, {list}), {
		Ref: docker,
		Descriptor: {platform: {architecture: 'amd64', os: 'linux'}},
	});
	await t.throwsAsync(lists.inspect('x', {list}), {message: 'No such manifest: docker.io/library/x:latest'});

	const pushed: string[] = [];
	const digest = await lists.push(list, {onProgress: ({ref}) => pushed.push(ref)});
	t.deepEqual(
		pushed,
		[amd, docker].map((name) => {
			const entry = shown.entries.find(({Ref}) => Ref === name)!;
			return `${registry.host}/target/list@${entry.Descriptor.digest}`;
		}),
	);
	const raw = skopeo('inspect', '--raw', '--tls-verify=false', `docker://${list}`);
	t.is(digestOf(raw), digest);
	t.is(raw, shown.bytes.toString());
	t.is(
		JSON.parse(skopeo('inspect', '--override-arch=amd64', '--tls-verify=false', `docker://${list}`))
			.Architecture,
		'amd64',
	);
	t.is(await lists.push(list, {purge: true}), digest);
	await t.throwsAsync(lists.push(list), {code: 'not-found', message: `No such manifest: ${list}`});
	// Now it is the registry's.
	const remote = (await lists.inspect(list, {whole: true})) as ManifestList;
	t.is(remote.bytes.toString(), raw);
	t.deepEqual(
		remote.entries.map(({Ref, Raw}) => [Ref, digestOf(Buffer.from(Raw, 'base64'))]),
		shown.entries.map(({Descriptor}) => [`${list}@${Descriptor.digest}`, Descriptor.digest]),
	);
	await t.throwsAsync(lists.create(`${registry.host}/target/again:1`, [list]), {
		message: `${list} is a manifest list`,
	});
});

test('a manifest is shown as it is; what is not there is said', async (t) => {
	const {lists, paths} = open(t);
	const name = image(t, 'shown:1');
	const entry = (await lists.inspect(name)) as ManifestEntry;
	t.is(digestOf(Buffer.from(entry.Raw, 'base64')), entry.Descriptor.digest);
	t.deepEqual(entry.Descriptor.platform, {architecture: 'amd64', os: 'linux'});
	const missing = `${registry.host}/missing:1`;
	await t.throwsAsync(lists.inspect(missing), {code: 'not-found', message: `no such manifest: ${missing}`});
	await t.throwsAsync(lists.create('x', [missing]), {message: `no such manifest: ${missing}`});
	await t.throwsAsync(lists.inspect('Bad Name'), {code: 'invalid'});
	await t.throwsAsync(lists.remove('x'), {message: 'No such manifest: docker.io/library/x:latest'});
	await lists.create('localhost:1/other:1', [name]);
	await t.throwsAsync(lists.push('localhost:1/other:1'), {
		message: `cannot use source images from a different registry than the target image: ${registry.host} != localhost:1`,
	});
	await lists.remove('localhost:1/other:1');
	// What somebody else has written there is no list.
	const file = join(paths.root, 'manifests', `${digestOf('docker.io/library/x:latest').slice(7)}.json`);
	mkdirSync(join(paths.root, 'manifests'), {recursive: true});
	writeFileSync(file, '{"entries": 7}');
	await t.throwsAsync(lists.inspect('x'), {code: 'corrupt', message: /is damaged; remove it/});
});

test("a list has docker's bytes", (t) => {
	const descriptor = (architecture: string, more = {}) => ({
		mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
		digest: `sha256:${'a'.repeat(64)}`,
		size: 422,
		platform: {variant: '', os: 'linux', architecture, ...more},
	});
	const entries = [
		{
			Ref: 'x',
			Raw: '',
			Descriptor: descriptor('arm', {variant: 'v7', 'os.version': '<3>', 'os.features': ['x']}),
		},
		{Ref: 'y', Raw: '', Descriptor: descriptor('amd64', {'os.features': []})},
	];
	const {mediaType, bytes} = encodeList(entries);
	t.is(mediaType, 'application/vnd.docker.distribution.manifest.list.v2+json');
	t.is(
		bytes.toString(),
		`{
   "schemaVersion": 2,
   "mediaType": "application/vnd.docker.distribution.manifest.list.v2+json",
   "manifests": [
      {
         "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
         "size": 422,
         "digest": "sha256:${'a'.repeat(64)}",
         "platform": {
            "architecture": "arm",
            "os": "linux",
            "os.version": "\\u003c3\\u003e",
            "os.features": [
               "x"
            ],
            "variant": "v7"
         }
      },
      {
         "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
         "size": 422,
         "digest": "sha256:${'a'.repeat(64)}",
         "platform": {
            "architecture": "amd64",
            "os": "linux"
         }
      }
   ]
}`,
	);
});
