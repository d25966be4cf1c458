import {existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import '../../../src/cli/format/types/container.ts';
import '../../../src/cli/format/types/image.ts';
import '../../../src/cli/format/types/network.ts';
import '../../../src/cli/format/types/volume.ts';
import {type GoType, typeOfText} from '../../../src/cli/format/template/types.ts';
import {Command} from '../../e2e/command.ts';

const wherry = new Command();
const image = 'wherry/base';

test.before(async () => {
	await wherry.output('volume', 'create', '--label', 'v=1', 'vol');
	await wherry.output('network', 'create', '--subnet', '10.213.77.0/24', '--label', 'n=1', 'net');
	await wherry.output(
		...[
			'run',
			'-d',
			'--name',
			'up',
			'--network',
			'none',
			'-e',
			'A=<&>',
			'-l',
			'b=2',
			'-l',
			'a=1',
			'-v',
			'vol:/v',
		],
		...[
			'--tmpfs',
			'/t',
			'-p',
			'81:81',
			'-p',
			'127.0.0.1:80:80',
			'--health-cmd',
			'true',
			image,
			'sleep',
			'1000',
		],
	);
	await wherry.output('create', '--name', 'new', '--network', 'none', image, 'true');
});

test.after.always(async (t) => {
	t.deepEqual(await wherry.end(), []);
});

const document = async (...args: string[]) =>
	(JSON.parse(await wherry.output('inspect', ...args)) as Record<string, unknown>[])[0]!;

/** Members that JSON has, in docker's order: those of embedded structs are among the others. */
function members(type: GoType): {json: string; type: GoType; omitEmpty: boolean}[] {
	return type.fields!.flatMap((field) => {
		if (!field.embedded) return [field];
		return members(field.type.kind === 'pointer' ? field.type.elem! : field.type);
	});
}

/** What newer or older docker shows besides. */
const besides = new Set([
	'Container',
	'VirtualSize',
	'SizeRw',
	'SizeRootFs',
	'Hostname',
	'Domainname',
	'AttachStdin',
]);
const oldImageConfig = [
	...[
		'Hostname',
		'Domainname',
		'AttachStdin',
		'AttachStdout',
		'AttachStderr',
		'Tty',
		'OpenStdin',
		'StdinOnce',
	],
	'Image',
];

/** Whether a document has docker's members in docker's order, all the way down. */
function compareOrder(t: ExecutionContext, value: unknown, type: GoType, path: string): void {
	const inner = type.kind === 'pointer' ? type.elem! : type;
	if (value === null || value === undefined) return;
	if (Array.isArray(value)) {
		for (const item of value) compareOrder(t, item, inner.elem!, `${path}[]`);
		return;
	}
	if (inner.kind === 'map') {
		t.deepEqual(Object.keys(value), Object.keys(value).sort(), `${path} is sorted`);
		for (const [key, item] of Object.entries(value)) compareOrder(t, item, inner.elem!, `${path}.${key}`);
		return;
	}
	if (inner.kind !== 'struct' || typeof value !== 'object') return;
	const docker = members(inner);
	// docker of today shows less of an image's configuration than docker did.
	const older = inner.name === 'v1.DockerOCIImageConfig';
	const keys = Object.keys(value).filter((key) => !(older && oldImageConfig.includes(key)));
	const known = docker.map(({json}) => json);
	t.deepEqual(
		keys.filter((key) => !known.includes(key)),
		[],
		`${path} has no other members`,
	);
	if (!older)
		t.deepEqual(
			keys,
			known.filter((key) => keys.includes(key)),
			`${path} is in order`,
		);
	for (const {json, omitEmpty, type: part} of docker) {
		if (!omitEmpty && !older) t.true(keys.includes(json) || besides.has(json), `${path}.${json} is there`);
		compareOrder(t, (value as Record<string, unknown>)[json], part, `${path}.${json}`);
	}
}

test('documents have docker’s members, in docker’s order', async (t) => {
	for (const name of ['up', 'new'])
		compareOrder(t, await document(name), typeOfText('container.InspectResponse'), name);
	compareOrder(t, await document('-s', 'up'), typeOfText('container.InspectResponse'), 'with sizes');
	compareOrder(t, await document(image), typeOfText('image.InspectResponse'), 'image');
	compareOrder(t, await document('net'), typeOfText('network.Inspect'), 'network');
	compareOrder(t, await document('vol'), typeOfText('volume.Volume'), 'volume');
});

test('nothing is null, empty list or empty map as docker has it', async (t) => {
	const shown = (await document('new')) as {HostConfig: object; Config: object; NetworkSettings: object};
	t.like(shown, {
		ExecIDs: null,
		RestartCount: 0,
		MountLabel: '',
		ResolvConfPath: '',
		LogPath: '',
		Mounts: [],
	});
	t.like(shown.HostConfig, {
		...{Binds: null, VolumesFrom: null, CapAdd: null, ExtraHosts: null, Links: null, DeviceRequests: null},
		...{Dns: [], Devices: [], Ulimits: [], BlkioWeightDevice: [], PortBindings: {}, ConsoleSize: [0, 0]},
		...{MemorySwappiness: null, PidsLimit: null, LogConfig: {Type: 'json-file', Config: {}}},
	});
	for (const absent of ['Init', 'Tmpfs', 'Sysctls', 'Annotations', 'StorageOpt', 'Mounts'])
		t.false(absent in shown.HostConfig, absent);
	t.like(shown.Config, {Volumes: null, OnBuild: null, Labels: {}});
	for (const absent of ['ExposedPorts', 'Healthcheck', 'StopSignal', 'StopTimeout', 'Shell'])
		t.false(absent in shown.Config, absent);
	t.like(shown.NetworkSettings, {Ports: {}, SecondaryIPAddresses: null, SandboxKey: ''});
});

test('paths name what is there', async (t) => {
	const up = (await document('up')) as Record<string, string> & {
		GraphDriver: {Data: Record<string, string>};
		NetworkSettings: {SandboxKey: string};
	};
	for (const name of ['ResolvConfPath', 'HostnamePath', 'HostsPath', 'LogPath'])
		t.true(existsSync(up[name]!), `${name} ${up[name]}`);
	const {LowerDir, MergedDir, UpperDir, WorkDir} = up.GraphDriver.Data;
	for (const path of [...LowerDir!.split(':'), MergedDir!, UpperDir!, WorkDir!])
		t.true(existsSync(path), path);
	t.true(existsSync(up.NetworkSettings.SandboxKey));
	await wherry.output('exec', 'up', 'sh', '-c', 'echo written > /seen');
	for (const path of [MergedDir!, UpperDir!]) t.is(readFileSync(join(path, 'seen'), 'utf8'), 'written\n');
	t.true(readdirSync(MergedDir!).includes('proc'));
	const base = (await document(image)) as {GraphDriver: {Data: Record<string, string>}};
	t.true(existsSync(base.GraphDriver.Data.UpperDir!));
});

test('execs that run are shown', async (t) => {
	const ids = async () =>
		JSON.parse(await wherry.output('inspect', '-f', '{{json .ExecIDs}}', 'up')) as string[] | null;
	const running = wherry.output('exec', 'up', 'sh', '-c', 'until [ -e /go ]; do sleep 0.05; done');
	let shown = await ids();
	while (shown === null) shown = await ids();
	t.is(shown.length, 1);
	t.regex(shown[0]!, /^[0-9a-f]{64}$/);
	await wherry.output('exec', 'up', 'touch', '/go');
	await running;
	t.is(await ids(), null);
});

test('one name is that of the first kind that has it, a type names another', async (t) => {
	const format = ['-f', '{{.Id}}'];
	await wherry.output('network', 'create', '--subnet', '10.213.78.0/24', 'both');
	await wherry.output('create', '--name', 'both', '--network', 'none', image, 'true');
	const network = await wherry.output('inspect', '--type', 'network', ...format, 'both');
	const container = await wherry.output('inspect', ...format, 'both');
	t.not(network, container);
	t.is(await wherry.output('network', 'inspect', ...format, 'both'), network);
	await wherry.output('rm', 'both');
	t.is(await wherry.output('inspect', ...format, 'both'), network);
	await wherry.output('network', 'rm', 'both');
	t.is(await wherry.output('inspect', '-f', '{{.Name}}', 'up', 'net', 'vol'), '/up\nnet\nvol');
	for (const [type, name, says] of [
		['container', image, `No such container: ${image}`],
		['image', 'up', 'No such image: up:latest'],
		['volume', 'up', 'get up: no such volume'],
		['network', 'up', 'network up not found'],
	] as const) {
		const result = await wherry.result(['inspect', '--type', type, name]);
		t.like(result, {code: 1, stdout: '[]\n', stderr: `Error: ${says}\n`}, type);
	}
	t.regex((await wherry.result(['inspect', '--type', 'nonsense', 'up'])).stderr, /nonsense/);
	t.like(await wherry.result(['inspect', 'up', 'nothing', '-f', '{{.Name}}']), {
		code: 1,
		stdout: '/up\n',
		stderr: 'Error: No such object: nothing\n',
	});
	t.like(await wherry.result(['inspect', '']), {code: 1, stdout: '[]\n'});
});

test('templates see docker’s structs, and plain JSON behind them', async (t) => {
	const format = (text: string, name = 'up') => wherry.output('inspect', '-f', text, name);
	t.regex(
		await format('{{.State}}'),
		/^\{running true false false false false \d+ 0 {2}20\S+Z 0001-01-01T00:00:00Z 0xc/,
	);
	t.is(await format('{{.HostConfig.PortBindings}}'), 'map[80/tcp:[{127.0.0.1 80}] 81/tcp:[{ 81}]]');
	t.is(
		await format('{{.HostConfig.RestartPolicy}}{{.HostConfig.Init}}{{.HostConfig.Binds}}'),
		'{no 0}<nil>[vol:/v]',
	);
	t.is(await format('{{.ID}}'), await format('{{.Id}}'));
	t.is(await format('{{json .Config.Labels}} {{.Config.Labels}}'), '{"a":"1","b":"2"} map[a:1 b:2]');
	t.is(await format('{{range .Config.Env}}{{if eq . "A=<&>"}}{{.}}{{end}}{{end}}'), 'A=<&>');
	t.is(await format('{{.Config.Healthcheck.Test}}'), '[CMD-SHELL true]');
	t.is(await format('{{.Created.Year}}', 'net'), String(new Date().getUTCFullYear()));
	t.is(
		await format('{{(index .IPAM.Config 0).Subnet}} {{.Labels.n}} {{.Options}}', 'net'),
		'10.213.77.0/24 1 map[]',
	);
	t.is(await format('{{.Driver}} {{.Labels}} {{.Options}}', 'vol'), 'local map[v:1] map[]');
	t.is(await format('{{.Os}} {{len .RootFS.Layers}}', image), 'linux 1');
	t.is(await wherry.output('inspect', '-f', '{{.SizeRw}}', 'new'), '<nil>');
	t.is(await wherry.output('inspect', '-s', '-f', '{{.SizeRw}}', 'new'), '0');
	t.true((await wherry.output('inspect', '-f', 'json', 'new')).startsWith('[{"Id":"'));
	t.like(await wherry.result(['inspect', '-f', '{{.Nope}} {{.ID}}', 'up']), {
		code: 1,
		stdout: '\n',
		stderr:
			'template parsing error: template: :1:2: executing "" at <.Nope>: map has no entry for key "Nope"\n',
	});
	t.like(await wherry.result(['inspect', '-f', '{{nope}}', 'up']), {
		code: 64,
		stdout: '',
		stderr: 'template parsing error: template: :1: function "nope" not defined\n',
	});
});

test('lists take their format from docker’s configuration file', async (t) => {
	const config = join(wherry.folder, 'docker');
	const list = new Command({env: {DOCKER_CONFIG: config, WHERRY_ROOT: wherry.root, WHERRY_RUN: wherry.run}});
	t.teardown(() => rmSync(list.folder, {recursive: true}));
	mkdirSync(config);
	writeFileSync(
		join(config, 'config.json'),
		JSON.stringify({
			...{psFormat: '{{.Names}}!', imagesFormat: 'table {{.Tag}}', networksFormat: '<{{.Name}}>'},
			...{volumesFormat: '{{.Name}} {{.Driver}}'},
		}),
	);
	t.is(await list.output('ps'), 'up!');
	t.is(await list.output('ps', '--format', '{{.State}}'), 'running');
	t.is((await list.output('ps', '-q')).length, 12);
	t.is(await list.output('images'), 'TAG\nlatest');
	t.is(await list.output('network', 'ls', '-f', 'name=net'), '<net>');
	t.is(await list.output('volume', 'ls'), 'vol local');
	const quiet = await list.result(['ps', '-q', '--format', '{{.Names}}']);
	t.is(quiet.stderr, 'WARNING: Ignoring custom format, because both --format and --quiet are set.\n');
	t.regex(quiet.stdout, /^[0-9a-f]{12}\n$/);
});

test('what an id begins with finds it, a pattern or what two begin with does not; no limit of processes is none', async (t) => {
	const ids: string[] = [];
	const create = async (limit: string): Promise<string> => {
		const id = await wherry.output('create', '-l', 'ids', '--pids-limit', limit, image, 'true');
		ids.push(id);
		return id;
	};
	const id = await create('-1');
	await create('0');
	await create('7');
	const listed = async (...filter: string[]): Promise<string> =>
		wherry.output('ps', '-aq', '--no-trunc', ...filter.flatMap((each) => ['-f', `id=${each}`]));
	t.is(await listed(id.slice(0, 20)), id);
	t.is(await listed(id), id);
	t.deepEqual((await listed(...ids)).split('\n').sort(), [...ids].sort());
	for (const none of [id.slice(3, 20), `^${id.slice(0, 20)}`, '[0-9a-f]', '', id.slice(0, 20).toUpperCase()])
		if (none !== id.slice(0, 20)) t.is(await listed(none), '', none);
	const limits = async (): Promise<string> =>
		wherry.output('inspect', '-f', '{{.HostConfig.PidsLimit}}', ...ids);
	t.is(await limits(), '<nil>\n<nil>\n7');
	await wherry.output('update', '--pids-limit', '-1', ids[2]!);
	t.is(await limits(), '<nil>\n<nil>\n0');
	await wherry.output('rm', ...ids);
});
