import {createHash} from 'node:crypto';
import {mkdtempSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {Command} from '../../e2e/command.ts';
import {type Registry, startRegistry} from '../../setup/registry.ts';

let registry: Registry;

test.before(async () => {
	registry = await startRegistry();
});
test.after.always(() => registry.stop());

test('a build is pushed with its annotations, its cache goes through a registry, and imagetools looks at both', async (t) => {
	const [here, there] = [new Command(), new Command()];
	const folder = mkdtempSync(join(here.folder, 'context-'));
	const dockerfile =
		'FROM wherry/base AS one\nRUN head -c 9 /dev/urandom >/1\nFROM wherry/base\nCOPY --from=one /1 /1\nRUN true >/2\n';
	writeFileSync(join(folder, 'Dockerfile'), dockerfile);
	const [image, cache] = [`${registry.host}/built:1`, `${registry.host}/cache:1`];
	const options = ['build', '--progress', 'plain', '--network', 'none'];
	try {
		const first = await here.result([
			...[...options, '-t', image, '--push', '--annotation', 'made.by=test'],
			...['--cache-to', `type=registry,ref=${cache}`, folder],
		]);
		t.is(first.code, 0, first.stderr);
		// What only carries the cache is no image of this host.
		t.is(await here.output('images', '-q', cache), '');
		const raw = JSON.parse(await here.output('buildx', 'imagetools', 'inspect', '--raw', image));
		t.deepEqual(raw.annotations, {'made.by': 'test'});
		t.regex(
			await here.output('buildx', 'imagetools', 'inspect', image),
			new RegExp(
				`^Name: {6}${image}\nMediaType: application/vnd.oci.image.manifest.v1\\+json\nDigest: {4}sha256:[0-9a-f]{64}$`,
			),
		);
		const second = await there.result([...options, '--cache-from', cache, folder]);
		t.is(second.code, 0, second.stderr);
		t.regex(second.stderr, new RegExp(`importing cache manifest from ${cache}\n#\\d+ DONE`));
		t.is(second.stderr.match(/\] (?:RUN|COPY) [^\n]*\n#\d+ CACHED/g)?.length, 3, second.stderr);
		t.is(await there.output('images', '-q', cache), '');
		writeFileSync(
			join(folder, 'Dockerfile.several'),
			'FROM scratch\nARG TARGETARCH\nENV A=$TARGETARCH\nCOPY Dockerfile /\n',
		);
		const several = `${registry.host}/several:1`;
		const sent = await here.result([
			...[...options, '-f', join(folder, 'Dockerfile.several'), '--platform', 'linux/amd64,linux/arm64'],
			...['-t', several, '--push', folder],
		]);
		t.is(sent.code, 0, sent.stderr);
		const told = await there.output('buildx', 'imagetools', 'inspect', several);
		t.regex(told, /index\.v1\+json\n[\s\S]*Platform: {4}linux\/amd64[\s\S]*Platform: {4}linux\/arm64/);
		const tool = (...words: string[]) => there.output('buildx', 'imagetools', ...words);
		const raw2 = `${await tool('inspect', '--raw', several)}`;
		t.is(
			await tool('inspect', '--format', '{{.Name}} {{.Manifest.Digest}}', several),
			`${several} sha256:${createHash('sha256').update(raw2).digest('hex')}`,
		);
		const format =
			'{{range .Manifest.Manifests}}{{.Platform.Architecture}} {{end}}{{(index .Image "linux/arm64").Config.Env}}';
		t.regex(await tool('inspect', '--format', format, several), /^amd64 arm64 \[.*A=arm64\]$/);
		t.is(
			JSON.parse(await tool('inspect', '--format', '{{json .Image}}', several))['linux/amd64'].architecture,
			'amd64',
		);
		t.is(JSON.parse(await tool('inspect', '--format', '{{json .}}', image)).image.os, 'linux');
		t.regex(
			(await there.result(['buildx', 'imagetools', 'inspect', '--format', '{{.Nope}}', several])).stderr,
			/^ERROR: .*Nope/,
		);
		// An index of one image and of one of those of another, in a repository that has neither; then more, and a copy.
		const both = `${registry.host}/both:1`;
		await tool(
			'create',
			'--progress',
			'none',
			'-t',
			both,
			'-p',
			'linux/arm64',
			'--annotation',
			'index:made.by=test',
			several,
		);
		await tool('create', '--progress', 'none', '-t', both, '--append', image);
		const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
		t.is(
			await tool(
				'inspect',
				'--format',
				'{{range .Manifest.Manifests}}{{.Platform.Architecture}} {{end}}',
				both,
			),
			`arm64 ${architecture} `,
		);
		t.is((await there.result(['pull', '-q', both])).code, 0);
		t.is(await tool('create', '--dry-run', several), raw2);
		t.regex(await tool('create', '--dry-run', image), /"manifests": \[\n {4}\{\n/);
		t.is(
			await tool('create', '--dry-run', '--prefer-index=false', image),
			await tool('inspect', '--raw', image),
		);
		const none = await there.result(['buildx', 'imagetools', 'inspect', `${registry.host}/nothing`]);
		t.is(none.code, 1);
		t.regex(none.stderr, /^ERROR: /);
	} finally {
		t.deepEqual([...(await here.end()), ...(await there.end())], []);
	}
});
