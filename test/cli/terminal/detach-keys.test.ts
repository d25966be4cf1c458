import test from 'ava';
import {DetachScanner, parseDetachKeys} from '../../../src/cli/terminal/detach-keys.ts';

const scan = (keys: string, ...chunks: string[]): {pass: string; detached: boolean} => {
	const scanner = new DetachScanner(parseDetachKeys(keys));
	let pass = '';
	for (const chunk of chunks) {
		const result = scanner.scan(Buffer.from(chunk));
		pass += Buffer.from(result.pass).toString();
		if (result.detached) return {pass, detached: true};
	}
	return {pass, detached: false};
};

test('the keys are found within a chunk and across chunks', (t) => {
	t.deepEqual(scan('', 'ab\x10\x11cd'), {pass: 'ab', detached: true});
	t.deepEqual(scan('', 'ab\x10', '\x11'), {pass: 'ab', detached: true});
	t.deepEqual(scan('a,b,c', 'xab', 'c'), {pass: 'x', detached: true});
});

test('a beginning that goes on otherwise is delivered', (t) => {
	t.deepEqual(scan('', '\x10', 'x'), {pass: '\x10x', detached: false});
	t.deepEqual(scan('', '\x10', '\x10', '\x11'), {pass: '\x10', detached: true});
	t.deepEqual(scan('a,b', 'aab'), {pass: 'a', detached: true});
	// Held back until the next key decides.
	t.deepEqual(scan('', 'x\x10'), {pass: 'x', detached: false});
});

test('keys are written as docker writes them', (t) => {
	t.deepEqual([...parseDetachKeys('ctrl-a,x,ctrl-@,ctrl-_')], [1, 120, 0, 31]);
	t.throws(() => parseDetachKeys('ctrl-xx'), {message: 'Error: Invalid detach keys (ctrl-xx) provided'});
	t.throws(() => parseDetachKeys('ctrl-1'));
});
