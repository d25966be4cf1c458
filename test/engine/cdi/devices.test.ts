import {
	chmodSync,
	chownSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {DeviceRequest} from '../../../src/engine/api.ts';
import {deviceEdits} from '../../../src/engine/cdi/devices.ts';
import {cdiFolders, parseSpecification, readSpecifications} from '../../../src/engine/cdi/specification.ts';
import {runDetached, runToEnd, testEngine, textOf} from '../../setup/engine.ts';

/** Folders with specifications: file name to content. */
function folders(t: ExecutionContext, ...contents: Record<string, string>[]): string[] {
	const top = mkdtempSync(join(tmpdir(), 'wherry-cdi-'));
	t.teardown(() => rmSync(top, {recursive: true}));
	return contents.map((files, index) => {
		const folder = join(top, String(index));
		mkdirSync(folder);
		for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, {mode: 0o644});
		return folder;
	});
}

const specification = (kind: string, ...devices: [name: string, variable: string][]): string =>
	[
		'cdiVersion: "0.6.0"',
		`kind: ${kind}`,
		'containerEdits:',
		`  env: [ALL=${kind}]`,
		'devices:',
		...devices.map(([name, variable]) => `- name: "${name}"\n  containerEdits:\n    env: ["${variable}"]`),
	].join('\n');

const cdi = (...ids: string[]): DeviceRequest => ({
	...{Driver: 'cdi', Count: 0, DeviceIDs: ids, Capabilities: null, Options: {}},
});

const gpus = (more: Partial<DeviceRequest>): DeviceRequest => ({
	...{Driver: '', Count: 0, DeviceIDs: null, Capabilities: [['gpu']], Options: {}},
	...more,
});

const variables = (requests: DeviceRequest[], from: string[]): string[] =>
	deviceEdits(requests, from).flatMap(({env}) => env);

test('all that a specification may say is read', (t) => {
	const {kind, edits, devices} = parseSpecification(
		'x.yaml',
		`cdiVersion: 0.8.0
kind: vendor.com/net
annotations: {ignored: "yes"}
devices:
- name: eth_0.1:a
  containerEdits:
    deviceNodes:
    - path: /dev/a
    - {path: /dev/b, hostPath: /dev/c, type: c, major: 1, minor: 2, fileMode: 0640, permissions: rw, uid: 3, gid: 4}
containerEdits:
  env:
  - A=b=c
  mounts:
  - hostPath: /usr/lib/x
    containerPath: /lib/x
    options: [ro, nosuid, rbind]
  hooks:
  - hookName: createContainer
    path: /usr/bin/hook
    args: [hook, --now]
    env: [X=1]
    timeout: 3
  additionalGids: [5, 6]
`,
	);
	t.is(kind, 'vendor.com/net');
	t.deepEqual(edits, {
		env: ['A=b=c'],
		deviceNodes: [],
		mounts: [
			{hostPath: '/usr/lib/x', containerPath: '/lib/x', type: 'bind', options: ['ro', 'nosuid', 'rbind']},
		],
		hooks: [
			{
				name: 'createContainer',
				hook: {path: '/usr/bin/hook', args: ['hook', '--now'], env: ['X=1'], timeout: 3},
			},
		],
		additionalGids: [5, 6],
	});
	const absent = {type: undefined, major: undefined, minor: undefined, fileMode: undefined};
	t.deepEqual(devices.get('eth_0.1:a')?.deviceNodes, [
		{path: '/dev/a', hostPath: '/dev/a', permissions: 'rwm', uid: undefined, gid: undefined, ...absent},
		{
			...{path: '/dev/b', hostPath: '/dev/c', type: 'c', major: 1, minor: 2, fileMode: 0o640},
			...{permissions: 'rw', uid: 3, gid: 4},
		},
	]);
});

const wrong = (fields: object): string =>
	JSON.stringify({cdiVersion: '0.5.0', kind: 'a.b/c', devices: [], ...fields});
const edit = (edits: object): string => wrong({containerEdits: edits});

for (const [text, message] of [
	['[]', 'a mapping was expected'],
	['{}', 'cdiVersion: a text was expected'],
	[wrong({cdiVersion: '7.0.0'}), 'version 7.0.0 is not known'],
	[wrong({kind: 'nodomain'}), 'invalid kind "nodomain"'],
	[wrong({kind: 'a/b/c'}), 'invalid kind "a/b/c"'],
	[wrong({devices: {}}), 'devices: a list was expected'],
	[wrong({devices: [{name: '-'}]}), 'devices[0]: invalid name "-"'],
	[wrong({devices: [{name: 'x'}, {name: 'x'}]}), 'devices[1]: the device "x" is there twice'],
	[edit({env: ['=x']}), 'containerEdits.env[0]: invalid variable "=x"'],
	[
		edit({deviceNodes: [{path: 'dev/x'}]}),
		'containerEdits.deviceNodes[0].path: "dev/x" is not an absolute path',
	],
	[edit({deviceNodes: [{path: '/dev/x', permissions: 'rx'}]}), /invalid permissions "rx"$/],
	[edit({deviceNodes: [{path: '/dev/x', major: -1}]}), /major: a whole number was expected$/],
	[edit({hooks: [{hookName: 'never', path: '/x'}]}), 'containerEdits.hooks[0]: unknown hook "never"'],
	[edit({hooks: [{hookName: 'poststop', path: 'x'}]}), /"x" is not an absolute path$/],
] as const) {
	test(`the specification ${text} is refused`, (t) => {
		t.throws(() => parseSpecification('x.json', text), {message});
	});
}

test('files that are not sound are left out and named where a device is missing', (t) => {
	const good = specification('a.b/c', ['x', 'X=1']);
	const [folder] = folders(t, {
		...{'bad.json': '{', 'open.yaml': good, 'other.yml': good, 'no.txt': '{'},
		'good.yaml': specification('a.b/d', ['x', 'X=2']),
	}) as [string];
	chmodSync(join(folder, 'open.yaml'), 0o666);
	chownSync(join(folder, 'other.yml'), 1, 1);
	const {found, problems} = readSpecifications([folder, '/no/such/folder']);
	t.deepEqual(
		found.map((each) => each.kind),
		['a.b/d'],
	);
	t.is(problems.length, 3);
	t.true(
		problems.filter((problem) => problem.endsWith("others than root can write it, so it isn't used"))
			.length === 2,
	);
	const error = t.throws(() => deviceEdits([cdi('a.b/c=x', 'a.b/d=x', 'a.b/d=y')], [folder]));
	t.regex(
		error.message,
		/^CDI device injection failed: unresolvable CDI devices a\.b\/c=x, a\.b\/d=y \(looked for in /,
	);
	t.true(error.message.includes(join(folder, 'bad.json')));
});

test('edits of all devices come once, the last folder wins, twice in one is a conflict', (t) => {
	const from = folders(
		t,
		{'a.yaml': specification('v.x/c', ['1', 'A=low'], ['2', 'B=low'])},
		{'a.yaml': specification('v.x/c', ['1', 'A=high']), 'b.yaml': specification('v.x/d', ['1', 'D=1'])},
	);
	t.deepEqual(variables([cdi('v.x/c=1', 'v.x/c=1'), cdi('v.x/d=1')], from), [
		...['ALL=v.x/c', 'A=high', 'ALL=v.x/d', 'D=1'],
	]);
	t.true(variables([cdi('v.x/c=2')], from).includes('B=low'));
	const twice = folders(t, {
		'a.yaml': specification('v.x/c', ['1', 'A=1']),
		'b.yaml': specification('v.x/c', ['1', 'A=2']),
	});
	t.throws(() => deviceEdits([cdi('v.x/c=1')], twice), {
		message:
			/^CDI device injection failed: conflicting device "v\.x\/c=1" \(specs ".*a\.yaml", ".*b\.yaml"\)$/,
	});
});

test('--gpus stands for the devices of a GPU vendor', (t) => {
	const from = folders(t, {
		'n.yaml': specification('nvidia.com/gpu', ['0', 'N=0'], ['1', 'N=1'], ['GPU-5', 'N=5'], ['all', 'N=all']),
		'a.yaml': specification('amd.com/gpu', ['0', 'AMD=0'], ['1', 'AMD=1']),
	});
	const devices = (more: Partial<DeviceRequest>): string[] =>
		variables([gpus(more)], from).filter((text) => !text.startsWith('ALL='));
	t.deepEqual(devices({Count: -1}), ['N=all']);
	t.deepEqual(devices({Count: 2}), ['N=0', 'N=1']);
	t.deepEqual(devices({DeviceIDs: ['GPU-5', '1']}), ['N=5', 'N=1']);
	t.deepEqual(devices({Driver: 'amd', Count: -1}), ['AMD=0', 'AMD=1']);
	t.throws(() => devices({Count: 3}), {message: /^3 GPUs were asked for, but nvidia\.com\/gpu has 2 /});
	t.throws(() => devices({Driver: 'intel', Count: 1}), {
		message:
			/^could not select device driver "intel" with capabilities: \[\[gpu\]\]: there is no CDI specification of GPUs /,
	});
	t.throws(() => deviceEdits([gpus({Count: -1})], folders(t, {})), {
		message:
			/^could not select device driver "" with capabilities: \[\[gpu\]\]: there is no CDI specification/,
	});
});

test('folders are those of the specification unless the environment has others', (t) => {
	t.deepEqual(cdiFolders({}), ['/etc/cdi', '/var/run/cdi']);
	t.deepEqual(cdiFolders({WHERRY_CDI_DIRS: '/a::/b'}), ['/a', '/b']);
});

test('a container gets the node, the variables, the mount, the groups and the hook of its device', async (t) => {
	const [folder, shared] = folders(t, {}, {text: 'from the vendor\n'}) as [string, string];
	// One that no container has by itself, and that opening does nothing to.
	const device = ['/dev/loop-control', '/dev/fuse', '/dev/userfaultfd'].find((path) => existsSync(path));
	const log = join(shared, 'hooks');
	writeFileSync(
		join(folder, 'vendor.yaml'),
		`cdiVersion: 0.5.0
kind: vendor.com/thing
devices:
- name: one
  containerEdits:
    env: [THING=one]
    deviceNodes:
    - path: /dev/vendor/thing
      hostPath: ${device}
      permissions: r
    mounts:
    - {hostPath: ${shared}/text, containerPath: /opt/text, options: [ro, bind]}
    hooks:
    - hookName: createContainer
      path: /bin/sh
      args: [sh, -c, "cat >> ${log}; echo >> ${log}"]
    - {hookName: createRuntime, path: /bin/sh, args: [sh, -c, "echo $KIND runtime >> ${log}.runtime"], env: [KIND=a]}
    additionalGids: [4321]
`,
		{mode: 0o644},
	);
	process.env.WHERRY_CDI_DIRS = folder;
	const own = await testEngine();
	t.teardown(() => own.close());
	const script = `echo $THING; cat /opt/text; id -G
(exec 3</dev/vendor/thing) && echo reading; (exec 3>/dev/vendor/thing) 2>/dev/null || echo no writing
(echo x >/opt/text) 2>/dev/null || echo no writing`;
	const hostConfig = {DeviceRequests: [cdi('vendor.com/thing=one')]};
	const {stdout, stderr} = await runToEnd(own.engine, ['sh', '-c', script], {hostConfig});
	t.is(stdout, 'one\nfrom the vendor\n0 4321\nreading\nno writing\nno writing\n', stderr);
	const state = JSON.parse(readFileSync(log, 'utf8'));
	t.is(state.status, 'creating');
	t.is(readFileSync(`${log}.runtime`, 'utf8'), 'a runtime\n');

	const up = await runDetached(own.engine, ['sleep', '1000'], {hostConfig});
	const session = await own.engine.containers.exec(up, {
		argv: ['sh', '-c', 'id -G; echo $THING'],
		stdout: true,
	});
	t.is(await textOf(session.stdout), '0 4321\none\n');

	// What is missing at a start is said then, and the container stays.
	const {id} = await own.engine.containers.create({
		image: 'wherry/base',
		config: {Cmd: ['true']},
		hostConfig: {NetworkMode: 'none', DeviceRequests: [cdi('vendor.com/thing=two')]},
	});
	await t.throwsAsync(own.engine.containers.start(id), {
		message: /CDI device injection failed: unresolvable CDI devices vendor\.com\/thing=two/,
	});
	t.is((await own.engine.containers.inspect(id)).State.Status, 'created');
});
