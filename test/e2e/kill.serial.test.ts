/**
 * kill -9 of any wherry process or monitor at random points: the next command works, and nothing is left.
 * The seed is printed, so that a failure can be looked at again.
 */
import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {startRegistry} from '../setup/registry.ts';
import {Command, entries, hasCgroup} from './command.ts';
import {pushBusybox} from './images.ts';
import {random} from './random.ts';

const rounds = 200;

function monitorPids(command: Command): number[] {
	return entries(join(command.root, 'containers')).flatMap((id) => {
		try {
			const state = JSON.parse(readFileSync(join(command.root, 'containers', id, 'state.json'), 'utf8'));
			return state.status === 'running' ? [state.monitorPid as number] : [];
		} catch {
			return [];
		}
	});
}

/** Every blob is what its name says; every layer has its record; nothing half-made has a valid name. */
function storeFaults(root: string): string[] {
	const faults: string[] = [];
	for (const hex of entries(join(root, 'images/blobs/sha256'))) {
		if (!/^[0-9a-f]{64}$/.test(hex)) continue;
		const digest = createHash('sha256')
			.update(readFileSync(join(root, 'images/blobs/sha256', hex)))
			.digest('hex');
		if (digest !== hex) faults.push(`blob ${hex} has the digest ${digest}`);
	}
	for (const key of entries(join(root, 'layers'))) {
		if (!/^[0-9a-f]{64}$/.test(key)) continue;
		if (!entries(join(root, 'layers', key)).includes('layer.json')) faults.push(`layer ${key} has no record`);
	}
	return faults;
}

test('kill -9 at 200 random points leaves a state that the next command repairs', async (t) => {
	t.timeout(10 * 60_000);
	const seed = Number(process.env.WHERRY_TEST_SEED ?? Date.now() % 1_000_000);
	t.log(`seed ${seed}`);
	const next = random(seed);
	const registry = await startRegistry();
	t.teardown(() => registry.stop());
	const image = await pushBusybox(registry.host, 'kill/busybox:1');
	const command = new Command();
	const measure = async (args: string[]): Promise<number> => {
		const start = performance.now();
		await command.output(...args);
		return performance.now() - start;
	};
	await command.output('pull', '-q', image);
	const duration = {
		runRm: await measure(['run', '--rm', '--network', 'none', image, 'true']),
		run: await measure(['run', '-d', '--name', 'first', '--network', 'none', image, 'sleep', '1000']),
		rm: await measure(['rm', '-f', 'first']),
	};
	await command.output('rmi', '-f', image);
	const pull = await measure(['pull', '-q', image]);

	const faults: string[] = [];
	for (let round = 0; round < rounds; round++) {
		const kind = Math.floor(next() * 5);
		const at = next() * 1.1;
		const name = `r${round}`;
		if (kind === 0) {
			await command.result(
				['run', '--rm', '--name', name, '--network', 'none', image, 'sh', '-c', 'sleep 0.02'],
				{after: at * (duration.runRm + 20), signal: 'SIGKILL'},
			);
		} else if (kind === 1) {
			await command.result(['run', '-d', '--name', name, '--network', 'none', image, 'sleep', '1000'], {
				after: at * duration.run,
				signal: 'SIGKILL',
			});
		} else if (kind === 2) {
			await command.result(['run', '-d', '--name', name, '--network', 'none', image, 'sleep', '1000']);
			await command.result(['rm', '-f', name], {after: at * duration.rm, signal: 'SIGKILL'});
		} else if (kind === 3) {
			const ids = (await command.output('ps', '-aq')).split('\n').filter(Boolean);
			if (ids.length > 0) await command.output('rm', '-f', ...ids);
			await command.result(['rmi', '-f', image]);
			await command.result(['pull', '-q', image], {after: at * pull, signal: 'SIGKILL'});
			const again = await command.result(['pull', '-q', image]);
			if (again.code !== 0) faults.push(`round ${round}: pull after a killed pull: ${again.stderr}`);
		} else {
			await command.result([
				'run',
				'-d',
				'--name',
				name,
				'--network',
				'none',
				image,
				'sh',
				'-c',
				'while :; do echo x; sleep 0.01; done',
			]);
			for (const pid of monitorPids(command)) {
				try {
					process.kill(pid, 'SIGKILL');
				} catch {
					// It ended by itself.
				}
			}
		}
		const listed = await command.result(['ps', '-a', '--no-trunc', '--format', '{{.ID}} {{.State}}']);
		if (listed.code !== 0) faults.push(`round ${round}, kind ${kind}: ps: ${listed.stderr}`);
		if (round % 10 === 9) {
			const ids = (await command.output('ps', '-aq', '--no-trunc')).split('\n').filter(Boolean);
			if (ids.length > 0) {
				const removed = await command.result(['rm', '-f', ...ids]);
				if (removed.code !== 0) faults.push(`round ${round}: rm -f: ${removed.stderr}`);
			}
			// A `run --rm` whose client was killed ends by itself shortly after.
			let left: string[] = [];
			for (let attempt = 0; attempt < 40; attempt++) {
				await command.output('ps', '-q');
				left = [
					...command.leftovers(),
					...entries(join(command.root, 'containers')).map((id) => `folder ${id}`),
					...entries(join(command.root, 'names')).map((file) => `name ${file}`),
				];
				if (left.length === 0) break;
				await new Promise((resolve) => setTimeout(resolve, 100));
			}
			for (const trace of left) faults.push(`round ${round}: left: ${trace}`);
			for (const id of ids) if (hasCgroup(id)) faults.push(`round ${round}: cgroup of ${id}`);
			if (faults.length > 5) break;
		}
	}
	faults.push(...storeFaults(command.root));
	const last = await command.result(['run', '--rm', '--network', 'none', image, 'echo', 'works']);
	faults.push(...(await command.end()));
	t.deepEqual(faults, []);
	t.is(last.stdout, 'works\n');
});
