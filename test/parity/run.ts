/** Runs the lines of a table on one engine. */
import {spawn} from 'node:child_process';
import {mkdirSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {maskAnswer} from './mask.ts';
import {type Answer, lineOf, type Table} from './table.ts';

export interface Contender {
	name: 'docker' | 'wherry';
	/** Its working folder, emptied for each table. */
	work: string;
	/** With the engine as `docker` first in PATH. */
	env: NodeJS.ProcessEnv;
	/** Path of the network namespace to run in: both publish the same ports. */
	network?: string;
}

/** A contender whose program is reached as `docker`; `shape` prints the structure of JSON. */
export function contender(
	name: Contender['name'],
	program: string,
	folder: string,
	env: NodeJS.ProcessEnv,
): Contender {
	const bin = join(folder, `${name}-bin`);
	mkdirSync(bin, {recursive: true});
	symlinkSync(program, join(bin, 'docker'));
	const shape = new URL('shape.mjs', import.meta.url).pathname;
	writeFileSync(join(bin, 'shape'), `#!/bin/sh\nexec '${process.execPath}' '${shape}' "$@"\n`, {mode: 0o755});
	return {name, work: join(folder, `${name}-work`), env: {...env, PATH: `${bin}:${env.PATH}`, TZ: 'UTC'}};
}

/** Longer than any line takes: what hangs is a difference, not the end of the comparison. */
const patience = 90_000;

export function shell({work, env, network}: Contender, line: string): Promise<Answer> {
	return new Promise((resolve, reject) => {
		const inside = network === undefined ? [] : ['nsenter', `--net=${network}`];
		const words = [...inside, '/bin/sh', '-c', line];
		const child = spawn(words[0]!, words.slice(1), {
			cwd: work,
			env,
			stdio: ['ignore', 'pipe', 'pipe'],
			detached: true,
		});
		const answer = {stdout: '', stderr: ''};
		for (const name of ['stdout', 'stderr'] as const) {
			child[name].setEncoding('utf8').on('data', (text) => {
				answer[name] += text;
			});
		}
		const timer = setTimeout(() => {
			answer.stderr += '\n(hangs)';
			process.kill(-child.pid!, 'SIGKILL');
		}, patience);
		child.on('error', reject);
		child.on('close', (code) => {
			clearTimeout(timer);
			resolve({code: code ?? -1, ...answer});
		});
	});
}

const clean = `
c=$(docker ps -aq); [ -z "$c" ] || docker rm -f -v $c
v=$(docker volume ls -q); [ -z "$v" ] || docker volume rm -f $v
n=$(docker network ls -q -f type=custom); [ -z "$n" ] || docker network rm $n
for i in $(docker images --format '{{.Repository}}:{{.Tag}}'); do
	case $i in busybox:latest | parity/*:1 | *:'<none>') ;; *) docker rmi -f $i ;; esac
done
docker image prune -f > /dev/null
docker inspect --type image busybox > /dev/null`;

/** The masked answers of a table's lines, in order. Nothing is left of them. */
export async function runTable(engine: Contender, table: Table, signal?: AbortSignal): Promise<Answer[]> {
	rmSync(engine.work, {recursive: true, force: true});
	mkdirSync(engine.work, {recursive: true});
	if (table.setup !== undefined) {
		const {code, stderr} = await shell(engine, `set -e\n${table.setup}`);
		if (code !== 0) {
			await shell(engine, clean);
			throw new Error(`${table.name}: the set-up failed with ${engine.name}: ${stderr}`);
		}
	}
	const answers: Answer[] = [];
	for (const pair of table.pairs) {
		if (signal?.aborted) break;
		const t0 = performance.now();
		answers.push(maskAnswer(await shell(engine, lineOf(pair)), engine.work));
		if (process.env.PARITY_TIMES)
			(await import('node:fs')).appendFileSync(
				process.env.PARITY_TIMES,
				`${engine.name}\t${Math.round(performance.now() - t0)}\t${table.name}\t${lineOf(pair)}\n`,
			);
	}
	const {code} = await shell(engine, clean);
	if (code !== 0) throw new Error(`${table.name}: busybox is gone with ${engine.name}`);
	return answers;
}
