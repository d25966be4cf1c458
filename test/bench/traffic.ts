/**
 * `npm run bench:traffic [-- --json] [--runs N] [--only TEXT]... [--mark PROGRAM]`: what goes through a published port and
 * from one container to another. Each engine has a host of its own, a network namespace with nothing but its rules, and
 * another namespace beside it as the host outside; the machine's own network is not touched. All servers run the whole
 * time, each measurement takes a second, and the engines take turns with each, every round in another order: what else
 * the machine does meanwhile comes upon all of them alike. So do wherry's programs at connect(2), which all clients pass
 * as on a host that has the engines beside each other: some 0.2 microseconds of each connection. A ratio is the median of
 * those of the rounds. PROGRAM is run before and after each measurement.
 */
import {type ChildProcess, spawn} from 'node:child_process';
import {copyFileSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {parseArgs} from 'node:util';
import {detectCgroupMounts} from '../../src/runtime/cgroups/layout.ts';
import {
	type BenchEngine,
	end,
	find,
	memoryFolder,
	podman,
	removeAll,
	removeFolders,
	startDocker,
	wherry,
} from './engines.ts';
import {checkpoint, interruptedCode} from './interrupt.ts';
import {output, rateTable} from './measure.ts';
import {Rates} from './rates.ts';

const {values: flags} = parseArgs({
	options: {
		json: {type: 'boolean'},
		mark: {type: 'string'},
		runs: {type: 'string', default: '15'},
		only: {type: 'string', multiple: true},
	},
});
const runs = Number(flags.runs);
const wanted = (name: string): boolean => flags.only?.some((text) => name.includes(text)) ?? true;
const say = (text: string): void => void process.stderr.write(`${text}\n`);

const env: NodeJS.ProcessEnv = {...process.env, WHERRY_CONFIG: '/nonexistent'};
delete env.NODE_EXTRA_CA_CERTS;
delete env.NODE_OPTIONS;

/** Of each measurement. */
const seconds = '1';
const hostAddress = '10.213.7.1';
const [iperfPort, httpPort] = [15_201, 18_080];

/** A process that holds a network namespace. */
class Host {
	readonly #holder: ChildProcess;

	constructor() {
		this.#holder = spawn('unshare', ['--net', 'sleep', '100000'], {stdio: 'ignore', detached: true});
	}

	get pid(): number {
		return this.#holder.pid!;
	}

	/** A program and its arguments in this host. */
	inside(...argv: string[]): string[] {
		return ['nsenter', `--net=/proc/${this.pid}/ns/net`, '--', ...argv];
	}

	run(...argv: string[]): string {
		return output(this.inside(...argv), env);
	}

	async end(): Promise<void> {
		await end(this.#holder);
	}
}

/** The host of an engine, and one on the same network. */
class Pair {
	readonly own = new Host();
	readonly outside = new Host();

	async connect(): Promise<void> {
		await sleep(200);
		const {own, outside} = this;
		own.run('ip', 'link', 'set', 'lo', 'up');
		own.run(
			'ip',
			'link',
			'add',
			'bench0',
			'type',
			'veth',
			'peer',
			'name',
			'eth0',
			'netns',
			String(outside.pid),
		);
		own.run('ip', 'addr', 'add', `${hostAddress}/24`, 'dev', 'bench0');
		own.run('ip', 'link', 'set', 'bench0', 'up');
		outside.run('ip', 'addr', 'add', '10.213.7.2/24', 'dev', 'eth0');
		outside.run('ip', 'link', 'set', 'eth0', 'up');
	}

	async end(): Promise<void> {
		await this.own.end();
		await this.outside.end();
	}
}

const nginxConfig = `daemon off; user root; worker_processes 1; pid /tmp/nginx.pid; error_log stderr crit;
events {worker_connections 512;}
http {access_log off; keepalive_requests 1000000; client_body_temp_path /tmp/b; proxy_temp_path /tmp/p; fastcgi_temp_path /tmp/f; uwsgi_temp_path /tmp/u; scgi_temp_path /tmp/s;
server {listen 80 backlog=512; location / {return 200 "ok";}}}
`;

/** An archive of a root with the host's own programs and what they link to. */
function makeRoot(folder: string): string {
	const root = join(folder, 'tools');
	const programs = ['iperf3', 'nginx', 'wrk', 'sleep'].map(find).filter((path) => path !== undefined);
	for (const program of programs) {
		const libraries = [...output(['ldd', program], env).matchAll(/(\/\S+\.so\S*)/g)].map(([, path]) => path!);
		for (const path of [program, ...libraries]) {
			mkdirSync(dirname(join(root, path)), {recursive: true});
			copyFileSync(path, join(root, path));
		}
	}
	for (const name of ['tmp', 'etc']) mkdirSync(join(root, name));
	writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
	writeFileSync(join(root, 'etc/group'), 'root:x:0:\n');
	writeFileSync(join(root, 'etc/nginx.conf'), nginxConfig);
	const archive = join(folder, 'tools.tar');
	output(['tar', '-C', root, '-cf', archive, '.'], env);
	return archive;
}

/**
 * On a hybrid host every engine gives a container a cgroup of v2, too, whose pressure the kernel keeps account of at each
 * switch of tasks. Here the hierarchy is out of sight of all but wherry (see run.sh), so the others' get theirs here.
 */
function giveCgroup(engine: BenchEngine, name: string): void {
	const {v1, unified} = detectCgroupMounts();
	if (engine.name === 'wherry' || v1.length === 0 || unified === undefined) return;
	const group = join(unified, `${engine.name}-${name}`);
	mkdirSync(group);
	const pidNamespace = (pid: string): string | undefined => {
		try {
			return readlinkSync(`/proc/${pid}/ns/pid`);
		} catch {
			return undefined;
		}
	};
	const namespace = pidNamespace(
		output([...engine.command, 'inspect', '-f', '{{.State.Pid}}', name], engine.env),
	);
	const moved = new Set<string>();
	const left = (): string[] =>
		readdirSync('/proc').filter(
			(pid) => /^\d+$/.test(pid) && !moved.has(pid) && pidNamespace(pid) === namespace,
		);
	// Until none has been forked meanwhile.
	for (let pids = left(); pids.length > 0; pids = left()) {
		for (const pid of pids) {
			writeFileSync(join(group, 'cgroup.procs'), pid);
			moved.add(pid);
		}
	}
	if (moved.size === 0) throw new Error(`${engine.name} has no process of ${name}`);
}

/** Servers, published, and a container beside them that asks. */
function serve(engine: BenchEngine, archive: string): void {
	const image = 'bench/traffic:1';
	const on = (...argv: string[]): void => void output([...engine.command, ...argv], engine.env);
	on('import', archive, image);
	const run = (name: string, publish: string[], ...argv: string[]): void => {
		on('run', '-d', '--name', name, ...publish, image, ...argv);
		giveCgroup(engine, name);
	};
	run('iperf', ['-p', `${iperfPort}:5201`], find('iperf3')!, '-s');
	if (find('nginx')) {
		run('http', ['-p', `${httpPort}:80`], find('nginx')!, '-e', 'stderr', '-c', '/etc/nginx.conf');
	}
	run('client', [], find('sleep')!, '100000');
}

const addressIn = (engine: BenchEngine, name: string): string =>
	output(
		[
			...[...engine.command, 'inspect', '-f'],
			...['{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', name],
		],
		engine.env,
	);

type Wrap = (...argv: string[]) => string[];

interface Job {
	readonly name: string;
	readonly program: 'iperf3' | 'wrk';
	readonly argv: (round: number) => string[];
}

/**
 * Each round has a load of its own, the same for all engines: how processes happen to take turns at one number of
 * connections, or with writes of one size, moves a rate by more than what engines differ in.
 */
const variants = 9;
const variant = (round: number): number => (round * 4) % variants;
const connections = (round: number): string => `-c${12 + variant(round)}`;
const writeSize = (round: number): string => `${112 + 4 * variant(round)}K`;

/** Throughput, and requests with and without connections that last, at an address. */
function jobsAt(
	what: string,
	at: {
		address: string;
		/** Of the web server, where it is another one. */
		httpAddress?: string;
		iperf: number;
		http: number;
		wrap: Wrap;
	},
): Job[] {
	const {address, httpAddress = address, iperf, http, wrap} = at;
	const [iperf3, wrk] = [find('iperf3')!, find('wrk')];
	const stream = ['-J', '-t', seconds, '-c', address, '-p', String(iperf), '-l'];
	const jobs: Job[] = [
		{
			name: `${what}: iperf3`,
			program: 'iperf3',
			argv: (round) => wrap(iperf3, ...stream, writeSize(round)),
		},
	];
	if (!wrk || !find('nginx')) return jobs;
	const url = `http://${httpAddress}:${http}/`;
	const load =
		(...how: string[]) =>
		(round: number): string[] =>
			wrap(wrk, '-t1', connections(round), `-d${seconds}s`, ...how, url);
	return [
		...jobs,
		{name: `${what}: wrk, keep-alive`, program: 'wrk', argv: load()},
		{
			name: `${what}: wrk, a connection each`,
			program: 'wrk',
			argv: load('-H', 'Connection: close'),
		},
	];
}

/** What is measured of an engine. */
function jobsOf(engine: BenchEngine, {own, outside}: Pair): Job[] {
	const inOwn: Wrap = (...argv) => own.inside(...argv);
	const from: [what: string, address: string, wrap: Wrap][] = [
		['published port, from outside', hostAddress, (...argv) => outside.inside(...argv)],
		['published port, on the host’s address', hostAddress, inOwn],
		['published port, on 127.0.0.1', '127.0.0.1', inOwn],
	];
	return [
		...from.flatMap(([what, address, wrap]) =>
			jobsAt(what, {address, iperf: iperfPort, http: httpPort, wrap}),
		),
		...jobsAt('container to container', {
			...{address: addressIn(engine, 'iperf'), httpAddress: find('nginx') ? addressIn(engine, 'http') : ''},
			...{iperf: 5201, http: 80, wrap: (...argv) => [...engine.command, 'exec', 'client', ...argv]},
		}),
	].filter(({name}) => wanted(name));
}

if (!find('iperf3')) {
	say('iperf3 is not there: traffic is not measured');
	process.exit(1);
}
const folder = mkdtempSync(join(tmpdir(), 'wherry-bench-'));
const runFolder = mkdtempSync(join(memoryFolder(), 'wherry-bench-'));
const rates = new Rates(say, flags.mark);
const places: {engine: BenchEngine; pair: Pair}[] = [];
try {
	say('preparing engines');
	const archive = makeRoot(folder);
	for (const make of [wherry, startDocker, podman]) {
		await checkpoint();
		const pair = new Pair();
		await pair.connect();
		const engine = await make(folder, runFolder, env, pair.own.inside());
		if (!engine) {
			await pair.end();
			continue;
		}
		places.push({engine, pair});
		serve(engine, archive);
		// dockerd makes this DROP in its own host; elsewhere it does nothing.
		if (find('iptables')) pair.own.run('iptables', '-P', 'FORWARD', 'ACCEPT');
	}
	await sleep(1500);
	const all = places.map(({engine, pair}) => ({engine, jobs: jobsOf(engine, pair)}));
	for (let round = 0; round < runs; round++) {
		say(`round ${round + 1} of ${runs}`);
		const first = round % all.length;
		const order = [...all.slice(first), ...all.slice(0, first)];
		// Beside each other in time, too: the machine is faster in some minutes than in others.
		for (const index of all[0]!.jobs.keys()) {
			await checkpoint();
			for (const {engine, jobs} of order) {
				const {name, program, argv} = jobs[index]!;
				rates.measure(name, engine.name, round, program, argv(round), engine.env);
			}
		}
	}
} catch (error) {
	// What has been measured until then is told all the same.
	say(String(error));
	process.exitCode = interruptedCode() ?? 1;
} finally {
	for (const {engine, pair} of places) {
		try {
			removeAll(engine);
		} catch (error) {
			say(String(error));
		}
		await engine.stop();
		await pair.end();
	}
	removeFolders(folder, runFolder);
}
process.stdout.write(
	flags.json ? `${JSON.stringify(rates.all(), null, '\t')}\n` : `${rateTable(rates.all())}\n`,
);
