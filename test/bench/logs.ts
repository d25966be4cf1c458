/** What it costs to log: a million lines of 100 bytes written, with and without a client, and read back. */

import {spawnSync} from 'node:child_process';
import {closeSync, mkdtempSync, openSync, rmSync, statSync} from 'node:fs';
import {join} from 'node:path';
import type {BenchEngine} from './engines.ts';
import type {Sample} from './measure.ts';

const count = 1_000_000;

/** Runs to the end with the outputs going to files, and returns milliseconds. */
function run(argv: readonly string[], env: NodeJS.ProcessEnv, stdout: string): number {
	const fd = openSync(stdout, 'w');
	try {
		const start = process.hrtime.bigint();
		const result = spawnSync(argv[0]!, argv.slice(1), {env, stdio: ['ignore', fd, 'pipe']});
		const end = process.hrtime.bigint();
		if (result.error) throw result.error;
		if (result.status !== 0)
			throw new Error(`${argv.join(' ')} ended with ${result.status}: ${result.stderr.toString()}`);
		return Number(end - start) / 1e6;
	} finally {
		closeSync(fd);
	}
}

/** A file's bytes, which must be those of all lines. */
function check(path: string, what: string): void {
	const {size} = statSync(path);
	if (size !== count * 100) throw new Error(`${what}: ${size} bytes instead of ${count * 100}`);
}

export function measureLogs(
	engines: readonly BenchEngine[],
	image: string,
	folder: string,
	rounds: number,
	say: (text: string) => void,
): Sample[] {
	const samples: Sample[] = [];
	const add = (name: string, engine: string, milliseconds: number): void => {
		const sample = samples.find((known) => known.case === name && known.engine === engine);
		if (sample) sample.milliseconds.push(milliseconds);
		else samples.push({case: name, engine, milliseconds: [milliseconds]});
	};
	const scratch = mkdtempSync(join(folder, 'logs-'));
	const output = join(scratch, 'output');
	// The first round warms caches and is not counted.
	for (let round = 0; round <= rounds; round++) {
		for (const engine of round % 2 === 0 ? engines : engines.toReversed()) {
			say(`logs, ${engine.name}, round ${round}`);
			const on = (...words: string[]): string[] => [...engine.command, ...words];
			const note = (name: string, milliseconds: number): void => {
				if (round > 0) add(name, engine.name, milliseconds);
			};
			for (const how of ['bulk', 'each']) {
				const title = how === 'bulk' ? 'in bulk' : 'line by line';
				const words = ['--name', 'bench', '--network', 'none', image, 'lines', how, String(count)];
				const detached = run(on('run', '-d', ...words), engine.env, '/dev/null');
				note(`1,000,000 lines logged ${title}`, detached + run(on('wait', 'bench'), engine.env, '/dev/null'));
				run(on('logs', 'bench'), engine.env, output);
				check(output, `${engine.name} logs`);
				if (how === 'bulk') {
					note('1,000,000 lines read back', run(on('logs', 'bench'), engine.env, '/dev/null'));
					note(
						'logs --tail 100 of 1,000,000',
						run(on('logs', '--tail', '100', 'bench'), engine.env, '/dev/null'),
					);
					note('--version', run(on('--version'), engine.env, '/dev/null'));
				}
				run(on('rm', 'bench'), engine.env, '/dev/null');
				note(`1,000,000 lines logged ${title}, attached`, run(on('run', ...words), engine.env, output));
				check(output, `${engine.name} run`);
				run(on('rm', 'bench'), engine.env, '/dev/null');
			}
		}
	}
	rmSync(scratch, {recursive: true, force: true});
	return samples;
}
