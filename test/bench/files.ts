/** Files of containers: one copied in and out, a tree exported, and a commit of many changed files. */
import {spawnSync} from 'node:child_process';
import {randomFillSync} from 'node:crypto';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {BenchEngine} from './engines.ts';
import {output} from './measure.ts';

type Command = (engine: BenchEngine) => {before?: () => void; argv: readonly string[]; after?: () => void};
export type Measure = (
	name: string,
	engines: readonly BenchEngine[],
	count: number,
	command: Command,
) => Promise<void>;

/** 6,000 files of 20,000 bytes in 60 folders: 117 MB on a disk with blocks of 4 KiB. */
const fill = `mkdir /data; cd /data; busybox dd if=/dev/urandom of=/seed bs=20000 count=1 2>/dev/null; i=0
	while [ $i -lt 6000 ]; do d=$((i % 60)); [ -d $d ] || busybox mkdir $d; busybox cp /seed $d/$i; i=$((i + 1)); done
	busybox rm /seed`;

export const fileCases = [
	'cp of a file into a stopped container',
	'cp of a file into a running container',
	'cp of a file out of a running container',
	'commit, 117 MB in 6,000 files',
] as const;

export async function measureFiles(
	measure: Measure,
	engines: readonly BenchEngine[],
	runs: number,
	options: {image: string; folder: string; wanted: (name: string) => boolean},
): Promise<void> {
	const {image, folder, wanted} = options;
	const [intoStopped, intoRunning, out, commit] = fileCases;
	const on = (engine: BenchEngine, ...argv: string[]): string[] => [...engine.command, ...argv];
	const run = (engine: BenchEngine, ...argv: string[]): string => output(on(engine, ...argv), engine.env);
	const names = ['files-stopped', 'files-running', 'files-many'];
	const file = join(folder, 'copied');
	writeFileSync(file, randomFillSync(Buffer.alloc(10_000)));
	try {
		if (fileCases.slice(0, 3).some(wanted)) {
			for (const engine of engines) {
				run(engine, 'create', '--name', 'files-stopped', '--network', 'none', image, 'true');
				run(engine, 'run', '-d', '--name', 'files-running', '--network', 'none', image, 'sleep', '1000');
			}
		}
		await measure(intoStopped, engines, runs, (engine) => ({
			argv: on(engine, 'cp', file, 'files-stopped:/tmp/file'),
		}));
		await measure(intoRunning, engines, runs, (engine) => ({
			argv: on(engine, 'cp', file, 'files-running:/tmp/file'),
		}));
		await measure(out, engines, runs, (engine) => ({
			argv: on(engine, 'cp', 'files-running:/tmp/file', join(folder, `from-${engine.name}`)),
		}));
		if (wanted(commit)) {
			for (const engine of engines) {
				run(engine, 'run', '--name', 'files-many', '--network', 'none', image, 'sh', '-c', fill);
			}
			// Of what the filling has left to be written nobody's commit should have to wait.
			spawnSync('sync');
		}
		await measure(commit, engines, Math.min(runs, 5), (engine) => ({
			argv: on(engine, 'commit', 'files-many', 'files-image'),
			after: () => {
				run(engine, 'rmi', '-f', 'files-image');
				spawnSync('sync');
			},
		}));
	} finally {
		for (const engine of engines) {
			spawnSync(engine.command[0]!, [...engine.command.slice(1), 'rm', '-f', ...names], {
				env: engine.env,
				stdio: 'ignore',
			});
		}
	}
}
