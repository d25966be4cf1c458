/**
 * What networks cost, beside the same of docker and podman: containers on the default bridge, fifty of them at
 * once, and what goes through a published port. The benchmark runs in a network namespace of its own, with
 * another as the host outside, so the machine's own is not touched.
 */
import {type ChildProcess, spawn, spawnSync} from 'node:child_process';
import {copyFileSync, mkdirSync, readdirSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {type BenchEngine, end, find, removeAll} from './engines.ts';
import {output} from './measure.ts';

/** A rate; more is better. */
export interface Rate {
	readonly case: string;
	readonly engine: string;
	readonly unit: 'Gbit/s' | 'requests/s';
	readonly values: number[];
}

/** Of each measurement. */
const seconds = '2';
const hostAddress = '10.213.7.1';

/** A process that holds a network namespace joined to ours by a veth: a host on the same network. */
export class OutsideHost {
	readonly #holder: ChildProcess;

	constructor() {
		this.#holder = spawn('unshare', ['--net', 'sleep', '100000'], {stdio: 'ignore'});
	}

	async connect(): Promise<void> {
		await sleep(200);
		const pid = String(this.#holder.pid);
		const run = (...argv: string[]): void => void output(argv, process.env);
		run('ip', 'link', 'add', 'bench0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pid);
		run('ip', 'addr', 'add', `${hostAddress}/24`, 'dev', 'bench0');
		run('ip', 'link', 'set', 'bench0', 'up');
		run(...this.inside('ip', 'addr', 'add', '10.213.7.2/24', 'dev', 'eth0'));
		run(...this.inside('ip', 'link', 'set', 'eth0', 'up'));
	}

	inside(...argv: string[]): string[] {
		return ['nsenter', '-t', String(this.#holder.pid), '--net', '--', ...argv];
	}

	async end(): Promise<void> {
		await end(this.#holder);
	}
}

/** Starts `count` containers with `parallel` commands at a time; milliseconds until all run. */
export async function startMany(
	engine: BenchEngine,
	image: string,
	count: number,
	parallel: number,
): Promise<number> {
	const start = process.hrtime.bigint();
	let next = 0;
	const worker = async (): Promise<void> => {
		while (next < count) {
			const name = `many-${next++}`;
			const [program, ...args] = [...engine.command, 'run', '-d', '--name', name, image, 'sleep', '1000'];
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

function gigabits(argv: string[]): number {
	const report = JSON.parse(output(argv, process.env)) as {end: {sum_received: {bits_per_second: number}}};
	return report.end.sum_received.bits_per_second / 1e9;
}

function requests(argv: string[]): number {
	const match = /Requests\/sec:\s+([\d.]+)/.exec(output(argv, process.env));
	if (!match) throw new Error('wrk told no rate');
	return Number(match[1]);
}

const nginxConfig = `daemon off; user root; worker_processes 1; pid /tmp/nginx.pid; error_log stderr crit;
events {worker_connections 512;}
http {access_log off; keepalive_requests 1000000; client_body_temp_path /tmp/b; proxy_temp_path /tmp/p; fastcgi_temp_path /tmp/f; uwsgi_temp_path /tmp/u; scgi_temp_path /tmp/s;
server {listen 80 backlog=512; location / {return 200 "ok";}}}
`;

/** A folder with the host's own iperf3 and nginx and what they link to; each of its folders is bound into a container's root. */
function makeTools(folder: string): string {
	const tools = join(folder, 'tools');
	for (const program of ['iperf3', 'nginx'].map(find).filter((path) => path !== undefined)) {
		const libraries = [...output(['ldd', program], process.env).matchAll(/(\/\S+\.so\S*)/g)].map(
			([, path]) => path!,
		);
		for (const path of [program, ...libraries]) {
			mkdirSync(dirname(join(tools, path)), {recursive: true});
			copyFileSync(path, join(tools, path));
		}
	}
	writeFileSync(join(tools, 'usr/nginx.conf'), nginxConfig);
	return tools;
}

function serve(
	engine: BenchEngine,
	image: string,
	ports: {iperf: number; http: number},
	tools: string,
): void {
	const mounts = readdirSync(tools).flatMap((name) => ['-v', `${join(tools, name)}:/${name}`]);
	const run = (name: string, port: string, ...argv: string[]): void =>
		void output(
			[...engine.command, 'run', '-d', '--name', name, '-p', port, ...mounts, image, ...argv],
			engine.env,
		);
	run('iperf', `${ports.iperf}:5201`, find('iperf3')!, '-s');
	if (find('nginx')) run('http', `${ports.http}:80`, find('nginx')!, '-e', 'stderr', '-c', '/usr/nginx.conf');
}

export async function measureRates(
	engines: readonly BenchEngine[],
	image: string,
	folder: string,
	say: (text: string) => void,
): Promise<Rate[]> {
	if (!find('iperf3')) {
		say('iperf3 is not there: what goes through published ports is not measured');
		return [];
	}
	const rates = new Map<string, Rate>();
	const add = (name: string, engine: string, unit: Rate['unit'], value: number): void => {
		const key = `${name} ${engine}`;
		const rate = rates.get(key) ?? {case: name, engine, unit, values: []};
		rate.values.push(value);
		rates.set(key, rate);
	};
	const tools = makeTools(folder);
	const outside = new OutsideHost();
	try {
		await outside.connect();
		const ports = new Map(
			engines.map((engine, index) => [engine.name, {iperf: 15201 + index, http: 18080 + index}]),
		);
		for (const engine of engines) serve(engine, image, ports.get(engine.name)!, tools);
		await sleep(1500);
		for (let round = 0; round < 2; round++) {
			for (const engine of engines) {
				const {iperf, http} = ports.get(engine.name)!;
				for (const [from, address, wrap] of [
					['from outside', hostAddress, outside.inside.bind(outside)],
					['on the host’s address', hostAddress, (...argv: string[]) => argv],
					['on 127.0.0.1', '127.0.0.1', (...argv: string[]) => argv],
				] as const) {
					say(`published port ${from}: ${engine.name}`);
					add(
						`iperf3 ${from}`,
						engine.name,
						'Gbit/s',
						gigabits(wrap('iperf3', '-J', '-t', seconds, '-c', address, '-p', String(iperf))),
					);
					if (!find('wrk') || !find('nginx')) continue;
					const url = `http://${address}:${http}/`;
					add(
						`wrk keep-alive ${from}`,
						engine.name,
						'requests/s',
						requests(wrap('wrk', '-t1', '-c16', `-d${seconds}s`, url)),
					);
					add(
						`wrk a connection each ${from}`,
						engine.name,
						'requests/s',
						requests(wrap('wrk', '-t1', '-c16', `-d${seconds}s`, '-H', 'Connection: close', url)),
					);
				}
			}
		}
		for (const engine of engines) removeAll(engine);
	} finally {
		await outside.end();
		spawnSync('ip', ['link', 'del', 'bench0']);
	}
	return [...rates.values()];
}
