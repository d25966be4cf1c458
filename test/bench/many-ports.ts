/**
 * What a thousand published ports cost: everything is measured with one port and with a thousand by turns, and the
 * ratio of the two tells. In the network namespace of the benchmark.
 */
import {readFileSync} from 'node:fs';
import {connect} from 'node:net';
import {join} from 'node:path';
import type {BenchEngine} from './engines.ts';
import {checkpoint} from './interrupt.ts';
import {output, type Sample, time} from './measure.ts';

const range = '10000-10999:10000-10999';
const alone = '30000:80';
/** Of a connection through the last of the thousand. */
const lastPort = 10_999;
const connections = 100;

const kinds = [
	['1', alone, 30_000],
	['1,000', range, lastPort],
] as const;

const server = ['sh', '-c', 'nc -ll -p 80 -e true & exec nc -ll -p 10999 -e true'];

/** Milliseconds until a connection is there; returns when the server, which takes one at a time, has closed it. */
function connectTime(port: number): Promise<number> {
	return new Promise((resolve, reject) => {
		const start = process.hrtime.bigint();
		const socket = connect(port, '127.0.0.1');
		let took = 0;
		socket.once('error', reject);
		socket.once('connect', () => {
			took = Number(process.hrtime.bigint() - start) / 1e6;
			socket.resume();
		});
		socket.once('close', () => resolve(took));
	});
}

/** Proportional set size of the container's monitor in KiB. */
function monitorSize(engine: BenchEngine, name: string): number {
	const id = output([...engine.command, 'inspect', '-f', '{{.Id}}', name], engine.env);
	const state = readFileSync(join(engine.env.WHERRY_ROOT!, 'containers', id, 'state.json'), 'utf8');
	const {monitorPid} = JSON.parse(state) as {monitorPid: number};
	return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${monitorPid}/smaps_rollup`, 'utf8'))![1]);
}

export interface ManyPorts {
	samples: Sample[];
	/** The monitor's memory with one published port and with a thousand, in KiB. */
	memory: {one: number; thousand: number};
}

export async function measureManyPorts(engine: BenchEngine, image: string, runs: number): Promise<ManyPorts> {
	const samples = new Map<string, Sample>();
	const add = (name: string, ports: '1' | '1,000', value: number): void => {
		const label = ports === '1' ? 'wherry, 1 port' : 'wherry';
		const key = `${name} ${label}`;
		const sample = samples.get(key) ?? {
			case: `networks, 1,000 published ports: ${name}`,
			engine: label,
			milliseconds: [],
		};
		sample.milliseconds.push(value);
		samples.set(key, sample);
	};
	const on = (...argv: string[]): string[] => [...engine.command, ...argv];
	const memory = {one: 0, thousand: 0};
	for (let round = 0; round <= runs; round++) {
		for (const [ports, publish, port] of round % 2 === 0 ? kinds : kinds.toReversed()) {
			await checkpoint();
			const keep = (name: string, value: number): void => {
				// The first round warms caches and is not counted.
				if (round > 0) add(name, ports, value);
			};
			keep('start', time(on('run', '-d', '--name', 'ports', '-p', publish, image, ...server), engine.env));
			keep('publish one more', time(on('update', '--publish-add', '9001:81', 'ports'), engine.env));
			keep('take it back', time(on('update', '--publish-rm', '9001:81', 'ports'), engine.env));
			keep(
				'another container with a port',
				time(on('run', '--rm', '-p', '9002:80', image, 'true'), engine.env),
			);
			// Until the server listens.
			while ((await connectTime(port).catch(() => -1)) < 0) await checkpoint();
			for (let count = 0; count < connections / Math.max(1, runs); count++) {
				keep('a connection', await connectTime(port));
			}
			if (round === 1) memory[ports === '1' ? 'one' : 'thousand'] = monitorSize(engine, 'ports');
			keep('rm -f', time(on('rm', '-f', 'ports'), engine.env));
		}
	}
	return {samples: [...samples.values()], memory};
}
