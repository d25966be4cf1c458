/** Where builds take contexts from, what they put out, caches, platforms, and what a build may do. */
import {execFileSync, spawn} from 'node:child_process';
import {generateKeyPairSync} from 'node:crypto';
import {once} from 'node:events';
import {existsSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {createServer as createSocket} from 'node:net';
import {join} from 'node:path';
import test from 'ava';
import {buildsOf} from '../../e2e/builds.ts';
import {Command} from '../../e2e/command.ts';

const wherry = new Command();
const launcher = new URL('../../../src/wherry.sh', import.meta.url).pathname;

test.before(() => wherry.output('run', '--rm', '--network', 'none', 'wherry/base', 'true'));
test.after.always(async (t) => t.deepEqual(await wherry.end(), []));

const {contextOf, build, built, inspect} = buildsOf(wherry);

test('an image goes out as an archive of OCI or docker, and is not kept', async (t) => {
	const folder = contextOf({Dockerfile: 'FROM scratch\nCOPY f /f\n', f: 'archived'});
	for (const format of ['oci', 'docker']) {
		const file = join(wherry.folder, `${format}.tar`);
		const name = `archived-${format}`;
		const output = `type=${format},dest=${file}`;
		t.is((await build('-t', name, '--annotation', 'a=b', '-o', output, folder)).code, 0);
		t.not((await wherry.result(['inspect', name])).code, 0);
		const member = (path: string) => execFileSync('tar', ['-xOf', file, path], {encoding: 'utf8'});
		const [{digest}] = JSON.parse(member('index.json')).manifests;
		t.deepEqual(JSON.parse(member(`blobs/sha256/${digest.slice(7)}`)).annotations, {a: 'b'});
		t.is(
			execFileSync('tar', ['-tf', file], {encoding: 'utf8'}).includes('manifest.json'),
			format === 'docker',
		);
		t.regex(await wherry.output('load', '-i', file), new RegExp(`Loaded image: ${name}:latest`));
	}
});

test('contexts come from git repositories and web servers', async (t) => {
	const folder = contextOf({
		Dockerfile: 'FROM wherry/base\nCOPY . /c\nRUN [ -f /c/first ] && [ ! -e /c/.git ]\nMAINTAINER top\n',
		first: '1',
		'sub/Dockerfile': 'FROM scratch\nCOPY only /\nMAINTAINER below\n',
		'sub/only': '1',
	});
	const git = (...args: string[]) =>
		execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
			cwd: folder,
			encoding: 'utf8',
		});
	git('init', '-q', '-b', 'main');
	git('add', '.');
	git('commit', '-q', '-m', 'all');
	git('tag', 'v1');
	git('tag', '-a', '-m', 'said', 'annotated');
	const commit = git('rev-parse', 'HEAD').trim();
	const annotated = git('rev-parse', 'annotated').trim();
	// Another commit, which is nowhere but at the tip.
	writeFileSync(join(folder, 'second'), '2');
	git('add', 'second');
	git('commit', '-q', '-m', 'second');
	git('update-server-info');
	const archive = execFileSync('tar', ['-C', join(folder, 'sub'), '-cJ', '.']);
	const server = createServer((request, response) => {
		const path = request.url!.split('?')[0]!;
		if (path === '/context') response.end(archive);
		else if (path === '/file') response.end('FROM scratch\nCOPY Dockerfile /\nMAINTAINER web\n');
		else {
			const file = join(folder, path.replace('/repo.git', '.git'));
			if (existsSync(file) && path.startsWith('/repo.git/')) response.end(readFileSync(file));
			else response.writeHead(404).end();
		}
	}).listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(() => void server.close());
	const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const run = async (...args: string[]) => {
		const child = spawn(launcher, ['build', '--network', 'none', '-t', 'remote', ...args], {env: wherry.env});
		let stderr = '';
		child.stderr.on('data', (text) => {
			stderr += text;
		});
		const [code] = await once(child, 'close');
		return {code, stderr};
	};
	for (const [address, author] of [
		['/repo.git', 'top'],
		['/repo.git#main:sub', 'below'],
		['/repo.git#v1:sub', 'below'],
		[`/repo.git#${commit}`, 'top'],
		[`/repo.git?commit=${commit.slice(0, 8)}`, 'top'],
		[`/repo.git?tag=annotated&commit=${annotated}`, 'top'],
		['/repo.git?branch=main&subdir=sub', 'below'],
		['/context', 'below'],
		['/file', 'web'],
	]) {
		const {code, stderr} = await run(`${url}${address}`);
		t.is(code, 0, stderr);
		t.is(await inspect('remote', 'Author'), author);
	}
	t.regex((await run(`${url}/repo.git#nosuch`)).stderr, /couldn't find remote ref nosuch/);
	t.regex((await run(`${url}/repo.git?branch=v1`)).stderr, /repository does not contain ref refs\/heads\/v1/);
	t.regex((await run(`${url}/repo.git?tag=v1#main`)).stderr, /ref conflicts: "main" vs "refs\/tags\/v1"/);
	t.regex((await run(`${url}/nosuch`)).stderr, /failed to GET .* with status 404/);
	const added = contextOf({
		Dockerfile: `FROM wherry/base
ADD ${url}/repo.git /src
ADD --keep-git-dir=true --checksum=${commit} --chown=42:43 ${url}/repo.git#v1 /kept
ADD ${url}/repo.git?keep-git-dir=1#annotated /kept-too
ADD --checksum=${annotated} ${url}/repo.git#annotated /named
ADD ${url}/repo.git#main:sub /sub
ADD ${url}/file /downloaded/
ADD --unpack=true ${url}/context /unpacked/
ADD ${url}/context ${url}/file?x=/y /as-they-are/
RUN [ -f /src/first ] && [ ! -e /src/.git ] && [ -d /kept/.git ] && [ -f /sub/only ] && [ ! -e /sub/first ]
RUN [ -f /src/second ] && [ ! -e /kept/second ] && [ -d /kept-too/.git ] && [ -f /named/first ]
RUN [ "$(stat -c %u:%g /kept/first /kept/.git)" = "$(echo 42:43; echo 42:43)" ]
RUN [ "$(stat -c %a:%Y /downloaded/file)" = 600:0 ] && [ -f /unpacked/only ]
RUN [ "$(ls /as-they-are)" = "$(echo context; echo file)" ]
`,
	});
	const {code, stderr} = await run(added);
	t.is(code, 0, stderr);
	// What is kept is a repository of which nothing is changed.
	const output = join(wherry.folder, 'with-git');
	t.is((await run('-o', output, added)).code, 0);
	const kept = ['-c', 'safe.directory=*', '-C', join(output, 'kept')];
	t.is(execFileSync('git', [...kept, 'status', '--short'], {encoding: 'utf8'}), '');
	t.is(execFileSync('git', [...kept, 'rev-parse', 'HEAD'], {encoding: 'utf8'}).trim(), commit);
	const expecting = (checksum: string) =>
		contextOf({Dockerfile: `FROM scratch\nADD --checksum=${checksum} ${url}/repo.git /src\n`});
	t.regex(
		(await run(expecting(commit))).stderr,
		new RegExp(`expected checksum to match ${commit}, got [0-9a-f]{40}`),
	);
	t.regex((await run(expecting('foobar'))).stderr, /invalid checksum foobar .* expected hex commit hash/);
});

test('a key agent’s socket is there for the step that asks for it', async (t) => {
	const socket = join(wherry.folder, 'agent');
	const server = createSocket((connection) => connection.end('agent')).listen(socket);
	await once(server, 'listening');
	t.teardown(() => void server.close());
	const folder = contextOf({
		Dockerfile:
			'FROM wherry/base\nRUN --mount=type=ssh [ -S "$SSH_AUTH_SOCK" ]\nRUN [ -z "$SSH_AUTH_SOCK" ]\n',
	});
	const {code, stderr} = await build('--ssh', `default=${socket}`, folder);
	t.is(code, 0, stderr);
	t.is((await build('--no-cache', folder)).code, 1);
	// Keys from files: the agent is ours then, and its socket belongs to who is to use it.
	const {privateKey} = generateKeyPairSync('ed25519');
	const [key, locked] = [join(wherry.folder, 'key'), join(wherry.folder, 'locked')];
	writeFileSync(key, privateKey.export({type: 'pkcs8', format: 'pem'}));
	writeFileSync(
		locked,
		privateKey.export({type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x'}),
	);
	const owned = contextOf({
		Dockerfile:
			'FROM wherry/base\nUSER 5\nRUN --mount=type=ssh,id=k,uid=5 [ -S "$SSH_AUTH_SOCK" ] && [ -w "$SSH_AUTH_SOCK" ]\n',
	});
	const given = await build('--ssh', `k=${key}`, owned);
	t.is(given.code, 0, given.stderr);
	const refused = await build('--ssh', `k=${locked}`, owned);
	t.deepEqual([refused.code, /passphrase protected/.test(refused.stderr)], [1, true]);
	t.regex(
		(await build('--ssh', `k=${key},${socket}`, owned)).stderr,
		/invalid combination of keys and sockets/,
	);
});

test('--check says what is doubtful and builds nothing', async (t) => {
	const fine = await build('--check', contextOf({Dockerfile: 'FROM wherry/base\nRUN false\n'}));
	t.deepEqual([fine.code, fine.stdout], [0, 'Check complete, no warnings found.\n']);
	const doubtful = contextOf({Dockerfile: 'FROM wherry/base\nMAINTAINER x\n'});
	const {code, stdout} = await build('--check', doubtful);
	t.is(code, 1);
	t.regex(stdout, /^Check complete, 1 warning has been found!\n\nWARNING: MaintainerDeprecated - https/);
	t.regex(stdout, /Dockerfile:2\n-+\n +1 \| {5}FROM wherry\/base\n +2 \| >>> MAINTAINER x\n/);
	t.regex((await build(doubtful)).stderr, /1 warning found:\n - MaintainerDeprecated: .* \(line 2\)\n$/);
});

test('a cache goes out and comes back on a host that has nothing', async (t) => {
	const [here, there] = [new Command(), new Command()];
	const folder = contextOf({
		Dockerfile:
			'FROM wherry/base AS one\nRUN head -c 9 /dev/urandom >/1; echo 2 >/2\nFROM wherry/base\nCOPY --from=one /1 /1\nENV a=b\n',
	});
	const at = async (host: Command, ...options: string[]) => {
		const {code, stdout, stderr} = await host.result([
			'build',
			'-q',
			'--network',
			'none',
			...options,
			folder,
		]);
		t.is(code, 0, stderr);
		return host.output('run', '--rm', '--network', 'none', stdout.trim(), 'od', '-An', '-tx1', '/1');
	};
	try {
		const cache = join(wherry.folder, 'cache');
		const small = join(wherry.folder, 'small-cache');
		const first = await at(
			here,
			...['-t', 'cached', '--cache-to', `type=local,dest=${cache},mode=max`],
			...['--cache-to', `type=local,dest=${small},mode=min`],
			...['--cache-to', `type=local,dest=${join(folder, 'Dockerfile')}/x,ignore-error=true`],
		);
		const blobs = (place: string): number => readdirSync(join(place, 'blobs/sha256')).length;
		t.is(blobs(small), blobs(cache) - 1, 'the layer of the other stage');
		t.true(existsSync(join(cache, 'index.json')));
		t.is(await at(there, '--cache-from', `type=local,src=${cache}`), first);
		t.regex(await there.output('images', '-q', '--filter', 'dangling=true'), /^[0-9a-f]*$/);
		// Of the image itself, whose last stage alone is in it.
		await at(here, '-t', 'inline', '--cache-to', 'type=inline');
		const saved = join(wherry.folder, 'inline.tar');
		await here.output('save', '-o', saved, 'inline');
		await there.output('builder', 'prune', '-af');
		await there.output('load', '-i', saved);
		const {stderr} = await there.result([
			...['build', '--progress', 'plain', '--network', 'none', '--cache-from', 'inline', folder],
		]);
		t.regex(stderr, /importing cache manifest from inline\n#\d+ DONE/);
	} finally {
		t.deepEqual([...(await here.end()), ...(await there.end())], []);
	}
});

test('an image for another platform needs nothing that runs', async (t) => {
	const image = await built(
		{
			Dockerfile:
				'FROM scratch\nARG TARGETARCH BUILDARCH\nLABEL arch=$TARGETARCH build=$BUILDARCH\nCOPY f /\n',
			f: '',
		},
		'--platform',
		'linux/riscv64',
	);
	t.is(await inspect(image, 'Architecture'), 'riscv64');
	const labels = (await inspect(image, 'Config.Labels')) as Record<string, string>;
	t.is(labels.arch, 'riscv64');
	t.not(labels.build, 'riscv64');
});

test('several platforms make an index, a folder each, or an archive; what needs another processor is said', async (t) => {
	const folder = contextOf({
		Dockerfile: 'FROM scratch\nARG TARGETARCH\nCOPY f-$TARGETARCH /f\nENV A=$TARGETARCH\nLABEL several=yes\n',
		'f-amd64': 'amd',
		'f-arm64': 'arm',
	});
	const platforms = ['--platform', 'linux/amd64,linux/arm64', '--platform', 'linux/arm64'];
	const arm = join(wherry.folder, 'arm');
	const variant = contextOf({
		Dockerfile: 'FROM scratch\nARG TARGETVARIANT\nCOPY f-$TARGETVARIANT /f\n',
		'f-v7': 'v7',
	});
	t.is((await build('--platform', 'linux/arm,linux/arm/v7,linux/arm/7', '-o', arm, variant)).code, 0);
	t.deepEqual(readdirSync(arm), ['f']);
	const name = 'several:1';
	const made = await build(...platforms, '-t', name, '-t', 'several:2', folder);
	t.is(made.code, 0, made.stderr);
	t.regex(made.stderr, /\[linux\/amd64 1\/1\] COPY [\s\S]*\[linux\/arm64 1\/1\] COPY /);
	t.is(await inspect(name, 'Architecture'), process.arch === 'arm64' ? 'arm64' : 'amd64');
	const rows = ['--filter', 'label=several', '--format', '{{.Repository}}:{{.Tag}}'];
	t.deepEqual(
		(await wherry.output('images', '-a', ...rows)).trim().split('\n').sort(),
		['several:1', 'several:2'],
		'two names, and none without',
	);
	const output = join(wherry.folder, 'platforms');
	t.is((await build(...platforms, '-o', output, folder)).code, 0);
	t.deepEqual(
		['linux_amd64', 'linux_arm64'].map((each) => readFileSync(join(output, each, 'f'), 'utf8')),
		['amd', 'arm'],
	);
	const archive = join(wherry.folder, 'platforms.tar');
	t.is((await build(...platforms, '-o', `type=oci,dest=${archive}`, folder)).code, 0);
	t.regex(await wherry.output('load', '-i', archive), /Loaded image ID: sha256:/);
	const docker = await build(...platforms, '-o', `type=docker,dest=${archive}`, folder);
	t.regex(docker.stderr, /does not currently support exporting manifest lists/);
	const foreign = contextOf({Dockerfile: 'FROM scratch\nCOPY sh /bin/sh\nRUN true\n', sh: '\x7fELF'});
	const refused = await build('--platform', 'linux/s390x', foreign);
	t.is(refused.code, 1);
	t.regex(refused.stderr, /programs for linux\/s390x don't run on this host \(linux\/\w+\): no interpreter/);
});

test('what can not be written is said, and a file that is there stays until the new one is whole', async (t) => {
	const context = contextOf({Dockerfile: 'FROM scratch\nCOPY a /a\n', a: 'x'});
	const nowhere = await build('-o', 'type=tar,dest=/nowhere/x', context);
	t.is(nowhere.code, 1);
	t.is(
		nowhere.stderr.trim(),
		'ERROR: failed to build: invalid output path: stat /nowhere: no such file or directory',
	);
	const file = join(context, 'out.tar');
	const ids = join(context, 'id');
	writeFileSync(file, 'old');
	writeFileSync(ids, 'old');
	const output = ['-o', `type=tar,dest=${file}`, '--iidfile', ids];
	for (const wrong of [
		['--ssh', 'default=/nowhere'],
		['--builder', 'other'],
		['--attest', 'type=sbom'],
		['--provenance', 'mode=max'],
		['--allow', 'all'],
	]) {
		t.is((await build(...output, ...wrong, context)).code, 1, wrong.join(' '));
		t.is(readFileSync(file, 'utf8') + readFileSync(ids, 'utf8'), 'oldold', wrong.join(' '));
	}
	t.is((await build(...output, '-f', '/nowhere/Dockerfile', context)).code, 1);
	t.is(readFileSync(file, 'utf8'), 'old');
	t.is((await build(...output, '--provenance', 'false', context)).code, 0);
	t.is(execFileSync('tar', ['-tf', file], {encoding: 'utf8'}), 'a\n');
});

test('RUN leaves its box only when whoever builds allows it', async (t) => {
	for (const [flag, name] of [
		['--security=insecure', 'security.insecure'],
		['--network=host', 'network.host'],
	] as const) {
		const context = contextOf({Dockerfile: `FROM wherry/base\nRUN ${flag} true\n`});
		const refused = await build(context);
		t.is(refused.code, 1);
		t.regex(refused.stderr, new RegExp(`${name} is not allowed`));
		t.is((await build('--allow', name, context)).code, 0, name);
	}
});

test('a build goes to all outputs; names of -t come before those of an output', async (t) => {
	const context = contextOf({Dockerfile: 'FROM scratch\nCOPY a /a\n', a: 'x'});
	const [folder, archive] = [join(context, 'out'), join(context, 'out.tar')];
	const outputs = ['-o', folder, '-o', `type=tar,dest=${archive}`, '--output', 'type=docker,name=unheard'];
	t.is((await build(...outputs, '-t', 'everywhere', context)).code, 0);
	t.is(readFileSync(join(folder, 'a'), 'utf8'), 'x');
	t.is(execFileSync('tar', ['-tf', archive], {encoding: 'utf8'}), 'a\n');
	t.is((await wherry.output('images', '-q', 'everywhere')).length, 12);
	t.is(await wherry.output('images', '-q', 'unheard'), '');
	t.is((await build('-o', folder, '--load', '-t', 'loaded', '--label', 'loaded=', context)).code, 0);
	t.is((await wherry.output('images', '-q', 'loaded')).length, 12);
	t.is((await build('-o', 'type=cacheonly', '-t', 'kept', context)).code, 0);
	t.is(await wherry.output('images', '-q', 'kept'), '');
	const pushed = await build('--push', context);
	t.is(pushed.code, 1);
	t.is(pushed.stderr.trim(), 'ERROR: tag is needed when pushing to registry');
});
