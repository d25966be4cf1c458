import test from 'ava';
import {commandLine} from '../../../src/tui/actions/context.ts';
import {
	createOptions,
	type RunRequest,
	readRequest,
	runCommand,
	splitWords,
} from '../../../src/tui/actions/run.ts';

const WORDS: [text: string, words: string[] | undefined][] = [
	['', []],
	['  a  b ', ['a', 'b']],
	[`sh -c 'echo "hi there"'`, ['sh', '-c', 'echo "hi there"']],
	['"a b"c', ['a bc']],
	['a\\ b', ['a b']],
	[`""`, ['']],
	['"a\\"b\\c"', ['a"b\\c']],
	['"open', undefined],
	["'open", undefined],
	['$HOME *', ['$HOME', '*']],
];

for (const [text, words] of WORDS) {
	test(`the words of ${JSON.stringify(text)} are ${JSON.stringify(words)}`, (t) => {
		t.deepEqual(splitWords(text), words);
	});
}

const form = {
	image: 'alpine',
	name: 'web',
	command: 'sleep "1 2"',
	env: 'A=b C=',
	binds: '/x:/y',
	terminal: true,
	remove: true,
	attach: false,
};

test('the form becomes what the engine makes, and the command that does the same', (t) => {
	const request = readRequest(form) as RunRequest;
	t.like(createOptions(request), {
		image: 'alpine',
		name: 'web',
		config: {Tty: true, OpenStdin: true, Cmd: ['sleep', '1 2'], Env: ['A=b', 'C=']},
		hostConfig: {AutoRemove: true, Binds: ['/x:/y']},
	});
	t.is(
		commandLine('wherry', ...runCommand(request)),
		"wherry run -d -it --rm --name web -e A=b -e C= -v /x:/y alpine sleep '1 2'",
	);
});

test('a variable without a value takes ours, or none', (t) => {
	process.env.WHERRY_TEST_VALUE = 'yes';
	t.teardown(() => delete process.env.WHERRY_TEST_VALUE);
	const request = readRequest({...form, env: 'WHERRY_TEST_VALUE WHERRY_TEST_NONE'}) as RunRequest;
	t.deepEqual(createOptions(request).config?.Env, ['WHERRY_TEST_VALUE=yes']);
});

test('a form that can’t be done says why', (t) => {
	t.is(readRequest({...form, image: ' '}), 'The image is empty.');
	t.is(readRequest({...form, command: '"x'}), 'A quote is not closed.');
	t.is(readRequest({...form, env: '=x'}), '=x: a variable has no name.');
});
