/**
 * A power cut: whatever gets a name that counts (a blob, a layer, the index) has been written to the disk before it
 * gets it. The order of system calls shows it, as strace sees them.
 */
import {spawnSync} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {PassThrough} from 'node:stream';
import {buffer} from 'node:stream/consumers';
import {gzipSync} from 'node:zlib';
import test from 'ava';
import {openStore, tarOf, temporaryFolder} from '../../setup/images.ts';
import {push, startRegistry, writeLayout} from '../../setup/registry.ts';

interface Call {
	name: string;
	/** Paths among its arguments: of descriptors and in quotes. */
	paths: string[];
	/** Number of the line where it begins, and where it ends. */
	start: number;
	end: number;
}

/** The calls of a strace of several threads, in which a call may be cut in two. */
function parseTrace(text: string): Call[] {
	const open = new Map<string, Call>();
	const calls: Call[] = [];
	for (const [line, content] of text.split('\n').entries()) {
		const match = /^(\d+) +(?:<\.\.\. (\w+) resumed>|(\w+)\()(.*)$/.exec(content);
		if (!match) continue;
		const [, thread, resumed, name, rest = ''] = match;
		const found = [...rest.matchAll(/\d<(\/[^>]*)>|"(\/[^"]*)"/g)].map(
			([, fd, quoted]) => fd ?? quoted ?? '',
		);
		const call = resumed
			? open.get(`${thread} ${resumed}`)
			: {name: name!, paths: [] as string[], start: line, end: line};
		if (!call) continue;
		call.paths.push(...found);
		call.end = line;
		if (rest.includes('<unfinished ...>')) open.set(`${thread} ${call.name}`, call);
		else if (!/ = -1 /.test(rest)) calls.push(call);
	}
	return calls;
}

const writes = new Set([
	'write',
	'pwrite64',
	'writev',
	'pwritev',
	'ftruncate',
	'copy_file_range',
	'sendfile',
]);

/** What has got a name before it was on the disk. */
function faults(calls: readonly Call[], root: string): {faults: string[]; named: number} {
	const [blobs, layers] = [join(root, 'images/blobs/sha256'), join(root, 'layers')];
	const index = join(root, 'images/index.json');
	const wrong: string[] = [];
	let named = 0;
	const written = new Map<string, number>();
	const namedIn = new Map<string, number>();
	const renames = (call: Call) => call.name.startsWith('rename');
	/** Whether a call that ends before `line` puts on the disk what was written at `at`. */
	const synced = (path: string, at: number, line: number) =>
		calls.some(
			({name, paths, start, end}) =>
				start > at &&
				end < line &&
				((name === 'syncfs' && paths[0]?.startsWith(root)) ||
					((name === 'fsync' || name === 'fdatasync') && paths[0] === path)),
		);
	for (const call of [...calls].sort((left, right) => left.start - right.start)) {
		if (writes.has(call.name) && call.paths[0]) written.set(call.paths[0], call.end);
		if (!renames(call)) continue;
		const [from = '', to = ''] = call.paths;
		const folder = to.slice(0, to.lastIndexOf('/'));
		if (folder !== blobs && folder !== layers && to !== index) continue;
		named++;
		for (const [path, at] of written)
			if ((path === from || path.startsWith(`${from}/`)) && !synced(path, at, call.start))
				wrong.push(`${path} gets the name ${to} before it is on the disk`);
		if (to !== index) namedIn.set(folder, call.end);
		else
			for (const [place, at] of namedIn)
				if (!synced(place, at, call.start)) wrong.push(`the index names what ${place} may not have`);
	}
	return {faults: wrong, named};
}

test('what gets a name in the store is on the disk before', async (t) => {
	const registry = await startRegistry();
	t.teardown(() => registry.stop());
	const folder = temporaryFolder(t);
	const layers = [tarOf({etc: null, 'etc/one': 'x'.repeat(300_000)}), tarOf({'implied/deep/two': 'two'})];
	const name = push(writeLayout(temporaryFolder(t), layers), registry, 'cut:1', '--format', 'v2s2');
	const other = openStore(t);
	const local = push(writeLayout(temporaryFolder(t), [tarOf({three: '3'})]), registry, 'cut:2');
	await other.images.pull(local);
	const output = new PassThrough();
	const bytes = buffer(output);
	await other.images.save([local], output);
	output.end();
	writeFileSync(join(folder, 'saved.tar.gz'), gzipSync(await bytes));
	writeFileSync(join(folder, 'files.tar'), tarOf({four: '4'.repeat(100_000)}));

	const store = openStore(t);
	const script = new URL('../../setup/store-work.ts', import.meta.url).pathname;
	const {root, run} = store.paths;
	const work = [
		process.execPath,
		script,
		root,
		run,
		name,
		join(folder, 'saved.tar.gz'),
		join(folder, 'files.tar'),
	];
	const trace = join(folder, 'trace');
	const calls = [...writes, 'fsync', 'fdatasync', 'syncfs', 'rename', 'renameat', 'renameat2'].join(',');
	const strace = ['strace', '-f', '-y', '-qq', '-s', '0', '-e', `trace=${calls}`, '-o', trace];
	// Where processes can't be traced the work is done all the same.
	const canTrace = spawnSync(strace[0]!, ['-o', '/dev/null', 'true']).status === 0;
	const [program, ...args] = [...(canTrace ? strace : []), ...work];
	const result = spawnSync(program!, args, {encoding: 'utf8'});
	t.is(result.status, 0, result.stderr);
	t.deepEqual(
		(await store.images.verify()).filter(({status}) => status !== 'ok'),
		[],
	);
	t.true((await store.images.ids([name, 'imported:2', 'made:1', local])).every(Boolean));
	if (!canTrace) return t.log('strace is missing: the order of system calls was not looked at');
	const found = faults(parseTrace(readFileSync(trace, 'utf8')), root);
	t.deepEqual(found.faults, []);
	t.true(found.named > 15, `${found.named} names were given`);
});

test('the check of the order finds what is wrong', (t) => {
	const line = (call: string, result = '0') => `12 ${call} = ${result}`;
	const root = '/r';
	const rename = line('rename("/r/ingest/a.partial", "/r/images/blobs/sha256/a")');
	const write = line('pwrite64(3</r/ingest/a.partial>, ""..., 10, 0)', '10');
	const sync = line('syncfs(4</r/ingest>)');
	const index = line('rename("/r/images/.index", "/r/images/index.json")');
	const folder = line('fsync(5</r/images/blobs/sha256>)');
	const count = (...lines: string[]) => faults(parseTrace(lines.join('\n')), root).faults.length;
	t.is(count(write, sync, rename, folder, index), 0);
	t.is(count(write, rename, sync, folder, index), 1);
	t.is(count(sync, write, rename, folder, index), 1);
	t.is(count(write, sync, rename, index, folder), 1);
	t.is(
		count(
			write,
			'12 syncfs(4</r/ingest> <unfinished ...>',
			'13 rename("/r/ingest/a.partial", "/r/images/blobs/sha256/a") = 0',
			'12 <... syncfs resumed>) = 0',
			folder,
			index,
		),
		1,
	);
});
