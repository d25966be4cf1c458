import test from 'ava';
import {flatKeyed, parseIo, parseLimit} from '../../../src/runtime/cgroups/stats.ts';

test('bytes read and written are summed over devices', (t) => {
	const v1 = '8:0 Read 100\n8:0 Write 5\n8:0 Sync 1\n8:0 Total 105\n8:16 Read 11\nTotal 116\n';
	t.deepEqual(parseIo(v1, 1), {read: 111, write: 5});
	const v2 = '8:0 rbytes=100 wbytes=5 rios=1 wios=1 dbytes=0 dios=0\n253:0 rbytes=1 wbytes=2 rios=0 wios=0\n';
	t.deepEqual(parseIo(v2, 2), {read: 101, write: 7});
	t.deepEqual(parseIo('', 1), {read: 0, write: 0});
});

test('no limit is told from a limit', (t) => {
	t.deepEqual(['max\n', '9223372036854771712\n', '', '67108864\n'].map(parseLimit), [
		undefined,
		undefined,
		undefined,
		67108864,
	]);
});

test('keys and values of a flat file', (t) => {
	t.deepEqual(
		[...flatKeyed('a 1\nb 22\n\nbroken\n')],
		[
			['a', 1],
			['b', 22],
		],
	);
});
