import test from 'ava';
import {keyBytes, mouseBytes, wheelKeys} from '../../../src/tui/input/session-keys.ts';

const ESC = '\u001b';
const normal = {applicationCursor: false, bracketedPaste: false};
const application = {applicationCursor: true, bracketedPaste: false};

test('cursor keys are as the program asked for them, and other keys as xterm has them', (t) => {
	t.is(keyBytes('up', normal), `${ESC}[A`);
	t.is(keyBytes('up', application), `${ESC}OA`);
	t.is(keyBytes('home', normal), `${ESC}[H`);
	t.is(keyBytes('end', application), `${ESC}OF`);
	t.is(keyBytes('f1', normal), `${ESC}OP`);
	t.is(keyBytes('delete', normal), `${ESC}[3~`);
	for (const key of ['a', 'enter', 'ctrl-up', 'shift-tab', 'backspace'])
		t.is(keyBytes(key, normal), undefined);
	t.is(wheelKeys('wheel-up', application), `${ESC}OA`.repeat(3));
});

const press = {action: 'press', button: 0} as const;
const text = (bytes: Uint8Array | undefined): string | undefined =>
	bytes && Buffer.from(bytes).toString('latin1');

test('the mouse is told as the program asked for it', (t) => {
	const sgr = {tracking: 'drag', sgr: true} as const;
	t.is(text(mouseBytes(press, 4, 6, sgr)), `${ESC}[<0;5;7M`);
	t.is(text(mouseBytes({action: 'release', button: 2}, 0, 0, sgr)), `${ESC}[<2;1;1m`);
	t.is(text(mouseBytes({action: 'move', button: 0}, 0, 0, sgr)), `${ESC}[<32;1;1M`);
	t.is(text(mouseBytes({action: 'wheel-down', button: 0}, 9, 9, sgr)), `${ESC}[<65;10;10M`);
	const old = {tracking: 'vt200', sgr: false} as const;
	t.is(text(mouseBytes(press, 4, 6, old)), `${ESC}[M %'`);
	t.is(text(mouseBytes({action: 'release', button: 0}, 4, 6, old)), `${ESC}[M#%'`);
	// There are no bytes for what is further away.
	t.is(mouseBytes(press, 250, 6, old), undefined);
});

test('what the program didn’t ask for it isn’t told', (t) => {
	t.is(mouseBytes(press, 0, 0, {tracking: 'none', sgr: true}), undefined);
	t.is(mouseBytes({action: 'move', button: 0}, 0, 0, {tracking: 'vt200', sgr: true}), undefined);
	t.is(mouseBytes({action: 'move', button: 3}, 0, 0, {tracking: 'drag', sgr: true}), undefined);
	t.is(mouseBytes({action: 'release', button: 0}, 0, 0, {tracking: 'x10', sgr: true}), undefined);
	t.truthy(mouseBytes({action: 'move', button: 3}, 0, 0, {tracking: 'any', sgr: true}));
});
