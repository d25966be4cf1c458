import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {parseKeyValues} from '../../../src/cli/commands/env-file.ts';
import {parseDevice} from '../../../src/cli/commands/resource-options.ts';
import {createOptions, parsePlatform, parseRestartPolicy} from '../../../src/cli/commands/run-options.ts';
import {parseCommandLine} from '../../../src/cli/parse/command-line.ts';
import {parseMount} from '../../../src/cli/parse/mount.ts';

const options = (...words: string[]) => {
	const {flags, args} = parseCommandLine(['run', ...words]);
	return createOptions(flags, args, {HOME: '/root', FROM_HERE: 'yes'});
};

const message = (action: () => unknown): string => {
	try {
		action();
	} catch (error) {
		return (error as Error).message;
	}
	return 'no error';
};

test('a plain run', (t) => {
	t.snapshot(options('image', 'echo', 'hi'));
});

test('every flag lands where docker puts it', (t) => {
	t.snapshot(
		options(
			...[
				'-it',
				'--rm',
				'--name',
				'web',
				'-h',
				'box',
				'--domainname',
				'example.test',
				'-u',
				'1:2',
				'-w',
				'/srv',
			],
			...['-e', 'A=b', '-e', 'FROM_HERE', '-e', 'NOT_SET', '-l', 'a=b', '-l', 'alone', '--entrypoint', 'sh'],
			...['-m', '64m', '--memory-swap', '-1', '--memory-reservation', '32m', '--memory-swappiness', '10'],
			...[
				'--cpus',
				'0.5',
				'--cpu-shares',
				'512',
				'--cpuset-cpus',
				'0-1',
				'--pids-limit',
				'-1',
				'--shm-size',
				'1g',
			],
			...[
				'--cap-add',
				'NET_ADMIN',
				'--cap-drop',
				'ALL',
				'--security-opt',
				'no-new-privileges',
				'--security-opt',
				'seccomp=unconfined',
			],
			...[
				'--security-opt',
				'systempaths=unconfined',
				'--read-only',
				'--tmpfs',
				'/run:size=1m',
				'--tmpfs',
				'/tmp',
				'--init',
			],
			...[
				'--stop-signal',
				'INT',
				'--stop-timeout',
				'3',
				'--ulimit',
				'nofile=1:2',
				'--log-opt',
				'max-size=1m',
			],
			...['--device', '/dev/fuse', '--device', '/dev/sda:/dev/xvda:r', '--device-cgroup-rule', 'c 1:3 rwm'],
			...[
				'-v',
				'/src:/dst:ro',
				'-v',
				'data:/data',
				'-v',
				'/anonymous',
				'--mount',
				'type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=1777',
			],
			...[
				'--network',
				'host',
				'--pid',
				'host',
				'--ipc',
				'private',
				'--uts',
				'host',
				'--cgroupns',
				'host',
				'--group-add',
				'audio',
			],
			...[
				'--sysctl',
				'net.core.somaxconn=10',
				'--annotation',
				'x=y',
				'--add-host',
				'db=[::1]',
				'--expose',
				'80-81',
				'--privileged',
			],
			...[
				'--oom-score-adj',
				'100',
				'--oom-kill-disable',
				'--platform',
				'linux/arm64',
				'--volumes-from',
				'other:ro',
			],
			'image',
		),
	);
});

test("an empty entry point takes the image's away", (t) => {
	t.deepEqual(options('--entrypoint', '', 'image').config.Entrypoint, ['']);
	t.is(options('image').config.Entrypoint, null);
});

test('streams and stdin follow -a, -i and -d as in docker', (t) => {
	t.like(options('image').config, {
		AttachStdin: false,
		AttachStdout: true,
		AttachStderr: true,
		OpenStdin: false,
		StdinOnce: false,
	});
	t.like(options('-i', 'image').config, {AttachStdin: true, OpenStdin: true, StdinOnce: true});
	t.like(options('-a', 'stderr', 'image').config, {
		AttachStdin: false,
		AttachStdout: false,
		AttachStderr: true,
	});
});

test('wrong values are refused in docker words', (t) => {
	for (const [words, expected] of [
		[['-v', '::/x', 'x'], 'invalid spec: ::/x: empty section between colons'],
		[['--rm', '--restart', 'always', 'x'], 'conflicting options: cannot specify both --restart and --rm'],
		[
			['--restart', 'on-failure:x', 'x'],
			'invalid restart policy format: maximum retry count must be an integer',
		],
		[['--pid', 'foo', 'x'], '--pid: invalid PID mode'],
		[['--uts', 'foo', 'x'], '--uts: invalid UTS mode'],
		[['--cgroupns', 'foo', 'x'], '--cgroupns: invalid CGROUP mode'],
		[['--memory-swappiness', '200', 'x'], 'invalid value: 200. Valid memory swappiness range is 0-100'],
		[['--security-opt', 'foo', 'x'], 'Invalid --security-opt: "foo"'],
		[
			['--security-opt', 'seccomp=/none', 'x'],
			'opening seccomp profile (/none) failed: open /none: no such file or directory',
		],
		[['--env-file', '/none', 'x'], 'open /none: no such file or directory'],
		[
			['--platform', 'foo', 'x'],
			'error parsing specified platform: "foo": unknown operating system or architecture: invalid argument',
		],
		[
			['--expose', 'foo', 'x'],
			'invalid range format for --expose: foo, error: strconv.ParseUint: parsing "foo": invalid syntax',
		],
		[['--device', 'a:b:c:d', 'x'], 'bad format for path: a:b:c:d'],
	] as [string[], string][]) {
		t.is(
			message(() => options(...words)),
			expected,
			words.join(' '),
		);
	}
});

test('files of variables and labels are read as docker reads them', (t) => {
	const folder = mkdtempSync(join(tmpdir(), 'wherry-test-'));
	t.teardown(() => rmSync(folder, {recursive: true}));
	const file = join(folder, 'env');
	writeFileSync(file, '# comment\n\n  INDENTED=1\nQUOTED="a b"\nFROM_HERE\nNOT_SET\nEMPTY=\r\nURL=a=b\n');
	t.deepEqual(options('--env-file', file, '-e', 'LAST=1', 'x').config.Env, [
		'INDENTED=1',
		'QUOTED="a b"',
		'FROM_HERE=yes',
		'EMPTY=',
		'URL=a=b',
		'LAST=1',
	]);
	t.deepEqual(options('--label-file', file, '-l', 'URL=2', 'x').config.Labels, {
		INDENTED: '1',
		QUOTED: '"a b"',
		EMPTY: '',
		URL: '2',
	});
	const parse = (text: string): string =>
		message(() => parseKeyValues('f', Buffer.from(text, 'latin1'), () => undefined));
	t.is(parse('A B=c\n'), "invalid env file (f): variable 'A B' contains whitespaces");
	t.is(parse('=c\n'), "invalid env file (f): no variable name on line '=c'");
	const [longest, tooLong] = [`A=${'x'.repeat(65_533)}`, `A=${'x'.repeat(65_534)}`];
	t.deepEqual(
		parseKeyValues('f', Buffer.from(`${longest}\n${longest}`), () => undefined),
		[longest, longest],
	);
	for (const text of [tooLong, `ok=1\n${tooLong}\n`, `#${tooLong}\n`]) {
		t.is(parse(text), 'invalid env file (f): bufio.Scanner: token too long');
	}
	t.regex(parse('ok=1\nA=\xff\n'), /^invalid env file \(f\): invalid utf8 bytes at line 2/);
});

test('mounts', (t) => {
	t.deepEqual(parseMount('type=bind,src=/a,dst=/b,ro,bind-propagation=rslave'), {
		Type: 'bind',
		Source: '/a',
		Target: '/b',
		ReadOnly: true,
		BindOptions: {Propagation: 'rslave'},
	});
	t.deepEqual(parseMount('source=data,target=/d,volume-nocopy,volume-label=a=b,"volume-opt=o=x,y"'), {
		Type: 'volume',
		Source: 'data',
		Target: '/d',
		VolumeOptions: {NoCopy: true, Labels: {a: 'b'}, DriverConfig: {Options: {o: 'x,y'}}},
	});
	for (const [text, expected] of [
		['type=bind,src=/a,dst=/b,ro=xx', 'invalid value for ro: xx'],
		['type=tmpfs,dst=/x,tmpfs-size=zz', 'invalid value for tmpfs-size: zz'],
		['type=tmpfs,dst=/x,volume-nocopy', "cannot mix 'volume-*' options with mount type 'tmpfs'"],
		['dst=/x,foo=bar', "unexpected key 'foo' in 'foo=bar'"],
		['"a', 'parse error on line 1, column 3: extraneous or missing " in quoted-field'],
	] as const) {
		t.is(
			message(() => parseMount(text)),
			expected,
		);
	}
});

test('devices, restart policies, platforms', (t) => {
	t.deepEqual(parseDevice('/dev/a'), {
		PathOnHost: '/dev/a',
		PathInContainer: '/dev/a',
		CgroupPermissions: 'rwm',
	});
	t.deepEqual(parseDevice('/dev/a:r'), {
		PathOnHost: '/dev/a',
		PathInContainer: '/dev/a',
		CgroupPermissions: 'r',
	});
	t.is(
		message(() => parseDevice('/dev/null:/b:zz')),
		'bad mode specified: zz',
	);
	t.is(
		message(() => parseDevice('/dev/null:b')),
		'b is not an absolute path',
	);
	t.deepEqual(parseRestartPolicy('on-failure:3'), {Name: 'on-failure', MaximumRetryCount: 3});
	t.is(
		message(() => parseRestartPolicy(':3')),
		'invalid restart policy format: no policy provided before colon',
	);
	t.deepEqual(parsePlatform('linux/arm/v7'), {os: 'linux', architecture: 'arm', variant: 'v7'});
	t.deepEqual(parsePlatform('arm64'), {os: 'linux', architecture: 'arm64'});
	t.is(parsePlatform(''), undefined);
});
