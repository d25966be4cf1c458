import {spawn} from 'node:child_process';
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {text} from 'node:stream/consumers';
import test from 'ava';
import '../../../src/cli/format/types/system.ts';
import {typeOfText} from '../../../src/cli/format/template/types.ts';
import {Command} from '../../e2e/command.ts';

const config = {DOCKER_CONFIG: ''};
const wherry = new Command({env: config});
wherry.env.DOCKER_CONFIG = join(wherry.folder, 'docker');
const image = 'wherry/base';
const launcher = new URL('../../../src/wherry.sh', import.meta.url).pathname;

/** With an answer on stdin. */
async function answered(input: string, ...args: string[]): Promise<{code: number | null; stdout: string}> {
	const child = spawn(launcher, args, {env: wherry.env, stdio: ['pipe', 'pipe', 'inherit']});
	child.stdin.end(input);
	const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
	return {stdout: await text(child.stdout), code: await closed};
}

test.before(async () => {
	await wherry.output(
		'run',
		'--name',
		'done',
		'--network',
		'none',
		'-v',
		'/anon',
		image,
		'sh',
		'-c',
		'echo 12345 > /f',
	);
	await wherry.output(
		'create',
		'--name',
		'new',
		'--network',
		'none',
		'-l',
		'keep=1',
		'-v',
		'vol:/v',
		image,
		'true',
	);
});

test.after.always(async (t) => {
	t.deepEqual(await wherry.end(), []);
});

test.serial('system df is a row for each kind, and with -v one for each thing', async (t) => {
	const rows = (await wherry.output('system', 'df')).split('\n').map((row) => row.split(/ {2,}/));
	t.deepEqual(rows[0], ['TYPE', 'TOTAL', 'ACTIVE', 'SIZE', 'RECLAIMABLE']);
	t.deepEqual(
		rows.slice(1).map((row) => row.slice(0, 3)),
		[
			['Images', '1', '1'],
			['Containers', '2', '0'],
			['Local Volumes', '2', '2'],
			['Build Cache', '0', '0'],
		],
	);
	t.deepEqual(rows[2]!.slice(3), ['6B', '6B (100%)']);
	t.is(
		await wherry.output('system', 'df', '--format', '{{.Type}}: {{.TotalCount}} {{.Reclaimable}}'),
		'Images: 1 0B (0%)\nContainers: 2 6B (100%)\nLocal Volumes: 2 0B\nBuild Cache: 0 0B',
	);
	const objects = (await wherry.output('system', 'df', '--format', 'json'))
		.split('\n')
		.map((row) => JSON.parse(row));
	t.deepEqual(objects[3], {Active: '0', Reclaimable: '0B', Size: '0B', TotalCount: '0', Type: 'Build Cache'});
	t.regex(
		await wherry.output('system', 'df', '-v'),
		/^Images space usage:\n\nREPOSITORY +TAG +IMAGE ID +CREATED +SIZE +SHARED SIZE +UNIQUE SIZE +CONTAINERS\nwherry\/base +latest .* 2\n\nContainers space usage:\n\nCONTAINER ID +IMAGE +COMMAND +LOCAL VOLUMES +SIZE +CREATED +STATUS +NAMES\n[\s\S]* 6B [\s\S]*\nLocal Volumes space usage:\n\nVOLUME NAME +LINKS +SIZE\n[\s\S]*vol +1 +0B\n\nBuild cache usage: 0B\n/,
	);
	const details = await wherry.output('system', 'df', '-v', '--format', 'json');
	t.deepEqual(Object.keys(JSON.parse(details)), ['Images', 'Containers', 'Volumes', 'BuildCache']);
	t.is(
		await wherry.output(
			'system',
			'df',
			'-v',
			'--format',
			'{{range .Containers}}{{.Names}}={{.Size}} {{end}}',
		),
		'new=0B done=6B ',
	);
	const raw = await wherry.output('system', 'df', '-v', '--format', 'raw');
	t.regex(raw, /^type: Image\nrepository: wherry\/base\ntag: latest\ndigest: \n/);
	t.regex(raw, /\n\ntype: Container\ncontainer_id: [0-9a-f]{64}\n/);
	const digests = await wherry.output('images', '--digests', '--format', 'table {{.Repository}}');
	t.is(digests.split('\n')[0], 'REPOSITORY    DIGEST');
	t.like(await wherry.result(['system', 'df', '--format', '{{.Nope}}']), {
		code: 1,
		stderr:
			'template parsing error: template: :1:2: executing "" at <.Nope>: can\'t evaluate field Nope in type *formatter.diskUsageImagesContext\n',
	});
	t.like(await wherry.result(['system', 'df', 'extra']), {code: 1, stdout: ''});
});

test.serial('info has docker’s layout, structure and errors', async (t) => {
	const shown = await wherry.output('info');
	for (const line of [
		...[
			'Client:',
			' Context:    default',
			'Server:',
			' Containers: 2',
			'  Running: 0',
			'  Stopped: 2',
			' Images: 1',
		],
		...[
			' Logging Driver: json-file',
			' Plugins:',
			'  Volume: local',
			' Swarm: inactive',
			' Security Options:',
		],
		...['  seccomp', ' OSType: linux', ` Docker Root Dir: ${wherry.root}`, ' Live Restore Enabled: true'],
	])
		t.true(shown.split('\n').includes(line), line);
	const document = JSON.parse(await wherry.output('info', '-f', 'json')) as Record<string, unknown>;
	const known = typeOfText('system.Info').fields!;
	const keys = Object.keys(document);
	t.deepEqual(
		keys.filter((key) => key !== 'ClientInfo'),
		known.map(({json}) => json).filter((json) => keys.includes(json)),
	);
	for (const {json, omitEmpty} of known) t.true(omitEmpty || keys.includes(json), json);
	t.is(await wherry.output('info', '-f', '{{.Driver}} {{.NCPU}}'), `${document.Driver} ${document.NCPU}`);
	t.is(
		await wherry.output('info', '-f', '{{.Swarm.LocalNodeState}} {{.ClientInfo.Context}}'),
		'inactive default',
	);
	t.like(await wherry.result(['info', '-f', '{{.Nope}}']), {
		code: 1,
		stderr: 'template: :1:2: executing "" at <.Nope>: can\'t evaluate field Nope in type system.dockerInfo\n',
	});
	t.like(await wherry.result(['info', '-f', '{{']), {code: 64, stdout: ''});
	t.like(await wherry.result(['system', 'info', 'extra']), {code: 1, stdout: ''});
});

test.serial('version has docker’s layout, structure and errors', async (t) => {
	t.regex(
		await wherry.output('version'),
		/^Client:\n Version: {11}\S+\n API version: {7}[\d.]+\n[\s\S]* OS\/Arch: {11}linux\/\w+\n Context: {11}default\n\nServer: .*\n Engine:\n {2}Version: {10}\S+\n/,
	);
	const {Client, Server} = JSON.parse(await wherry.output('version', '-f', 'json')) as Record<
		string,
		Record<string, unknown>
	>;
	t.is(Client!.Version, Server!.Version);
	t.is(await wherry.output('version', '--format', '{{.Server.Version}}'), String(Server!.Version));
	t.is(
		await wherry.output('version', '-f', '{{.Client.APIVersion}} {{.Server.Os}}'),
		`${Client!.ApiVersion} linux`,
	);
	t.like(await wherry.result(['version', '-f', '{{.Nope}}']), {
		code: 1,
		stderr:
			'template: version:1:2: executing "version" at <.Nope>: can\'t evaluate field Nope in type system.versionInfo\n',
	});
	t.is((await wherry.result(['version', '-f', '{{nope}}'])).code, 64);
});

test.serial('a question that is interrupted is answered with no', async (t) => {
	const child = spawn(launcher, ['container', 'prune'], {
		env: wherry.env,
		stdio: ['pipe', 'pipe', 'inherit'],
	});
	const closed = new Promise((resolve) => child.once('close', resolve));
	let out = '';
	for await (const part of child.stdout.setEncoding('utf8')) {
		out += part;
		if (out.endsWith('[y/N] ')) child.kill('SIGINT');
	}
	t.is(await closed, 0);
	t.regex(out, /\[y\/N\] \n$/);
	child.stdin.destroy();
});

test.serial('prunes ask as docker does, and no answer is no', async (t) => {
	const question = '\nAre you sure you want to continue? [y/N] ';
	for (const [args, warning] of [
		[['container', 'prune'], 'WARNING! This will remove all stopped containers.'],
		[['image', 'prune'], 'WARNING! This will remove all dangling images.'],
		[
			['image', 'prune', '-a'],
			'WARNING! This will remove all images without at least one container associated to them.',
		],
		[
			['system', 'prune'],
			'WARNING! This will remove:\n  - all stopped containers\n  - all networks not used by at least one container\n  - all dangling images\n  - unused build cache\n',
		],
		[
			['system', 'prune', '-a', '--volumes', '--filter', 'label=x', '--filter', 'label!=y'],
			'WARNING! This will remove:\n  - all stopped containers\n  - all networks not used by at least one container\n  - all anonymous volumes not used by at least one container\n  - all images without at least one container associated to them\n  - all build cache\n\n  Items to be pruned will be filtered with:\n  - label!=y\n  - label=x\n',
		],
	] as const) {
		for (const input of ['n\n', '', 'yes\n'])
			t.deepEqual(await answered(input, ...args), {code: 0, stdout: `${warning}${question}`}, args.join(' '));
	}
	for (const [args, stderr] of [
		[['container', 'prune', '-f', '--filter', 'nonsense=1'], "Error: invalid filter 'nonsense'\n"],
		[
			['image', 'prune', '-f', '--filter', 'until=x'],
			'Error: failed to parse value as time or duration: "x"\n',
		],
		[
			['system', 'prune', '-f', '--volumes', '--filter', 'until=1h'],
			'ERROR: The "until" filter is not supported with "--volumes"\n',
		],
	] as const)
		t.like(await wherry.result(args), {code: 1, stdout: '', stderr}, args.join(' '));
	t.is((await wherry.output('ps', '-aq')).split('\n').length, 2);
});

test.serial('what is pruned is told, with the filters of docker’s configuration file', async (t) => {
	const id = await wherry.output('inspect', '-f', '{{.Id}}', 'done');
	mkdirSync(wherry.env.DOCKER_CONFIG!);
	const file = join(wherry.env.DOCKER_CONFIG!, 'config.json');
	writeFileSync(file, '{"pruneFilters": ["label!=keep"]}');
	t.deepEqual(await answered('y\n', 'container', 'prune'), {
		code: 0,
		stdout: `WARNING! This will remove all stopped containers.\nAre you sure you want to continue? [y/N] Deleted Containers:\n${id}\n\nTotal reclaimed space: 6B\n`,
	});
	t.is(await wherry.output('ps', '-a', '--format', '{{.Names}}'), 'new');
	writeFileSync(file, '{}');
	const all = await wherry.output('system', 'prune', '-af', '--volumes');
	t.regex(
		all,
		/^Deleted Containers:\n[0-9a-f]{64}\n\nDeleted Volumes:\n[0-9a-f]{64}\n\nDeleted Images:\nuntagged: wherry\/base:latest\ndeleted: sha256:[0-9a-f]{64}\ndeleted: sha256:[0-9a-f]{64}\n\nTotal reclaimed space: [\d.]+MB$/,
	);
	t.is(await wherry.output('system', 'prune', '-af'), 'Total reclaimed space: 0B');
	t.is(await wherry.output('volume', 'ls', '-q'), 'vol');
	t.is(await wherry.output('images', '-q'), '');
});
