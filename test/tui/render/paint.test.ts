import test from 'ava';
import chalk from 'chalk';
import {renderToString, Text} from 'ink';
import {createElement} from 'react';
import Output from '../../../src/tui/render/output.ts';
import {paint} from '../../../src/tui/render/paint.ts';
import type {TextStyle} from '../../../src/tui/theme.ts';

const STYLES: TextStyle[] = [
	{},
	{dimColor: true},
	{bold: true, inverse: true},
	{color: 'cyan', bold: true},
	{color: 'gray', dimColor: true},
	{color: 'redBright', underline: true, strikethrough: true},
	{color: '#5fd7ff', italic: true},
	{color: 'ansi256(208)'},
	{color: 'rgb(1, 2, 3)', backgroundColor: 'blue'},
	{backgroundColor: '#102030'},
	{backgroundColor: 'ansi256(7)', color: 'no such colour'},
	{backgroundColor: 'rgb(255, 0, 9)', inverse: true},
];

/** Whatever order the codes of one style come in. */
function shown(text: string): string {
	const output = new Output({width: 20, height: 1});
	output.write(0, 0, text, {transformers: []});
	return output.get().output;
}

test.serial('text is painted as an element of the same style is drawn, with every number of colours', (t) => {
	const before = chalk.level;
	t.teardown(() => {
		chalk.level = before;
	});
	for (const level of [0, 1, 2, 3] as const) {
		chalk.level = level;
		for (const style of STYLES) {
			const drawn = renderToString(createElement(Text, style, 'some text'));
			t.is(shown(paint('some text', style)), shown(drawn), `${level} ${JSON.stringify(style)}`);
		}
		t.is(paint('', {bold: true}), '');
	}
	chalk.level = 0;
	t.is(paint('plain', {color: 'red', bold: true}), 'plain');
});

test.serial('more colours than are kept are painted all the same', (t) => {
	const before = chalk.level;
	t.teardown(() => {
		chalk.level = before;
	});
	chalk.level = 3;
	for (let at = 0; at < 2500; at++) paint('x', {color: `rgb(1, ${at >> 8}, ${at & 255})`});
	t.is(paint('x', {color: 'rgb(1, 0, 7)'}), '\u001b[38;2;1;0;7mx\u001b[39m');
});
