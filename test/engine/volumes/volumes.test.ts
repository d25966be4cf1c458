import {existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {native} from '../../../src/kernel/native.ts';
import type {MonitorState} from '../../../src/runtime/monitor-protocol.ts';
import {baseImage, runDetached, runToEnd, testEngine, textOf, until} from '../../setup/engine.ts';

const fixture = await testEngine();
const {engine, root} = fixture;
const {containers, volumes} = engine;
test.after.always('nothing is left', () => fixture.close());

const data = (name: string) => join(root, 'volumes', name, '_data');
const make = (hostConfig: object, config: object = {}, name?: string) =>
	containers.create({
		image: baseImage,
		config: {Cmd: ['true'], ...config},
		hostConfig,
		...(name === undefined ? {} : {name}),
	});

test.serial('a volume is made, listed, inspected and removed', async (t) => {
	const made = await volumes.create({name: 'kept', labels: {a: 'b'}});
	t.like(made, {Name: 'kept', Driver: 'local', Scope: 'local', Labels: {a: 'b'}, Mountpoint: data('kept')});
	t.deepEqual(await volumes.create({name: 'kept'}), made);
	t.deepEqual(await volumes.list({filters: {label: ['a=b']}}), [made]);
	t.deepEqual(await volumes.inspect('kept'), made);
	await volumes.remove('kept');
	await t.throwsAsync(volumes.inspect('kept'), {message: 'get kept: no such volume', code: 'not-found'});
	await t.throwsAsync(volumes.remove('kept'), {code: 'not-found'});
	await volumes.remove('kept', {force: true});
	await t.throwsAsync(volumes.create({name: '../up'}), {code: 'invalid'});
	await t.throwsAsync(volumes.create({name: 'other', driver: 'nfs'}), {code: 'unsupported'});
	await t.throwsAsync(volumes.inspect('../../etc'), {code: 'not-found'});
});

test.serial(
	'what the image has at the target is copied into an empty volume, with owners and modes',
	async (t) => {
		const {id} = await make({Binds: ['filled:/etc']});
		t.true(existsSync(join(data('filled'), 'passwd')));
		writeFileSync(join(data('filled'), 'mine'), 'x');
		const second = await make({Binds: ['filled:/bin']});
		t.false(existsSync(join(data('filled'), 'sh')), 'a volume with content is left alone');
		const third = await make({Binds: ['bare:/etc:nocopy']});
		t.deepEqual(readdirSync(data('bare')), []);
		t.false(readdirSync(join(root, 'volumes', 'filled')).some((name) => name.startsWith('.data')));
		for (const container of [id, second.id, third.id]) await containers.remove(container);
		await volumes.remove('filled');
		await volumes.remove('bare');
	},
);

test.serial('a volume goes from container to container, and is kept as long as one has it', async (t) => {
	const first = await runToEnd(engine, ['sh', '-c', 'echo hello > /data/file'], {
		hostConfig: {Binds: ['shared:/data']},
	});
	const second = await runToEnd(engine, ['cat', '/data/file'], {hostConfig: {Binds: ['shared:/data:ro']}});
	t.is(second.stdout, 'hello\n');
	const third = await runToEnd(engine, ['sh', '-c', 'echo x > /data/file'], {
		hostConfig: {Binds: ['shared:/data:ro']},
	});
	t.regex(third.stderr, /[Rr]ead-only file system/);
	await t.throwsAsync(volumes.remove('shared'), {
		code: 'conflict',
		message: /^remove shared: volume is in use - \[/,
	});
	await containers.remove(first.id, {volumes: true});
	await containers.remove(second.id, {volumes: true});
	await containers.remove(third.id, {volumes: true});
	t.is((await volumes.list({filters: {dangling: ['true']}}))[0]!.Name, 'shared', 'a named volume stays');
	await volumes.remove('shared');
});

test.serial('an anonymous volume goes with rm -v, or with the last one that has it', async (t) => {
	const {id} = await make({}, {Volumes: {'/data': {}}}, 'anonymous');
	const [mount] = (await containers.inspect(id)).Mounts;
	t.regex(mount!.Name!, /^[0-9a-f]{64}$/);
	t.is((await volumes.inspect(mount!.Name!)).Labels!['com.docker.volume.anonymous'], '');
	const other = await make({VolumesFrom: ['anonymous:ro']});
	t.like((await containers.inspect(other.id)).Mounts[0], {
		Name: mount!.Name,
		Destination: '/data',
		RW: false,
	});
	await containers.remove(id, {volumes: true});
	t.is((await volumes.inspect(mount!.Name!)).Name, mount!.Name!);
	await containers.remove(other.id, {volumes: true});
	await t.throwsAsync(volumes.inspect(mount!.Name!), {code: 'not-found'});
});

test.serial('rm without -v keeps an anonymous volume', async (t) => {
	const {id} = await make({Binds: ['/plain']});
	const [mount] = (await containers.inspect(id)).Mounts;
	await containers.remove(id);
	await volumes.remove(mount!.Name!);
	t.pass();
});

test.serial('-v makes a missing source at the start, and --mount refuses it', async (t) => {
	const source = join(fixture.run, 'made', 'by-v');
	const result = await runToEnd(engine, ['sh', '-c', 'echo x > /b/file'], {
		hostConfig: {Binds: [`${source}:/b`]},
	});
	t.is(readFileSync(join(source, 'file'), 'utf8'), 'x\n');
	await containers.remove(result.id);
	const Source = join(fixture.run, 'missing');
	await t.throwsAsync(make({Mounts: [{Type: 'bind', Source, Target: '/b'}]}), {
		message: `invalid mount config for type "bind": bind source path does not exist: ${Source}`,
	});
	t.false(existsSync(Source));
});

test.serial('files, folders and tmpfs are mounted as the options say', async (t) => {
	const folder = join(fixture.run, 'binds');
	mkdirSync(folder, {recursive: true});
	writeFileSync(join(folder, 'file'), 'content\n');
	const result = await runToEnd(
		engine,
		['sh', '-c', 'cat /one; (echo no > /ro/file) 2>/dev/null || echo refused; grep " /t " /proc/mounts'],
		{
			hostConfig: {
				Binds: [`${folder}/file:/one`],
				Mounts: [
					{Type: 'bind', Source: folder, Target: '/ro', ReadOnly: true},
					{Type: 'tmpfs', Target: '/t', TmpfsOptions: {SizeBytes: 1 << 20}},
				],
			},
		},
	);
	const lines = result.stdout.split('\n');
	t.deepEqual(lines.slice(0, 2), ['content', 'refused']);
	t.regex(lines[2]!, /^tmpfs \/t tmpfs rw,nosuid,nodev,noexec,relatime,size=1024k/);
	await containers.remove(result.id);
});

test.serial('a creation that fails leaves no volume and no reference', async (t) => {
	await volumes.create({name: 'before'});
	await containers.create({image: baseImage, config: {Cmd: ['true']}, name: 'taken'});
	const count = (await volumes.list()).length;
	await t.throwsAsync(make({Binds: ['before:/b', '/anonymous', 'vol:/c', '/a:relative']}), {code: 'invalid'});
	await t.throwsAsync(
		make({
			Binds: ['before:/b', '/anonymous'],
			Mounts: [
				{Type: 'volume', Source: 'vol', Target: '/c', VolumeOptions: {DriverConfig: {Options: {odd: '1'}}}},
			],
		}),
		{message: 'create vol: invalid option: "odd"'},
	);
	await t.throwsAsync(make({Binds: ['before:/b', 'vol:/bin/sh']}), {
		message: 'source /bin/sh is not directory',
	});
	await t.throwsAsync(make({}, {Volumes: {'/bin/sh': {}}}), {
		message: 'cannot mount volume over existing file, file exists /bin/sh',
	});
	await volumes.remove('vol');
	t.is((await volumes.list()).length, count);
	await volumes.remove('before');
	await containers.remove('taken');
	t.deepEqual(
		readdirSync(join(root, 'containers')).filter((name) => name.startsWith('.')),
		[],
	);
});

test.serial('two containers of --rm that share a volume by --volumes-from leave none', async (t) => {
	const first = await runDetached(engine, undefined, {
		name: 'giver',
		config: {Volumes: {'/data': {}}},
		hostConfig: {AutoRemove: true},
	});
	const [mount] = (await containers.inspect(first)).Mounts;
	const second = await runDetached(engine, undefined, {
		hostConfig: {AutoRemove: true, VolumesFrom: ['giver']},
	});
	const exec = await containers.exec(second, {
		argv: ['sh', '-c', 'echo x > /data/f; cat /data/f'],
		stdout: true,
	});
	t.is(await textOf(exec.stdout), 'x\n');
	await containers.stop(first, {timeout: 0});
	t.is((await volumes.inspect(mount!.Name!)).Name, mount!.Name!);
	await containers.stop(second, {timeout: 0});
	await t.throwsAsync(volumes.inspect(mount!.Name!), {code: 'not-found'});
});

/** What is mounted at a path of the host. */
const mountedAt = (path: string): string[] =>
	readFileSync('/proc/self/mounts', 'utf8')
		.split('\n')
		.filter((line) => line.split(' ')[1] === path);

test.serial('a volume with a file system of its own has it mounted while somebody uses it', async (t) => {
	const options = {type: 'tmpfs', device: 'tmpfs', o: 'size=1m,mode=750,nosuid'};
	await volumes.create({name: 'memory', options});
	t.deepEqual((await volumes.inspect('memory')).Options, options);
	// What is in the image is not copied: it would be gone at once.
	const first = await runDetached(engine, undefined, {hostConfig: {Binds: ['memory:/etc/skel']}});
	t.regex(mountedAt(data('memory'))[0]!, /^tmpfs .* tmpfs rw,nosuid,.*size=1024k,mode=750/);
	writeFileSync(join(data('memory'), 'from-host'), 'x');
	const second = await runToEnd(engine, ['sh', '-c', 'cat /m/from-host; grep " /m " /proc/mounts'], {
		hostConfig: {Binds: ['memory:/m:ro'], AutoRemove: true},
	});
	t.regex(second.stdout, /^xtmpfs \/m tmpfs ro,nosuid,/);
	t.is(mountedAt(data('memory')).length, 1, 'the first one still has it');
	await containers.restart(first, {timeout: 0});
	await containers.remove(first, {force: true});
	t.deepEqual(mountedAt(data('memory')), []);
	t.false(existsSync(join(fixture.run, 'volumes', 'memory')));
	await volumes.remove('memory');
});

test.serial('the file system of a volume is unmounted after whoever dies', async (t) => {
	await volumes.create({name: 'orphan', options: {type: 'tmpfs', device: 'tmpfs'}});
	const id = await runDetached(engine, undefined, {hostConfig: {Binds: ['orphan:/m']}});
	t.is(mountedAt(data('orphan')).length, 1);
	const state = JSON.parse(readFileSync(join(root, 'containers', id, 'state.json'), 'utf8')) as MonitorState;
	process.kill(state.monitorPid, 'SIGKILL');
	await until('the monitor is gone', () => !existsSync(`/proc/${state.monitorPid}`));
	await engine.repair();
	t.deepEqual(mountedAt(data('orphan')), []);
	await containers.remove(id);
	// A process that was killed while it filled the volume.
	const users = join(fixture.run, 'volumes', 'orphan');
	mkdirSync(users, {recursive: true});
	writeFileSync(join(users, 'process-1-1-1'), '');
	await native.mountFilesystem('tmpfs', data('orphan'), 'tmpfs', 0, '');
	await engine.repair();
	t.deepEqual(mountedAt(data('orphan')), []);
	t.false(existsSync(users));
	await volumes.remove('orphan');
});

test.serial('what can’t be mounted is said in docker’s words, and nothing stays behind', async (t) => {
	await volumes.create({name: 'nowhere', options: {type: 'none', o: 'bind', device: '/not/there'}});
	await volumes.create({name: 'odd', options: {type: 'ext4', device: '/dev/null', o: 'ro,password=secret'}});
	for (const [name, message] of [
		['nowhere', 'mount /not/there:DATA, flags: 0x1000: no such file or directory'],
		['odd', 'mount /dev/null:DATA, flags: 0x1, data: password=********: invalid argument'],
	] as const) {
		const {id} = await make({Binds: [`${name}:/v`]});
		await t.throwsAsync(containers.start(id), {
			message: `error while mounting volume '${data(name)}': failed to mount local volume: ${message.replace('DATA', data(name))}`,
		});
		await containers.remove(id);
		await volumes.remove(name);
	}
	const wrong = (options: Record<string, string>, message: string) =>
		t.throwsAsync(volumes.create({name: 'wrong', options}), {message: `create wrong: ${message}`});
	await wrong({odd: 'x'}, 'invalid option: "odd"');
	await wrong({type: 'tmpfs'}, 'missing required option: "device"');
	await wrong({device: '/x'}, 'missing required option: "type"');
	await wrong({o: 'bind', type: 'none'}, 'missing required option: "device"');
	await wrong({size: '1m'}, 'quota size requested but no quota support');
	await wrong({size: 'x'}, "invalid size: 'x'");
	t.deepEqual(await volumes.list({filters: {name: ['wrong']}}), []);
});

test.serial('a volume that is a folder of the host is bound, filled and never removed', async (t) => {
	const device = join(fixture.run, 'device');
	mkdirSync(device, {recursive: true});
	await volumes.create({name: 'bound', options: {type: 'none', o: 'bind', device}});
	await volumes.create({name: 'bound-ro', options: {type: 'none', o: 'bind,ro', device}});
	const filled = await make({Binds: ['bound:/etc']});
	t.true(existsSync(join(device, 'passwd')));
	t.deepEqual(mountedAt(data('bound')), []);
	t.like((await containers.inspect(filled.id)).Mounts[0], {Source: data('bound'), Name: 'bound', Mode: 'z'});
	await containers.remove(filled.id);
	const result = await runToEnd(engine, ['sh', '-c', 'echo x > /b/new; echo y > /r/no'], {
		hostConfig: {Binds: ['bound:/b', 'bound-ro:/r'], AutoRemove: true},
	});
	t.regex(result.stderr, /Read-only file system/);
	t.is(readFileSync(join(device, 'new'), 'utf8'), 'x\n');
	await volumes.remove('bound');
	await volumes.remove('bound-ro');
	t.true(existsSync(join(device, 'passwd')));
});

test.serial('a part of a volume is mounted, and no link in it leads out', async (t) => {
	await volumes.create({name: 'parts'});
	const at = (...path: string[]) => join(data('parts'), ...path);
	mkdirSync(at('a', 'b'), {recursive: true});
	writeFileSync(at('a', 'b', 'file'), 'deep\n');
	symlinkSync('a/b', at('inside'));
	symlinkSync('/', at('root'));
	symlinkSync('../../../../../../../../../../../../..', at('up'));
	symlinkSync('/etc', at('outside'));
	const mount = (Subpath: string, Target: string) => ({
		Type: 'volume' as const,
		Source: 'parts',
		Target,
		VolumeOptions: {Subpath},
	});
	const result = await runToEnd(
		engine,
		['sh', '-c', 'cat /one/file /two/file /three; ls /four /five; echo new > /one/new'],
		{
			hostConfig: {
				AutoRemove: true,
				Mounts: [
					mount('a/b', '/one'),
					{...mount('inside', '/two'), ReadOnly: true},
					mount('a/b/file', '/three'),
					mount('root', '/four'),
					mount('up', '/five'),
				],
			},
		},
	);
	t.is(result.stderr, '');
	const own = 'a\ninside\noutside\nroot\nup\n';
	t.is(result.stdout, `deep\ndeep\ndeep\n/five:\n${own}\n/four:\n${own}`);
	t.is(readFileSync(at('a', 'b', 'new'), 'utf8'), 'new\n');
	for (const [subpath, reason] of [
		['outside/passwd', 'no such file or directory'],
		['nothing', 'no such file or directory'],
	]) {
		const {id} = await make({Mounts: [mount(subpath!, '/x')]});
		await t.throwsAsync(containers.start(id), {
			message: new RegExp(`cannot access path ${data('parts')}/${subpath}: ${reason}$`),
		});
		await containers.remove(id);
	}
	await volumes.remove('parts');
});

test.serial('an image and a part of it are mounted, read-only', async (t) => {
	const image = (Target: string, Subpath?: string) => ({
		Type: 'image' as const,
		Source: baseImage,
		Target,
		...(Subpath === undefined ? {} : {ImageOptions: {Subpath}}),
	});
	const script = 'ls /i/etc/passwd /e/passwd /file; touch /i/x; grep -c " /[ie] .* ro," /proc/mounts';
	const result = await runToEnd(engine, ['sh', '-c', script], {
		hostConfig: {
			AutoRemove: true,
			Mounts: [image('/i'), image('/e', 'etc'), image('/file', 'etc/passwd')],
		},
	});
	t.is(result.stdout, '/e/passwd\n/file\n/i/etc/passwd\n2\n');
	t.regex(result.stderr, /Read-only file system/);
	await t.throwsAsync(make({Mounts: [{...image('/x'), Source: 'not-there'}]}), {code: 'not-found'});
});

test.serial('read-only goes as deep as it is asked to', async (t) => {
	const source = join(fixture.run, 'deep');
	mkdirSync(join(source, 'below'), {recursive: true});
	await native.mountFilesystem('tmpfs', join(source, 'below'), 'tmpfs', 0, 'size=64k');
	t.teardown(() => native.unmount(join(source, 'below')));
	const bind = (Target: string, BindOptions: object) => ({
		Type: 'bind' as const,
		Source: source,
		Target,
		ReadOnly: true,
		BindOptions,
	});
	const tries = ['all', 'top', 'alone'].map(
		(name) => `touch /${name}/below/${name} 2>/dev/null && echo ${name}`,
	);
	const result = await runToEnd(engine, ['sh', '-c', `${tries.join('; ')}; true`], {
		hostConfig: {
			AutoRemove: true,
			Mounts: [
				bind('/all', {}),
				bind('/top', {ReadOnlyNonRecursive: true}),
				bind('/alone', {NonRecursive: true}),
			],
		},
	});
	t.is(result.stdout, 'top\n');
	t.deepEqual(readdirSync(join(source, 'below')), ['top']);
	const shared = await make({Mounts: [{...bind('/s', {Propagation: 'rshared'}), ReadOnly: false}]});
	const isShared = readFileSync('/proc/self/mountinfo', 'utf8').includes(' shared:');
	if (!isShared) {
		await t.throwsAsync(containers.start(shared.id), {
			message: new RegExp(`^path ${source} is mounted on .* but it is not a shared mount$`),
		});
	}
	await containers.remove(shared.id);
});

test.serial('prune takes what nobody uses, and of named volumes only what is asked for', async (t) => {
	await volumes.create({name: 'named', labels: {keep: 'no'}});
	await volumes.create({name: 'kept', labels: {keep: 'yes'}});
	await volumes.create({name: 'elsewhere', options: {type: 'tmpfs', device: 'tmpfs'}});
	const {Name} = await volumes.create();
	writeFileSync(join(data(Name), 'file'), 'x'.repeat(1000));
	const {id} = await make({}, {Volumes: {'/used': {}}});
	t.deepEqual(await volumes.prune(), {VolumesDeleted: [Name], SpaceReclaimed: 1000});
	t.deepEqual((await volumes.prune({filters: {all: ['true'], 'label!': ['keep=yes']}})).VolumesDeleted, [
		'named',
	]);
	await t.throwsAsync(volumes.prune({filters: {odd: ['1']}}), {message: "invalid filter 'odd'"});
	await containers.remove(id, {volumes: true});
	for (const name of ['kept', 'elsewhere']) await volumes.remove(name);
	t.deepEqual(await volumes.list(), []);
});
