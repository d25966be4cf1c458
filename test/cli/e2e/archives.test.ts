import {execFileSync, spawn} from 'node:child_process';
import {createHash} from 'node:crypto';
import {once} from 'node:events';
import {
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import {Command} from '../../e2e/command.ts';
import {pushBusybox} from '../../e2e/images.ts';
import {type Registry, skopeo, startFake, startRegistry} from '../../setup/registry.ts';

const wherry = new Command();
const other = new Command();
let registry: Registry;
let image: string;
const file = (name: string): string => join(wherry.folder, name);

test.before(async () => {
	registry = await startRegistry();
	image = await pushBusybox(registry.host, 'library/box:1');
	await wherry.output('pull', '-q', image);
	await wherry.output('tag', image, 'named:one');
	await wherry.output('tag', image, 'named:two');
});

test.after.always(async (t) => {
	t.deepEqual(await wherry.end(), []);
	t.deepEqual(await other.end(), []);
	await registry.stop();
});

const idOf = (command: Command, name: string): Promise<string> =>
	command.output('inspect', '-f', '{{.Id}}', name);

test.serial('what is saved is loaded elsewhere with its names and its id, and runs', async (t) => {
	await wherry.output('save', '-o', file('one.tar'), 'named:one', 'named:two', image);
	t.is(statSync(file('one.tar')).mode & 0o777, 0o600);
	const loaded = await other.output('load', '-i', file('one.tar'));
	t.deepEqual(
		loaded.split('\n').sort(),
		[`Loaded image: ${image}`, 'Loaded image: named:one', 'Loaded image: named:two'].sort(),
	);
	t.is(await idOf(other, 'named:one'), await idOf(wherry, 'named:one'));
	t.is(await other.output('run', '--rm', 'named:two', 'echo', 'hi'), 'hi');
	const digest = (command: Command) =>
		command.output('images', '--digests', '--format', '{{.Digest}}', image);
	t.truthy(await digest(wherry));
	await other.output('rmi', '-f', 'named:one', 'named:two', image);
});

test.serial('save writes to a pipe, by id without names, and all tags of a repository', async (t) => {
	const launcher = new URL('../../../src/wherry.sh', import.meta.url).pathname;
	const pipe = (from: string, to: string) =>
		execFileSync(
			'sh',
			[
				'-c',
				`${launcher} save ${from} | WHERRY_ROOT=${other.root} WHERRY_RUN=${other.run} ${launcher} load ${to}`,
			],
			{
				env: wherry.env,
				encoding: 'utf8',
			},
		);
	const id = await idOf(wherry, image);
	t.is(pipe(id, ''), `Loaded image ID: ${id}\n`);
	t.is(pipe('named', '-q'), 'Loaded image: named:one\nLoaded image: named:two\n');
	await other.output('rmi', '-f', id);
	t.like(await wherry.result(['save', 'nothing:1']), {
		code: 1,
		stdout: '',
		stderr: 'Error: No such image: nothing:1\n',
	});
	t.regex(
		(await wherry.result(['save', '-o', file('no/such/x.tar'), image])).stderr,
		/invalid output path: stat .*: no such file or directory/,
	);
	t.deepEqual(
		readdirSync(wherry.folder).filter((name) => name.endsWith('.tmp')),
		[],
	);
});

test.serial(
	'skopeo and umoci read what is saved, and what they write is loaded with the same digests',
	async (t) => {
		await wherry.output('save', '-o', file('s.tar'), 'named:one');
		const source = JSON.parse(skopeo('inspect', '--raw', '--tls-verify=false', `docker://${image}`));
		const archived = JSON.parse(skopeo('inspect', '--raw', `oci-archive:${file('s.tar')}`));
		t.is(archived.config.digest, source.config.digest);
		t.deepEqual(
			archived.layers.map(({digest}: {digest: string}) => digest),
			source.layers.map(({digest}: {digest: string}) => digest),
		);
		skopeo('copy', '-q', `docker-archive:${file('s.tar')}`, `dir:${file('dir')}`);

		const id = await idOf(wherry, image);
		skopeo(
			'copy',
			'-q',
			'--src-tls-verify=false',
			`docker://${image}`,
			`docker-archive:${file('d.tar')}:from/docker:1`,
		);
		t.is(await other.output('load', '-i', file('d.tar')), 'Loaded image: from/docker:1');
		t.is(await idOf(other, 'from/docker:1'), id);
		skopeo(
			'copy',
			'-q',
			'--src-tls-verify=false',
			`docker://${image}`,
			`oci-archive:${file('o.tar')}:from/oci:1`,
		);
		t.is(await other.output('load', '-i', file('o.tar')), 'Loaded image: from/oci:1');
		t.is(await other.output('run', '--rm', 'from/oci:1', 'echo', 'x'), 'x');
		for (const [program, name] of [
			['gzip', 'o.tar.gz'],
			['zstd', 'o.tar.zst'],
		] as const) {
			execFileSync('sh', ['-c', `${program} -qc ${file('o.tar')} >${file(name)}`]);
			t.is(await other.output('load', '-i', file(name)), 'Loaded image: from/oci:1');
		}
		await other.output('rmi', '-f', 'from/docker:1', 'from/oci:1');
	},
);

test.serial('archives that are no images are refused, whatever they are, and leave nothing', async (t) => {
	const tar = (
		name: string,
		files: Record<string, string>,
		more: (folder: string) => void = () => {},
	): string => {
		const folder = file(`tree-${name}`);
		mkdirSync(folder);
		for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text);
		more(folder);
		execFileSync('tar', ['-C', folder, '-cf', file(name), '.']);
		return file(name);
	};
	const hex = 'a'.repeat(64);
	const index = (digest: string) =>
		JSON.stringify({
			schemaVersion: 2,
			manifests: [{mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: 2}],
		});
	writeFileSync(file('text.tar'), 'this is no archive, however long it is'.repeat(100));
	writeFileSync(file('zero.tar'), '');
	const cases: [string, RegExp][] = [
		[file('text.tar'), /can't be read|neither/],
		[file('zero.tar'), /is empty/],
		[tar('none.tar', {a: 'b'}), /neither one of docker’s nor an OCI image layout/],
		[tar('json.tar', {'manifest.json': '{'}), /not valid JSON/],
		[tar('list.tar', {'manifest.json': '{}'}), /is not a list/],
		[
			tar('config.tar', {'manifest.json': '[{"Config":"../../etc/passwd","Layers":[]}]'}),
			/lacks the configuration/,
		],
		[
			tar('layer.tar', {
				'manifest.json': '[{"Config":"c","Layers":["l"]}]',
				c: '{"rootfs":{"type":"layers"}}',
			}),
			/lacks the layer "l"/,
		],
		[
			tar('diff.tar', {
				'manifest.json': '[{"Config":"c","Layers":["l"]}]',
				c: JSON.stringify({os: 'linux', rootfs: {type: 'layers', diff_ids: [`sha256:${hex}`]}}),
				l: 'x'.repeat(1024),
			}),
			/./,
		],
		[
			tar('loop.tar', {}, (folder) => {
				symlinkSync('b', join(folder, 'a'));
				symlinkSync('a', join(folder, 'b'));
				writeFileSync(join(folder, 'manifest.json'), '[{"Config":"a","Layers":[]}]');
			}),
			/lacks the configuration/,
		],
		[
			tar('index.tar', {
				'oci-layout': '{"imageLayoutVersion":"1.0.0"}',
				'index.json': index(`sha256:${hex}`),
			}),
			/lacks the manifest/,
		],
		[
			tar('path.tar', {'oci-layout': '{}', 'index.json': index('sha256:../../../etc/passwd')}),
			/invalid digest/,
		],
	];
	for (const [archive, message] of cases) {
		const {code, stdout, stderr} = await other.result(['load', '-i', archive]);
		t.is(code, 1, archive);
		t.is(stdout, '', archive);
		t.regex(stderr, message, archive);
		t.is(stderr.trimEnd().split('\n').length, 1, stderr);
	}
	t.is(await other.output('images', '-aq'), '');
	t.deepEqual(existsSync(join(other.root, 'ingest')) ? readdirSync(join(other.root, 'ingest')) : [], []);
	t.like(await other.result(['load', '-i', file('absent')]), {
		code: 1,
		stderr: `open ${file('absent')}: no such file or directory\n`,
	});
});

test.serial('a load that is killed leaves nothing that the next command does not remove', async (t) => {
	await wherry.output('save', '-o', file('k.tar'), 'named:one');
	const bytes = readFileSync(file('k.tar'));
	const child = spawn(new URL('../../../src/wherry.sh', import.meta.url).pathname, ['load'], {
		env: other.env,
		stdio: ['pipe', 'ignore', 'ignore'],
	});
	// It waits for the rest, which never comes.
	child.stdin.on('error', () => {});
	child.stdin.write(bytes.subarray(0, bytes.length >> 1));
	const ingest = join(other.root, 'ingest');
	while (!existsSync(ingest) || readdirSync(ingest).length < 2) await sleep(10);
	const ended = once(child, 'exit');
	child.kill('SIGKILL');
	await ended;
	t.is(await other.output('images', '-q'), '');
	t.is(await other.output('load', '-q', '-i', file('k.tar')), 'Loaded image: named:one');
	t.deepEqual(readdirSync(join(other.root, 'ingest')), []);
	await other.output('rmi', 'named:one');
});

test.serial('history tells the steps, newest first', async (t) => {
	const id = await idOf(wherry, image);
	const lines = (await wherry.output('history', '--format', '{{.ID}}|{{.Size}}', image)).split('\n');
	t.is(lines[0]!.split('|')[0], id.slice(7, 19));
	t.true(lines.slice(1).every((line) => line.startsWith('<missing>|')));
	t.regex(await wherry.output('history', image), /^IMAGE +CREATED +CREATED BY +SIZE +COMMENT\n/);
	t.is((await wherry.output('history', '-q', '--no-trunc', image)).split('\n')[0], id);
	t.regex(
		await wherry.output('history', '-H=false', '--format', '{{.Size}} {{.CreatedSince}}', image),
		/^\d+ \d{4}-/m,
	);
	t.like(await wherry.result(['history', 'nothing']), {
		code: 1,
		stderr: 'Error: No such image: nothing:latest\n',
	});
});

test.serial('import fetches an archive, through redirects, and says what the server says', async (t) => {
	writeFileSync(file('fetched'), 'from the web');
	execFileSync('tar', ['czf', file('fetched.tgz'), '-C', wherry.folder, 'fetched']);
	const server = await startFake((request, response, host) => {
		if (request.url === '/moved') response.writeHead(302, {location: `http://${host}/there`}).end();
		else if (request.url === '/there') response.end(readFileSync(file('fetched.tgz')));
		else response.writeHead(404).end('<b>\x1b[31mnothing\nhere\n');
	});
	t.teardown(() => server.stop());
	const url = `http://${server.host}/moved`;
	const flags = ['-m', 'by hand', '-c', 'ENV FROM=web', '--platform', 'linux/arm64/v8'];
	const said = await wherry.output('import', ...flags, url, 'web:1');
	t.regex(said, new RegExp(`^Downloading from ${url}\nsha256:[0-9a-f]{64}$`));
	const format = '{{.Comment}} {{.Architecture}}/{{.Variant}} {{.Config.Env}}';
	t.is(await wherry.output('inspect', '-f', format, 'web:1'), 'by hand arm64/v8 [FROM=web]');
	await wherry.output('import', url, 'web:2');
	t.is(await wherry.output('inspect', '-f', '{{.Comment}}', 'web:2'), `Imported from ${url}`);
	t.like(await wherry.result(['import', `http://${server.host}/none`, 'web:3']), {
		code: 1,
		stdout: '',
		stderr: `Error: failed to GET http://${server.host}/none with status 404 Not Found: <b>\ufffd[31mnothing here\n`,
	});
	t.is((await wherry.result(['import', 'http://', 'web:3'])).stderr, 'Error: parse "http://": invalid URL\n');
	await wherry.output('rmi', 'web:1', 'web:2');
});

test.serial('import makes an image of files, with changes and a name', async (t) => {
	const container = await wherry.output('create', image);
	execFileSync(
		'sh',
		[
			'-c',
			`${new URL('../../../src/wherry.sh', import.meta.url).pathname} export ${container} | gzip >${file('files.tgz')}`,
		],
		{env: wherry.env},
	);
	const id = await wherry.output(
		'import',
		'-m',
		'said',
		'-c',
		'CMD ["echo", "imported"]',
		'-c',
		'ENV A=b',
		file('files.tgz'),
		'imported:1',
	);
	t.is(await idOf(wherry, 'imported:1'), id);
	t.is(await wherry.output('run', '--rm', 'imported:1'), 'imported');
	t.deepEqual(JSON.parse(await wherry.output('inspect', '-f', '{{json .Config.Env}}', 'imported:1')), [
		'A=b',
	]);
	t.is(await wherry.output('history', '--format', '{{.Comment}}', 'imported:1'), 'said');
	t.regex((await wherry.result(['import', file('text.tar'), 'bad:1'])).stderr, /^Error: /);
	t.regex((await wherry.result(['import', file('absent')])).stderr, /no such file or directory/);
	t.regex((await wherry.result(['import', '-c', 'RUN x', file('files.tgz')])).stderr, /RUN/i);
	t.is(await wherry.output('images', '-q', 'bad'), '');
});

test.serial('an archive that import gets compressed becomes the layer as it is', async (t) => {
	mkdirSync(file('imported/a'), {recursive: true});
	writeFileSync(file('imported/a/b'), 'b'.repeat(100_000));
	const pack = `tar -C ${file('imported')} -cf - . `;
	const diffIds = [];
	for (const [kind, program] of [
		['plain', 'cat'],
		['gzip', 'gzip -n'],
		// Of several members.
		['gzip', '(head -c 5000 | gzip -n; gzip -n)'],
		['zstd', 'zstd -q'],
		// A frame that says how the next is to be read comes first.
		['zstd', '(printf "P*M\\030\\003\\000\\000\\000abc"; zstd -q)'],
		['plain', 'xz'],
	] as const) {
		execFileSync('bash', ['-c', `${pack} | ${program} >${file('import.tar')}`]);
		await wherry.output('import', file('import.tar'), 'packed:1');
		diffIds.push(await wherry.output('inspect', '-f', '{{json .RootFS.Layers}}', 'packed:1'));
		await wherry.output('save', '-o', file('packed.tar'), 'packed:1');
		const {layers} = JSON.parse(skopeo('inspect', '--raw', `oci-archive:${file('packed.tar')}`));
		t.is(layers[0].mediaType.split('.tar')[1], kind === 'plain' ? '' : `+${kind}`, program);
		const digest = createHash('sha256')
			.update(readFileSync(file('import.tar')))
			.digest('hex');
		if (program !== 'xz') t.is(layers[0].digest, `sha256:${digest}`, program);
		await wherry.output('rmi', 'packed:1');
	}
	t.is(new Set(diffIds).size, 1);

	execFileSync('bash', ['-c', `${pack} | gzip -n >${file('import.tgz')}`]);
	const before = await wherry.output('images', '-aq');
	wherry.env.WHERRY_MAX_LAYER = '20k';
	t.regex(
		(await wherry.result(['import', file('import.tgz'), 'bomb:1'])).stderr,
		/^Error: failed to register layer sha256:[0-9a-f]{64}: .*unpacks to more than 20480 bytes.*WHERRY_MAX_LAYER/,
	);
	delete wherry.env.WHERRY_MAX_LAYER;
	wherry.env.WHERRY_MAX_LAYER_ENTRIES = '2';
	t.regex(
		(await wherry.result(['import', file('import.tgz'), 'many:1'])).stderr,
		/^Error: failed to register layer sha256:[0-9a-f]{64}: .*more than 2 entries; .*WHERRY_MAX_LAYER_ENTRIES=NUMBER\n$/,
	);
	wherry.env.WHERRY_MAX_LAYER_ENTRIES = '3';
	await wherry.output('import', file('import.tgz'), 'packed:1');
	await wherry.output('rmi', 'packed:1');
	delete wherry.env.WHERRY_MAX_LAYER_ENTRIES;
	execFileSync('sh', ['-c', `head -c 100 ${file('import.tgz')} >${file('cut.tgz')}`]);
	t.regex(
		(await wherry.result(['import', file('cut.tgz'), 'cut:1'])).stderr,
		/^Error: failed to register layer sha256:[0-9a-f]{64}: unexpected end of the gzip data\n$/,
	);
	t.is(await wherry.output('images', '-aq'), before);
});
