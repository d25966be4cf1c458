/**
 * What networks cost, beside the same of docker and podman: containers on the default bridge, fifty of them at
 * once, and what goes through a published port or from one container to another. The benchmark runs in a network namespace of its own, with
 * another as the host outside, so the machine's own is not touched.
 */
import {type ChildProcess, spawn, spawnSync} from 'node:child_process';
import {copyFileSync, mkdirSync, readdirSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {openEngine} from '../../src/engine/engine.ts';
import {type BenchEngine, end, find, removeAll} from './engines.ts';
import {checkpoint} from './interrupt.ts';
import {output} from './measure.ts';
import {type Rate, Rates} from './rates.ts';

/** Of each measurement. */
const seconds = '1';
/** Many short ones, the engines in turn: what else the machine does meanwhile comes upon all of them alike. */
const rounds = 5;
const hostAddress = '10.213.7.1';

/** A process that holds a network namespace joined to ours by a veth: a host on the same network. */
export class OutsideHost {
	readonly #holder: ChildProcess;

	constructor() {
		this.#holder = spawn('unshare', ['--net', 'sleep', '100000'], {stdio: 'ignore', detached: true});
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

const nginxConfig = `daemon off; user root; worker_processes 1; pid /tmp/nginx.pid; error_log stderr crit;
events {worker_connections 512;}
http {access_log off; keepalive_requests 1000000; client_body_temp_path /tmp/b; proxy_temp_path /tmp/p; fastcgi_temp_path /tmp/f; uwsgi_temp_path /tmp/u; scgi_temp_path /tmp/s;
server {listen 80 backlog=512; location / {return 200 "ok";}}}
`;

/** A folder with the host's own programs and what they link to; each of its folders is bound into a container's root. */
function makeTools(folder: string): string {
	const tools = join(folder, 'tools');
	for (const program of ['iperf3', 'nginx', 'wrk'].map(find).filter((path) => path !== undefined)) {
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

/** Servers, published, and a container beside them that asks. */
function serve(
	engine: BenchEngine,
	image: string,
	ports: {iperf: number; http: number},
	tools: string,
): void {
	const mounts = readdirSync(tools).flatMap((name) => ['-v', `${join(tools, name)}:/${name}`]);
	const run = (name: string, publish: string[], ...argv: string[]): void =>
		void output(
			[...engine.command, 'run', '-d', '--name', name, ...publish, ...mounts, image, ...argv],
			engine.env,
		);
	run('iperf', ['-p', `${ports.iperf}:5201`], find('iperf3')!, '-s');
	if (find('nginx')) {
		run('http', ['-p', `${ports.http}:80`], find('nginx')!, '-e', 'stderr', '-c', '/usr/nginx.conf');
	}
	run('client', [], 'sleep', '100000');
}

const addressOf = (engine: BenchEngine, name: string): string =>
	output(
		[
			...[...engine.command, 'inspect', '-f'],
			...['{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', name],
		],
		engine.env,
	);

type Wrap = (...argv: string[]) => string[];

/** Throughput, and requests with and without connections that last, at an address. */
function measureAt(
	rates: Rates,
	what: string,
	engine: BenchEngine,
	at: {
		address: string;
		/** Of the web server, where it is another one. */
		httpAddress?: string;
		iperf: number;
		http: number;
		wrap: Wrap;
		env: NodeJS.ProcessEnv;
	},
): void {
	const {address, httpAddress = address, iperf, http, wrap, env} = at;
	const [iperf3, wrk] = [find('iperf3')!, find('wrk')];
	const stream = wrap(iperf3, '-J', '-t', seconds, '-c', address, '-p', String(iperf));
	rates.measure(`${what}: iperf3`, engine.name, 'iperf3', stream, env);
	if (!wrk || !find('nginx')) return;
	const load = ['-t1', '-c16', `-d${seconds}s`];
	const url = `http://${httpAddress}:${http}/`;
	rates.measure(`${what}: wrk, keep-alive`, engine.name, 'wrk', wrap(wrk, ...load, url), env);
	const closing = wrap(wrk, ...load, '-H', 'Connection: close', url);
	rates.measure(`${what}: wrk, a connection each`, engine.name, 'wrk', closing, env);
}

export async function measureRates(
	engines: readonly BenchEngine[],
	image: string,
	folder: string,
	say: (text: string) => void,
	wanted: (name: string) => boolean,
): Promise<Rate[]> {
	if (!find('iperf3')) {
		say('iperf3 is not there: throughput is not measured');
		return [];
	}
	const rates = new Rates(say);
	const tools = makeTools(folder);
	const outside = new OutsideHost();
	const direct: Wrap = (...argv) => argv;
	try {
		await outside.connect();
		const ports = new Map(
			engines.map((engine, index) => [engine.name, {iperf: 15201 + index, http: 18080 + index}]),
		);
		for (const engine of engines) serve(engine, image, ports.get(engine.name)!, tools);
		// dockerd makes this DROP, and netavark's rules don't let new connections to a published port through then.
		if (find('iptables')) output(['iptables', '-P', 'FORWARD', 'ACCEPT'], process.env);
		await sleep(1500);
		for (let round = 0; round < rounds; round++) {
			for (const engine of engines) {
				const own = ports.get(engine.name)!;
				const from: [what: string, address: string, wrap: Wrap][] = [
					['published port, from outside', hostAddress, (...argv) => outside.inside(...argv)],
					['published port, on the host’s address', hostAddress, direct],
					['published port, on 127.0.0.1', '127.0.0.1', direct],
				];
				for (const [what, address, wrap] of from) {
					if (!wanted(`networks, ${what}`)) continue;
					await checkpoint();
					say(`${what}: ${engine.name}`);
					measureAt(rates, what, engine, {address, ...own, wrap, env: process.env});
				}
				if (!wanted('networks, container to container')) continue;
				await checkpoint();
				say(`container to container: ${engine.name}`);
				const inside: Wrap = (...argv) => [...engine.command, 'exec', 'client', ...argv];
				const between = {iperf: 5201, http: 80, wrap: inside, env: engine.env};
				const [iperf, http] = [addressOf(engine, 'iperf'), find('nginx') ? addressOf(engine, 'http') : ''];
				measureAt(rates, 'container to container', engine, {...between, address: iperf, httpAddress: http});
			}
		}
		for (const engine of engines) removeAll(engine);
	} finally {
		await outside.end();
		spawnSync('ip', ['link', 'del', 'bench0']);
	}
	return rates.all();
}
