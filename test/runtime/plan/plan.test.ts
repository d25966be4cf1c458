import {readFileSync} from 'node:fs';
import test from 'ava';
import {encodePlan} from '../../../src/runtime/plan/encode.ts';
import {opsHeader} from '../../../src/runtime/plan/header.ts';
import {opSchemas} from '../../../src/runtime/plan/ops.ts';
import {printPlan} from '../../../src/runtime/plan/print.ts';

test('the native header is the one that the table makes', (t) => {
	t.is(readFileSync(new URL('../../../native/monitor/ops.h', import.meta.url), 'utf8'), opsHeader());
});

test('no two operations share a code', (t) => {
	const codes = Object.values(opSchemas).map(({code}) => code);
	t.is(new Set(codes).size, codes.length);
});

test('a plan is encoded as sections.ts says', (t) => {
	const bytes = encodePlan({
		init: [
			{op: 'mkdir', path: '/a', mode: 0o755},
			{op: 'exec', argv: ['sh', ''], env: []},
		],
	});
	const expected = Buffer.concat([
		Buffer.from('WPLN'),
		Buffer.from('01000000' + '01000000', 'hex'),
		// section init, its length set below, 2 operations
		Buffer.from('04000000' + '41000000' + '02000000', 'hex'),
		// mkdir (38), 2 arguments, 17 bytes
		Buffer.from('2600' + '0200' + '11000000', 'hex'),
		Buffer.from('s\x02\0\0\0/a\0i', 'latin1'),
		Buffer.from('ed01000000000000', 'hex'),
		// exec (64), 2 arguments, 22 bytes
		Buffer.from('4000' + '0200' + '16000000', 'hex'),
		Buffer.from('l\x02\0\0\0\x02\0\0\0sh\0\0\0\0\0\0', 'latin1'),
		Buffer.from('l\0\0\0\0', 'latin1'),
	]);
	expected.writeUInt32LE(expected.length - 20, 16);
	t.is(bytes.toString('hex'), expected.toString('hex'));
});

test('an operation without one of its arguments is refused', (t) => {
	t.throws(() => encodePlan({init: [{op: 'mkdir', path: '/a'} as never]}), {
		message: 'plan operation mkdir lacks mode',
	});
});

test('a plan is printed one operation a line', (t) => {
	const text = printPlan({
		setup: [{op: 'mkdirHost', path: '/sys/fs/cgroup/x', mode: 0o755}],
		init: [
			{op: 'seccomp', program: Buffer.alloc(16), flags: 0},
			{op: 'exec', argv: ['sh', '-c', 'echo a b'], env: ['A=\n']},
		],
	});
	t.is(
		text,
		[
			'setup:',
			'    0 mkdirHost path=/sys/fs/cgroup/x mode=493',
			'init:',
			'    0 seccomp program=<16 bytes> flags=0',
			'    1 exec argv=[sh -c "echo a b"] env=["A=\\n"]',
			'',
		].join('\n'),
	);
});
