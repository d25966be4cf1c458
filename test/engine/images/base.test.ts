import {spawnSync} from 'node:child_process';
import {
	copyFileSync,
	existsSync,
	mkdirSync,
	readFileSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import {dirname, join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {writeArchive} from '../../../src/engine/images/archive.ts';
import {baseTree} from '../../../src/engine/images/base.ts';
import {parseElf} from '../../../src/engine/images/elf.ts';
import {HostFiles} from '../../../src/engine/images/host-files.ts';
import {layoutFaults, leftovers, openStore, temporaryFolder} from '../../setup/images.ts';
import {digestOf, skopeo} from '../../setup/registry.ts';

test('the base image is made from this host once, and its commands run', async (t) => {
	const store = openStore(t);
	const made = await Promise.all([store.images.ensureBase(), store.images.ensureBase()]);
	t.is(made[0], made[1]);
	t.is(await store.images.ensureBase(), made[0]);
	const {layers, config, name} = await store.images.resolve('wherry/base');
	t.is(name, 'wherry/base:latest');
	t.deepEqual(config.Cmd, ['sh']);
	const root = join(store.paths.layer(layers[0]!), 'fs');
	const script = 'echo $((1 + 1)); cat /etc/os-release | grep -c wherry; id -u; ls -d /tmp; uname';
	const run = spawnSync('chroot', [root, 'sh', '-c', script], {
		encoding: 'utf8',
		env: {PATH: config.Env![0]!.slice(5)},
	});
	t.is(run.stdout, '2\n3\n0\n/tmp\nLinux\n', run.stderr);
	t.is(statSync(join(root, 'tmp')).mode & 0o7777, 0o1777);
	t.is(statSync(join(root, 'root')).mode & 0o7777, 0o700);
	t.deepEqual(layoutFaults(store), []);
	t.deepEqual(leftovers(store), []);
	t.is(JSON.parse(skopeo('inspect', `oci:${store.paths.images}:wherry/base:latest`)).Os, 'linux');
	t.false((await store.images.pull('wherry/base')).changed);
});

test('an image that nothing made yet is made when it is asked for', async (t) => {
	const store = openStore(t);
	t.is((await store.images.inspect('wherry/base:latest')).Id, await store.images.ensureBase());
	await t.throwsAsync(store.images.inspect('wherry/base:other'), {code: 'not-found'});
});

test('the same host gives the same image', (t) => {
	const pack = () => digestOf(Buffer.concat(writeArchive(baseTree().entries)));
	t.is(pack(), pack());
});

/** A small host: files copied from this one. */
function hostWith(
	t: ExecutionContext,
	files: Record<string, string>,
	links: Record<string, string> = {},
): string {
	const root = temporaryFolder(t);
	for (const [path, from] of Object.entries(files)) {
		mkdirSync(dirname(join(root, path)), {recursive: true});
		copyFileSync(from, join(root, path));
	}
	for (const [path, target] of Object.entries(links)) {
		mkdirSync(dirname(join(root, path)), {recursive: true});
		symlinkSync(target, join(root, path));
	}
	return root;
}

const paths = (host: HostFiles) => baseTree(host).entries.map(({path}) => path);

test('a host whose shell is a static busybox gives its links and nothing else', (t) => {
	const root = hostWith(
		t,
		{'bin/busybox': '/bin/busybox'},
		{'bin/sh': 'busybox', 'bin/ls': '/bin/busybox', 'sbin/ip': '../bin/busybox'},
	);
	const found = paths(new HostFiles(root));
	for (const path of ['bin/busybox', 'bin/sh', 'bin/ls', 'sbin/ip']) t.true(found.includes(path), path);
	t.false(found.some((path) => path.includes('.so')));
});

test('a host whose shell is bash gets its libraries, wherever ld.so.conf has them', (t) => {
	const shell = parseElf(readFileSync('/bin/bash'))!;
	const host = new HostFiles();
	host.addProgram('bash');
	const libraries = host
		.entries()
		.filter((entry) => entry.type === 'file' && entry.path.includes('/lib'))
		.map(({path}) => `/${path}`);
	const loader = shell.interpreter!;
	const files: Record<string, string> = {'bin/sh': '/bin/bash', [loader.slice(1)]: loader};
	for (const library of libraries) {
		const name = shell.needed.find((needed) => library.includes(needed.replace(/\.so.*/, '')));
		if (name) files[`opt/strange/${name}`] = library;
	}
	const root = hostWith(t, files);
	mkdirSync(join(root, 'etc/ld.so.conf.d'), {recursive: true});
	writeFileSync(join(root, 'etc/ld.so.conf'), '# comment\ninclude ld.so.conf.d/*.conf\n');
	writeFileSync(join(root, 'etc/ld.so.conf.d/strange.conf'), '/opt/strange\n');
	const entries = baseTree(new HostFiles(root)).entries;
	for (const name of shell.needed) {
		t.true(
			entries.some(({path}) => path === `opt/strange/${name}`),
			name,
		);
		t.true(
			entries.some(({path, type}) => path === `usr/lib/${name}` && type === 'link'),
			name,
		);
	}
});

test('a host without a shell is told so', (t) => {
	t.throws(() => baseTree(new HostFiles(temporaryFolder(t))), {
		code: 'unavailable',
		message: /needs a program "sh"/,
	});
});

test('a shell whose library is missing is no shell, and a script is none', (t) => {
	const broken = hostWith(t, {'bin/sh': '/bin/bash'});
	t.throws(() => baseTree(new HostFiles(broken)), {code: 'unavailable'});
	const script = temporaryFolder(t);
	mkdirSync(join(script, 'bin'));
	writeFileSync(join(script, 'bin/sh'), '#!/bin/bash\n');
	t.throws(() => baseTree(new HostFiles(script)), {code: 'unavailable'});
});

test('what ld.so would load is read from the headers', (t) => {
	const shell = parseElf(readFileSync('/bin/bash'))!;
	t.true(existsSync(shell.interpreter!));
	t.true(shell.needed.some((name) => name.startsWith('libc.')));
	t.deepEqual(parseElf(readFileSync('/bin/busybox'))?.needed, []);
	t.is(parseElf(Buffer.from('#!/bin/sh\n')), undefined);
});

test('damaged headers are no program and no exception', (t) => {
	const good = readFileSync('/bin/bash').subarray(0, 8192);
	let seed = 1;
	for (let round = 0; round < 2000; round++) {
		const bytes = Buffer.from(good);
		for (let change = 0; change < 8; change++) {
			seed = (seed * 1103515245 + 12345) % 2147483648;
			bytes[4 + (seed % 1020)] = seed >> 8;
		}
		t.notThrows(() => parseElf(bytes));
	}
});
