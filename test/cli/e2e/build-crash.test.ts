import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdirSync, mkdtempSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {native} from '../../../src/kernel/native.ts';
import {Command, entries} from '../../e2e/command.ts';

const launcher = new URL('../../../src/wherry.sh', import.meta.url).pathname;

function contextOf(wherry: Command, files: Record<string, string | Buffer>): string {
	const folder = mkdtempSync(join(wherry.folder, 'context-'));
	for (const [path, content] of Object.entries(files)) {
		mkdirSync(join(folder, path, '..'), {recursive: true});
		writeFileSync(join(folder, path), content);
	}
	return folder;
}

/** What builds leave only when something is wrong. */
const scraps = (wherry: Command): string[] => entries(join(wherry.root, 'ingest'));

test('a build that is killed or interrupted in any of its phases leaves what the next one can go on with', async (t) => {
	const wherry = new Command();
	await wherry.output('run', '--rm', '--network', 'none', 'wherry/base', 'true');
	const folder = contextOf(wherry, {
		...Object.fromEntries(Array.from({length: 400}, (_, at) => [`files/${at % 9}/${at}`, `content ${at}\n`])),
		Dockerfile:
			'FROM wherry/base AS one\nWORKDIR /w\nCOPY files files\nRUN ls files/*/* | wc -l >count\nFROM wherry/base\nCOPY --from=one /w/count /count\nRUN --mount=type=cache,target=/c echo 1 >>/c/n\nCMD ["x"]\n',
	});
	const build = ['build', '--network', 'none', '--progress', 'plain', '-t', 'made', folder];
	// At the first sign of each phase, so that it has begun and not ended.
	const phases = [
		/load build context/,
		/\] COPY files/,
		/\] RUN ls/,
		/\] COPY --from/,
		/\] RUN --mount/,
		/exporting to image/,
	];
	let ended = 0;
	for (const [at, phase] of phases.entries()) {
		// Ctrl+C first: it leaves nothing but what was left of the phase before, which was killed.
		for (const signal of at % 2 === 0 ? (['SIGKILL'] as const) : (['SIGINT', 'SIGKILL'] as const)) {
			const before = scraps(wherry);
			const child = spawn(launcher, build, {env: wherry.env, stdio: ['ignore', 'ignore', 'pipe']});
			let said = '';
			child.stderr.on('data', (text) => {
				const seen = phase.test(said);
				said += text;
				// A second Ctrl+C would end it at once.
				if (!seen && phase.test(said)) child.kill(signal);
			});
			const [code, by] = await once(child, 'close');
			if (by === 'SIGKILL' || (code === 1 && said.includes('context canceled'))) ended++;
			if (signal !== 'SIGINT') continue;
			t.deepEqual(
				scraps(wherry).filter((name) => !before.includes(name)),
				[],
				said,
			);
			t.is(await wherry.output('ps', '-aq'), '');
		}
	}
	t.true(ended >= 4, `${ended} builds were ended before they were done`);
	const done = await wherry.result(build);
	t.is(done.code, 0, done.stderr);
	t.is(await wherry.output('run', '--rm', '--network', 'none', 'made', 'cat', '/count'), '400');
	t.is(await wherry.output('ps', '-aq'), '');
	t.deepEqual(scraps(wherry), []);
	// All of it is of the cache now, so nothing that a killed build wrote there is in its way.
	const again = await wherry.result(build);
	t.is(again.stderr.match(/CACHED/g)?.length, 7, again.stderr);
	t.deepEqual(await wherry.end(), []);
});

test('a disk that is full in the middle of a build is said, and what was begun is gone', async (t) => {
	const wherry = new Command();
	const disk = join(wherry.folder, 'disk');
	mkdirSync(disk);
	await native.mountFilesystem('tmpfs', disk, 'tmpfs', 0, 'size=64m');
	wherry.env.WHERRY_ROOT = join(disk, 'root');
	try {
		await wherry.output('run', '--rm', '--network', 'none', 'wherry/base', 'true');
		const folder = contextOf(wherry, {large: Buffer.alloc(80 << 20, 1), small: 'small'});
		const used = async (): Promise<string> =>
			wherry.output('system', 'df', '--format', '{{.Type}} {{.Size}}');
		const before = await used();
		for (const [dockerfile, message] of [
			['FROM wherry/base\nCOPY large /large\n', /write \/.*: no space left on device/],
			[
				'FROM wherry/base\nRUN head -c 80000000 /dev/zero >/large\n',
				/did not complete successfully: exit code: 1/,
			],
			['FROM wherry/base\nRUN --mount=type=bind,source=large,target=/l true\n', /no space left on device/],
		] as const) {
			writeFileSync(join(folder, 'Dockerfile'), dockerfile);
			const {code, stderr} = await wherry.result(['build', '--network', 'none', '-t', 'full', folder]);
			t.is(code, 1, stderr);
			t.regex(stderr, message);
			t.is(await used(), before);
			t.deepEqual(scraps(wherry), []);
		}
		t.is(await wherry.output('images', '-q', 'full'), '');
		t.is(await wherry.output('ps', '-aq'), '');
		writeFileSync(join(folder, 'Dockerfile'), 'FROM wherry/base\nCOPY small /small\n');
		const {code, stderr} = await wherry.result(['build', '--network', 'none', '-t', 'fits', folder]);
		t.is(code, 0, stderr);
		t.is(await wherry.output('run', '--rm', '--network', 'none', 'fits', 'cat', '/small'), 'small');
	} finally {
		await wherry.output('ps', '-aq');
		await native.unmount(disk);
		wherry.env.WHERRY_ROOT = join(wherry.folder, 'root');
		t.deepEqual(await wherry.end(), []);
	}
});
