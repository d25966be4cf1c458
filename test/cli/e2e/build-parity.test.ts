/** What docker's own tests of builds look at, by a few images of many steps each. */
import {execFileSync} from 'node:child_process';
import {once} from 'node:events';
import {
	chmodSync,
	copyFileSync,
	existsSync,
	mkdtempSync,
	readFileSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import {createServer as createSocket} from 'node:net';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import test from 'ava';
import {buildsOf} from '../../e2e/builds.ts';
import {Command} from '../../e2e/command.ts';

const wherry = new Command();
const launcher = new URL('../../../src/wherry.sh', import.meta.url).pathname;

test.before(() => wherry.output('run', '--rm', '--network', 'none', 'wherry/base', 'true'));
test.after.always(async (t) => t.deepEqual(await wherry.end(), []));

const {contextOf, build, built, inspect} = buildsOf(wherry);

const link = (target: string) => (path: string) => symlinkSync(target, path);
// `foo` with `Hi` in it, as xz and bzip2 pack it.
const xz =
	'/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4Cf/AF1dADMb7AG6cMNETBgPKWa+c9in/2Nnz89/PVPsA1zXcn4jGZtGWeUYebFIczt+ZpKHtTx+KlRXXY1Pj8y/zr7Y+nAxBfHfeTaUKn6A+XYqLKfh5dj0sXUzwsy1ShimAAAAAACroAvSOBGpzQABeYBQAAAA5DeTlbHEZ/sCAAAAAARZWg==';
const bzip2 =
	'QlpoOTFBWSZTWUnKyXMAAHB/hMmAAEBAAH0AAEAAAmEgngAAAIAIIABUNKbRMAAGg2oU0NDIGQX+tOIEJWkAhUauarrOSowCTpM93TwB0ZCxtqo4X/T4WhnHKBQ43aLCIwiIDwu5IpwoSCTlZLmA';

test('files are copied as BuildKit copies them', async (t) => {
	const dockerfile = `FROM wherry/base
COPY target /a/
COPY folder-link /b/
COPY l*k /c/
COPY --parents deep/**/*.txt /p/
COPY d /d
COPY nothing* /e/
ADD t.tar.xz /x/
ADD t.tar.bz2 /y/
ADD t.tar.xz.gz /z/
ADD broken.xz /w/
USER 7:8
WORKDIR /home/made
RUN [ "$(stat -c %u:%g .)" = 7:8 ]
USER root
RUN [ "$(cat /a/target)" = text ] && [ ! -h /a/target ] && [ "$(cat /b/inner)" = 1 ] && [ "$(cat /c/lnk)" = text ]
RUN [ -f /p/deep/1.txt ] && [ -f /p/deep/more/2.txt ] && [ ! -e /p/deep/3.md ]
RUN [ -h /d/link ] && [ -f /d/socket ] && [ ! -s /d/socket ]
RUN [ "$(cat /x/foo)" = Hi ] && [ "$(cat /y/foo)" = Hi ] && [ -f /z/t.tar.xz.gz ] && [ -f /w/broken.xz ]
`;
	const server = createSocket();
	t.teardown(() => void server.close());
	const folder = contextOf({
		Dockerfile: dockerfile,
		foo: 'text',
		target: link('foo'),
		lnk: link('/foo'),
		'real/inner': '1',
		'folder-link': link('real'),
		'deep/1.txt': '',
		'deep/more/2.txt': '',
		'deep/3.md': '',
		'd/link': link('/etc/nowhere'),
		't.tar.xz': Buffer.from(xz, 'base64'),
		't.tar.bz2': Buffer.from(bzip2, 'base64'),
		't.tar.xz.gz': gzipSync(Buffer.from(xz, 'base64')),
		'broken.xz': Buffer.from(xz, 'base64').subarray(0, 30),
	});
	server.listen(join(folder, 'd/socket'));
	await once(server, 'listening');
	const {code, stderr} = await build(folder);
	t.is(code, 0, stderr);
});

test('capabilities and other attributes stay on a file wherever it goes, and the cache knows them', async (t) => {
	const folder = contextOf({
		Dockerfile: `FROM wherry/base AS one
RUN echo secret >/secret && chmod 600 /secret
COPY cat /one
COPY --chown=1000:1000 --chmod=0711 cat /two
COPY --link d /three
COPY --chown=7 d /four/
COPY --parents d/cat /five/
ADD d.tar /six
FROM one
COPY --from=one /one /from/one
COPY --from=one --chown=9 /three /from/three
COPY --from=one --link / /from/all
COPY --from=named d /from/named
USER 1234
RUN set -e; for at in /one /two /three/cat /four/cat /five/d/cat /six/d/cat /from/one /from/three/cat \\
  /from/all/six/d/cat /from/named/cat; do [ "$($at /secret)" = secret ]; done; ! cat /secret
RUN --mount=from=one,source=/three,target=/m --mount=from=one,source=/two,target=/f --mount=target=/c \\
  [ "$(/m/cat /secret; /f /secret; /c/d/cat /secret)" = "$(echo secret; echo secret; echo secret)" ]
USER root
CMD ["/from/one", "/secret"]
`,
		cat: (path) => {
			copyFileSync('/bin/cat', path);
			execFileSync('setcap', ['cap_dac_override+ep', path]);
		},
		'd/cat': (path) => {
			copyFileSync('/bin/cat', path);
			execFileSync('setcap', ['cap_dac_override+ep', path]);
		},
	});
	execFileSync('tar', ['-C', folder, '--xattrs', '--xattrs-include=*', '-cf', join(folder, 'd.tar'), 'd']);
	const options = ['--build-context', `named=${folder}`, '-t', 'capable'];
	const first = await build(...options, folder);
	t.is(first.code, 0, first.stderr);
	t.is(await wherry.output('run', '--rm', '--network', 'none', '-u', '99', 'capable'), 'secret');
	// What is saved has them, and so has what is loaded of it.
	const saved = join(folder, 'saved.tar');
	await wherry.output('save', '-o', saved, 'capable');
	t.true(readFileSync(saved).includes('SCHILY.xattr.security.capability='));
	const output = join(wherry.folder, 'capable');
	t.is((await build(...options, '-o', output, folder)).code, 0);
	t.regex(execFileSync('getcap', ['-r', output], {encoding: 'utf8'}), /from\/three\/cat cap_dac_override=ep/);
	const again = await build(...options, folder);
	t.regex(again.stderr, /CACHED\n[\s\S]*COPY --from=one --chown=9/);
	t.notRegex(again.stderr, /RUN set -e[^\n]*\n#\d+ [\d.]/);
	// An attribute alone makes a step new.
	execFileSync('setcap', ['-r', join(folder, 'cat')]);
	const changed = await build(...options, folder);
	t.is(changed.code, 1);
	t.regex(changed.stderr, /Permission denied/);
});

test('what an archive brings takes the place of what is there', async (t) => {
	const folder = contextOf({
		Dockerfile: `FROM wherry/base
RUN mkdir -p /x/file/in /x/real && echo was >/x/folder && ln -s real /x/lib
ADD --chown=11:12 a.tar /x/
RUN [ -f /x/file ] && [ -f /x/folder/in ] && [ -h /x/lib ] && [ "$(cat /x/real/l)" = l ]
RUN [ "$(stat -c %u:%g /x/file /x/folder/in /x/real/l)" = "$(echo 11:12; echo 11:12; echo 11:12)" ]
`,
		file: '',
		'folder/in': '',
		'lib/l': 'l',
	});
	execFileSync('tar', ['-C', folder, '-cf', join(folder, 'a.tar'), 'file', 'folder', 'lib']);
	const {code, stderr} = await build(folder);
	t.is(code, 0, stderr);
});

test('--parents makes folders as they are where they come from', async (t) => {
	const folder = contextOf({
		Dockerfile: `FROM wherry/base AS one
RUN mkdir -p /a/b && touch /a/b/f && chmod 2711 /a && chown 3:4 /a/b
FROM wherry/base
COPY --parents a/b/f /c/
COPY --parents --chown=9:9 a/b/f /d/
COPY --from=one --parents /a/b /e/
RUN [ "$(stat -c '%a %u' /c/a /c/a/b)" = "$(echo 700 0; echo 750 0)" ]
RUN [ "$(stat -c '%a %u' /d/a /d/a/b)" = "$(echo 700 9; echo 750 9)" ]
RUN [ "$(stat -c '%a %u:%g' /e/a /e/a/b)" = "$(echo 2711 0:0; echo 755 3:4)" ]
`,
		'a/b/f': '',
	});
	chmodSync(join(folder, 'a'), 0o700);
	chmodSync(join(folder, 'a/b'), 0o750);
	const {code, stderr} = await build(folder);
	t.is(code, 0, stderr);
});

test('a mounted folder of a stage is what is in it', async (t) => {
	const folder = contextOf({
		Dockerfile: `FROM wherry/base AS one
COPY noise /noise
COPY d /d
FROM wherry/base
RUN --mount=from=one,source=/d,target=/d cat /d/f >/out; head -c 9 /dev/urandom >/random
`,
		noise: '1',
		'd/f': 'f',
	});
	const random = async (): Promise<Buffer> => {
		const output = mkdtempSync(join(wherry.folder, 'mounted-'));
		const {code, stderr} = await build('-o', output, folder);
		t.is(code, 0, stderr);
		return readFileSync(join(output, 'random'));
	};
	const first = await random();
	writeFileSync(join(folder, 'noise'), '2');
	t.deepEqual(await random(), first);
	chmodSync(join(folder, 'd/f'), 0o600);
	t.notDeepEqual(await random(), first);
	writeFileSync(
		join(folder, 'Dockerfile'),
		'FROM wherry/base\nRUN --mount=from=wherry/base,source=/none,target=/n true\n',
	);
	t.regex((await build(folder)).stderr, /failed to compute cache key: "\/none": not found/);
});

test('a named folder leaves out what its own ignore file says, and a step has the name that it is given', async (t) => {
	const named = contextOf({in: 'in', out: 'out', '.dockerignore': 'out\n'});
	const folder = contextOf({
		Dockerfile: `FROM wherry/base
COPY --from=other . /all
COPY --from=other /* /each/
RUN [ -f /all/in ] && [ ! -e /all/out ] && [ -f /each/in ] && [ ! -e /each/out ]
RUN --mount=from=other,target=/m --mount=type=cache,from=other,id=other,target=/n \\
  [ -f /m/in ] && [ ! -e /m/out ] && [ -f /n/in ] && [ ! -e /n/out ]
RUN grep 127.0.0.1.*box /etc/hosts && [ "$(cat /proc/sys/kernel/hostname)" = box ]
`,
		Nothing: 'FROM wherry/base\nRUN --mount=from=other,source=out,target=/o true\n',
	});
	const options = ['--build-context', `other=${named}`, '--build-arg', 'BUILDKIT_SANDBOX_HOSTNAME=box'];
	const {code, stderr} = await build(...options, folder);
	t.is(code, 0, stderr);
	t.regex((await build(...options, '-f', join(folder, 'Nothing'), folder)).stderr, /"\/out": not found/);
});

test('an argument sets the time of an image, which is written as a folder where that is asked for', async (t) => {
	const folder = contextOf({Dockerfile: 'FROM wherry/base\nWORKDIR /made\nRUN echo x >y\n'});
	const epoch = ['--no-cache', '--build-arg', 'SOURCE_DATE_EPOCH=1673364896'];
	const ids: string[] = [];
	for (const name of ['one', 'two']) {
		const layout = join(wherry.folder, `layout-${name}`);
		const output = `type=oci,tar=false,dest=${layout},"name=epoch:${name},epoch:both"`;
		const {code, stderr} = await build(...epoch, '-o', output, folder);
		t.is(code, 0, stderr);
		const {manifests} = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'));
		const tags = manifests.map((each: {annotations: Record<string, string>}) => each.annotations);
		t.deepEqual(
			tags.map((each: Record<string, string>) => each['org.opencontainers.image.ref.name']),
			[name, 'both'],
		);
		t.is(tags[0]['org.opencontainers.image.created'], '2023-01-10T15:34:56.000Z');
		t.true(existsSync(join(layout, 'blobs', manifests[0].digest.replace(':', '/'))));
		ids.push(manifests[0].digest);
	}
	t.is(ids[0], ids[1]);
	const byDefault = contextOf({
		Dockerfile: 'ARG SOURCE_DATE_EPOCH=1445412480\nFROM scratch\nCOPY f /\n',
		f: '',
	});
	const output = join(wherry.folder, 'by-default');
	t.is((await build('-o', output, byDefault)).code, 0);
	t.is(statSync(join(output, 'f')).mtimeMs, 1445412480000);
	t.regex(
		(await build('--build-arg', 'SOURCE_DATE_EPOCH=now', folder)).stderr,
		/invalid SOURCE_DATE_EPOCH: now/,
	);
	t.regex((await build('-o', 'type=oci,tar=false', folder)).stderr, /dest is required/);
});

test('equal layers may be there more than once, in an image that runs', async (t) => {
	const image = await built({
		Dockerfile: `FROM wherry/base\n${'COPY f /\n'.repeat(3)}RUN rm /f\n${'COPY f /\n'.repeat(3)}`,
		f: 'again',
	});
	t.is(await wherry.output('run', '--rm', '--network', 'none', image, 'cat', '/f'), 'again');
	await wherry.output('create', '--name', 'layers-twice', '--network', 'none', image, 'true');
	t.is(await wherry.output('diff', 'layers-twice'), '');
	const id = await wherry.output('inspect', '--type', 'image', '-f', '{{.Id}}', image);
	const of = ['events', '--since', '1h', '--until', '0s', '-f', 'type=image', '-f', `image=${id}`];
	const told = await wherry.output(...of, '--format', '{{.Action}} {{.Actor.Attributes.name}}');
	t.is(told, `create ${id}\ntag ${image}:latest`);
});

test('the configuration is what BuildKit makes of the words', async (t) => {
	const image = await built(
		{
			Dockerfile: `FROM scratch
ENV FOO=bar
VOLUME \${FOO} [/odd
VOLUME \\\\\\\\\\\\\\\${FOO}
EXPOSE 8080 80/UDP 80
LABEL z=1 a=2
ONBUILD RUN <<EOF
one
EOF
`,
		},
		'--label',
		'empty',
		'--label',
		'z=3=4',
	);
	t.deepEqual(await inspect(image, 'Config.Volumes'), {bar: {}, '[/odd': {}, '\\\\\\${FOO}': {}});
	t.deepEqual(await inspect(image, 'Config.ExposedPorts'), {'80/tcp': {}, '80/udp': {}, '8080/tcp': {}});
	t.deepEqual(await inspect(image, 'Config.Labels'), {a: '2', z: '3=4', empty: ''});
	t.is(await inspect(image, 'Config.WorkingDir'), '/');
	t.deepEqual(await inspect(image, 'Config.OnBuild'), ['RUN <<EOF\none\nEOF']);
	t.regex(
		await wherry.output('history', '--no-trunc', '--format', '{{.CreatedBy}}', image),
		/^EXPOSE map\[80\/tcp:\{\} 80\/udp:\{\} 8080\/tcp:\{\}\]$/m,
	);
	const one = await built({Dockerfile: 'FROM scratch\nEXPOSE 80 2375\nLABEL a=b c=d\n'});
	const other = await built({Dockerfile: 'FROM scratch\nEXPOSE 2375 80\nLABEL c=d a=b\n'});
	t.deepEqual(await inspect(one, 'Config'), await inspect(other, 'Config'));
});

test('stages hand on their arguments and triggers, and named contexts come before them', async (t) => {
	const stranger = contextOf({f: 'theirs'});
	const {code, stderr} = await build(
		'--build-context',
		`other=${stranger}`,
		'--build-context',
		'replaced=docker-image://wherry/base',
		contextOf({
			Dockerfile: `FROM wherry/base AS first
ARG given=1
ONBUILD COPY f /triggered
ONBUILD RUN <<EOF
echo more >/more
EOF
FROM wherry/base AS replaced
RUN false
FROM first
RUN [ "$given" = 1 ] && [ -f /triggered ] && [ "$(cat /more)" = more ]
COPY --from=replaced /bin/sh /sh
COPY --from=other f /theirs
RUN [ "$(cat /theirs)" = theirs ]
RUN <<EOF
#!/bin/sh
[ "$0" = /dev/pipes/EOF ] && echo script >/script
EOF
RUN [ "$(cat /script)" = script ]
RUN []
RUN --mount=from=first,source=/etc/passwd,target=/one cat /one >/dev/null
WORKDIR /w
RUN --mount=type=cache,target=rel [ -d /w/rel ]
RUN --mount=type=cache,target=/c,from=other,sharing=locked [ "$(cat /c/f)" = theirs ]
`,
			f: '',
		}),
	);
	t.is(code, 0, stderr);
	t.notRegex(stderr, /RUN false/);
	t.regex(stderr, /\[stage-2 1\/13\] COPY f \/triggered/);
});

test('every instruction is right before the first one runs', async (t) => {
	const wrong: [dockerfile: string, message: RegExp, ...options: string[]][] = [
		[
			'FROM wherry/base\nRUN touch /never\nCOPY\n  quux \\\n  bar\n',
			/line 3: COPY requires at least two arguments/,
		],
		[
			'FROM wherry/base AS unused\nCOPY x\nFROM wherry/base\n',
			/line 2: COPY requires at least two arguments/,
		],
		['FROM wherry/base\nRUN touch /never\nCOPY --boo a b\n', /line 3: unknown flag: --boo/],
		['FROM wherry/base\nCOPY --from=a --from=b c d\n', /line 2: duplicate flag specified: from/],
		['FROM wherry/base\nCOPY --link=maybe c d\n', /expecting boolean value for flag link, not: maybe/],
		['FROM wherry/base\nONBUILD ONBUILD RUN x\n', /Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed/],
		['FROM wherry/base\nENV empty=\nVOLUME $empty\n', /VOLUME specified can not be an empty string/],
		['FROM wherry/base\nCOPY http://127.0.0.1/x /\n', /source can't be a URL for COPY/],
		[
			'FROM wherry/base\nADD --checksum=sha256:00 Dockerfile /\n',
			/checksum requires HTTP\(S\) or Git sources/,
		],
	];
	for (const [dockerfile, message] of wrong) {
		const {code, stderr} = await build(contextOf({Dockerfile: dockerfile}));
		t.is(code, 1);
		t.regex(stderr, message);
		t.notRegex(stderr, /\] RUN touch/);
	}
	const folder = contextOf({Dockerfile: 'FROM scratch\n'});
	t.regex((await build('-t', 'UPPER', folder)).stderr, /invalid tag "UPPER": invalid reference format\n$/);
	const iid = join(wherry.folder, 'iid');
	writeFileSync(iid, 'old');
	t.is((await build('--iidfile', iid, contextOf({Dockerfile: 'FROM scratch\nCOPY x /\n'}))).code, 1);
	t.false(existsSync(iid));
	// `-f` is seen from here, not from the context.
	t.is((await build('-f', 'Dockerfile.of-nobody', folder)).code, 1);
});

test('with SOURCE_DATE_EPOCH an image is the same each time', async (t) => {
	const env = {...wherry.env, SOURCE_DATE_EPOCH: '1700000000'};
	const ids = [1, 2].map(() =>
		execFileSync(
			launcher,
			[
				'build',
				'-q',
				'--no-cache',
				'--network',
				'none',
				contextOf({Dockerfile: 'FROM wherry/base\nCOPY . /x\nRUN echo 1 >/x/y\nWORKDIR /z\n', 'sub/f': '1'}),
			],
			{env, encoding: 'utf8'},
		),
	);
	t.is(ids[0], ids[1]);
	t.is(String(await inspect(ids[0]!.trim(), 'Created')).slice(0, 19), '2023-11-14T22:13:20');
});

test('a stage alone is made anew', async (t) => {
	const folder = contextOf({
		Dockerfile:
			'FROM wherry/base AS one\nRUN head -c 9 /dev/urandom >/1\nFROM wherry/base AS two\nRUN head -c 9 /dev/urandom >/2\nFROM one\nCOPY --from=two /2 /2\n',
	});
	const files = async (...options: string[]) => {
		const {stdout} = await wherry.result(['build', '-q', '--network', 'none', ...options, folder]);
		const shown = await wherry.output(
			'run',
			'--rm',
			'--network',
			'none',
			stdout.trim(),
			'od',
			'-An',
			'-tx1',
			'/1',
			'/2',
		);
		return [shown.replace(/\s/g, '').slice(0, 18), shown.replace(/\s/g, '').slice(18)];
	};
	const [first, second] = [await files(), await files('--no-cache-filter', 'TWO')];
	t.is(first[0], second[0]);
	t.not(first[1], second[1]);
});
