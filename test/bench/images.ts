/** The images of the benchmark: a busybox, and one of four layers and about 80 MB, on a registry on the loopback. */
import {type ChildProcess, spawn} from 'node:child_process';
import {randomFillSync} from 'node:crypto';
import {chmodSync, copyFileSync, cpSync, mkdirSync, symlinkSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:net';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {output} from './measure.ts';

export interface BenchImages {
	registry: ChildProcess;
	small: string;
	large: string;
	/** A folder with busybox's root file system, for a bundle. */
	rootfs: string;
}

function freePort(): Promise<number> {
	return new Promise((resolve, reject) => {
		const server = createServer();
		server.on('error', reject);
		server.listen(0, '127.0.0.1', () => {
			const address = server.address();
			server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
		});
	});
}

export function makeRootfs(folder: string): void {
	for (const name of ['bin', 'etc', 'tmp', 'proc', 'sys', 'dev', 'root', 'run'])
		mkdirSync(join(folder, name), {recursive: true});
	copyFileSync('/bin/busybox', join(folder, 'bin/busybox'));
	chmodSync(join(folder, 'bin/busybox'), 0o755);
	for (const name of ['sh', 'true', 'sleep', 'echo', 'cat', 'ls', 'ps', 'id'])
		symlinkSync('busybox', join(folder, 'bin', name));
	const source = new URL('lines.c', import.meta.url).pathname;
	output(['cc', '-O2', '-static', '-o', join(folder, 'bin/lines'), source], process.env);
	writeFileSync(join(folder, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
	writeFileSync(join(folder, 'etc/group'), 'root:x:0:\n');
}

/** Files as in a real image: many small ones that compress, and some large ones that hardly do. */
function fill(folder: string, seed: number): void {
	const random = Buffer.alloc(1 << 20);
	for (let part = 0; part < 5; part++) {
		randomFillSync(random);
		for (let at = 0; at < random.length; at += 3) random[at] = 0x20;
		writeFileSync(
			join(folder, `large-${seed}-${part}`),
			Buffer.concat([random, random.subarray(0, random.length / 2)]),
		);
	}
	for (let index = 0; index < 1200; index++) {
		const sub = join(folder, `tree-${seed}`, String(index % 40));
		mkdirSync(sub, {recursive: true});
		writeFileSync(join(sub, `file-${index}.txt`), `line ${index} of ${seed}\n`.repeat(400 + (index % 300)));
	}
}

export async function makeImages(folder: string, env: NodeJS.ProcessEnv): Promise<BenchImages> {
	const port = await freePort();
	const config = join(folder, 'registry.yml');
	writeFileSync(
		config,
		`version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: ${folder}/registry}}\nhttp: {addr: 127.0.0.1:${port}}\n`,
	);
	const registry = spawn('docker-registry', ['serve', config], {stdio: 'ignore', env, detached: true});
	await sleep(500);
	const rootfs = join(folder, 'rootfs');
	makeRootfs(rootfs);
	const layout = join(folder, 'layout');
	const run = (...argv: string[]): string => output(argv, env);
	run('umoci', 'init', '--layout', layout);
	for (const tag of ['small', 'large']) {
		run('umoci', 'new', '--image', `${layout}:${tag}`);
		run('umoci', 'insert', '--image', `${layout}:${tag}`, rootfs, '/');
		run(
			'umoci',
			'config',
			'--image',
			`${layout}:${tag}`,
			'--config.cmd',
			'sh',
			'--config.env',
			'PATH=/bin',
			'--architecture',
			process.arch === 'arm64' ? 'arm64' : 'amd64',
			'--os',
			'linux',
		);
	}
	for (let seed = 1; seed < 4; seed++) {
		const source = join(folder, `layer-${seed}`);
		mkdirSync(source);
		fill(source, seed);
		run('umoci', 'insert', '--image', `${layout}:large`, source, `/data-${seed}`);
	}
	const names = {small: `127.0.0.1:${port}/bench/small:1`, large: `127.0.0.1:${port}/bench/large:1`};
	for (const tag of ['small', 'large'] as const) {
		run('skopeo', 'copy', '-q', '--dest-tls-verify=false', `oci:${layout}:${tag}`, `docker://${names[tag]}`);
	}
	return {registry, ...names, rootfs};
}

/** A bundle for crun of the same root file system, without a network. */
export function makeBundle(folder: string, rootfs: string, env: NodeJS.ProcessEnv): string {
	const bundle = join(folder, 'bundle');
	mkdirSync(bundle);
	cpSync(rootfs, join(bundle, 'rootfs'), {recursive: true, verbatimSymlinks: true});
	output(['crun', 'spec', '--bundle', bundle], env);
	const config = JSON.parse(output(['cat', join(bundle, 'config.json')], env));
	config.process.terminal = false;
	config.process.args = ['/bin/true'];
	writeFileSync(join(bundle, 'config.json'), JSON.stringify(config));
	return bundle;
}
