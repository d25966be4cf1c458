import {createHash} from 'node:crypto';
import {closeSync, openSync} from 'node:fs';
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
