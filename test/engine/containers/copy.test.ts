/** `docker cp` by docker's own table: what docker 20.10 said and did in each of these cases. */
import {execFileSync} from 'node:child_process';
import {
	chmodSync,
	chownSync,
	closeSync,
	lstatSync,
	mkdirSync,
	mkdtempSync,
	openSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	rmSync,
	symlinkSync,
	utimesSync,
	writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {native} from '../../../src/kernel/native.ts';
import {baseImage, type TestEngine, testEngine} from '../../setup/engine.ts';

type Case = [
	kind: string,
	source: string,
	destination: string,
	error: string,
	made: string[],
	gone: string[],
];

const cases = JSON.parse(readFileSync(new URL('copy-cases.json', import.meta.url), 'utf8')) as Case[];

let fixture: TestEngine;
let work: string;
/** Not joined: a trailing dot or slash means something. */
const host = (path: string): string => `${work}/${path}`;

/** The same on both sides, but for what only one can have. */
function fill(folder: string): void {
	const path = (name: string) => join(folder, name);
	for (const name of ['dir1/sub', 'dir2']) mkdirSync(path(name), {recursive: true});
	for (const [name, text] of [
		['file1', 'file1\n'],
		['file2', 'file2\n'],
		['dir1/file1-1', 'f1-1\n'],
		['dir1/sub/s', 's\n'],
		['dir2/file2-1', 'f2-1\n'],
	] as const) {
		writeFileSync(path(name), text);
	}
	symlinkSync('file1', path('symlinkToFile1'));
	symlinkSync('dir1', path('symlinkToDir1'));
	symlinkSync('nope', path('broken'));
	symlinkSync('nodir/x', path('brokendeep'));
	native.mknod(path('fifo'), 0o010644, 0);
	chownSync(path('file2'), 5, 6);
	chmodSync(path('file2'), 0o4711);
}

test.before(async () => {
	work = mkdtempSync(join(tmpdir(), 'wherry-copy-'));
	fixture = await testEngine();
	fill(host('h'));
	fill(host('root'));
	symlinkSync('/dir1', host('root/absToDir1'));
	symlinkSync('loop2', host('root/loop1'));
	symlinkSync('loop1', host('root/loop2'));
	native.mknod(host('root/null'), 0o020644, 0x103);
	execFileSync('tar', ['-cf', host('root.tar'), '-C', host('root'), '.']);
});

test.after.always(async () => {
	rmSync(work, {recursive: true, force: true});
	await fixture.close();
});

async function withContainer<T>(use: (id: string) => Promise<T>): Promise<T> {
	const {containers} = fixture.engine;
	const {id} = await containers.create({image: baseImage, hostConfig: {NetworkMode: 'none'}});
	const archive = openSync(host('root.tar'), 'r');
	try {
		await containers.copyTo(id, {fd: archive}, '/');
		return await use(id);
	} finally {
		closeSync(archive);
		await containers.remove(id);
	}
}

/** What is in the upper folder of a container that doesn't run, as `tar tv` shows it. */
function listUpper(id: string): string[] {
	const upper = join(fixture.root, 'containers', id, 'upper');
	return execFileSync('sh', ['-c', 'tar -c . | tar -tv --numeric-owner --full-time'], {
		cwd: upper,
		encoding: 'utf8',
	})
		.split('\n')
		.filter((line) => line !== '' && !/ \.\/(\.dockerenv)?$/.test(line))
		.map((line) => {
			const [mode, owner, size, , , ...name] = line.split(/ +/);
			return `${mode} ${owner} ${size} ${name.join(' ').replace(/^\./, '')}`;
		});
}

function listFolder(folder: string): string[] {
	/** By the kind of file in st_mode. */
	const letters = '?pc?d?b?f?l?s';
	const lines: string[] = [];
	const visit = (path: string) => {
		for (const name of readdirSync(join(folder, path)).sort()) {
			const inside = path === '' ? name : `${path}/${name}`;
			const status = lstatSync(join(folder, inside));
			const words = [inside, letters[status.mode >> 12], (status.mode & 0o7777).toString(8)];
			const size = status.isDirectory() ? [] : [String(status.size)];
			const target = status.isSymbolicLink() ? [readlinkSync(join(folder, inside))] : [];
			lines.push([...words, `${status.uid}:${status.gid}`, ...size, ...target].join(' '));
			if (status.isDirectory()) visit(inside);
		}
	};
	visit('');
	return lines;
}

/** The changes of a list, sorted. */
const difference = (before: readonly string[], after: readonly string[]) => ({
	made: after.filter((line) => !before.includes(line)).sort(),
	gone: before.filter((line) => !after.includes(line)).sort(),
});

async function messageOf(work: () => Promise<unknown>): Promise<string> {
	try {
		await work();
		return '';
	} catch (error) {
		return (error as Error).message;
	}
}

const kinds = [...new Set(cases.map(([kind, source]) => `${kind} ${source}`))];

for (const kind of kinds) {
	const mine = cases.filter(([way, source]) => `${way} ${source}` === kind);
	test(`cp ${kind} does what docker does, wherever it goes`, async (t) => {
		for (const [way, source, destination, error, made, gone] of mine) {
			const options = {followLink: way.endsWith('-L'), archive: way.endsWith('-a')};
			const seen = way.startsWith('into')
				? await copyInto(source, destination, options)
				: await copyOut(source, destination, options);
			t.deepEqual(seen, {error, made: made.sort(), gone: gone.sort()}, `${kind} to ${destination}`);
		}
	});
}

const masked = (message: string, id: string): string => message.replaceAll(id, 'C').replaceAll(work, 'W');

function copyInto(source: string, destination: string, options: {followLink: boolean; archive: boolean}) {
	return withContainer(async (id) => {
		const before = listUpper(id);
		const message = await messageOf(() =>
			fixture.engine.containers.copyTo(id, host(source), destination, options),
		);
		return {error: masked(message, id), ...difference(before, listUpper(id))};
	});
}

let serial = 0;

function copyOut(source: string, destination: string, options: {followLink: boolean}) {
	return withContainer(async (id) => {
		const folder = host(`o${serial++}`);
		for (const name of ['ed', 'd1']) mkdirSync(join(folder, name), {recursive: true});
		writeFileSync(join(folder, 'ef'), 'old\n');
		symlinkSync('ef', join(folder, 'lf'));
		symlinkSync('ed', join(folder, 'ld'));
		symlinkSync('nope', join(folder, 'br'));
		const before = listFolder(folder);
		if (destination === 'ff') native.mknod(join(folder, 'ff'), 0o010644, 0);
		const to = `${folder}/${destination}`;
		const message = await messageOf(() => fixture.engine.containers.copyFrom(id, source, to, options));
		rmSync(join(folder, 'ff'), {force: true});
		const result = {error: masked(message, id).replaceAll(folder.replace(work, 'W'), 'W/o')};
		return {...result, ...difference(before, listFolder(folder))};
	});
}

test('times are whole seconds, owners and modes are kept on the way in, and owners are ours on the way out', async (t) => {
	await withContainer(async (id) => {
		const {containers} = fixture.engine;
		mkdirSync(host('times'));
		writeFileSync(host('times/file'), 'x', {mode: 0o640});
		chownSync(host('times/file'), 70, 80);
		utimesSync(host('times/file'), 1.5, 1_000_000_000.75);
		t.deepEqual(await containers.copyTo(id, host('times/file'), '/tmp'), {size: 2048, path: '/tmp'});
		const stat = await containers.statPath(id, '/tmp/file');
		t.like(stat, {name: 'file', mode: 0o100640, size: 1, mtime: 1_000_000_000n * 1_000_000_000n});
		await containers.copyFrom(id, '/tmp/file', host('times/back'));
		t.like(lstatSync(host('times/back')), {uid: 0, gid: 0, mode: 0o100640, mtimeMs: 1e12});
		t.is((await containers.statPath(id, '/symlinkToDir1')).linkTarget, '/dir1');
		t.is((await containers.statPath(id, '/symlinkToDir1/')).linkTarget, undefined);
	});
});
