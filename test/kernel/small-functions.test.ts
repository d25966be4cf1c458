import {createHash} from 'node:crypto';
import {closeSync, mkdtempSync, openSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {native} from '../../src/kernel/native.ts';
import {randomBytes, randomHex, randomInt} from '../../src/kernel/random.ts';

test("the addon's SHA-256 is node:crypto's", (t) => {
	for (const size of [0, 1, 55, 56, 63, 64, 65, 1000, 100_000]) {
		const bytes = randomBytes(size);
		t.is(native.sha256(bytes), `sha256:${createHash('sha256').update(bytes).digest('hex')}`, `${size} bytes`);
	}
	t.throws(() => native.sha256('text' as unknown as Uint8Array), {instanceOf: TypeError});
	t.throws(() => native.sha256(new Uint16Array(2) as unknown as Uint8Array), {instanceOf: TypeError});
});

test('random bytes are as many as asked for and never the same', (t) => {
	t.is(randomBytes(100_000).length, 100_000);
	t.regex(randomHex(32), /^[0-9a-f]{64}$/);
	t.is(new Set(Array.from({length: 1000}, () => randomHex(8))).size, 1000);
});

test('random numbers are below their end, and each comes', (t) => {
	const seen = new Set(Array.from({length: 2000}, () => randomInt(7)));
	t.deepEqual([...seen].sort(), [0, 1, 2, 3, 4, 5, 6]);
	t.is(randomInt(1), 0);
});

test('raw mode is for terminals', (t) => {
	const fd = openSync('/dev/null', 'r');
	t.teardown(() => closeSync(fd));
	t.throws(() => native.rawTerminal(fd), {code: 'ENOTTY'});
});

test('many files are read at once, up to a size, and those that are not there are none', async (t) => {
	const folder = mkdtempSync(join(tmpdir(), 'wherry-files-'));
	t.teardown(() => rmSync(folder, {recursive: true}));
	const paths = Array.from({length: 300}, (_, index) => join(folder, String(index)));
	for (const path of paths) writeFileSync(path, `content of ${path}\n`);
	const read = await native.readFiles([...paths, join(folder, 'none'), folder, '/proc/self/stat'], 1000);
	t.deepEqual(
		read.slice(0, 300),
		paths.map((path) => `content of ${path}\n`),
	);
	t.deepEqual(read.slice(300, 302), [undefined, undefined]);
	t.true(read[302]!.startsWith(`${process.pid} (`));
	t.deepEqual(await native.readFiles([paths[0]!], 7), ['content']);
	t.deepEqual(await native.readFiles([], 7), []);
	t.throws(() => native.readFiles([1 as unknown as string], 7), {instanceOf: TypeError});
});

test('a folder cannot be given to a project where there are no quotas', (t) => {
	const folder = mkdtempSync('/dev/shm/wherry-quota-');
	t.teardown(() => rmSync(folder, {recursive: true}));
	const error = t.throws<NodeJS.ErrnoException>(() => native.limitProject(folder, 1 << 20, 1 << 20));
	t.regex(error.code!, /^E[A-Z]+$/);
	t.throws(() => native.limitProject('/no/such/folder', 1 << 20, 1 << 20), {code: 'ENOENT'});
});
