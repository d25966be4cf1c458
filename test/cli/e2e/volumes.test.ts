/** `volume`, and the mounts of `run` and `create`, as scripts see them. */
import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {Command} from '../../e2e/command.ts';

const wherry = new Command();
/** For what concerns all volumes of a host. */
const host = new Command();
const image = 'wherry/base';
const quiet = ['--network', 'none'];

test.before(async () => {
	await wherry.output('create', '--name', 'first-of-all', image, 'true');
});

test.after.always(async (t) => {
	t.deepEqual(await wherry.end(), []);
	t.deepEqual(await host.end(), []);
});

const sh = (script: string, ...options: string[]) =>
	wherry.result(['run', '--rm', ...quiet, ...options, image, 'sh', '-c', script]);

test('volumes are made, found, shown, kept while they are used, and pruned', async (t) => {
	const volume = (...args: string[]) => host.output('volume', ...args);
	t.is(await volume('create', '--label', 'color=red', '--label', 'kept', 'one'), 'one');
	t.is(await volume('create', '-o', 'type=tmpfs', '-o', 'device=tmpfs', '-o', 'o=size=1m', 'two'), 'two');
	t.regex(await volume('create'), /^[0-9a-f]{64}$/);
	t.is(await volume('ls', '-q', '-f', 'label=color=red'), 'one');
	t.is(await volume('ls', '-q', '-f', 'name=tw'), 'two');
	t.is(await volume('ls', '-q', '-f', 'name=^t.o$', '-f', 'name=('), 'two');
	t.is(
		await volume('ls', '-f', 'name=one', '--format', '{{.Name}}:{{.Driver}}:{{.Label "color"}}'),
		'one:local:red',
	);
	const [shown] = JSON.parse(await volume('inspect', 'two')) as [Record<string, unknown>];
	t.like(shown, {
		Name: 'two',
		Driver: 'local',
		Scope: 'local',
		Options: {type: 'tmpfs', device: 'tmpfs', o: 'size=1m'},
	});
	await host.output('create', '--name', 'user', '-v', 'one:/one', image, 'true');
	t.is(await volume('ls', '-q', '-f', 'dangling=false'), 'one');
	t.is(await host.output('ps', '-a', '-f', 'volume=one', '--format', '{{.Names}} {{.Mounts}}'), 'user one');
	const id = await host.output('ps', '-aq', '--no-trunc');
	const inUse = await host.result(['volume', 'rm', 'one']);
	t.like(inUse, {code: 1, stderr: `Error: remove one: volume is in use - [${id}]\n`});
	t.regex(await volume('prune', '-f'), /^Deleted Volumes:\n[0-9a-f]{64}\n\nTotal reclaimed space: 0B$/);
	t.is(await volume('prune', '-f'), 'Total reclaimed space: 0B');
	t.is(await volume('ls', '-q'), 'one\ntwo');
	await host.output('rm', 'user');
	t.is(await volume('prune', '-af', '--filter', 'label!=kept'), 'Total reclaimed space: 0B');
	writeFileSync(join(await volume('inspect', '-f', '{{.Mountpoint}}', 'one'), 'file'), 'x'.repeat(5000));
	t.regex(
		await volume('prune', '-f', '--filter', 'all=1'),
		/^Deleted Volumes:\none\n\nTotal reclaimed space: [58]\S*kB$/,
	);
	t.is(await volume('rm', 'two'), 'two');
	// The question is asked, and silence is no.
	const asked = await host.result(['volume', 'prune']);
	t.regex(
		asked.stdout,
		/^WARNING! This will remove anonymous local volumes not used by at least one container\.\nAre you sure you want to continue\? \[y\/N\] /,
	);
	const events = await host.output(
		'events',
		'--since',
		'1h',
		'--until',
		'0s',
		'-f',
		'volume=one',
		'--format',
		'{{.Action}}',
	);
	// docker tells of the volume that a container found as well.
	t.is(events, 'create\ncreate\ndestroy');
});

test('what is wrong with a volume is said in docker’s words', async (t) => {
	const refused: [args: string[], message: RegExp][] = [
		[
			['create', '../up'],
			/"\.\.\/up" includes invalid characters for a local volume name, only "\[a-zA-Z0-9\]\[a-zA-Z0-9_\.-\]" are allowed/,
		],
		[
			['create', '-d', 'nothing', 'xx'],
			/create xx: error looking up volume plugin nothing: plugin "nothing" not found/,
		],
		[['create', '-o', 'color=red', 'xx'], /create xx: invalid option: "color"|invalid option/],
		[
			['create', '--name', 'a', 'b'],
			/conflicting options: cannot specify a volume-name through both --name and as a positional arg/,
		],
		[['inspect', 'xx'], /get xx: no such volume/],
		[['rm', 'xx'], /get xx: no such volume/],
		[['update', 'xx'], /get xx: no such volume/],
		[['ls', '-f', 'color=red'], /invalid filter 'color'/],
		[['prune', '-f', '--filter', 'color=red'], /invalid filter 'color'/],
	];
	for (const [args, message] of refused) {
		const {code, stderr} = await wherry.result(['volume', ...args]);
		t.is(code, 1, args.join(' '));
		t.regex(stderr, message);
	}
	t.like(await wherry.result(['volume', 'rm', '-f', 'xx']), {code: 0});
	t.is(await wherry.output('volume', 'ls', '-q', '-f', 'name=^xx$'), '');
});

test('a container that can’t have its mounts is never made', async (t) => {
	const missing = join(wherry.folder, 'missing');
	const refused: [options: string[], code: number, message: RegExp][] = [
		[['-v', '/a:/b:bogus'], 125, /invalid mode: bogus/],
		[['-v', '/a:/b', '-v', '/c:/b'], 125, /Duplicate mount point: \/b/],
		[['-v', '/a:b'], 125, /invalid mount path: 'b' mount path must be absolute/],
		[['-v', '/a:/'], 125, /destination can't be '\/'/],
		[['-v', 'sub/folder:/x'], 125, /"sub\/folder" includes invalid characters for a local volume name/],
		[['--mount', `type=bind,src=${missing},dst=/x`], 125, /bind source path does not exist: /],
		[['--mount', 'type=volume,src=v'], 125, /target is required/],
		[['--mount', 'type=tmpfs,dst=/x,tmpfs-size=many'], 125, /invalid value for tmpfs-size: many/],
		[['--mount', 'type=bind,dst=/x,src=/a,color=red'], 125, /unexpected key 'color' in 'color=red'/],
		[['--tmpfs', '/x:color=red'], 125, /invalid tmpfs option \["color=red"\]|invalid tmpfs option/],
		[['--volumes-from', 'nobody'], 125, /No such container: nobody/],
		[['--volumes-from', 'first-of-all:zz'], 125, /invalid mode: zz/],
	];
	for (const [options, code, message] of refused) {
		const result = await sh('true', '--name', 'refused', ...options);
		t.is(result.code, code, `${options.join(' ')}: ${result.stderr}`);
		t.regex(result.stderr, message);
	}
	t.is(await wherry.output('ps', '-aq', '-f', 'name=^refused'), '');
	t.false(existsSync(missing));
});

test('volumes are filled from the image, shared, nested, and go with the last that has them', async (t) => {
	const first = await sh(
		'ls /var; echo data >/var/x/file; echo $?; touch /ro/x',
		...[
			'-v',
			'filled:/var',
			'-v',
			'/var/x',
			'-v',
			'other:/ro:ro',
			'-v',
			'plain:/etc/empty:nocopy',
			'--read-only',
		],
	);
	t.regex(first.stdout, /^log\ntmp\nx\n0\n$/, first.stderr);
	t.regex(first.stderr, /Read-only file system/);
	const own = ['filled', 'other', 'plain'].flatMap((name) => ['-f', `name=${name}`]);
	t.is(await wherry.output('volume', 'ls', '-q', ...own), 'filled\nother\nplain');
	const source = ['-v', '/anonymous', '-v', 'filled:/shared', '--name', 'source'];
	await wherry.output('run', ...quiet, ...source, image, 'sh', '-c', 'echo a >/anonymous/f');
	const reader = await sh(
		'cat /anonymous/f; ls /shared; echo b >/anonymous/g',
		'--volumes-from',
		'source:ro',
	);
	t.is(reader.stdout, 'a\nlog\ntmp\nx\n');
	t.regex(reader.stderr, /Read-only file system/);
	const told = ['--until', '0s', '-f', 'type=volume', '-f', 'event=create', '--format', '{{.Actor.ID}}'];
	const made = (await wherry.output('events', '--since', '10m', ...told)).split('\n');
	t.is(
		new Set(made.filter((name) => name.length === 64)).size,
		made.filter((name) => name.length === 64).length,
	);
	const mounts = await wherry.output(
		'inspect',
		'-f',
		'{{range .Mounts}}{{.Type}} {{.Destination}} {{.RW}};{{end}}',
		'source',
	);
	t.deepEqual(mounts.split(';').filter(Boolean).sort(), ['volume /anonymous true', 'volume /shared true']);
	await wherry.output('rm', '-v', 'source');
	t.notRegex(await wherry.output('volume', 'ls', '-q'), /^[0-9a-f]{64}$/m);
	await wherry.output('volume', 'rm', 'filled', 'other', 'plain');
});

test('--mount has parts of volumes, file systems and images', async (t) => {
	const folder = join(wherry.folder, 'device');
	mkdirSync(join(folder, 'part'), {recursive: true});
	writeFileSync(join(folder, 'part', 'file'), 'inside\n');
	symlinkSync('/etc', join(folder, 'leads-out'));
	const driver = `type=volume,src=bound,dst=/b,volume-opt=type=none,volume-opt=o=bind,volume-opt=device=${folder}`;
	t.is((await sh('cat /b/part/file', '--mount', driver)).stdout, 'inside\n');
	const part = (path: string) => ['--mount', `type=volume,src=bound,dst=/p,volume-subpath=${path}`];
	t.is((await sh('ls /p', ...part('part'))).stdout, 'file\n');
	t.is((await sh('ls /p', ...part('leads-out'))).code, 127);
	t.is(
		(await sh('grep -c " /t tmpfs.*size=1024k" /proc/mounts', '--mount', 'type=tmpfs,dst=/t,tmpfs-size=1m'))
			.stdout,
		'1\n',
	);
	mkdirSync(join(wherry.folder, 'tree'));
	writeFileSync(join(wherry.folder, 'tree', 'cargo'), 'tea\n');
	execFileSync('tar', ['-C', join(wherry.folder, 'tree'), '-cf', join(wherry.folder, 'tree.tar'), 'cargo']);
	await wherry.output('import', join(wherry.folder, 'tree.tar'), 'cargo:1');
	const mount = ['--mount', 'type=image,src=cargo:1,dst=/i'];
	await wherry.output(
		'create',
		'--name',
		'loaded',
		...quiet,
		...mount,
		image,
		'sh',
		'-c',
		'cat /i/cargo; touch /i/x',
	);
	t.regex(
		(await wherry.result(['rmi', 'cargo:1'])).stderr,
		/must force\) - container [0-9a-f]{12} is using its referenced image/,
	);
	await wherry.output('rmi', '-f', 'cargo:1');
	await wherry.output('image', 'prune', '-af');
	const {stdout, stderr} = await wherry.result(['start', '-a', 'loaded']);
	t.is(stdout, 'tea\n');
	t.regex(stderr, /Read-only file system/);
	await wherry.output('rm', 'loaded');
	await wherry.output('volume', 'rm', 'bound');
	t.deepEqual(readdirSync(folder).sort(), ['leads-out', 'part']);
});
