import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {Ajv} from 'ajv';
import test from 'ava';
import type {ContainerConfig, HostConfig} from '../../../src/engine/api.ts';
import {completeHostConfig} from '../../../src/engine/containers/host-config.ts';
import {buildSpec, checkSysctls, type SpecHost, type SpecInput} from '../../../src/engine/containers/spec.ts';
import {parseSecurityOptions} from '../../../src/engine/security/options.ts';
import {cgroupLayout} from '../../../src/runtime/cgroups/layout.ts';
import {cgroupOps} from '../../../src/runtime/cgroups/ops.ts';
import {compileContainer, compileExec} from '../../../src/runtime/compile.ts';
import {parseMountOptions} from '../../../src/runtime/mounts.ts';
import type {Spec} from '../../../src/runtime/oci.ts';
import type {Plan} from '../../../src/runtime/plan/encode.ts';
import {printPlan} from '../../../src/runtime/plan/print.ts';
import {defaultSeccomp} from '../../../src/runtime/seccomp/default-profile.ts';

const config: ContainerConfig = {
	Hostname: 'box',
	Domainname: '',
	User: '',
	AttachStdin: false,
	AttachStdout: true,
	AttachStderr: true,
	Tty: false,
	OpenStdin: false,
	StdinOnce: false,
	Env: ['PATH=/bin', 'A=1', 'A=2'],
	Cmd: ['sh'],
	Image: 'x',
	Volumes: null,
	WorkingDir: '/srv',
	Entrypoint: null,
	Labels: {},
};

const hostConfig: HostConfig = completeHostConfig({NetworkMode: 'none'});

const host: SpecHost = {
	cgroupVersion: 2,
	arch: 'x64',
	kernel: [6, 1],
	lastCapability: 40,
	devices: () => [{path: '/dev/vda', type: 'b', major: 254, minor: 0}],
	device: (path) =>
		path === '/dev/fuse'
			? [{path, type: 'c', major: 10, minor: 229}]
			: path === '/etc/passwd'
				? []
				: undefined,
	deviceNumbers: (path) => (path === '/dev/vda' ? {major: 254, minor: 0} : undefined),
	thermalThrottle: () => [0],
	defaultSeccomp,
};

const id = 'ab'.repeat(32);

function input(
	changes: {config?: Partial<ContainerConfig>; hostConfig?: Partial<HostConfig>} = {},
): SpecInput {
	return {
		id,
		config: {...config, ...changes.config},
		hostConfig: {...hostConfig, ...changes.hostConfig},
		mounts: [
			{Type: 'bind', Source: '/srv/a', Destination: '/mnt/a/b', Mode: '', RW: false, Propagation: 'rprivate'},
			{Type: 'tmpfs', Source: '', Destination: '/mnt', Mode: 'size=1m', RW: true, Propagation: ''},
		],
		files: {hostname: '/c/hostname', hosts: '/c/hosts', resolvConf: '/c/resolv.conf'},
		init: '/lib/wherry-init',
		rootPath: 'rootfs',
		joined: {},
	};
}

const v2Layout = cgroupLayout('30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n', (path) =>
	path.endsWith('controllers') || path.endsWith('subtree_control')
		? 'cpuset cpu io memory pids'
		: path === '/proc/self/cgroup'
			? '0::/'
			: '',
);

function plan(changes: Parameters<typeof input>[0] = {}): string {
	return printPlan(compiled(buildSpec(input(changes), host), changes.config?.User));
}

function compiled(spec: Spec, user = ''): Plan {
	const {monitor} = compileContainer({
		spec,
		root: {kind: 'overlay', lowers: ['/l/2/fs', '/l/1/fs'], upper: '/c/upper', work: '/c/work'},
		user: {spec: user, groups: []},
		seccomp: spec.linux?.seccomp ? Buffer.alloc(8) : undefined,
		cgroups: cgroupOps(v2Layout, id, spec.linux!.resources!),
		cgroupVersion: 2,
		hasKcore: true,
		settings: {
			id,
			'run-dir': '/r',
			mountpoint: '/m',
			'state-file': '/c/state.json',
			'log-driver': 'json-file',
			'log-file': '/c/log',
			'log-max-size': '1',
			'log-max-files': '1',
			'open-stdin': '0',
			'stdin-once': '0',
			'restart-policy': 'no',
			'restart-max': '0',
			'restart-count': '0',
			'stop-signal': '15',
			'stop-timeout': '10',
			'events-file': '/e',
			'auto-remove': '0',
		},
		stop: [{op: 'removeTree', path: '/r'}],
	});
	return monitor;
}

test('the default container: its spec and its plan', (t) => {
	const spec = buildSpec(input(), host);
	t.snapshot({...spec, linux: {...spec.linux, seccomp: spec.linux?.seccomp?.syscalls?.length}});
	t.snapshot(plan());
});

test('a privileged one with a terminal has all devices and no masks, and its cgroups can be written', (t) => {
	const text = plan({config: {Tty: true}, hostConfig: {Privileged: true}});
	t.regex(text, /mknod path=\/dev\/vda/);
	t.regex(text, /console rows=24 columns=80/);
	t.notRegex(text, /\bmask path|readonly path|seccomp|fstype=sysfs [^\n]*flags=15\b/);
	t.regex(text, /effective=0x1ffffffffff/);
});

test('filters stand before the ids unless no-new-privileges is asked for', (t) => {
	const order = (text: string): string[] =>
		[...text.matchAll(/^ +\d+ (seccomp|ids|capabilities|noNewPrivileges|exec)\b/gm)].map(([, name]) => name!);
	t.deepEqual(order(plan()), ['seccomp', 'ids', 'capabilities', 'exec']);
	t.deepEqual(order(plan({hostConfig: {SecurityOpt: ['no-new-privileges']}})), [
		'ids',
		'capabilities',
		'noNewPrivileges',
		'seccomp',
		'exec',
	]);
});

test('an exec joins the namespaces that the container has, with its environment', (t) => {
	const spec = buildSpec(input({hostConfig: {PidMode: 'host'}}), host);
	const exec = compileExec({
		spec,
		cgroups: {execJoin: ['/sys/fs/cgroup/wherry/x/cgroup.procs']},
		user: {spec: 'app', groups: []},
		argv: ['id'],
		env: ['B=1', 'A=3'],
		cwd: undefined,
		tty: false,
		rows: 24,
		columns: 80,
		seccomp: undefined,
		capabilities: spec.process!.capabilities!.bounding!,
	});
	t.snapshot(printPlan(exec));
});

test('options of mounts become flags, propagation and data', (t) => {
	t.deepEqual(parseMountOptions(['rbind', 'ro', 'rslave', 'size=1k', 'nodev', 'dev']), {
		flags: 4096 | 16384 | 1,
		propagation: (1 << 19) | 16384,
		data: 'size=1k',
	});
});

test('a device that is not there is named', (t) => {
	const Devices = [{PathOnHost: '/dev/nothing', PathInContainer: '/dev/x', CgroupPermissions: 'rwm'}];
	t.throws(() => buildSpec(input({hostConfig: {Devices}}), host), {
		message: /custom device "\/dev\/nothing": no such file/,
	});
	const file = [{...Devices[0]!, PathOnHost: '/etc/passwd'}];
	t.throws(() => buildSpec(input({hostConfig: {Devices: file}}), host), {
		message: /custom device "\/etc\/passwd": not a device node/,
	});
});

test('a device gets its node under its new name and its rule', (t) => {
	const Devices = [{PathOnHost: '/dev/fuse', PathInContainer: '/dev/f', CgroupPermissions: 'r'}];
	const spec = buildSpec(input({hostConfig: {Devices}}), host);
	t.deepEqual(spec.linux!.devices, [{path: '/dev/f', type: 'c', major: 10, minor: 229}]);
	t.deepEqual(spec.linux!.resources!.devices!.at(-1), {
		allow: true,
		type: 'c',
		major: 10,
		minor: 229,
		access: 'r',
	});
});

for (const [sysctl, value, expected] of [
	['kernel.core_pattern', '|/x', /not in a separate kernel namespace/],
	['net.ipv4.ip_forward', '1\nkernel.core_pattern=x', /not allowed/],
	['net/ipv4/../../kernel/core_pattern', 'x', /not allowed/],
] as const) {
	test(`the sysctl ${sysctl} with ${JSON.stringify(value)} is refused`, (t) => {
		t.throws(() => checkSysctls({...hostConfig, Sysctls: {[sysctl]: value}}), {message: expected});
	});
}

test("security options that are not known are refused in docker's words", (t) => {
	for (const [option, which] of [
		['foo=bar', 2],
		['foo', 1],
		['seccomp', 1],
		['systempaths=on', 2],
		['no-new-privileges:', 2],
		['no-new-privileges=maybe', 2],
	] as const) {
		t.throws(() => parseSecurityOptions([option]), {message: `invalid --security-opt ${which}: "${option}"`});
	}
	const given = (...options: string[]) => parseSecurityOptions(options);
	t.deepEqual(
		['no-new-privileges', 'no-new-privileges:true', 'no-new-privileges=1', 'no-new-privileges=false'].map(
			(option) => given(option).noNewPrivileges,
		),
		[true, true, true, false],
	);
	t.deepEqual(given('label:disable', 'label=type:x_t', 'disable').labels, ['disable', 'type:x_t', 'disable']);
	t.is(given('apparmor=mine').apparmor, 'mine');
	t.is(given('seccomp:unconfined').seccomp, 'unconfined');
	t.false(given('systempaths=unconfined').systemPaths);
});

test('limits of block devices are by their numbers, and a device that is not there is said', (t) => {
	const {blockIO} = buildSpec(
		input({
			hostConfig: {
				BlkioWeightDevice: [{Path: '/dev/vda', Weight: 500}],
				BlkioDeviceReadBps: [{Path: '/dev/vda', Rate: 1024}],
				BlkioDeviceWriteIOps: [{Path: '/dev/vda', Rate: 9}],
			},
		}),
		host,
	).linux!.resources!;
	t.deepEqual(blockIO, {
		weightDevice: [{major: 254, minor: 0, weight: 500}],
		throttleReadBpsDevice: [{major: 254, minor: 0, rate: 1024}],
		throttleWriteIOPSDevice: [{major: 254, minor: 0, rate: 9}],
	});
	t.throws(() => buildSpec(input({hostConfig: {BlkioDeviceReadIOps: [{Path: '/dev/no', Rate: 1}]}}), host), {
		message: 'stat /dev/no: no such file or directory',
	});
});

test('a cgroup parent is where the user says, and never outside', (t) => {
	const path = (CgroupParent: string) =>
		buildSpec(input({hostConfig: {CgroupParent}}), host).linux!.cgroupsPath;
	t.is(path(''), `/wherry/${id}`);
	t.is(path('/a/b/'), `/a/b/${id}`);
	t.is(path('a'), `/a/${id}`);
	t.is(path('../../../x/../y'), `/y/${id}`);
	t.is(path('user-app.slice'), `/user.slice/user-app.slice/${id}`);
	t.throws(() => path('user--x.slice'), {message: /invalid slice name/});
});

test("labels and the profile of the kernel's modules stand before anything that could forbid to set them", (t) => {
	const spec = buildSpec(
		{
			...input(),
			grants: {apparmor: 'wherry-default', edits: []},
			labels: {process: 'u:r:t:s0:c1,c2', mount: 'u:o:f:s0:c1,c2'},
		},
		host,
	);
	const text = printPlan(compiled(spec));
	t.regex(
		text,
		/securityLabel files=\[attr\/apparmor\/exec attr\/exec\] value="exec wherry-default"\n.*securityLabel files=\[attr\/exec\] value=u:r:t:s0:c1,c2\n.* user /,
	);
	t.regex(text, /overlayRoot [^\n]*context=\\?"u:o:f:s0:c1,c2/);
	t.regex(text, /fstype=tmpfs source=tmpfs target=\/dev [^\n]*context=\\?"u:o:f:s0:c1,c2/);
	t.notRegex(text, /fstype=proc [^\n]*context/);
});

test('what a device of the Container Device Interface needs is there', (t) => {
	const node = {permissions: 'rw', type: undefined, major: undefined, minor: undefined, fileMode: undefined};
	const spec = buildSpec(
		{
			...input({config: {User: '1000'}}),
			grants: {
				apparmor: '',
				edits: [
					{
						env: ['A=3', 'VENDOR=1'],
						deviceNodes: [
							{...node, path: '/dev/v0', hostPath: '/dev/fuse', uid: undefined, gid: 5},
							{
								...node,
								path: '/dev/v1',
								hostPath: '/dev/v1',
								type: 'c',
								major: 9,
								minor: 8,
								uid: 7,
								gid: undefined,
							},
						],
						mounts: [{hostPath: '/usr/lib/v', containerPath: '/usr/lib/v', type: 'bind', options: ['ro']}],
						hooks: [{name: 'createContainer', hook: {path: '/bin/hook', args: ['hook', 'x']}}],
						additionalGids: [44],
					},
				],
			},
		},
		host,
	);
	t.deepEqual(
		spec.process!.env!.filter((entry) => /^(A|VENDOR)=/.test(entry)),
		['A=3', 'VENDOR=1'],
	);
	t.deepEqual(spec.linux!.devices, [
		{type: 'c', path: '/dev/v0', major: 10, minor: 229, uid: 1000, gid: 5},
		{type: 'c', path: '/dev/v1', major: 9, minor: 8, uid: 7},
	]);
	t.deepEqual(
		spec.linux!.resources!.devices!.slice(-2).map(({major, minor, access}) => [major, minor, access]),
		[
			[10, 229, 'rw'],
			[9, 8, 'rw'],
		],
	);
	t.deepEqual(spec.mounts!.find(({destination}) => destination === '/usr/lib/v')?.options, ['rbind', 'ro']);
	t.deepEqual(spec.hooks, {createContainer: [{path: '/bin/hook', args: ['hook', 'x']}]});
	t.deepEqual(spec.process!.user.additionalGids, [44]);
});

const schemas = new URL('../../../../shared/reference/schemas/runtime-spec/', import.meta.url);
const schemaTest = existsSync(schemas) ? test : undefined;
schemaTest?.('config.json is valid by the runtime specification', (t) => {
	const ajv = new Ajv({strict: false, validateFormats: false});
	// Their draft-04 identifiers are dropped: references are by file name.
	const read = (name: string): object => ({
		...JSON.parse(readFileSync(new URL(name, schemas), 'utf8')),
		$schema: undefined,
		id: undefined,
	});
	for (const name of readdirSync(schemas)) if (name !== 'config-schema.json') ajv.addSchema(read(name), name);
	const validate = ajv.compile(read('config-schema.json'));
	const spec = buildSpec(
		input({hostConfig: {Memory: 64 << 20, PidsLimit: 5, Ulimits: [{Name: 'nofile', Soft: 1, Hard: 2}]}}),
		host,
	);
	t.true(validate(JSON.parse(JSON.stringify(spec))), JSON.stringify(validate.errors));
});
