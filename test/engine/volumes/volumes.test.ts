import {existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {baseImage, runDetached, runToEnd, testEngine, textOf} from '../../setup/engine.ts';

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
			Mounts: [{Type: 'volume', Source: 'vol', Target: '/c', VolumeOptions: {Subpath: 'x'}}],
		}),
		{code: 'unsupported'},
	);
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
