import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {
	chmodSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	symlinkSync,
	utimesSync,
	writeFileSync,
} from 'node:fs';
import {dirname, join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import {Command} from '../../e2e/command.ts';

const wherry = new Command();
const launcher = new URL('../../../src/wherry.sh', import.meta.url).pathname;

test.before(() => wherry.output('run', '--rm', '--network', 'none', 'wherry/base', 'true'));
test.after.always(async (t) => t.deepEqual(await wherry.end(), []));

/** A context with these files; a function makes something else of its path. */
function contextOf(files: Record<string, string | ((path: string) => void)>): string {
	const folder = mkdtempSync(join(wherry.folder, 'context-'));
	for (const [path, content] of Object.entries(files)) {
		const full = join(folder, path);
		mkdirSync(dirname(full), {recursive: true});
		if (typeof content === 'string') writeFileSync(full, content);
		else content(full);
	}
	return folder;
}

let count = 0;

/** Builds without network and gives the image's name; CONTEXT in an option is the context's folder. */
async function built(
	files: Record<string, string | ((path: string) => void)>,
	...options: string[]
): Promise<string> {
	const name = `built-${++count}`;
	const folder = contextOf(files);
	const given = options.map((option) => option.replace('CONTEXT', folder));
	const result = await wherry.result(['build', '--network', 'none', '-t', name, ...given, folder]);
	if (result.code !== 0) throw new Error(result.stderr);
	return name;
}

const inside = (image: string, ...command: string[]): Promise<string> =>
	wherry.output('run', '--rm', '--network', 'none', image, ...command);
const config = async (image: string): Promise<Record<string, unknown>> =>
	JSON.parse(await wherry.output('inspect', '-f', '{{json .Config}}', image));

interface Case {
	dockerfile: string;
	files?: Record<string, string | ((path: string) => void)>;
	options?: string[];
	/** What a command in the image prints. */
	run?: [command: string, output: string | RegExp];
	config?: Record<string, unknown>;
}

const cases: Record<string, Case> = {
	'COPY of a file, a folder and a pattern': {
		dockerfile: 'FROM wherry/base\nCOPY a.txt /x/\nCOPY dir /y\nCOPY dir/*.c *.txt /z/\n',
		files: {'a.txt': 'a', 'dir/b.c': 'b', 'dir/sub/c.h': 'c'},
		run: ['find /x /y /z -type f | sort | tr "\\n" " "', '/x/a.txt /y/b.c /y/sub/c.h /z/a.txt /z/b.c'],
	},
	'COPY renames a file, and a relative destination is in WORKDIR': {
		dockerfile: 'FROM wherry/base\nWORKDIR /w\nWORKDIR v\nCOPY a.txt b.txt\nCOPY a.txt .\n',
		files: {'a.txt': 'a'},
		run: ['pwd; ls', '/w/v\na.txt\nb.txt'],
		config: {WorkingDir: '/w/v'},
	},
	'--chown and --chmod': {
		dockerfile:
			'FROM wherry/base\nCOPY --chown=nobody:tty --chmod=640 a.txt /a\nCOPY --chown=5 --chmod=u=rwX,go=rX dir /d\n',
		files: {'a.txt': 'a', 'dir/f': 'f'},
		run: ['stat -c "%u:%g %a" /a /d /d/f', '65534:5 640\n5:5 755\n5:5 644'],
	},
	'modes and links of the context stay': {
		dockerfile: 'FROM wherry/base\nCOPY . /c/\n',
		files: {
			'run.sh': (path) => {
				writeFileSync(path, '#!/bin/sh\necho ran\n');
				chmodSync(path, 0o755);
			},
			link: (path) => symlinkSync('run.sh', path),
		},
		run: ['/c/link; readlink /c/link', 'ran\nrun.sh'],
	},
	'.dockerignore leaves out, and lets in again': {
		dockerfile: 'FROM wherry/base\nCOPY . /c/\n',
		files: {
			'.dockerignore': '*\n!keep\nkeep/not\n',
			'a.txt': 'a',
			'keep/b': 'b',
			'keep/not': 'n',
			'other/keep': 'k',
		},
		run: ['cd /c; find . -type f', './keep/b'],
	},
	'Dockerfile.dockerignore comes before .dockerignore': {
		dockerfile: 'FROM wherry/base\nCOPY . /c/\n',
		files: {
			'.dockerignore': 'a.txt',
			'Dockerfile.dockerignore': 'b.txt\nDocker*\n.dockerignore',
			'a.txt': 'a',
			'b.txt': 'b',
		},
		run: ['ls /c', 'a.txt'],
	},
	'COPY --exclude and --parents': {
		dockerfile:
			'FROM wherry/base\nCOPY --exclude=*.log --exclude=sub/x . /c/\nCOPY --parents sub/deep/f /p/\n',
		files: {'a.log': 'l', 'a.txt': 'a', 'sub/x': 'x', 'sub/deep/f': 'f'},
		run: [
			'cd /c; find . -type f | grep -v Docker | sort; find /p -type f',
			'./a.txt\n./sub/deep/f\n/p/sub/deep/f',
		],
	},
	'a destination that is a link is followed inside the image': {
		dockerfile:
			'FROM wherry/base\nRUN mkdir /real && ln -s /real /link && ln -s ../../../../real /up\nCOPY a.txt /link/\nCOPY a.txt /up/b.txt\n',
		files: {'a.txt': 'a'},
		run: ['ls /real', 'a.txt\nb.txt'],
	},
	'a link in the context that leads out of it leads nowhere': {
		dockerfile: 'FROM wherry/base\nCOPY out /c/\n',
		files: {out: (path) => symlinkSync('/inside', path), inside: 'from the context'},
		run: ['cat /c/out', 'from the context'],
	},
	'ADD unpacks an archive, COPY does not': {
		dockerfile: 'FROM wherry/base\nADD t.tar /a/\nCOPY t.tar /b/\n',
		files: {
			't.tar': (path) => {
				const folder = contextOf({'in/x': 'x'});
				const {status} = process
					.getBuiltinModule('node:child_process')
					.spawnSync('tar', ['-C', folder, '-cf', path, 'in']);
				if (status !== 0) throw new Error('tar');
			},
		},
		run: ['cat /a/in/x; ls /b', 'xt.tar'],
	},
	'here-documents in COPY and RUN': {
		dockerfile:
			'FROM wherry/base\nENV V=value\nCOPY <<one <<"two" /h/\n$V\none\n$V\ntwo\nRUN <<EOF\necho first >/r\necho second >>/r\nEOF\nRUN cat <<-EOF >/t\n\ttabs\n\tEOF\n',
		run: ['cat /h/one /h/two /r /t', 'value\n$V\nfirst\nsecond\ntabs'],
	},
	'ARG with defaults, from the command line, before FROM and predefined': {
		dockerfile:
			'ARG BASE=wherry/base\nARG G=global\nFROM $BASE\nARG A=default\nARG B=default\nARG G\nARG TARGETARCH\nRUN echo "$A $B $G ${TARGETARCH:+arch} ${NONE:-none} $HTTP_PROXY" >/o\n',
		options: ['--build-arg', 'B=given', '--build-arg', 'HTTP_PROXY=proxy'],
		run: ['cat /o; echo "[$A]"', 'default given global arch none proxy\n[]'],
	},
	'ENV wins over ARG, and is there when it runs': {
		dockerfile:
			'FROM wherry/base\nARG X=arg\nENV X=env Y="a b" Z=a\\ b\nENV OLD one two\nRUN echo "$X" >/o\n',
		run: ['cat /o; echo "$Y|$Z|$OLD"', 'env\na b|a b|one two'],
	},
	'shell and exec forms, SHELL': {
		dockerfile:
			'FROM wherry/base\nRUN ["sh", "-c", "echo exec >/e"]\nSHELL ["/bin/sh", "-e", "-c"]\nRUN echo $- >/s\nCMD echo $HOME\n',
		run: ['cat /e; grep -c e /s', 'exec\n1'],
		config: {Cmd: ['/bin/sh', '-e', '-c', 'echo $HOME'], Shell: ['/bin/sh', '-e', '-c']},
	},
	'ENTRYPOINT takes the CMD of the base away': {
		dockerfile: 'FROM wherry/base AS b\nCMD ["base"]\nFROM b\nENTRYPOINT ["echo", "entry"]\n',
		config: {Cmd: undefined, Entrypoint: ['echo', 'entry']},
	},
	'all that is only configuration': {
		dockerfile:
			'FROM wherry/base\nLABEL a=b "c d"="e f"\nEXPOSE 80 53/udp 7000-7001\nVOLUME /v relative ["/j"]\nUSER nobody:tty\nSTOPSIGNAL SIGINT\nHEALTHCHECK --interval=5s --retries=2 CMD true\nONBUILD RUN echo triggered >/o\nMAINTAINER me\n',
		options: ['--label', 'given=x'],
		config: {
			Labels: {a: 'b', 'c d': 'e f', given: 'x'},
			ExposedPorts: {'80/tcp': {}, '53/udp': {}, '7000/tcp': {}, '7001/tcp': {}},
			User: 'nobody:tty',
			StopSignal: 'SIGINT',
			Healthcheck: {Test: ['CMD-SHELL', 'true'], Interval: 5e9, Retries: 2},
			OnBuild: ['RUN echo triggered >/o'],
		},
	},
	'RUN --mount cache, tmpfs, secret and bind': {
		dockerfile:
			'FROM wherry/base AS other\nRUN mkdir /o && echo other >/o/f\nFROM wherry/base\nRUN --mount=type=cache,target=/cache echo kept >>/cache/f\nRUN --mount=type=cache,target=/cache cat /cache/f >/c\nRUN --mount=type=tmpfs,target=/t touch /t/x\nRUN --mount=type=secret,id=s cat /run/secrets/s | wc -c >/s\nRUN --mount=type=bind,target=/ctx cat /ctx/a.txt >/b\nRUN --mount=type=bind,from=other,source=/o,target=/from cat /from/f >>/b\nRUN --mount=type=secret,id=s,env=TOKEN echo ${#TOKEN} >>/s\n',
		files: {'a.txt': 'a\n', 'secret.txt': 'hidden'},
		options: ['--secret', 'id=s,env=WHERRY_TEST_SECRET'],
		run: [
			'cat /c /s /b; ls -A /t /cache /run/secrets /ctx /from 2>/dev/null | grep -v : | wc -w',
			/^(?:kept\n)+6\n6\na\nother\n0$/,
		],
	},
	'RUN as a user, in WORKDIR, and what it removes is gone': {
		dockerfile:
			'FROM wherry/base\nRUN mkdir -p /d/e && touch /d/e/f /gone && chown -R 7 /d\nUSER 7\nWORKDIR /d\nRUN id -u >who; rm e/f; rmdir e\nUSER 0\nRUN rm /gone\n',
		run: ['cat /d/who; ls -A /d; ls /gone 2>&1 | grep -c "No such"', '7\nwho\n1'],
	},
	'scratch with nothing but files': {
		dockerfile: 'FROM wherry/base AS b\nFROM scratch\nCOPY --from=b / /\nCOPY a.txt /a\n',
		files: {'a.txt': 'a'},
		run: ['cat /a', 'a'],
	},
	'--target, and a stage that it does not need never runs': {
		dockerfile:
			'FROM wherry/base AS one\nRUN echo one >/o\nFROM wherry/base AS bad\nRUN false\nFROM one AS two\nRUN echo two >>/o\nFROM bad\n',
		options: ['--target', 'two'],
		run: ['cat /o', 'one\ntwo'],
	},
	'another escape, continuation and comments': {
		dockerfile: '# escape=`\nFROM wherry/base\nRUN echo a >/o && `\n  # comment\n  echo b >>/o\n',
		run: ['cat /o', 'a\nb'],
	},
	'-f names another file': {
		dockerfile: '',
		files: {'docker/My.Dockerfile': 'FROM wherry/base\nRUN echo mine >/o\n'},
		options: ['-f', 'CONTEXT/docker/My.Dockerfile'],
		run: ['cat /o', 'mine'],
	},
	'--build-context': {
		dockerfile: 'FROM wherry/base\nCOPY --from=more f /f\n',
		options: ['--build-context', `more=${contextOf({f: 'named'})}`],
		run: ['cat /f', 'named'],
	},
	'hosts and the limits of containers': {
		dockerfile:
			'FROM wherry/base\nRUN cat /etc/hosts >/o; df /dev/shm | tail -1 | tr -s " " | cut -d" " -f2 >>/o\n',
		options: ['--add-host', 'there:1.2.3.4', '--shm-size', '8m'],
		run: ['grep -c there /o; tail -1 /o; grep -c there /etc/hosts', /^1\n8192\n0$/],
	},
};

wherry.env.WHERRY_TEST_SECRET = 'hidden';

for (const [title, {dockerfile, files, options = [], run, config: wanted}] of Object.entries(cases)) {
	test(`build: ${title}`, async (t) => {
		const image = await built({...(dockerfile === '' ? {} : {Dockerfile: dockerfile}), ...files}, ...options);
		if (run) {
			const [command, output] = run;
			const said = (
				await wherry.result([
					'run',
					'--rm',
					'--network',
					'none',
					'--user',
					'0',
					'--entrypoint',
					'sh',
					image,
					'-c',
					command,
				])
			).stdout.trimEnd();
			if (typeof output === 'string') t.is(said, output);
			else t.regex(said, output);
		}
		if (wanted) {
			const found = await config(image);
			for (const [key, value] of Object.entries(wanted)) t.deepEqual(found[key] ?? undefined, value, key);
		}
	});
}

const failures: Record<string, [dockerfile: string, message: RegExp, ...options: string[]]> = {
	'an empty file': ['', /file with no instructions/],
	'no FROM first': ['RUN true\n', /no build stage in current context/],
	'a misspelt instruction': [
		'FROM wherry/base\nCOPPY a b\n',
		/unknown instruction: COPPY \(did you mean COPY\?\)/,
	],
	'an unknown flag': ['FROM wherry/base\nCOPY --what=1 a b\n', /unknown flag: --what/],
	'a file that is not there': ['FROM wherry/base\nCOPY nowhere /x\n', /"\/nowhere": not found/],
	'a file that is left out': ['FROM wherry/base\nCOPY left.out /x\n', /"\/left\.out": not found/],
	'a command that fails': [
		'FROM wherry/base\nRUN echo said; exit 7\n',
		/process "\/bin\/sh -c echo said; exit 7" did not complete successfully: exit code: 7/,
	],
	'a command that is not there': [
		'FROM wherry/base\nRUN ["no-such-command"]\n',
		/process "no-such-command" did not complete successfully: exit code: 127/,
	],
	'a stage that is not there': ['FROM wherry/base\nCOPY --from=9 a b\n', /invalid stage index 9/],
	'a target that is not there': [
		'FROM wherry/base AS one\n',
		/target stage "ona" could not be found/,
		'--target',
		'ona',
	],
	'a bad port': ['FROM wherry/base\nEXPOSE 99999\n', /invalid containerPort: 99999/],
	'a required secret': [
		'FROM wherry/base\nRUN --mount=type=secret,id=x,required true\n',
		/secret x: not found/,
	],
	'a bad name of a stage': ['FROM wherry/base AS 1bad\n', /invalid name for build stage/],
	'a bad tag': ['FROM wherry/base\n', /invalid reference format/, '-t', 'Bad:Tag'],
	'an unknown user of --chown': [
		'FROM wherry/base\nCOPY --chown=nobody-here a.txt /x\n',
		/unable to find user nobody-here/,
	],
	'HEALTHCHECK without a command': [
		'FROM wherry/base\nHEALTHCHECK CMD\n',
		/missing command after HEALTHCHECK CMD/,
	],
	'a quote that does not end': ['FROM wherry/base\nENV A="b\n', /unexpected end of statement/],
};

for (const [title, [dockerfile, message, ...options]] of Object.entries(failures)) {
	test(`build refuses ${title}`, async (t) => {
		const folder = contextOf({
			Dockerfile: dockerfile,
			'a.txt': 'a',
			'b.txt': 'b',
			'left.out': 'x',
			'.dockerignore': 'left.out',
		});
		const {code, stderr, stdout} = await wherry.result(['build', '--network', 'none', ...options, folder]);
		t.is(code, 1);
		t.regex(stderr, message);
		t.regex(stderr, /\nERROR: failed to build: [^\n]+\n$|^ERROR: failed to build: [^\n]+\n$/);
		t.is(stdout, '');
	});
}

test('an error shows the step’s last output and the lines around it', async (t) => {
	const folder = contextOf({Dockerfile: 'FROM wherry/base\n\nRUN echo the last words; false\nRUN true\n'});
	const {stderr} = await wherry.result(['build', '--network', 'none', folder]);
	t.regex(stderr, /------\n > \[2\/3\] RUN echo the last words; false:\nthe last words\n------\n/);
	t.regex(
		stderr,
		/Dockerfile:3\n-+\n +1 \| {5}FROM wherry\/base\n +2 \| {5}\n +3 \| >>> RUN echo the last words; false\n +4 \| {5}RUN true\n-+\n/,
	);
});

test('what has not changed comes from the cache, by content and not by time', async (t) => {
	const folder = contextOf({
		Dockerfile:
			'FROM wherry/base\nCOPY a.txt /a\nRUN cat /a >/b; head -c 8 /dev/urandom | od >/random\nCMD ["x"]\n',
		'a.txt': 'one',
	});
	const once_ = async (...options: string[]) => {
		const {code, stderr, stdout} = await wherry.result([
			'build',
			'--network',
			'none',
			'--iidfile',
			join(folder, '../iid'),
			...options,
			folder,
		]);
		if (code !== 0) throw new Error(stderr);
		return {
			id: readFileSync(join(folder, '../iid'), 'utf8'),
			cached: stderr.match(/CACHED/g)?.length ?? 0,
			stdout,
		};
	};
	const first = await once_();
	utimesSync(join(folder, 'a.txt'), 1, 1);
	const second = await once_();
	t.deepEqual([second.id, second.cached], [first.id, 3]);
	t.is((await once_('-q')).stdout, `${first.id}\n`);
	writeFileSync(join(folder, 'a.txt'), 'two');
	const changed = await once_();
	t.not(changed.id, first.id);
	t.is(changed.cached, 1);
	t.not((await once_('--no-cache')).id, changed.id);
	writeFileSync(join(folder, 'a.txt'), 'one');
	chmodSync(join(folder, 'a.txt'), 0o600);
	t.is((await once_()).cached, 1);
});

test('ONBUILD runs in the next build', async (t) => {
	const base = await built({
		Dockerfile: 'FROM wherry/base\nONBUILD COPY a.txt /copied\nONBUILD RUN echo ran >/ran\n',
	});
	const image = await built({Dockerfile: `FROM ${base}\nRUN cat /ran\n`, 'a.txt': 'a\n'});
	t.is(await inside(image, 'cat', '/copied', '/ran'), 'a\nran');
	t.is((await config(image)).OnBuild ?? undefined, undefined);
});

test('stages run at the same time', async (t) => {
	const folder = contextOf({
		Dockerfile: `FROM wherry/base AS a
RUN --mount=type=cache,target=/c touch /c/a; until [ -e /c/b ]; do sleep 0.05; done
FROM wherry/base AS b
RUN --mount=type=cache,target=/c touch /c/b; until [ -e /c/a ]; do sleep 0.05; done
FROM wherry/base
COPY --from=a /etc/passwd /a
COPY --from=b /etc/passwd /b
`,
	});
	t.is((await wherry.result(['build', '--network', 'none', '--no-cache', folder])).code, 0);
});

test('a Dockerfile and an archive come on stdin, files go out', async (t) => {
	const withInput = async (input: Buffer, ...args: string[]) => {
		const child = spawn(launcher, args, {env: wherry.env, stdio: ['pipe', 'pipe', 'pipe']});
		child.stdin.end(input);
		let [stdout, stderr] = ['', ''];
		child.stdout.on('data', (text) => {
			stdout += text;
		});
		child.stderr.on('data', (text) => {
			stderr += text;
		});
		const [code] = await once(child, 'close');
		return {code, stdout, stderr};
	};
	const plain = await withInput(
		Buffer.from('FROM wherry/base\nRUN echo stdin >/o\n'),
		'build',
		'-q',
		'--network',
		'none',
		'-',
	);
	t.regex(plain.stdout, /^sha256:[0-9a-f]{64}\n$/, plain.stderr);
	t.is(await inside(plain.stdout.trim(), 'cat', '/o'), 'stdin');
	const folder = contextOf({Dockerfile: 'FROM scratch\nCOPY a.txt sub /out/\n', 'a.txt': 'a', 'sub/b': 'b'});
	const archive = process
		.getBuiltinModule('node:child_process')
		.execFileSync('tar', ['-C', folder, '-cz', '.']);
	const out = join(wherry.folder, 'out');
	t.is((await withInput(archive, 'build', '-o', out, '-')).code, 0);
	t.deepEqual(readdirSync(join(out, 'out')).sort(), ['a.txt', 'b']);
	const file = join(wherry.folder, 'out.tar');
	t.is((await withInput(archive, 'build', '-o', `type=tar,dest=${file}`, '-')).code, 0);
	t.regex(
		process.getBuiltinModule('node:child_process').execFileSync('tar', ['-tf', file], {encoding: 'utf8'}),
		/out\/a\.txt/,
	);
	const other = await withInput(
		Buffer.from('FROM wherry/base\nCOPY a.txt /o\n'),
		'build',
		'-q',
		'-f',
		'-',
		folder,
	);
	t.is(other.code, 0, other.stderr);
});

test('a build that is interrupted or killed leaves no container, and the next one goes on', async (t) => {
	const alone = new Command();
	t.teardown(async () => void (await alone.end()));
	await alone.output('run', '--rm', '--network', 'none', 'wherry/base', 'true');
	const folder = contextOf({Dockerfile: 'FROM wherry/base\nRUN echo begun; sleep 1000\n'});
	// Those of builds are in no list, and tell nothing.
	const folders = () => readdirSync(join(alone.root, 'containers'));
	for (const signal of ['SIGINT', 'SIGKILL'] as const) {
		const child = spawn(launcher, ['build', '--network', 'none', folder], {
			env: alone.env,
			stdio: ['ignore', 'ignore', 'pipe'],
		});
		let said = '';
		child.stderr.on('data', (text) => {
			said += text;
		});
		while (!/begun\n/.test(said)) await sleep(20);
		t.is(folders().length, 1);
		t.is(await alone.output('ps', '-aq'), '');
		t.is((await alone.result(['container', 'prune', '-f'])).stdout, 'Total reclaimed space: 0B\n');
		child.kill(signal);
		await once(child, 'exit');
		if (signal === 'SIGKILL')
			t.is(
				(
					await alone.result([
						'build',
						'--network',
						'none',
						contextOf({Dockerfile: 'FROM wherry/base\nENV A=1\n'}),
					])
				).code,
				0,
			);
		t.deepEqual(folders(), [], signal);
	}
	// That of the `run`.
	const starts = await alone.output('events', '--since', '1h', '--until', '0s', '--filter', 'event=start');
	t.is(starts.trim().split('\n').length, 1);
	const ingest = join(alone.root, 'ingest');
	t.deepEqual(existsSync(ingest) ? readdirSync(ingest).filter((name) => name.includes('build')) : [], []);
});

test('there is one builder, and the cache that it keeps may be limited', async (t) => {
	const alone = new Command();
	t.regex(await alone.output('buildx', 'ls'), /^NAME\/NODE .*\ndefault\* .*\n \\_ default .* linux\/\w+/);
	t.regex(await alone.output('buildx', 'inspect', 'default'), /^Name: +default\n[\s\S]*Status: +running\n/);
	for (const words of [
		['inspect', 'x'],
		['use', 'x'],
		['du', '--builder', 'x'],
	]) {
		const {code, stderr} = await alone.result(['buildx', ...words]);
		t.deepEqual([code, stderr], [1, 'ERROR: no builder "x" found\n']);
	}
	const folder = contextOf({
		Dockerfile: 'FROM scratch\nCOPY a /a\nCOPY b /b\n',
		a: 'a',
		b: 'b'.repeat(100_000),
	});
	await alone.output('build', '-q', '-o', join(alone.folder, 'out'), folder);
	const list = async () => (await alone.output('builder', 'du', '--format', '{{.Description}}')).split('\n');
	t.deepEqual((await list()).sort(), ['COPY a /a', 'COPY b /b']);
	t.is(
		await alone.output('buildx', 'du', '--filter', 'description=COPY a /a', '--format', '{{.Reclaimable}}'),
		'true',
	);
	await alone.output('builder', 'prune', '-f', '--keep-storage', '1gb');
	t.is((await list()).length, 2);
	t.regex(
		await alone.output('buildx', 'prune', '-f', '--verbose', '--max-used-space', '101kb'),
		/Description:\tCOPY a/,
	);
	t.deepEqual(await list(), ['COPY b /b']);
	await alone.output('buildx', 'prune', '-f', '--reserved-space', '1');
	t.deepEqual(await list(), ['']);
	t.deepEqual(await alone.end(), []);
});

// Before the others, which count on the cache.
test.serial('the cache is told, kept from prunes of images, and pruned', async (t) => {
	const image = await built({Dockerfile: 'FROM wherry/base\nRUN echo for the cache >/o\n'});
	await wherry.output('rmi', image);
	const again = await built({Dockerfile: 'FROM wherry/base\nRUN echo for the cache >/o\n'});
	t.is(await inside(again, 'cat', '/o'), 'for the cache');
	t.regex(
		await wherry.output('builder', 'prune', '-f'),
		/^ID\s+RECLAIMABLE\s+SIZE\s+LAST ACCESSED[\s\S]*\nTotal:\s+\S+$/,
	);
	t.is(await inside(again, 'cat', '/o'), 'for the cache');
});
