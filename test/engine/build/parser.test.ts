import test from 'ava';
import {parseDockerfile, printTree} from '../../../src/engine/build/parser.ts';
import {table} from './oracle.ts';

test('instructions, continuations, comments, flags and JSON', (t) => {
	const {instructions, directives, ...rest} = parseDockerfile(`# escape=\`
# a comment
FROM debian:12 AS base
RUN apt-get update && \`
    # in between

    apt-get install -y git
COPY --from=base --chown=1:2 ["a b", "/c"]
ENV ONE=1 TWO="a b"
ENV OLD some value
onbuild add . /src
`);
	t.is(rest.escape, '`');
	t.deepEqual(directives, {escape: '`'});
	t.is(
		printTree(instructions),
		`(from "debian:12" "AS" "base")
(run "apt-get update &&     apt-get install -y git")
(copy ["--from=base" "--chown=1:2"] "a b" "/c")
(env "ONE" "1" "=" "TWO" "\\"a b\\"" "=")
(env "OLD" "some value" "")
(onbuild (add "." "/src"))`,
	);
	t.deepEqual(
		instructions.map(({line, endLine}) => [line, endLine]),
		[
			[3, 3],
			[4, 7],
			[8, 8],
			[9, 9],
			[10, 10],
			[11, 11],
		],
	);
	t.is(instructions[2]!.json, true);
});

test('here-documents keep their text, and say whether it is expanded', (t) => {
	const {instructions} = parseDockerfile(`FROM x
COPY <<a <<-"b" /to/
one $A
a
	two
	b
RUN <<EOF
x
EOF
`);
	t.deepEqual(
		instructions
			.flatMap(({heredocs}) => heredocs)
			.map(({name, expand, chomp, content}) => [name, expand, chomp, content]),
		[
			['a', true, false, 'one $A\n'],
			['b', false, true, '\ttwo\n'],
			['EOF', true, false, 'x\n'],
		],
	);
});

test('flags are bytes, several returns end a line, and an escape in the name of a here-document is no quote', (t) => {
	const {instructions} = parseDockerfile('FROM x\r\r\nCOPY --chown=é a b\r\nRUN <<E\\OF <<"X"\na\nEOF\nX\n');
	t.is(instructions[0]!.args[0], 'x');
	t.deepEqual(instructions[1]!.flags, ['--chown=\u00c3\u00a9']);
	t.deepEqual(instructions[1]!.args, ['a', 'b']);
	t.deepEqual(
		instructions[2]!.heredocs.map(({name, expand}) => [name, expand]),
		[
			['EOF', true],
			['X', false],
		],
	);
});

for (const [text, message, line] of [
	['', 'file with no instructions', undefined],
	['# only a comment\n', 'file with no instructions', undefined],
	['FROM x\nENV A\n', 'ENV must have two arguments', 2],
	['FROM x\nRUN <<EOF\nx\n', 'unterminated heredoc', 2],
	['FROM x\nENV a=b c\n', `Syntax error - can't find = in "c". Must be of the form: name=value`, 2],
	[`FROM x\nRUN ${'x'.repeat(65_536)}\n`, 'dockerfile line greater than max allowed size of 65535', 2],
	['# escape=x\nFROM y\n', "invalid escape token 'x' does not match ` or \\", 1],
	['FROM x\nRUN ["a", 1]\n', 'when using JSON array syntax, arrays must be comprised of strings only', 2],
] as const) {
	test(`${JSON.stringify(text).slice(0, 60)} is refused`, (t) => {
		t.like(
			t.throws(() => parseDockerfile(text)),
			{message, line},
		);
	});
}

test('every Dockerfile of the reference table has the tree that BuildKit gives it', (t) => {
	interface Row {
		name: string;
		dockerfile: string;
		ast: string;
		err?: string | null;
		escape: string;
		heredocs: {name: string; fd: number; expand: boolean; chomp: boolean; content: string; line: number}[];
		lines: [number, number][];
	}
	for (const row of table<Row>('dockerfile-ast')) {
		if (row.err) {
			const {message} = t.throws(() => parseDockerfile(row.dockerfile), undefined, row.name)!;
			t.true(row.err.includes(message), row.name);
			continue;
		}
		const {instructions, ...rest} = parseDockerfile(row.dockerfile);
		t.is(printTree(instructions), row.ast, row.name);
		t.is(rest.escape, row.escape);
		t.deepEqual(
			instructions.flatMap(({heredocs}) => heredocs).map((heredoc) => ({...heredoc})),
			(row.heredocs ?? []).map((heredoc) => ({...heredoc})),
			row.name,
		);
		t.deepEqual(
			instructions.map(({line, endLine}) => [line, endLine]),
			row.lines,
			row.name,
		);
	}
	t.pass();
});
