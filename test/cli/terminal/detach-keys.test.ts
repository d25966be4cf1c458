import test from 'ava';
import {DetachScanner, parseDetachKeys} from '../../../src/cli/terminal/detach-keys.ts';

const PARSED: [string, number[] | undefined][] = [
	['', [16, 17]],
	['ctrl-p,ctrl-q', [16, 17]],
	['ctrl-a', [1]],
	['a,b', [97, 98]],
	['ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_', [0, 27, 28, 29, 30, 31]],
	['ctrl-a,x,DEL', [1, 120, 127]],
	['ctrl-', undefined],
	['ctrl-1', undefined],
	['ctrl-P', undefined],
	['ctrl-xx', undefined],
	['shift-a', undefined],
	['ab', undefined],
	['é', undefined],
	['a,,b', undefined],
];

for (const [keys, expected] of PARSED) {
	test(`detach keys "${keys}" are ${expected ?? 'refused'}`, (t) => {
		if (expected) t.deepEqual([...parseDetachKeys(keys)], expected);
		else t.throws(() => parseDetachKeys(keys), {message: `Error: Invalid detach keys (${keys}) provided`});
	});
}

/** What comes through for reads of bytes; `|` where the scanner says that the keys were complete. */
function scan(keys: string, ...reads: string[]): string {
	const scanner = new DetachScanner(parseDetachKeys(keys));
	let out = '';
	for (const read of reads) {
		const {forward, detached, rest} = scanner.feed(Buffer.from(read, 'latin1'));
		out += Buffer.from(forward).toString('latin1');
		if (detached) return `${out}|${Buffer.from(rest).toString('latin1')}`;
	}
	return out + Buffer.from(scanner.flush()).toString('latin1');
}

const SCANNED: [keys: string, reads: string[], out: string][] = [
	['', ['ls\r\x10\x11q'], 'ls\r|q'],
	['', ['ls\r\x10', '\x11q'], 'ls\r|q'],
	['', ['\x10', '\x10', '\x11'], '\x10|'],
	['', ['\x10x\x11'], '\x10x\x11'],
	['', ['\x11\x10'], '\x11\x10'],
	['a,b,c', ['xab', 'c'], 'x|'],
	['a,b', ['aab'], 'a|'],
	// Beginnings that overlap.
	['a,a,b', ['a', 'a', 'a', 'b'], 'a|'],
	['a,b,a,c', ['ababac'], 'ab|'],
	['ctrl-a', ['x\x01y'], 'x|y'],
];

for (const [keys, reads, out] of SCANNED) {
	test(`with ${keys || 'the default keys'} the reads ${JSON.stringify(reads)} give ${JSON.stringify(out)}`, (t) => {
		t.is(scan(keys, ...reads), out);
	});
}

test('a lone beginning is held until it is flushed', (t) => {
	const scanner = new DetachScanner(Uint8Array.of(16, 17));
	t.is(scanner.feed(Uint8Array.of(16)).forward.length, 0);
	t.true(scanner.holding);
	t.deepEqual([...scanner.flush()], [16]);
	t.false(scanner.holding);
	t.deepEqual([...scanner.feed(Uint8Array.of(17)).forward], [17]);
});
