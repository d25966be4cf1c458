import {spawnSync} from 'node:child_process';
import {chmodSync, existsSync, globSync, mkdirSync, readFileSync, rmdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import type {Hook} from '../../src/runtime/oci.ts';
import {Runtime} from './bundle.ts';

test('a container is created, started, looked at, signalled and deleted', async (t) => {
	const runtime = new Runtime(t);
	const bundle = runtime.bundle(
		'b',
		['sh', '-c', 'trap "exit 3" TERM; echo up >/up; while :; do sleep 0.1; done'],
		(spec) => {
			spec.root!.readonly = false;
			spec.annotations = {'org.example.key': 'value'};
		},
	);
	const pidFile = join(runtime.folder, 'pid');
	runtime.output('create', '--bundle', bundle, '--pid-file', pidFile, 'one');
	const created = runtime.state('one');
	t.is(created.status, 'created');
	t.is(created.bundle, bundle);
	t.deepEqual(created.annotations, {'org.example.key': 'value'});
	t.is(readFileSync(pidFile, 'utf8'), String(created.pid));
	t.false(existsSync(join(bundle, 'rootfs/up')));
	t.regex(runtime.call('create', '--bundle', bundle, 'one').stderr, /container with id exists: one/);

	runtime.output('start', 'one');
	t.is(runtime.state('one').status, 'running');
	t.regex(runtime.call('start', 'one').stderr, /cannot start an already running container/);
	t.regex(runtime.call('delete', 'one').stderr, /cannot delete container one that is not stopped: running/);
	while (!existsSync(join(bundle, 'rootfs/up'))) await sleep(10);

	t.is(
		runtime.output(
			'exec',
			'--env',
			'A=b',
			'--user',
			'5:6',
			'--cwd',
			'/bin',
			'one',
			'sh',
			'-c',
			'echo $A $PWD; id -u; id -g',
		),
		'b /bin\n5\n6',
	);
	t.is(runtime.call('exec', 'one', 'sh', '-c', 'exit 7').status, 7);
	const missing = runtime.call('exec', 'one', 'no-such-command');
	t.is(missing.status, 127);
	t.regex(missing.stderr, /"no-such-command": executable file not found in \$PATH/);
	t.true((JSON.parse(runtime.output('ps', '--format', 'json', 'one')) as number[]).includes(created.pid));

	runtime.output('pause', 'one');
	t.is(runtime.state('one').status, 'paused');
	runtime.output('resume', 'one');
	t.is(runtime.state('one').status, 'running');
	t.regex(runtime.output('list'), /^ID +PID +STATUS +BUNDLE +CREATED +OWNER\none +\d+ +running /);

	runtime.output('kill', 'one', 'TERM');
	while (runtime.state('one').status !== 'stopped') await sleep(20);
	t.is(runtime.state('one').pid, 0);
	t.regex(runtime.call('kill', 'one').stderr, /container not running/);
	runtime.output('delete', 'one');
	t.regex(runtime.call('state', 'one').stderr, /container "one" does not exist/);
	t.is(runtime.output('list', '-q'), '');
});

test('run ends with the exit status of the command and leaves nothing', (t) => {
	const runtime = new Runtime(t);
	const bundle = runtime.bundle('b', ['sh', '-c', 'echo out; echo err >&2; exit 5']);
	const {status, stdout, stderr} = runtime.call('run', '--bundle', bundle, 'two');
	t.deepEqual([status, stdout, stderr], [5, 'out\n', 'err\n']);
	t.is(runtime.output('list', '-q'), '');
	const missing = runtime.bundle('missing', ['/no/such/file']);
	t.is(runtime.call('run', '--bundle', missing, 'two').status, 127);
	t.is(runtime.output('list', '-q'), '');
});

test('hooks run in their order, with the state on stdin, and one that fails before the start ends it', (t) => {
	const runtime = new Runtime(t);
	const log = join(runtime.folder, 'log');
	const script = join(runtime.folder, 'hook');
	writeFileSync(script, `#!/bin/sh\necho "$1 $VALUE $(readlink /proc/self/ns/mnt) $(cat)" >>${log}\n`);
	chmodSync(script, 0o755);
	const hook = (name: string): Hook[] => [
		{path: script, args: ['hook', name], env: ['VALUE=v', 'PATH=/bin:/usr/bin']},
	];
	const bundle = runtime.bundle('b', ['sleep', '1000'], (spec) => {
		spec.hooks = {
			prestart: hook('prestart'),
			createRuntime: hook('createRuntime'),
			createContainer: hook('createContainer'),
			startContainer: [{path: '/bin/sh', args: ['sh', '-c', 'cat >/state']}],
			poststart: hook('poststart'),
			poststop: hook('poststop'),
		};
		spec.root!.readonly = false;
	});
	runtime.output('create', '--bundle', bundle, 'three');
	const {pid} = runtime.state('three');
	t.false(existsSync(join(bundle, 'rootfs/state')));
	runtime.output('start', 'three');
	runtime.output('delete', '--force', 'three');
	const lines = readFileSync(log, 'utf8')
		.trim()
		.split('\n')
		.map((line) => {
			const [name, value, namespace] = line.split(' ', 3);
			return {name, value, namespace, state: JSON.parse(line.slice(line.indexOf('{')))};
		});
	t.deepEqual(
		lines.map(({name, value, state}) => [name, value, state.status, state.pid]),
		[
			['prestart', 'v', 'creating', pid],
			['createRuntime', 'v', 'creating', pid],
			['createContainer', 'v', 'creating', pid],
			['poststart', 'v', 'running', pid],
			['poststop', 'v', 'stopped', 0],
		],
	);
	t.true(lines.every(({state}) => state.id === 'three' && state.bundle === bundle));
	t.is(lines[0]!.namespace, lines[1]!.namespace);
	t.not(lines[2]!.namespace, lines[1]!.namespace);
	t.like(JSON.parse(readFileSync(join(bundle, 'rootfs/state'), 'utf8')), {
		id: 'three',
		pid,
		status: 'created',
	});

	const bad = runtime.bundle('bad', ['sleep', '1000'], (spec) => {
		spec.hooks = {createRuntime: [{path: '/bin/sh', args: ['sh', '-c', 'echo no such luck; exit 9']}]};
	});
	t.regex(
		runtime.call('create', '--bundle', bad, 'four').stderr,
		/hook \/bin\/sh: exit status 9: no such luck/,
	);
	const slow = runtime.bundle('slow', ['sleep', '1000'], (spec) => {
		spec.hooks = {createContainer: [{path: '/bin/sleep', args: ['sleep', '100'], timeout: 1}]};
	});
	t.regex(
		runtime.call('create', '--bundle', slow, 'four').stderr,
		/hook \/bin\/sleep: not done after 1 seconds/,
	);
	t.is(runtime.output('list', '-q'), '');
});

test('user and time namespaces, id maps, limits and priorities of config.json are what the process has', (t) => {
	const runtime = new Runtime(t);
	const command =
		'cat /proc/self/uid_map /proc/self/timens_offsets; id; cat /proc/self/oom_score_adj; umask; cat /proc/self/sessionid >/dev/null; stat -c %t:%T /dev/null; cat /proc/self/limits';
	const bundle = runtime.bundle('b', ['sh', '-c', command], (spec) => {
		const map = [{containerID: 0, hostID: 300000, size: 1000}];
		spec.linux!.namespaces!.push({type: 'user'}, {type: 'time'});
		spec.linux!.uidMappings = map;
		spec.linux!.gidMappings = map;
		spec.linux!.timeOffsets = {boottime: {secs: 5000}};
		spec.process!.user = {uid: 7, gid: 8, umask: 0o77, additionalGids: [9]};
		spec.process!.oomScoreAdj = 321;
		spec.process!.ioPriority = {class: 'IOPRIO_CLASS_BE', priority: 6};
		spec.process!.scheduler = {policy: 'SCHED_BATCH', nice: 5};
		spec.process!.rlimits = [{type: 'RLIMIT_NOFILE', soft: 77, hard: 88}];
	});
	spawnSync('chown', ['-R', '300000:300000', join(bundle, 'rootfs')]);
	const {stdout, stderr} = runtime.call('run', '--bundle', bundle, 'five');
	t.regex(stdout, /^ +0 +300000 +1000\n/, stderr);
	t.regex(stdout, /boottime +5000 +0/);
	t.regex(stdout, /uid=7 gid=8 groups=9|uid=7 gid=8 groups=8,9/);
	t.regex(stdout, /\n321\n0077\n1:3\n/);
	t.regex(stdout, /Max open files +77 +88 /);
});

test('a bundle that asks for what is impossible is refused before anything is made', (t) => {
	const runtime = new Runtime(t);
	const cases: [string, Parameters<Runtime['bundle']>[2], RegExp][] = [
		['no-args', (spec) => void Object.assign(spec.process!, {args: []}), /args must not be empty/],
		['cwd', (spec) => void Object.assign(spec.process!, {cwd: 'relative'}), /Cwd must be an absolute path/],
		[
			'uts',
			(spec) => void Object.assign(spec.linux!, {namespaces: [{type: 'mount'}, {type: 'pid'}]}),
			/without a private UTS namespace/,
		],
		['twice', (spec) => void spec.linux!.namespaces!.push({type: 'pid'}), /duplicated ns "pid"/],
		[
			'maps',
			(spec) => void Object.assign(spec.linux!, {uidMappings: [{containerID: 0, hostID: 1, size: 1}]}),
			/user namespace/,
		],
		['dots', (spec) => void Object.assign(spec.linux!, {cgroupsPath: '/a/../b'}), /invalid cgroup path/],
		['root', (spec) => void Object.assign(spec.root!, {path: 'nowhere'}), /does not exist/],
		['version', (spec) => void Object.assign(spec, {ociVersion: '2.0.0'}), /unsupported ociVersion/],
	];
	for (const [name, change, message] of cases) {
		const bundle = runtime.bundle(name, ['sh'], change);
		const {status, stderr} = runtime.call('create', '--bundle', bundle, name);
		t.is(status, 1, name);
		t.regex(stderr, message, name);
	}
	t.regex(runtime.call('create', '--bundle', '/nowhere', 'x').stderr, /config\.json not found/);
	t.regex(runtime.call('create', 'a/b').stderr, /invalid container id format: a\/b/);
	t.regex(runtime.call('start', 'none').stderr, /container "none" does not exist/);
	t.regex(runtime.call('nothing').stderr, /no such command: nothing/);
	t.regex(runtime.call('start').stderr, /is used as: wherry oci start ID/);
	t.regex(runtime.call('kill', '--what').stderr, /flag provided but not defined: --what/);
	t.is(runtime.output('list', '-q'), '');
});

test('limits are set in the cgroup that is asked for, and changed while it runs', (t) => {
	const runtime = new Runtime(t);
	const name = `wherry-test-${process.pid}`;
	// What was not there before the container goes with it, but not the folders above it.
	t.teardown(() => {
		for (const folder of globSync(`/sys/fs/cgroup/{*/,}wherry/${name}`)) rmdirSync(folder);
	});
	const bundle = runtime.bundle('b', ['sleep', '1000'], (spec) => {
		spec.linux!.cgroupsPath = `/wherry/${name}/inner`;
		spec.linux!.resources = {memory: {limit: 32 << 20}, pids: {limit: 50}};
	});
	runtime.output('run', '--detach', '--bundle', bundle, 'six');
	const read = (version1: string, version2: string): string => {
		for (const file of [`/sys/fs/cgroup/${version1}`, `/sys/fs/cgroup/wherry/${name}/inner/${version2}`]) {
			if (existsSync(file)) return readFileSync(file, 'utf8').trim();
		}
		return '';
	};
	const memory = () => read(`memory/wherry/${name}/inner/memory.limit_in_bytes`, 'memory.max');
	t.is(memory(), String(32 << 20));
	runtime.output('update', '--memory', '48M', '--pids-limit', '60', 'six');
	t.is(memory(), String(48 << 20));
	t.is(read(`pids/wherry/${name}/inner/pids.max`, 'pids.max'), '60');
	const resources = join(runtime.folder, 'resources.json');
	writeFileSync(resources, JSON.stringify({memory: {limit: 40 << 20}}));
	runtime.output('update', '--resources', resources, 'six');
	t.is(memory(), String(40 << 20));
	runtime.output('delete', '--force', 'six');
	t.is(memory(), '');
});

test('a creator that is killed leaves what delete removes', async (t) => {
	const runtime = new Runtime(t);
	const bundle = runtime.bundle('b', ['sleep', '1000']);
	const folder = join(runtime.env.WHERRY_RUN!, 'oci/half');
	runtime.output('create', '--bundle', bundle, 'half');
	const {pid} = runtime.state('half');
	// As if it had been killed before it could write down the process.
	const file = join(folder, 'state.json');
	const state = JSON.parse(readFileSync(file, 'utf8'));
	writeFileSync(file, JSON.stringify({...state, pid: 0, start: 0}));
	t.is(runtime.state('half').status, 'stopped');
	runtime.output('delete', 'half');
	while (existsSync(`/proc/${pid}/ns`)) await sleep(10);
	t.false(existsSync(folder));
	mkdirSync(folder);
	runtime.output('delete', '--force', 'half');
	t.false(existsSync(folder));
});

test('features and spec are what the specification names', (t) => {
	const runtime = new Runtime(t);
	const features = JSON.parse(runtime.output('features'));
	t.is(features.ociVersionMin, '1.0.0');
	t.true(features.hooks.includes('startContainer'));
	t.true(features.mountOptions.includes('rbind'));
	t.true(features.linux.namespaces.includes('time'));
	runtime.output('spec', '--bundle', runtime.folder);
	t.regex(runtime.call('spec', '--bundle', runtime.folder).stderr, /exists\. Remove it first/);
	t.regex(runtime.output('--version'), /^wherry oci version .*\nspec: 1\./);
	t.regex(runtime.output('--help'), /^Usage: {2}wherry oci/);
});
