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
		const none = await there.result(['buildx', 'imagetools', 'inspect', `${registry.host}/nothing`]);
		t.is(none.code, 1);
		t.regex(none.stderr, /^ERROR: /);
	} finally {
		t.deepEqual([...(await here.end()), ...(await there.end())], []);
	}
});
