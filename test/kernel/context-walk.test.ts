import {
	chmodSync,
	closeSync,
	linkSync,
	lstatSync,
	mkdirSync,
	mkdtempSync,
	openSync,
	readFileSync,
	readlinkSync,
	renameSync,
	rmSync,
	statSync,
	symlinkSync,
	utimesSync,
	writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {FolderSource} from '../../src/engine/build/context.ts';
import {copyEntries} from '../../src/engine/build/copy.ts';
import {PatternMatcher} from '../../src/engine/build/patterns.ts';
import {type ContextReading, native} from '../../src/kernel/native.ts';

interface Tree {
	folder: string;
	write(path: string, content: string): void;
	read(options?: {path?: string; rules?: readonly string[]; cache?: string}): Promise<ContextReading>;
}

function makeTree(t: ExecutionContext, files: Record<string, string> = {}): Tree {
	const folder = mkdtempSync(join(tmpdir(), 'wherry-context-'));
	const tree = join(folder, 'tree');
	mkdirSync(tree);
	const fd = openSync(tree, 'r');
	t.teardown(() => {
		closeSync(fd);
		rmSync(folder, {recursive: true, force: true});
	});
	const write = (path: string, content: string): void => {
		mkdirSync(dirname(join(tree, path)), {recursive: true});
		writeFileSync(join(tree, path), content);
	};
	for (const [path, content] of Object.entries(files)) write(path, content);
	return {
		folder: tree,
		write,
		read: ({path = '', rules = [], cache = ''} = {}) => native.readContext(fd, path, rules, cache)[0],
	};
}

/** CAP_NET_RAW, permitted and effective (struct vfs_cap_data). */
const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex');

/** An access list that gives a user of its own some of read, write and execute (posix_acl_xattr.h). */
function accessList(allowed: number): Buffer {
	const none = 0xffffffff;
	const entries = [
		[1, 6, none],
		[2, allowed, 1234],
		[4, 4, none],
		[0x10, allowed, none],
		[0x20, 4, none],
	];
	return Buffer.concat([
		Buffer.from([2, 0, 0, 0]),
		...entries.map(([tag, bits, id]) => {
			const entry = Buffer.alloc(8);
			entry.writeUInt16LE(tag!, 0);
			entry.writeUInt16LE(bits!, 2);
			entry.writeUInt32LE(id!, 4);
			return entry;
		}),
	]);
}

const many = (count: number): Record<string, string> =>
	Object.fromEntries(
		Array.from({length: count}, (_, at) => [`d${at % 7}/e${at % 3}/f${at}`, `content ${at}`]),
	);

test('a digest is of paths, kinds, modes, contents and attributes, and not of times', async (t) => {
	const tree = makeTree(t, {'a/b': 'one', c: 'two'});
	const digests = new Set<string>();
	const isNew = async (what: string): Promise<void> => {
		const {digest} = await tree.read();
		t.regex(digest, /^sha256:[0-9a-f]{64}$/);
		t.false(digests.has(digest), what);
		digests.add(digest);
	};
	await isNew('first');
	utimesSync(join(tree.folder, 'c'), 5, 5);
	utimesSync(join(tree.folder, 'a'), 5, 5);
	t.true(digests.has((await tree.read()).digest));
	tree.write('c', 'owt');
	await isNew('content');
	chmodSync(join(tree.folder, 'c'), 0o600);
	await isNew('mode');
	renameSync(join(tree.folder, 'c'), join(tree.folder, 'd'));
	await isNew('name');
	symlinkSync('a/b', join(tree.folder, 'link'));
	await isNew('link');
	rmSync(join(tree.folder, 'link'));
	tree.write('link', 'a/b');
	await isNew('a file instead of a link');
	const attribute = Buffer.from('x');
	native.setXattr(join(tree.folder, 'link'), 'user.one', attribute);
	await isNew('an attribute of a file');
	native.setXattr(join(tree.folder, 'a'), 'user.one', attribute);
	await isNew('an attribute of a folder');
	symlinkSync('a/b', join(tree.folder, 'named'));
	await isNew('another link');
	native.setXattr(join(tree.folder, 'named'), 'trusted.one', attribute);
	await isNew('an attribute of a link');
	rmSync(join(tree.folder, 'named'));
	// What overlay and a security module note is not the file's, and the folder that is asked for is not copied.
	native.setXattr(join(tree.folder, 'link'), 'user.overlay.x', attribute);
	native.setXattr(join(tree.folder, 'link'), 'trusted.overlay.x', attribute);
	native.setXattr(tree.folder, 'user.one', attribute);
	t.true(digests.has((await tree.read()).digest));
	mkdirSync(join(tree.folder, 'empty'));
	await isNew('folder');
	rmSync(join(tree.folder, 'a'), {recursive: true});
	await isNew('removed');
	const {entries, bytes, hashed} = await tree.read();
	t.deepEqual([entries, bytes, hashed], [4, 6, 2]);
});

test('no link is followed, and no path leads out of the root', async (t) => {
	const tree = makeTree(t, {'in/a': 'a'});
	symlinkSync('/etc', join(tree.folder, 'out'));
	symlinkSync('in', join(tree.folder, 'inner'));
	t.deepEqual((await tree.read()).entries, 5);
	for (const path of ['out', 'inner', 'out/ssl', '../tree', '/etc', 'in/a', 'missing']) {
		const {code} = (await t.throwsAsync(tree.read({path}), undefined, path)) as NodeJS.ErrnoException;
		t.regex(code ?? '', /^(?:EXDEV|ELOOP|ENOTDIR|ENOENT)$/, path);
	}
	t.is((await tree.read({path: 'in'})).bytes, 1);
});

test('what a cache knows is not read again, and what has changed is, whatever its times say', async (t) => {
	const tree = makeTree(t, many(300));
	const cache = join(dirname(tree.folder), 'cache');
	const first = await tree.read({cache});
	t.is(first.hashed, 300);
	// What is younger than the clock of files can tell apart is read again.
	let again = await tree.read({cache});
	for (; again.hashed > 0; again = await tree.read({cache})) await sleep(20);
	t.is(again.digest, first.digest);
	const changed = join(tree.folder, 'd1/e1/f1');
	const {atimeMs, mtimeMs} = statSync(changed);
	writeFileSync(changed, 'CONTENT 1');
	utimesSync(changed, atimeMs / 1000, mtimeMs / 1000);
	const second = await tree.read({cache});
	t.is(second.hashed, 1);
	t.not(second.digest, first.digest);
	t.is(second.digest, (await tree.read()).digest);
	// Another file of the same size and times in its place.
	const other = join(tree.folder, 'd2/e2/f2');
	writeFileSync(`${other}.new`, 'CONTENT 2');
	utimesSync(`${other}.new`, statSync(other).atime, statSync(other).mtime);
	renameSync(`${other}.new`, other);
	t.is((await tree.read({cache})).digest, (await tree.read()).digest);
	native.setXattr(other, 'user.one', Buffer.from('x'));
	const marked = await tree.read({cache});
	t.true(marked.hashed > 0);
	t.is(marked.digest, (await tree.read()).digest);
	t.is((await tree.read({cache})).digest, marked.digest);
	rmSync(join(tree.folder, 'd3'), {recursive: true});
	t.is((await tree.read({cache})).digest, (await tree.read()).digest);
	t.is((await tree.read({cache, path: 'd1'})).digest, (await tree.read({path: 'd1'})).digest);
});

test('a file that is written again at once is never taken for the one before', async (t) => {
	const tree = makeTree(t, many(250));
	const cache = join(dirname(tree.folder), 'cache');
	const digests = new Set<string>();
	for (let at = 0; at < 100; at++) {
		tree.write('d0/e0/f0', `version ${String(at).padStart(4)}`);
		digests.add((await tree.read({cache})).digest);
	}
	t.is(digests.size, 100);
});

test('a damaged cache is none', async (t) => {
	const tree = makeTree(t, many(250));
	const cache = join(dirname(tree.folder), 'cache');
	const {digest} = await tree.read();
	for (let hashed = 1; hashed > 0; await sleep(20)) ({hashed} = await tree.read({cache}));
	const good = readFileSync(cache);
	const flipped = Buffer.from(good);
	flipped[good.length >> 1]! ^= 1;
	const bad = [flipped, good.subarray(0, good.length - 1), good.subarray(0, 40), Buffer.alloc(good.length)];
	for (const bytes of bad) {
		writeFileSync(cache, bytes);
		const read = await tree.read({cache});
		t.is(read.digest, digest);
		t.is(read.hashed, 250);
		t.is((await tree.read({cache})).hashed, 0);
	}
	rmSync(cache);
	mkdirSync(cache);
	t.is((await tree.read({cache})).digest, digest);
});

test('a walk can be stopped', async (t) => {
	const tree = makeTree(t, many(500));
	const fd = openSync(tree.folder, 'r');
	const [reading, stop] = native.readContext(fd, '', [], '');
	stop();
	closeSync(fd);
	await t.throwsAsync(reading, {code: 'ECANCELED'});
	stop();
});

test('a folder that is left out is entered only when an exception may be in it', async (t) => {
	const tree = makeTree(t, {'out/a': 'a', 'kept/b': 'bb', 'maybe/c/d': 'ccc', 'maybe/e': 'e'});
	const folders = ['out', 'maybe', 'maybe/c'].map((name) => join(tree.folder, name));
	const control = join(tree.folder, 'kept');
	const isEntered = (folder: string): boolean => statSync(folder).atimeMs > 1_000_000;
	for (const folder of [...folders, control]) utimesSync(folder, 5, 6);
	const rules = new PatternMatcher(['out', 'maybe', '!maybe/c/d']).rules()!;
	const {bytes, entries} = await tree.read({rules});
	t.deepEqual([bytes, entries], [5, 6]);
	// A file system may keep no such times.
	if (isEntered(control)) t.deepEqual(folders.map(isEntered), [false, true, true]);
	t.is((await tree.read({rules, path: 'out'})).digest, '');
});

test('patterns leave out what the pattern matcher does', async (t) => {
	const parts = ['a', 'ab', 'b.c', 'é', 'x y', '.d', '$'];
	const wild = ['*', '**', '?', 'a*', '*.c', '**b', '?b', '*b*', 'a**', '.?'];
	// The same ones in each run (a linear congruential generator).
	let seed = 7;
	const random = (below: number): number => {
		seed = (seed * 1103515245 + 12345) % 2147483648;
		return Math.floor((seed / 2147483648) * below);
	};
	const pick = (list: readonly string[]): string => list[random(list.length)]!;
	const tree = makeTree(t);
	for (let at = 0; at < 60; at++) {
		const path = Array.from({length: 1 + random(4)}, () => pick(parts)).join('/');
		const isTaken = (name: string): boolean =>
			statSync(join(tree.folder, name), {throwIfNoEntry: false})?.isFile() ?? false;
		const above = path.split('/').map((_, end, all) => all.slice(0, end + 1).join('/'));
		if (above.some(isTaken) || statSync(join(tree.folder, path), {throwIfNoEntry: false})) continue;
		tree.write(path, 'x'.repeat(1 + at * at));
	}
	let left = 0;
	for (let round = 0; round < 400; round++) {
		const patterns = Array.from({length: 1 + random(4)}, () => {
			const text = Array.from({length: 1 + random(3)}, () => pick(random(2) === 0 ? parts : wild)).join('/');
			return (random(3) === 0 ? '!' : '') + text;
		});
		const matcher = new PatternMatcher(patterns);
		const rules = matcher.rules();
		t.truthy(rules);
		const expected = [...new FolderSource('tree', tree.folder, matcher).walk('')];
		const {entries, bytes} = await tree.read({rules: rules!});
		const size = expected.reduce((sum, {stat}) => sum + (stat.isFile() ? stat.size : 0), 0);
		if (entries !== expected.length || bytes !== size)
			t.deepEqual({entries, bytes}, {entries: expected.length, bytes: size}, patterns.join(' '));
		left += entries;
	}
	t.true(left > 1000);
	for (const odd of ['[a]', 'a\\b', '^a']) t.is(new PatternMatcher([odd]).rules(), undefined);
});

test('what is copied at once is what an entry after the other gives', async (t) => {
	const tree = makeTree(t, {...many(300), 'sub/keep': 'k', 'sub/x.log': 'l', '.hidden/f': 'h'});
	const at = (path: string): string => join(tree.folder, path);
	symlinkSync('../gone', at('sub/link'));
	writeFileSync(at('large'), Buffer.alloc(700_000, 'x'));
	chmodSync(at('large'), 0o4751);
	chmodSync(at('sub'), 0o2700);
	linkSync(at('large'), at('sub/other-name'));
	native.setXattr(at('large'), 'security.capability', capability);
	native.setXattr(at('sub/keep'), 'system.posix_acl_access', accessList(6));
	native.setXattr(at('sub'), 'system.posix_acl_default', accessList(7));
	native.setXattr(at('sub'), 'user.overlay.x', capability);
	native.setXattr(at('sub/link'), 'trusted.x', capability);
	utimesSync(at('sub/keep'), 1000, 2000);
	utimesSync(at('sub'), 1000, 3000);
	const matcher = new PatternMatcher(['**/*.log', '.hidden', 'd1']);
	const fd = openSync(tree.folder, 'r');
	const target = mkdtempSync(join(tmpdir(), 'wherry-copied-'));
	const to = openSync(target, 'r');
	t.teardown(() => {
		closeSync(fd);
		closeSync(to);
		rmSync(target, {recursive: true, force: true});
	});
	// What is there and no folder gives way; a folder becomes what the other is.
	mkdirSync(join(target, 'sub'), {mode: 0o755});
	writeFileSync(join(target, 'sub/other'), 'stays');
	symlinkSync('/etc', join(target, 'd2'));
	symlinkSync('/etc/hostname', join(target, 'large'));
	const source = new FolderSource('context', tree.folder, matcher, undefined, {fd});
	const umask = process.umask(0o077);
	try {
		t.true(await source.copy('', to, {owner: {uid: 5, gid: 6}, mode: undefined, time: undefined}));
	} finally {
		process.umask(umask);
	}
	let entries = 0;
	for (const {path, file, stat} of source.walk('')) {
		if (path === '') continue;
		entries++;
		const copy = lstatSync(join(target, path));
		const modeOf = (mode: number): number => (stat.isSymbolicLink() ? 0 : mode);
		t.deepEqual(
			[modeOf(copy.mode), copy.uid, copy.gid, copy.mtimeMs],
			[modeOf(stat.mode), 5, 6, stat.mtimeMs],
			path,
		);
		if (stat.isFile()) t.true(readFileSync(join(target, path)).equals(readFileSync(file)), path);
		if (stat.isSymbolicLink()) t.is(readlinkSync(join(target, path)), '../gone');
		t.is(native.digestXattrs(join(target, path)), native.digestXattrs(file), path);
	}
	t.is(lstatSync(join(target, 'large')).ino, lstatSync(join(target, 'sub/other-name')).ino);
	t.is(native.getXattr(join(target, 'sub'), 'user.overlay.x'), undefined);
	// One by one it is the same.
	const single = mkdtempSync(join(tmpdir(), 'wherry-copied-'));
	const toSingle = openSync(single, 'r');
	t.teardown(() => {
		closeSync(toSingle);
		rmSync(single, {recursive: true, force: true});
	});
	const plan = {destination: '/', owner: {uid: 5, gid: 6}, mode: undefined, time: undefined};
	copyEntries(toSingle, '', source.walk(''), plan, true);
	for (const {path} of source.walk('')) {
		const [one, other] = [join(target, path), join(single, path)];
		const told = (file: string) => {
			const {mode, uid, gid, size, nlink} = lstatSync(file);
			return [mode, uid, gid, lstatSync(file).isFile() ? [size, nlink] : [], native.digestXattrs(file)];
		};
		if (path !== '') t.deepEqual(told(other), told(one), path);
	}
	t.true(entries > 250);
	t.is(readFileSync(join(target, 'sub/other'), 'utf8'), 'stays');
	for (const gone of ['sub/x.log', '.hidden', 'd1'])
		t.is(lstatSync(join(target, gone), {throwIfNoEntry: false}), undefined, gone);
	// All the same, and a folder in the way.
	t.true(await source.copy('sub', to, {owner: undefined, mode: 0o640, time: 5000}));
	const {mode, uid, mtimeMs} = lstatSync(join(target, 'keep'));
	// A mode that is asked for is had, whatever an access list says.
	t.deepEqual([mode & 0o7777, uid, mtimeMs], [0o640, 0, 5000]);
	rmSync(join(target, 'keep'));
	mkdirSync(join(target, 'keep'));
	await t.throwsAsync(source.copy('sub', to, {owner: undefined, mode: undefined, time: undefined}), {
		code: 'EISDIR',
	});
	const [copying, stop] = native.copyContext(fd, '', [], to, -1, -1, -1, -1);
	stop();
	await t.throwsAsync(copying, {code: 'ECANCELED'});
	// Exceptions are for whoever goes from entry to entry.
	const excepted = new FolderSource('context', tree.folder, new PatternMatcher(['*', '!sub']), undefined, {
		fd,
	});
	t.false(await excepted.copy('', to, {owner: undefined, mode: undefined, time: undefined}));
});
