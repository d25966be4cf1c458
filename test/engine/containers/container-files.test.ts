/** Files of containers in every state: what is reached, what is refused, and what a container can't trick. */
import {Buffer} from 'node:buffer';
import {execFileSync} from 'node:child_process';
import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Readable} from 'node:stream';
import test from 'ava';
import type {CreateOptions} from '../../../src/engine/api.ts';
import {archive, file} from '../../kernel/tar-archive.ts';
import {baseImage, pastEvents, runToEnd, type TestEngine, testEngine} from '../../setup/engine.ts';

let fixture: TestEngine;
let work: string;
/** Not joined: a trailing dot means something. */
const host = (path: string): string => `${work}/${path}`;

test.before(async () => {
	work = mkdtempSync(join(tmpdir(), 'wherry-files-'));
	fixture = await testEngine();
});

test.after.always(async () => {
	rmSync(work, {recursive: true, force: true});
	await fixture.close();
});

async function make(options: Omit<Partial<CreateOptions>, 'image'> = {}): Promise<string> {
	const {id} = await fixture.engine.containers.create({
		image: baseImage,
		config: {Cmd: ['sleep', '1000'], ...options.config},
		...options,
		hostConfig: {NetworkMode: 'none', ...options.hostConfig},
	} as CreateOptions);
	return id;
}

async function makeRunning(
	script: string,
	options: Omit<Partial<CreateOptions>, 'image'> = {},
): Promise<string> {
	const config = {Cmd: ['sh', '-c', script], ...options.config};
	const id = await make({...options, config});
	await fixture.engine.containers.start(id);
	return id;
}

async function read(id: string, path: string): Promise<string> {
	const to = host(`read-${Math.random().toString(36).slice(2)}`);
	await fixture.engine.containers.copyFrom(id, path, to);
	return readFileSync(to, 'utf8');
}

async function write(id: string, path: string, text: string): Promise<void> {
	const from = host(`write-${Math.random().toString(36).slice(2)}`);
	writeFileSync(from, text);
	await fixture.engine.containers.copyTo(id, from, path);
}

async function namesIn(stream: Readable): Promise<string[]> {
	const path = host(`names-${Math.random().toString(36).slice(2)}`);
	const chunks: Buffer[] = [];
	for await (const chunk of stream) chunks.push(chunk as Buffer);
	writeFileSync(path, Buffer.concat(chunks));
	return execFileSync('tar', ['-tf', path], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore']})
		.split('\n')
		.filter(Boolean);
}

test('volumes, binds and the files of the network are reached before the first start, while it runs, and after', async (t) => {
	const {containers} = fixture.engine;
	mkdirSync(host('bind/sub'), {recursive: true});
	writeFileSync(host('bind/sub/file'), 'of the host');
	const id = await make({
		config: {Cmd: ['sh', '-c', 'echo made > /vol/by-container; sleep 1000']},
		hostConfig: {Binds: [`${host('bind')}:/mnt/bind`, 'files-volume:/vol']},
	});
	t.is(await read(id, '/mnt/bind/sub/file'), 'of the host');
	await write(id, '/vol/one', '1');
	await write(id, '/mnt/bind/one', '1');
	t.is(readFileSync(host('bind/one'), 'utf8'), '1');
	const data = join(fixture.root, 'volumes/files-volume/_data');
	t.deepEqual(readdirSync(data), ['one']);
	await t.throwsAsync(read(id, '/etc/passwd/'), {message: 'lstat /etc/passwd/: not a directory'});
	await containers.start(id);
	while (!existsSync(join(data, 'by-container'))) await new Promise((resolve) => setTimeout(resolve, 20));
	t.is(await read(id, '/vol/by-container'), 'made\n');
	await write(id, '/vol/two', '2');
	await write(id, '/tmp/running', 'r');
	t.regex(await read(id, '/etc/hosts'), /localhost/);
	await t.throwsAsync(write(id, '/etc/hosts', 'x'), {
		message: /unlinkat \/etc\/hosts: device or resource busy/,
	});
	t.regex(await read(id, '/etc/hosts'), /localhost/);
	await containers.stop(id, {timeout: 0});
	t.is(await read(id, '/tmp/running'), 'r');
	t.is(await read(id, '/vol/two'), '2');
	t.regex(await read(id, '/etc/hosts'), /localhost/);
	t.deepEqual(readdirSync(data).sort(), ['by-container', 'one', 'two']);
	t.false(readFileSync('/proc/self/mountinfo', 'utf8').includes(fixture.root));
	await containers.remove(id);
});

test('what is read-only is not written to, neither stopped nor running', async (t) => {
	mkdirSync(host('ro'));
	const options = {
		hostConfig: {
			ReadonlyRootfs: true,
			Binds: [`${host('ro')}:/ro:ro`, 'rw-volume:/rw'],
			Tmpfs: {'/scratch': ''},
		},
	};
	const id = await make(options);
	const check = async () => {
		await t.throwsAsync(write(id, '/x', 'x'), {
			code: 'denied',
			message: 'container rootfs is marked read-only',
		});
		await t.throwsAsync(write(id, '/ro/x', 'x'), {
			code: 'denied',
			message: 'mounted volume is marked read-only',
		});
		await write(id, '/rw/x', 'x');
	};
	await check();
	await fixture.engine.containers.start(id);
	await check();
	await write(id, '/scratch/x', 'in memory');
	t.is(await read(id, '/scratch/x'), 'in memory');
	t.deepEqual(readdirSync(host('ro')), []);
	await fixture.engine.containers.remove(id, {force: true});
});

test('archives come from streams and go to streams, and a stream that is dropped lets the container go', async (t) => {
	const {containers} = fixture.engine;
	const id = await make();
	const big = archive(file('big', 'x'.repeat(3_000_000)), file('small', 'y'));
	const pieces = Array.from({length: Math.ceil(big.length / 10_000)}, (_, at) =>
		big.subarray(at * 10_000, (at + 1) * 10_000),
	);
	t.deepEqual(await containers.copyTo(id, Readable.from(pieces), '/tmp'), {size: 0, path: '/tmp'});
	const {stat, stream} = await containers.archive(id, '/tmp');
	t.like(stat, {name: 'tmp', mode: 0o041777});
	t.deepEqual(await namesIn(stream), ['tmp/', 'tmp/big', 'tmp/small']);
	const dropped = (await containers.archive(id, '/')).stream;
	await new Promise((resolve) => dropped.once('data', resolve));
	dropped.destroy();
	await t.throwsAsync(
		containers.copyTo(
			id,
			(async function* () {
				yield big.subarray(0, 5000);
				throw new Error('the source failed');
			})(),
			'/tmp',
		),
		{message: 'the source failed'},
	);
	await t.throwsAsync(containers.copyTo(id, Readable.from([Buffer.from('no archive'.repeat(100))]), '/tmp'), {
		message: /^Error processing tar file\(exit status 1\): archive\/tar: invalid tar header/,
	});
	await t.throwsAsync(containers.copyTo(id, Readable.from([big]), '/nowhere'), {
		message: `destination "${id}:/nowhere" must be a directory`,
	});
	t.false((await namesIn(await containers.export(id))).includes('/'));
	await containers.remove(id);
});

test('with -a files belong to the user of the container, by its own passwd', async (t) => {
	const id = await make({config: {User: 'nobody'}});
	writeFileSync(host('owned'), 'x');
	await fixture.engine.containers.copyTo(id, host('owned'), '/tmp/a', {archive: true});
	const {stdout} = await runToEnd(fixture.engine, ['true']);
	t.is(stdout, '');
	const upper = join(fixture.root, 'containers', id, 'upper');
	t.is(execFileSync('stat', ['-c', '%u:%g', join(upper, 'tmp/a')], {encoding: 'utf8'}), '65534:65534\n');
	await fixture.engine.containers.remove(id);
});

test('of a container that runs nothing of the kernel is copied, and export has no volumes', async (t) => {
	const {containers} = fixture.engine;
	const id = await makeRunning('echo v > /vol/file; mkdir /made; sleep 1000', {
		hostConfig: {Binds: ['export-volume:/vol']},
	});
	while (!(await containers.changes(id)).some(({Path}) => Path === '/made'))
		await new Promise((resolve) => setTimeout(resolve, 20));
	const whole = await namesIn((await containers.archive(id, '/')).stream);
	t.true(whole.includes('/vol/file'));
	for (const folder of ['proc', 'sys', 'dev']) {
		t.deepEqual(
			whole.filter((name) => name.startsWith(`/${folder}/`)),
			[`/${folder}/`],
		);
	}
	await t.throwsAsync(containers.copyFrom(id, '/proc/1/environ', host('environ')), {code: 'not-found'});
	await t.throwsAsync(write(id, '/proc/sys/kernel/hostname', 'x'), {code: 'not-found'});
	t.deepEqual(await namesIn((await containers.archive(id, '/proc')).stream), ['proc/']);
	const exported = await namesIn(await containers.export(id));
	t.true(exported.includes('vol/') && exported.includes('made/') && !exported.includes('vol/file'));
	t.false(exported.includes('proc/1/'));
	await containers.remove(id, {force: true});
});

test('a diff tells what the container did, and not what its start made', async (t) => {
	const {containers} = fixture.engine;
	const id = await make({
		config: {Cmd: ['sh', '-c', 'echo x > /made; rm -r /var/tmp; echo y >> /etc/profile']},
		hostConfig: {Binds: ['diff-volume:/vol']},
	});
	t.deepEqual(await containers.changes(id), []);
	await containers.start(id);
	await containers.wait(id);
	t.deepEqual(
		(await containers.changes(id)).map(({Kind, Path}) => `${'CAD'[Kind]} ${Path}`),
		['C /etc', 'C /etc/profile', 'A /made', 'C /var', 'D /var/tmp', 'A /vol'],
	);
	await containers.remove(id);
});

test('events tell of copies and exports as docker tells them', async (t) => {
	const {containers} = fixture.engine;
	const id = await make({name: 'told'});
	await write(id, '/tmp/x', 'x');
	await read(id, '/tmp/x');
	await namesIn(await containers.export(id));
	await containers.remove(id);
	const events = (await pastEvents(fixture.engine)).filter(({Actor}) => Actor.ID === id);
	t.deepEqual(
		events.map(({Action}) => Action),
		['create', 'extract-to-dir', 'archive-path', 'export', 'destroy'],
	);
	t.deepEqual(events[1]!.Actor.Attributes, {image: baseImage, name: 'told'});
});

test('a container that swaps links for folders makes nothing outside read or written', async (t) => {
	const {containers} = fixture.engine;
	const secret = host('secret');
	mkdirSync(secret);
	writeFileSync(join(secret, 'file'), 'secret of the host');
	// Two ways out, by an absolute link and by dots, and a harmless folder, again and again.
	const script = `mkdir -p /in /safe ${secret}; echo inside > /safe/file; echo inside > ${secret}/file
		while :; do
			ln -sfn ${secret} /in/x; ln -sfn ../../../../../../..${secret} /in/x; ln -sfn /safe /in/x
			rm /in/x; mkdir /in/x; echo inside > /in/x/file; rm -r /in/x
		done`;
	const id = await makeRunning(script);
	writeFileSync(host('payload'), 'payload');
	mkdirSync(host('tree/x'), {recursive: true});
	writeFileSync(host('tree/x/file'), 'payload');
	let worked = 0;
	for (let round = 0; round < 40; round++) {
		const out = host(`out-${round}`);
		const tries = await Promise.allSettled([
			containers.copyFrom(id, '/in/x/file', out),
			containers.copyTo(id, host('payload'), '/in/x/made'),
			containers.copyTo(id, host('tree/x'), '/in'),
		]);
		worked += tries.filter(({status}) => status === 'fulfilled').length;
		for (const path of [out, join(out, 'file')]) {
			if (existsSync(path) && !existsSync(join(path, '.'))) t.is(readFileSync(path, 'utf8'), 'inside\n');
		}
	}
	t.deepEqual(readdirSync(secret), ['file']);
	t.is(readFileSync(join(secret, 'file'), 'utf8'), 'secret of the host');
	t.true(worked > 0, 'some of them met a folder');
	await containers.remove(id, {force: true});
});

test('links in a stopped container and in its volumes lead nowhere else, in both directions', async (t) => {
	const {containers} = fixture.engine;
	const outside = host('outside');
	mkdirSync(outside);
	writeFileSync(join(outside, 'file'), 'outside');
	mkdirSync(host('evil'));
	symlinkSync(outside, host('evil/absolute'));
	symlinkSync(`../../../../../..${outside}`, host('evil/dots'));
	symlinkSync('/proc/self/root', host('evil/magic'));
	const id = await make({hostConfig: {Binds: [`${host('evil')}:/evil`]}});
	for (const name of ['absolute', 'dots', `magic${outside}`]) {
		await t.throwsAsync(read(id, `/evil/${name}/file`), {code: 'not-found'});
		await t.throwsAsync(write(id, `/evil/${name}/new`, 'x'), {code: 'not-found'});
	}
	await t.throwsAsync(containers.copyTo(id, Readable.from([archive(file('../escaped'))]), '/evil'), {
		message: 'Error processing tar file(exit status 1): "../escaped" is outside of "/evil"',
	});
	t.deepEqual(readdirSync(outside), ['file']);
	t.deepEqual(readdirSync(host('evil')).sort(), ['absolute', 'dots', 'magic']);
	// A link that comes out of a container is a link, and the next copy doesn't go through it.
	const target = host('landing');
	mkdirSync(target);
	await containers.copyFrom(id, '/evil/.', target);
	const other = await make();
	await containers.copyTo(other, Readable.from([archive(file('absolute/file', 'through'))]), '/tmp');
	await t.throwsAsync(containers.copyFrom(other, '/tmp/.', target), {
		message: /cannot overwrite non-directory ".*\/landing\/absolute" with directory/,
	});
	t.is(readFileSync(join(outside, 'file'), 'utf8'), 'outside');
	await containers.remove(id);
	await containers.remove(other);
});

test('starts that race copies into the same stopped container lose nothing', async (t) => {
	const {containers} = fixture.engine;
	const again = fixture.again().containers;
	const rounds = Number(process.env.WHERRY_RACES ?? 20);
	const id = await make({
		config: {Cmd: ['sh', '-c', 'echo run >> /started; cat /copied/* > /seen 2>/dev/null; true']},
		hostConfig: {Binds: ['race-volume:/vol']},
	});
	mkdirSync(host('copied'));
	for (let round = 1; round <= rounds; round++) {
		writeFileSync(host(`copied/${round}`), 'x'.repeat(50_000));
		await Promise.all([
			containers.copyTo(id, host('copied/.'), '/copied'),
			again.start(id),
			containers.copyTo(id, host(`copied/${round}`), `/vol/${round}`),
		]);
		await containers.wait(id);
		await again.stop(id);
	}
	t.is((await read(id, '/started')).length, 'run\n'.length * rounds);
	const names = await namesIn((await containers.archive(id, '/copied')).stream);
	t.is(names.length, 1 + rounds);
	for (let round = 1; round <= rounds; round++) {
		t.is((await read(id, `/copied/${round}`)).length, 50_000);
		t.is((await containers.statPath(id, `/vol/${round}`)).size, 50_000);
	}
	await containers.remove(id);
});
