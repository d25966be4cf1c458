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
import {lineOf} from './table.ts';
import {tables} from './tables/index.ts';

const recorded = JSON.parse(readFileSync(answersFile, 'utf8')) as Recorded;
const folder = mkdtempSync(join(tmpdir(), 'wherry-parity-'));
const launcher = new URL('../../src/wherry.sh', import.meta.url).pathname;
let wherry: Contender;

test.before(async () => {
	mkdirSync(join(folder, 'docker'));
	wherry = contender('wherry', launcher, folder, {
		...process.env,
		WHERRY_ROOT: join(folder, 'root'),
		WHERRY_RUN: join(folder, 'run'),
		DOCKER_CONFIG: join(folder, 'docker'),
	});
	const registry = await pushImages();
	try {
		await fetchImages(wherry, registry);
	} finally {
		await registry.stop();
	}
});

test.after.always(() => {
	removeNetworkTraces(join(folder, 'root'));
	rmSync(folder, {recursive: true, force: true});
});

for (const table of tables) {
	if (!table.recorded) continue;
	test.serial(table.name, async (t) => {
		t.timeout(600_000);
		const answers = await runTable(wherry, table);
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
