import test from 'ava';
import type {ContainerConfig, ImageConfig} from '../../../src/engine/api.ts';
import {checkConfig, mergeConfig} from '../../../src/engine/containers/config.ts';
import {checkHostConfig, completeHostConfig} from '../../../src/engine/containers/host-config.ts';
import {signalNumber} from '../../../src/engine/containers/signals.ts';

const merge = (user: Partial<ContainerConfig>, image: ImageConfig) => mergeConfig(user, image, 'an/image');

test('a command replaces the image’s command and keeps its entry point', (t) => {
	const image = {Entrypoint: ['/entry'], Cmd: ['image']};
	t.like(merge({}, image), {Entrypoint: ['/entry'], Cmd: ['image']});
	t.like(merge({Cmd: ['user']}, image), {Entrypoint: ['/entry'], Cmd: ['user']});
});

test('an entry point drops the image’s command, and an empty one means none', (t) => {
	const image = {Entrypoint: ['/entry'], Cmd: ['image']};
	t.like(merge({Entrypoint: ['/mine']}, image), {Entrypoint: ['/mine'], Cmd: null});
	t.like(merge({Entrypoint: ['/mine'], Cmd: ['x']}, image), {Entrypoint: ['/mine'], Cmd: ['x']});
	t.like(merge({Entrypoint: ['']}, image), {Entrypoint: null, Cmd: null});
	t.like(merge({Entrypoint: [''], Cmd: ['x']}, image), {Entrypoint: null, Cmd: ['x']});
});

test('variables of the user come first, then those of the image that he has not set', (t) => {
	const {Env} = merge({Env: ['A=user', 'C']}, {Env: ['PATH=/bin', 'A=image', 'C=image', 'B=image']});
	t.deepEqual(Env, ['A=user', 'C', 'PATH=/bin', 'B=image']);
});

test('labels, ports and volumes are united, and single values are the user’s first', (t) => {
	const config = merge(
		{Labels: {a: 'user'}, ExposedPorts: {'80/tcp': {}}, Volumes: {'/u': {}}, WorkingDir: '/w', User: ''},
		{
			Labels: {a: 'image', b: 'image'},
			ExposedPorts: {'53/udp': {}},
			Volumes: {'/i': {}},
			WorkingDir: '/i',
			User: 'nobody',
			StopSignal: 'SIGQUIT',
		},
	);
	t.deepEqual(config.Labels, {a: 'user', b: 'image'});
	t.deepEqual(Object.keys(config.ExposedPorts!).sort(), ['53/udp', '80/tcp']);
	t.deepEqual(Object.keys(config.Volumes!).sort(), ['/i', '/u']);
	t.is(config.WorkingDir, '/w');
	t.is(config.User, 'nobody');
	t.is(config.StopSignal, 'SIGQUIT');
});

test('a configuration that can’t run is refused in docker’s words', (t) => {
	const refused = (user: Partial<ContainerConfig>, message: string | RegExp) =>
		t.throws(() => checkConfig(merge({Cmd: ['x'], ...user}, {})), {message, code: 'invalid'});
	refused({Cmd: []}, 'no command specified');
	refused({WorkingDir: 'rel'}, "the working directory 'rel' is invalid, it needs to be an absolute path");
	refused({Env: ['=x']}, 'invalid environment variable: =x');
	refused({StopSignal: 'NOPE'}, 'invalid signal: NOPE');
	refused({Hostname: 'x'.repeat(65)}, /^invalid hostname/);
	refused({Cmd: ['a\0b']}, /NUL/);
});

test('signals are known by name and number', (t) => {
	t.is(signalNumber('SIGTERM'), 15);
	t.is(signalNumber('term'), 15);
	t.is(signalNumber('9'), 9);
	t.is(signalNumber('RTMIN+3'), 37);
	t.is(signalNumber('SIGRTMAX-1'), 63);
	for (const bad of ['', '0', 'SIGNONE', 'RTMIN+99']) {
		t.throws(() => signalNumber(bad), {message: `invalid signal: ${bad}`});
	}
	for (const unknown of ['65', '-1']) {
		t.throws(() => signalNumber(unknown), {message: `the linux daemon does not support signal ${unknown}`});
	}
});

test('a host configuration that contradicts itself or the engine is refused', (t) => {
	type Host = Parameters<typeof completeHostConfig>[0];
	const refused = (host: Host, message: string | RegExp, user: Partial<ContainerConfig> = {}) =>
		t.throws(() => checkHostConfig(user, completeHostConfig(host)), {message}, JSON.stringify(host));
	refused(
		{AutoRemove: true, RestartPolicy: {Name: 'always', MaximumRetryCount: 0}},
		"can't create 'AutoRemove' container with restart policy",
	);
	refused(
		{RestartPolicy: {Name: 'sometimes' as 'always', MaximumRetryCount: 0}},
		"invalid restart policy: unknown policy 'sometimes'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
	);
	refused(
		{RestartPolicy: {Name: 'always', MaximumRetryCount: 3}},
		"invalid restart policy: maximum retry count can only be used with 'on-failure'",
	);
	refused(
		{LogConfig: {Type: 'syslog', Config: {}}},
		/error looking up logging plugin syslog: plugin "syslog" not found/,
	);
	refused(
		{LogConfig: {Type: 'json-file', Config: {nonsense: '1'}}},
		"unknown log opt 'nonsense' for json-file log driver",
	);
	refused(
		{LogConfig: {Type: 'json-file', Config: {'max-file': '0'}}},
		'failed to initialize logging driver: max-file cannot be less than 1',
	);
	refused({Dns: ['nobody']}, /^invalid DNS server: nobody/);
	refused({NetworkMode: 'container:x'}, 'conflicting options: hostname and the network mode', {
		Hostname: 'h',
	});
	refused({UTSMode: 'host'}, 'conflicting options: hostname and the UTS mode', {Hostname: 'h'});
	refused({IpcMode: 'nonsense'}, 'invalid IPC mode: nonsense');
	refused({PidMode: 'nonsense'}, 'invalid PID mode: nonsense');
	refused({Runtime: 'nonsense'}, 'unknown or invalid runtime name: nonsense');
	refused({ShmSize: -1}, 'SHM size can not be less than 0');
});

test('a network that nobody chose is the default bridge', (t) => {
	for (const host of [{}, {NetworkMode: ''}, {NetworkMode: 'default'}]) {
		t.is(completeHostConfig(host).NetworkMode, 'bridge');
	}
});
