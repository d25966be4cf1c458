/**
 * wherry against the answers that docker has given when `npm run parity -- --record` was run last: without docker, and
 * only some tables.
 */
import {mkdirSync, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {removeNetworkTraces} from '../setup/netns.ts';
import {answersFile, type Recorded} from './answers.ts';
import {faults, outdated} from './compare.ts';
import {fetchImages, pushImages} from './images.ts';
import {maskAnswer, modern} from './mask.ts';
import {type Contender, contender, runTable} from './run.ts';
import {type Answer, lineOf, type Table} from './table.ts';
import {tables} from './tables/index.ts';

const recorded = JSON.parse(readFileSync(answersFile, 'utf8')) as Recorded;
const folder = mkdtempSync(join(tmpdir(), 'wherry-parity-'));
const launcher = new URL('../../src/wherry.sh', import.meta.url).pathname;

/** Engines beside each other, each with its own folders and networks: half of a table is waiting. */
const lanes: {wherry: Contender; last: Promise<unknown>; lines: number}[] = [];

test.before(async () => {
	const registry = await pushImages();
	try {
		for (const name of ['a', 'b']) {
			const home = join(folder, name);
			mkdirSync(join(home, 'docker'), {recursive: true});
			const wherry = contender('wherry', launcher, home, {
				...process.env,
				WHERRY_ROOT: join(home, 'root'),
				WHERRY_RUN: join(home, 'run'),
				WHERRY_SUBNET_POOL: `10.${214 + lanes.length}.0.0/16`,
				DOCKER_CONFIG: join(home, 'docker'),
			});
			lanes.push({wherry, last: fetchImages(wherry, registry), lines: 0});
		}
		await Promise.all(lanes.map(({last}) => last));
	} finally {
		await registry.stop();
	}
});

test.after.always(() => {
	for (const {wherry} of lanes) removeNetworkTraces(wherry.env.WHERRY_ROOT!);
	rmSync(folder, {recursive: true, force: true});
});

/** When the engine that has least to do has come to it. */
function answersOf(table: Table): Promise<Answer[]> {
	const lane = lanes.toSorted((one, other) => one.lines - other.lines)[0]!;
	lane.lines += table.pairs.length;
	const answers = lane.last.then(() => runTable(lane.wherry, table));
	lane.last = answers.catch(() => undefined);
	return answers;
}

for (const table of tables) {
	if (!table.recorded) continue;
	test(table.name, async (t) => {
		t.timeout(900_000);
		const answers = await answersOf(table);
		for (const [at, pair] of table.pairs.entries()) {
			const docker = recorded[table.name]?.[at];
			t.is(docker?.line, lineOf(pair), 'not recorded: npm run parity -- --record');
			if (docker?.line !== lineOf(pair)) break;
			t.deepEqual(faults(pair, docker, answers[at]!), [], lineOf(pair));
			t.false(outdated(pair, docker, answers[at]!), `is listed as different, but is not: ${lineOf(pair)}`);
		}
	});
}

test('what can not be the same is masked, and nothing else', (t) => {
	const id = 'ab'.repeat(32);
	const text = [
		`${id} ${id.slice(0, 12)} sha256:${id}`,
		'2026-01-02T03:04:05.678Z 2026-01-02 03:04:05 +0000 UTC',
		'Up 3 seconds, About a minute ago',
		'10.213.0.2 127.0.0.1 02:42:ac:11:00:02 0.0.0.0:32768->80/tcp 1.5MB',
		'/tmp/x/y/file 18080 443',
	].join('\n');
	const masked = maskAnswer({code: 3, stdout: text, stderr: ''}, '/tmp/x/y');
	t.deepEqual(masked, {
		code: 3,
		stdout: [
			'<id> <short> <id>',
			'<time> <time>',
			'Up <span>, <span> ago',
			'<ip> 127.0.0.1 <mac> 0.0.0.0:<port>->80/tcp <size>',
			'<folder>/file 18080 443',
		].join('\n'),
		stderr: '',
	});
});

test('errors are compared without the hint, the prefix of the daemon and the name of the program', (t) => {
	const old = (stderr: string) => modern(maskAnswer({code: 1, stdout: '', stderr}, '/nowhere')).stderr;
	const own = (stderr: string) => maskAnswer({code: 1, stdout: '', stderr}, '/nowhere').stderr;
	t.is(
		old("docker: Error response from daemon: No command specified.\nSee 'docker run --help'.\n"),
		own("wherry: Error: no command specified\n\nRun 'wherry run --help' for more information\n"),
	);
	t.is(
		old(
			'"docker rename" requires exactly 2 arguments.\nSee \'docker rename --help\'.\n\nUsage:  docker rename\n',
		),
		own(
			"wherry: 'wherry rename' requires 2 arguments\n\nUsage:  wherry rename\n\nRun 'wherry rename --help' for",
		),
	);
	t.not(old('Error response from daemon: one\n'), own('Error: other\n'));
});

test('a difference is told as long as it is one, and refused when it no longer is', (t) => {
	const docker = {code: 1, stdout: '', stderr: 'old'};
	const pair = {line: 'x', because: 'y', stderr: 'new'};
	t.deepEqual(faults(pair, docker, {code: 1, stdout: '', stderr: 'new'}), []);
	t.false(outdated(pair, docker, {code: 1, stdout: '', stderr: 'new'}));
	t.is(faults(pair, docker, docker).length, 1);
	t.true(outdated({...pair, stderr: /./}, docker, docker));
	t.is(faults('x', docker, {code: 0, stdout: 'a\n', stderr: 'new'}).length, 3);
});
