/** Images for tests, made with umoci and pushed with skopeo to a registry on the loopback. */
import {execFileSync} from 'node:child_process';
import {chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';

function run(program: string, ...args: string[]): void {
	execFileSync(program, args, {stdio: ['ignore', 'ignore', 'pipe']});
}

export interface ImageOptions {
	cmd?: string[];
	env?: string[];
	user?: string;
	workingDir?: string;
	entrypoint?: string[];
	volumes?: string[];
	exposedPorts?: string[];
	labels?: Record<string, string>;
	stopSignal?: string;
	/** RFC 3339. */
	created?: string;
}

/** Makes an image of one layer from a folder and pushes it; returns its name. */
export async function pushFolder(
	folder: string,
	address: string,
	name: string,
	options: ImageOptions = {},
): Promise<string> {
	const work = mkdtempSync(join(tmpdir(), 'wherry-image-'));
	try {
		const layout = join(work, 'layout');
		const image = `${layout}:x`;
		run('umoci', 'init', '--layout', layout);
		run('umoci', 'new', '--image', image);
		run('umoci', 'insert', '--image', image, folder, '/');
		const config = ['--architecture', architecture, '--os', 'linux'];
		for (const part of options.cmd ?? ['sh']) config.push('--config.cmd', part);
		for (const entry of options.env ?? [
			'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
		]) {
			config.push('--config.env', entry);
		}
		for (const part of options.entrypoint ?? []) config.push('--config.entrypoint', part);
		for (const path of options.volumes ?? []) config.push('--config.volume', path);
		for (const port of options.exposedPorts ?? []) config.push('--config.exposedports', port);
		for (const [name, value] of Object.entries(options.labels ?? {}))
			config.push('--config.label', `${name}=${value}`);
		if (options.created) config.push('--created', options.created);
		if (options.stopSignal) config.push('--config.stopsignal', options.stopSignal);
		if (options.user) config.push('--config.user', options.user);
		if (options.workingDir) config.push('--config.workingdir', options.workingDir);
		run('umoci', 'config', '--image', image, ...config);
		run('skopeo', 'copy', '-q', '--dest-tls-verify=false', `oci:${image}`, `docker://${address}/${name}`);
		return `${address}/${name}`;
	} finally {
		rmSync(work, {recursive: true, force: true});
	}
}

/** A busybox with its applets, passwd and group. */
export function busyboxTree(folder: string): void {
	for (const name of ['bin', 'etc', 'tmp', 'root', 'home/app', 'var/data'])
		mkdirSync(join(folder, name), {recursive: true});
	chmodSync(join(folder, 'tmp'), 0o1777);
	copyFileSync('/bin/busybox', join(folder, 'bin/busybox'));
	chmodSync(join(folder, 'bin/busybox'), 0o755);
	const applets = execFileSync('/bin/busybox', ['--list'], {encoding: 'utf8'}).split('\n').filter(Boolean);
	for (const applet of applets) if (applet !== 'busybox') symlinkSync('busybox', join(folder, 'bin', applet));
	writeFileSync(
		join(folder, 'etc/passwd'),
		'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\n',
	);
	writeFileSync(join(folder, 'etc/group'), 'root:x:0:\nusers:x:100:app\napp:x:1000:\n');
}

export async function pushBusybox(
	address: string,
	name: string,
	options: ImageOptions = {},
): Promise<string> {
	const tree = mkdtempSync(join(tmpdir(), 'wherry-busybox-'));
	try {
		busyboxTree(tree);
		return await pushFolder(tree, address, name, options);
	} finally {
		rmSync(tree, {recursive: true, force: true});
	}
}
