import test from 'ava';
import {KeyDecoder} from '../../../src/tui/input/decoder.ts';
import {editText, textField} from '../../../src/tui/input/text-field.ts';

/** The field after typing these bytes, with `|` at the cursor. */
function typed(start: string, input: string): string {
	const decoder = new KeyDecoder();
	let field = textField(start);
	for (const event of [...decoder.feed(Buffer.from(input)), ...decoder.flush()])
		field = editText(field, event) ?? field;
	return `${field.value.slice(0, field.cursor)}|${field.value.slice(field.cursor)}`;
}

const CASES: [start: string, input: string, end: string][] = [
	['', 'abc', 'abc|'],
	['abc', '\x7f', 'ab|'],
	['abc', '\x1b[D\x1b[DX', 'aX|bc'],
	['abc', '\x01X\x05Y', 'XabcY|'],
	['abc', '\x1b[H\x1b[3~', '|bc'],
	['one two ', '\x17', 'one |'],
	['one two', '\x15', '|'],
	['one two', '\x01\x0b', '|'],
	['a🚣', '\x7f', 'a|'],
	['🚣b', '\x01\x1b[CX', '🚣X|b'],
	['', '\x7f\x1b[3~\x1b[D', '|'],
	['x', '\x1b[200~a\nb\t\x07c\x1b[201~', 'xa b c|'],
];

for (const [start, input, end] of CASES) {
	test(`${JSON.stringify(input)} in "${start}" gives "${end}"`, (t) => {
		t.is(typed(start, input), end);
	});
}

test('keys that write nothing are left to others', (t) => {
	t.is(editText(textField('a'), {type: 'key', key: 'f5', text: ''}), undefined);
	t.is(editText(textField('a'), {type: 'report', sequence: ''}), undefined);
});
