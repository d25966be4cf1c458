/** Images go from umoci, podman and skopeo to us and back, and keep their digests on every way. */
import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {Command} from '../../e2e/command.ts';
import {pushBusybox} from '../../e2e/images.ts';
import {type Registry, skopeo, startRegistry} from '../../setup/registry.ts';

const wherry = new Command();
const place = (name: string): string => join(wherry.folder, name);
let registry: Registry;
/** An image of three layers, of which the upper ones were made here. */
const image = 'made/here:1';

const run = (program: string, ...args: string[]): string =>
	execFileSync(program, args, {encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']}).trim();

const podman = (...args: string[]): string =>
	run(
		...(['podman', '--root', place('podman'), '--runroot', place('podman-run')] as const),
		...['--storage-driver', 'vfs', '--events-backend', 'none', ...args],
	);

interface Descriptor {
	digest: string;
	size: number;
	annotations?: Record<string, string>;
}

test.before(async () => {
	registry = await startRegistry();
	const base = await pushBusybox(registry.host, 'base:1');
	await wherry.output('pull', '-q', base);
	const context = place('context');
	mkdirSync(context);
	writeFileSync(join(context, 'file'), 'here');
	writeFileSync(
		join(context, 'Dockerfile'),
		`FROM ${base}\nRUN echo x >/x && rm /etc/group\nCOPY file /\nLABEL of=ours\n`,
	);
	await wherry.output('build', '-q', '-t', image, context);
});

test.after.always(async (t) => {
	t.deepEqual(await wherry.end(), []);
	await registry.stop();
});

/** What an archive is unpacked to, with its index. */
function unpacked(archive: string): {layout: string; manifests: Descriptor[]} {
	const layout = `${archive}.d`;
	mkdirSync(layout, {recursive: true});
	run('tar', 'xf', archive, '-C', layout);
	const {manifests} = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'));
	return {layout, manifests};
}

/** Every blob of a layout is what its name says; gives their digests. */
function blobs(layout: string): string[] {
	const names = run('ls', join(layout, 'blobs/sha256')).split('\n');
	for (const name of names) {
		const bytes = readFileSync(join(layout, 'blobs/sha256', name));
		if (createHash('sha256').update(bytes).digest('hex') !== name) throw new Error(`${name} is another blob`);
	}
	return names;
}

/** The manifest and all blobs that we save of an image. */
async function saved(name: string, file: string): Promise<{manifest: string; blobs: string[]}> {
	await wherry.output('save', '-o', place(file), name);
	const {layout, manifests} = unpacked(place(file));
	return {manifest: manifests[0]!.digest, blobs: blobs(layout)};
}

const idOf = (name: string): Promise<string> => wherry.output('inspect', '-f', '{{.Id}}', name);

/** Loads an archive with one image; gives its name, or its id. */
async function load(archive: string): Promise<string> {
	return (await wherry.output('load', '-i', archive)).replace(/^Loaded image(?: ID)?: /, '');
}

test.serial('umoci reads what is saved, and what it writes is loaded and saved as it was', async (t) => {
	await wherry.output('save', '-o', place('u.tar'), image);
	const {layout, manifests} = unpacked(place('u.tar'));
	const tag = manifests[0]!.annotations!['org.opencontainers.image.ref.name']!;
	const stat = JSON.parse(run('umoci', 'stat', '--json', '--image', `${layout}:${tag}`));
	t.is(stat.history.filter(({empty_layer: empty}: {empty_layer: boolean}) => !empty).length, 3);
	const bundle = place('bundle');
	run('umoci', 'unpack', '--image', `${layout}:${tag}`, bundle);
	t.is(readFileSync(join(bundle, 'rootfs/file'), 'utf8'), 'here');
	// It checks its own digests of each file against what it has unpacked.
	writeFileSync(join(bundle, 'rootfs/new'), 'by umoci');
	run('umoci', 'repack', '--image', `${layout}:two`, bundle);
	run('umoci', 'config', '--image', `${layout}:two`, '--config.cmd', '/bin/cat', '--config.cmd', '/new');
	run('umoci', 'rm', '--image', `${layout}:${tag}`);
	run('umoci', 'gc', '--layout', layout);
	const [written] = unpackedIndex(layout);
	run('tar', 'cf', place('umoci.tar'), '-C', layout, '.');
	const name = await load(place('umoci.tar'));
	t.is(await wherry.output('run', '--rm', name), 'by umoci');
	t.is((await wherry.result(['run', '--rm', name, 'ls', '/etc/group'])).code, 1);
	const again = await saved(name, 'u2.tar');
	t.is(again.manifest, written!.digest);
	t.deepEqual(again.blobs, blobs(layout));
});

function unpackedIndex(layout: string): Descriptor[] {
	return JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')).manifests;
}

test.serial('podman loads what is saved, and what it saves is loaded and saved as it was', async (t) => {
	const ours = await saved(image, 'p.tar');
	podman('load', '-q', '-i', place('p.tar'));
	t.is(`sha256:${podman('inspect', '-f', '{{.Id}}', image)}`, await idOf(image));
	podman('tag', image, 'localhost/from/podman:1');
	for (const format of ['oci-archive', 'docker-archive']) {
		const file = place(`${format}.tar`);
		podman('save', '-q', '--format', format, '-o', file, 'localhost/from/podman:1');
		t.is(await load(file), 'localhost/from/podman:1');
		t.is(await idOf('localhost/from/podman:1'), await idOf(image));
		t.is(await wherry.output('run', '--rm', 'localhost/from/podman:1', 'cat', '/file'), 'here');
		if (format === 'docker-archive') continue;
		const {layout, manifests} = unpacked(file);
		const again = await saved('localhost/from/podman:1', 'p2.tar');
		t.is(again.manifest, manifests[0]!.digest);
		t.deepEqual(again.blobs, blobs(layout));
	}
	t.true(ours.blobs.length >= 5);
});

test.serial('what one of them pushes the others pull under the same digest', async (t) => {
	const {host} = registry;
	const tls = '--tls-verify=false';
	// From us to podman and skopeo.
	await wherry.output('tag', image, `${host}/ours:1`);
	const digest = /^1: digest: (\S+)/m.exec(await wherry.output('push', `${host}/ours:1`))![1]!;
	podman('pull', '-q', tls, `${host}/ours:1`);
	t.true(podman('inspect', '-f', '{{.RepoDigests}}', `${host}/ours:1`).includes(digest));
	skopeo('copy', '-q', '--src-tls-verify=false', `docker://${host}/ours:1`, `dir:${place('dir')}`);
	const copied = readFileSync(join(place('dir'), 'manifest.json'));
	t.is(`sha256:${createHash('sha256').update(copied).digest('hex')}`, digest);
	// And back, in both formats.
	for (const format of ['oci', 'v2s2']) {
		const name = `${host}/theirs/${format}:1`;
		podman('push', '-q', tls, '--format', format, '--digestfile', place('digest'), image, name);
		const pushed = readFileSync(place('digest'), 'utf8').trim();
		await wherry.output('pull', '-q', name);
		t.is(
			await wherry.output('images', '--digests', '--format', '{{.Digest}}', name.slice(0, -2)),
			pushed,
			`${format} of podman`,
		);
		t.is(await idOf(name), await idOf(image));
		await wherry.output('tag', name, `${host}/again/${format}:1`);
		t.true((await wherry.output('push', `${host}/again/${format}:1`)).includes(`1: digest: ${pushed} `));
	}
});
