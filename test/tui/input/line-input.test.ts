import test from 'ava';
import {LineInput} from '../../../src/tui/input/line-input.ts';

const CASES: [typed: string, send: string, echo: string, after: '' | 'end' | 'leave'][] = [
	['hello\r', 'hello\n', 'hello\r\n', ''],
	['a\x7fb\r', 'b\n', 'a\b \bb\r\n', ''],
	['\x7f\r', '\n', '\r\n', ''],
	['日\x7f\r', '\n', '日\b \b\r\n', ''],
	['one two\x17\r', 'one \n', `one two${'\b \b'.repeat(3)}\r\n`, ''],
	['one\x15two\r', 'two\n', `one${'\b \b'.repeat(3)}two\r\n`, ''],
	['half\x04', 'half', 'half', ''],
	['\x04', '', '', 'end'],
	['x\r\x04y', 'x\n', 'x\r\n', 'end'],
	['\x03', '', '', 'leave'],
	['a\x1b\x01b\r', 'ab\n', 'ab\r\n', ''],
];

for (const [typed, send, echo, after] of CASES) {
	test(`typing ${JSON.stringify(typed)} sends ${JSON.stringify(send)} ${after}`, (t) => {
		const step = new LineInput().feed(Buffer.from(typed));
		t.deepEqual(step, {send, echo, end: after === 'end', leave: after === 'leave'});
	});
}

test('a character may be cut between two reads', (t) => {
	const input = new LineInput();
	const bytes = Buffer.from('é\r');
	t.is(input.feed(bytes.subarray(0, 1)).send, '');
	t.is(input.feed(bytes.subarray(1)).send, 'é\n');
});
