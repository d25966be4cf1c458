/**
 * `npm run parity [-- --only PATTERN] [--show] [--record]`: every line of the tables is run by docker and by
 * wherry, on private folders, and what they say is compared. `--only` takes the tables, or the lines, that match. `--record` keeps docker's answers for the tests, which
 * compare without docker; `--show` prints equal answers too. Ends with 1 when something differs or docker isn't there.
 */
import {type ChildProcess, spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {existsSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {parseArgs} from 'node:util';
import {memoryFolder, startDocker} from '../bench/engines.ts';
import {answersFile, type Recorded, written} from './answers.ts';
import {faults, outdated} from './compare.ts';
import {fetchImages, pushImages} from './images.ts';
import {modern} from './mask.ts';
import {type Contender, contender, runTable} from './run.ts';
import {type Answer, lineOf, type Pair, type Table} from './table.ts';
import {tables} from './tables/index.ts';

const {values: flags} = parseArgs({
	options: {
		only: {type: 'string'},
		record: {type: 'boolean', default: false},
		show: {type: 'boolean', default: false},
	},
});

const only = new RegExp(flags.only ?? '');

const env: NodeJS.ProcessEnv = {...process.env};
for (const name of ['NODE_EXTRA_CA_CERTS', 'NODE_OPTIONS', 'DOCKER_HOST', 'DOCKER_CONTEXT', 'CI'])
	delete env[name];
const folder = mkdtempSync(join(tmpdir(), 'wherry-parity-'));
const runFolder = mkdtempSync(join(memoryFolder(), 'wherry-parity-'));
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const cgroups = ['', ...readdirSync('/sys/fs/cgroup')].map((name) => join('/sys/fs/cgroup', name, 'docker'));
const foreign = cgroups.filter((path) => existsSync(path));

const daemon = await startDocker(folder, runFolder, env, [], process.env.PARITY_DOCKER);
if (!daemon) {
	rmSync(folder, {recursive: true, force: true});
	rmSync(runFolder, {recursive: true, force: true});
	process.stderr.write(
		'NOTHING WAS COMPARED: docker and dockerd (Debian: docker.io) have to be there, and this has to run as root.\n',
	);
	process.exit(1);
}
const docker = contender('docker', daemon.command[0]!, folder, daemon.env);
const launcher = new URL('../../src/wherry.sh', import.meta.url).pathname;
const wherry = contender('wherry', launcher, folder, {
	...env,
	WHERRY_ROOT: join(folder, 'wherry/root'),
	WHERRY_RUN: join(runFolder, 'wherry'),
	WHERRY_SUBNET_POOL: '10.214.0.0/16',
	DOCKER_CONFIG: join(folder, 'docker'),
});
const recorded: Recorded = existsSync(answersFile) ? JSON.parse(readFileSync(answersFile, 'utf8')) : {};
let [equal, different, listed, waiting, newer] = [0, 0, 0, 0, 0];
/** Most of what is listed as different is so from today's client. */
const isOld =
	Number(/ (\d+)\./.exec(spawnSync(daemon.command[0]!, ['--version']).stdout.toString())?.[1]) < 28;
let holder: ChildProcess | undefined;
// What runs then is still cleaned up.
const interrupt = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupt.abort());
try {
	const registry = await pushImages();
	try {
		await Promise.all([fetchImages(docker, registry), fetchImages(wherry, registry)]);
	} finally {
		await registry.stop();
	}
	wherry.network = `/proc/${await otherNetwork()}/ns/net`;
	const begun = Date.now();
	for (const table of tables) {
		const pairs = only.test(table.name) ? table.pairs : table.pairs.filter((pair) => only.test(lineOf(pair)));
		if (pairs.length === 0) continue;
		const chosen = {...table, pairs};
		const [theirs, ours] = await Promise.all([docker, wherry].map((engine) => attempt(engine, chosen)));
		say(`${table.name}: ${pairs.length}`);
		if (interrupt.signal.aborted) throw new Error('interrupted');
		if (!theirs || !ours) {
			if (table.pending) waiting += pairs.length;
			else different++;
			continue;
		}
		const answers = theirs.map(modern);
		for (const [at, pair] of pairs.entries()) {
			const [answer, own] = [answers[at]!, ours[at]!];
			const wrong = problems(pair, answer, own);
			if (wrong.length > 0 && isOld && isNewer(table, at, pair, own)) {
				newer++;
				continue;
			}
			if (wrong.length > 0 && table.pending) {
				waiting++;
				if (flags.show) say(`- ${lineOf(pair)}`);
			} else if (wrong.length > 0) {
				different++;
				say(`\n✘ ${lineOf(pair)}\n${wrong.join('\n').replace(/^/gm, '  ')}\n`);
			} else {
				equal++;
				if (typeof pair !== 'string') listed++;
				if (flags.show) say(`✔ ${lineOf(pair)}\n${JSON.stringify(own)}`);
			}
		}
		if (table.pending && pairs.every((pair, at) => faults(pair, answers[at]!, ours[at]!).length === 0)) {
			different++;
			say(`\n✘ ${table.name}: all are equal, so nothing is pending: ${table.pending}\n`);
		}
		// A part of a table would be answers from another state, and an old client's are old ones.
		if (flags.record && !isOld && pairs.length === table.pairs.length) {
			recorded[table.name] = pairs.map((pair, at) => ({line: lineOf(pair), ...answers[at]!}));
		}
	}
	say(
		`${Math.round((Date.now() - begun) / 1000)} s; of the equal ones ${listed} differ from docker as listed`,
	);
	if (newer > 0) say(`${newer} more are as docker's newer client has them, whose answers are recorded`);
	if (waiting > 0) say(`${waiting} more wait for what is not there yet`);
	if (flags.record && !isOld) writeFileSync(answersFile, written(recorded));
} finally {
	await daemon.stop();
	holder?.kill();
	for (const path of [folder, runFolder]) {
		// What docker has left mounted; nobody else sees this mount namespace.
		for (const mount of mountsBelow(path)) spawnSync('umount', ['-l', mount]);
		rmSync(path, {recursive: true, force: true});
	}
	for (const path of cgroups) if (!foreign.includes(path)) removeCgroup(path);
}
say(`${equal} equal, ${different} different`);
process.exit(different > 0 ? 1 : 0);

/** A second network namespace, and the process that holds it. */
async function otherNetwork(): Promise<number> {
	holder = spawn('unshare', ['--net', 'sh', '-c', 'ip link set lo up; echo ready; exec sleep infinity'], {
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	await once(holder.stdout!, 'data');
	return holder.pid!;
}

function mountsBelow(path: string): string[] {
	const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
	return mounts
		.flatMap((line) => line.split(' ')[1] ?? [])
		.filter((mount) => mount.startsWith(path))
		.reverse();
}

/** With the empty groups below it. */
function removeCgroup(path: string): void {
	if (!existsSync(path)) return;
	for (const entry of readdirSync(path, {withFileTypes: true})) {
		if (entry.isDirectory()) removeCgroup(join(path, entry.name));
	}
	try {
		rmdirSync(path);
	} catch (error) {
		say(`left behind: ${(error as Error).message}`);
	}
}

function problems(pair: Pair, answer: Answer, own: Answer): string[] {
	const wrong = faults(pair, answer, own);
	if (wrong.length === 0 && outdated(pair, answer, own)) wrong.push('is listed as different, but is not');
	return wrong;
}

/** Whether an old client's answer is another one only because it is old. */
function isNewer(table: Table, at: number, pair: Pair, own: Answer): boolean {
	const newest = recorded[table.name]?.find(({line}, index) => line === lineOf(pair) && index >= at);
	return newest !== undefined && problems(pair, newest, own).length === 0;
}

/** A set-up that fails is a difference like any other. */
async function attempt(engine: Contender, table: Table): Promise<Answer[] | undefined> {
	try {
		return await runTable(engine, table, interrupt.signal);
	} catch (error) {
		say(`\n✘ ${(error as Error).message}\n`);
		return undefined;
	}
}
