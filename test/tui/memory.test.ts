import {Script} from 'node:vm';
import test from 'ava';
import {collect} from '../../src/tui/memory.ts';

test('what is not used any more is collected, and V8 takes code caches as before', async (t) => {
	const text = '(function () { return 41 + 1; })';
	const cachedData = new Script(text, {filename: 'some.cjs'}).createCachedData();
	const held = {};
	const gone = new WeakRef((() => ({big: new Array(1000).fill(held)}))());
	// What a WeakRef was made of lives to the end of the turn.
	await new Promise((resolve) => setImmediate(resolve));
	await collect();
	t.is(gone.deref(), undefined);
	t.is('gc' in globalThis, false);
	// V8 compares the length of a text, and would hand out what it has just compiled of the same.
	const script = new Script(text.replace('41', '42'), {filename: 'some.cjs', cachedData});
	t.is(script.cachedDataRejected, false);
});
