/** The images of the comparison, on a registry on the loopback, and their way into an engine. */
import {chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {busyboxTree, pushFolder} from '../e2e/images.ts';
import {type Registry, startRegistry} from '../setup/registry.ts';
import {type Contender, shell} from './run.ts';

const names = ['busybox:latest', 'parity/app:1', 'parity/user:1'];

export async function pushImages(): Promise<Registry> {
	const registry = await startRegistry();
	const tree = mkdtempSync(join(tmpdir(), 'wherry-parity-image-'));
	chmodSync(tree, 0o755);
	try {
		busyboxTree(tree);
		await pushFolder(tree, registry.host, 'busybox:latest', {created: '2023-01-01T00:00:00Z'});
		mkdirSync(join(tree, 'var/data'), {recursive: true});
		writeFileSync(join(tree, 'var/data/file'), 'from the image\n');
		await pushFolder(tree, registry.host, 'parity/app:1', {
			entrypoint: ['echo', 'entry'],
			cmd: ['default'],
			env: ['PATH=/bin', 'COLOR=blue'],
			workingDir: '/var',
			volumes: ['/var/data'],
			exposedPorts: ['80/tcp', '53/udp'],
			labels: {kind: 'app', version: '1.0'},
			stopSignal: 'SIGUSR1',
			created: '2022-01-01T00:00:00Z',
		});
		await pushFolder(tree, registry.host, 'parity/user:1', {
			user: 'app',
			cmd: ['id', '-un'],
			created: '2021-01-01T00:00:00Z',
		});
		return registry;
	} finally {
		rmSync(tree, {recursive: true, force: true});
	}
}

/** Under the names that a user would type. */
export async function fetchImages(engine: Contender, {host}: Registry): Promise<void> {
	mkdirSync(engine.work, {recursive: true});
	for (const name of names) {
		const from = `${host}/${name}`;
		const {code, stderr} = await shell(
			engine,
			`set -e; docker pull -q ${from}; docker tag ${from} ${name}; docker rmi ${from}`,
		);
		if (code !== 0) throw new Error(`${engine.name} has no ${name}: ${stderr}`);
	}
}
