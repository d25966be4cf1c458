import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {Command} from '../../e2e/command.ts';

const wherry = new Command();

test.after.always(async (t) => {
	t.deepEqual(await wherry.end(), []);
});

function context(name: string, text: string): string {
	const folder = join(wherry.folder, name);
	mkdirSync(folder);
	writeFileSync(join(folder, 'Dockerfile'), text);
	return folder;
}

const history = (...words: string[]): Promise<string> => wherry.output('buildx', 'history', ...words);

test.serial('nothing has been built', async (t) => {
	t.regex(await history('ls'), /^BUILD ID +NAME +STATUS +CREATED AT +DURATION *$/);
	const {code, stderr} = await wherry.result(['buildx', 'history', 'inspect']);
	t.is(code, 1);
	t.regex(stderr, /no records found/);
});

test.serial('what was built is listed, told and printed again, and the panes have it, too', async (t) => {
	const good = context('good', 'FROM wherry/base AS one\nRUN echo made; echo of two lines\n');
	const bad = context('bad', 'FROM wherry/base\nRUN echo why not; exit 3\n');
	t.is(
		(await wherry.result(['build', '-q', '--network', 'none', '-t', 'app:7', '--target', 'one', good])).code,
		0,
	);
	t.is((await wherry.result(['build', '-q', '--network', 'none', bad])).code, 1);
	const lines = (await history('ls')).split('\n');
	t.regex(lines[1]!, /^[a-z0-9]{25} +bad +Error +\S.* ago +\d+\.\ds/);
	t.regex(lines[2]!, /^[a-z0-9]{25} +good \(one\) +Completed +/);
	const ids = lines.slice(1, 3).map((line) => line.slice(0, 25));
	t.is(
		await history('ls', '--format', '{{.Ref}} {{.Status}}', '--filter', 'status=error'),
		`${ids[0]} Error`,
	);
	t.is(await history('ls', '--format', '{{.Ref}}', '--filter', 'startedAt<1h'), '');
	t.is(
		await history(
			'ls',
			'--format',
			'{{.Ref}}',
			'--filter',
			`ref=${ids[1]!.slice(3)}`,
			'--filter',
			'duration<1h',
		),
		ids[1]!,
	);
	t.like(JSON.parse((await history('ls', '--format', 'json')).split('\n')[1]!), {
		ref: `default/default/${ids[1]}`,
		name: 'good (one)',
		status: 'Completed',
		total_steps: 5,
		completed_steps: 5,
	});
	// The last one without a name.
	t.regex(
		await history('inspect'),
		/^Name:\t\tbad\nRef:\t\t[\s\S]*\nError:\t[\s\S]*exit code: 3\n[\s\S]*> .*why not; exit 3:\nwhy not\n---/,
	);
	t.like(JSON.parse(await history('inspect', '--format', 'json', '^1')), {
		Ref: ids[1]!,
		Status: 'completed',
		Tags: ['app:7'],
		Target: 'one',
	});
	t.is(await history('inspect', '--format', '{{.Context}}', ids[1]!), good);
	const {stderr} = await wherry.result(['buildx', 'history', 'logs', ids[0]!]);
	t.regex(stderr, /\n#\d+ .*RUN echo why not; exit 3\n#\d+ why not\n#\d+ ERROR: .*exit code: 3\n$/);
	const rows = JSON.parse(await wherry.output('ui', '--once', '--json', '--pane', 'builds'));
	t.deepEqual(
		rows.map(({key, tag}: {key: string; tag: string}) => [key, tag]),
		[
			[ids[0], bad],
			[ids[1], 'app:7'],
		],
	);
	t.regex(
		await wherry.output('ui', '--once', '--pane', 'steps', '--width', '140'),
		/why not[\s\S]*exit code: 3/,
	);
	// One that is there goes, and one that isn't is told.
	const {code, stderr: error} = await wherry.result(['buildx', 'history', 'rm', 'nope', ids[0]!]);
	t.is(code, 1);
	t.regex(error, /no record found for ref "nope"/);
	t.is(await history('ls', '--format', '{{.Ref}}'), ids[1]!);
	await history('rm', '--all');
	t.is(await history('ls', '--format', '{{.Ref}}'), '');
});

test.serial('what is wrong is said', async (t) => {
	for (const [words, message] of [
		[['ls', '--filter', 'x'], /invalid filter "x"/],
		[['ls', '--filter', 'name=x'], /unsupported filter "name=x"/],
		[['ls', '--filter', 'status<x'], /invalid separator/],
		[['ls', '--filter', 'duration>x'], /invalid duration x/],
		[['ls', '--local'], /--local.* is not supported/],
		[['inspect', '^x'], /invalid offset/],
		[['logs', '--progress', 'x'], /invalid progress mode x/],
		[['rm'], /rm requires at least one argument/],
		[['rm', '--all', 'x'], /either --all or at least one argument/],
		[['open'], /not supported: it is for Docker Desktop/],
	] as const) {
		const {code, stderr} = await wherry.result(['buildx', 'history', ...words]);
		t.not(code, 0);
		t.regex(stderr, message);
	}
});
