/** Fifty containers on one bridge at once, by commands and in this process. */
import {spawn} from 'node:child_process';
import {openEngine} from '../../src/engine/engine.ts';
import type {BenchEngine} from './engines.ts';
import {checkpoint} from './interrupt.ts';

/** Starts `count` containers with `parallel` commands at a time; milliseconds until all run. */
export async function startMany(
	engine: BenchEngine,
	image: string,
	count: number,
	parallel: number,
	options: readonly string[] = [],
): Promise<number> {
	const start = process.hrtime.bigint();
	let next = 0;
	const worker = async (): Promise<void> => {
		while (next < count) {
			await checkpoint();
			const name = `many-${next++}`;
			const [program, ...args] = [
				...engine.command,
				'run',
				'-d',
				...options,
				'--name',
				name,
				image,
				'sleep',
				'10000',
			];
			await new Promise<void>((resolve, reject) => {
				const child = spawn(program!, args, {env: engine.env, stdio: ['ignore', 'ignore', 'pipe']});
				let text = '';
				child.stderr.on('data', (data) => {
					text += String(data);
				});
				child.on('error', reject);
				child.on('close', (code) =>
					code === 0 ? resolve() : reject(new Error(`${engine.name} run: ${text}`)),
				);
			});
		}
	};
	await Promise.all(Array.from({length: parallel}, worker));
	return Number(process.hrtime.bigint() - start) / 1e6;
}

/** The same in this process. */
export async function startManyHere(
	{env}: BenchEngine,
	image: string,
	count: number,
	parallel: number,
): Promise<number> {
	const {WHERRY_ROOT: root, WHERRY_RUN: run} = env;
	const engine = openEngine({root: root!, run: run!});
	const start = process.hrtime.bigint();
	let next = 0;
	const worker = async (): Promise<void> => {
		while (next < count) {
			const name = `many-${next++}`;
			const {id} = await engine.containers.create({name, image, config: {Cmd: ['sleep', '10000']}});
			await engine.containers.start(id);
		}
	};
	await Promise.all(Array.from({length: parallel}, worker));
	const milliseconds = Number(process.hrtime.bigint() - start) / 1e6;
	await engine.close();
	return milliseconds;
}
