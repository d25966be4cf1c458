import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {Ajv} from 'ajv';
import test from 'ava';
import type {ContainerConfig, HostConfig} from '../../../src/engine/api.ts';
import {completeHostConfig} from '../../../src/engine/containers/host-config.ts';
import {
	buildSpec,
	checkSysctls,
	parseSecurityOptions,
	type SpecHost,
	type SpecInput,
} from '../../../src/engine/containers/spec.ts';
import {cgroupLayout} from '../../../src/runtime/cgroups/layout.ts';
import {cgroupOps} from '../../../src/runtime/cgroups/ops.ts';
import {compileContainer, compileExec, parseMountOptions} from '../../../src/runtime/compile.ts';
import {printPlan} from '../../../src/runtime/plan/print.ts';

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
	device: (path) => (path === '/dev/fuse' ? [{path, type: 'c', major: 10, minor: 229}] : []),
	thermalThrottle: () => [0],
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
	const spec = buildSpec(input(changes), host);
	const {monitor} = compileContainer({
		spec,
		root: {kind: 'overlay', lowers: ['/l/2/fs', '/l/1/fs'], upper: '/c/upper', work: '/c/work'},
		user: {spec: changes.config?.User ?? '', groups: []},
		seccomp: spec.linux?.seccomp ? Buffer.alloc(8) : undefined,
		cgroups: cgroupOps(v2Layout, id, spec.linux!.resources!),
		cgroupVersion: 2,
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
	return printPlan(monitor);
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

test('security options that are not known are refused, and those without a meaning here too', (t) => {
	t.throws(() => parseSecurityOptions(['foo=bar']), {message: 'invalid --security-opt 2: "foo=bar"'});
	t.throws(() => parseSecurityOptions(['seccomp']), {message: 'invalid --security-opt 1: "seccomp"'});
	t.throws(() => parseSecurityOptions(['apparmor=mine']), {message: /not supported yet/});
	t.true(parseSecurityOptions(['no-new-privileges:true']).noNewPrivileges);
	t.false(parseSecurityOptions(['no-new-privileges=false']).noNewPrivileges);
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
