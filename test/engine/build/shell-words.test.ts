import test from 'ava';
import {expand, goQuote} from '../../../src/engine/build/shell-words.ts';
import {table} from './oracle.ts';

const env: Record<string, string> = {
	A: 'hello',
	B: 'two words',
	EMPTY: '',
	FILE: '/usr/lib/a.tar.gz',
	STAR: 'a*b',
};
const variables = (name: string): string | undefined => env[name];

for (const [text, word, words] of [
	['plain', 'plain', ['plain']],
	['$A-${A}x', 'hello-hellox', ['hello-hellox']],
	['$B', 'two words', ['two', 'words']],
	['"$B"', 'two words', ['two words']],
	["'$B'", '$B', ['$B']],
	['\\$A', '$A', ['$A']],
	['${NONE:-x y}', 'x y', ['x', 'y']],
	['${EMPTY:-x}', 'x', ['x']],
	['${EMPTY-x}', '', []],
	['${A:+set}', 'set', ['set']],
	['${NONE+set}', '', []],
	['${FILE##*/}', 'a.tar.gz', ['a.tar.gz']],
	['${FILE#*/}', 'usr/lib/a.tar.gz', ['usr/lib/a.tar.gz']],
	['${FILE%.*}', '/usr/lib/a.tar', ['/usr/lib/a.tar']],
	['${FILE%%.*}', '/usr/lib/a', ['/usr/lib/a']],
	['${FILE//a/A}', '/usr/lib/A.tAr.gz', ['/usr/lib/A.tAr.gz']],
	['${FILE/a/A}', '/usr/lib/A.tar.gz', ['/usr/lib/A.tar.gz']],
	['${STAR%\\**}', 'a', ['a']],
	['$', '$', ['$']],
	['${FILE%\\}x}', '/usr/lib/a.tar.gz', ['/usr/lib/a.tar.gz']],
	['${FILE//\\//-}', '-usr-lib-a.tar.gz', ['-usr-lib-a.tar.gz']],
	['${A//l/<\\$0>}', 'he<\\l><\\l>o', ['he<\\l><\\l>o']],
	['${FILE/-/+}', '/usr/lib/a.tar.gz', ['/usr/lib/a.tar.gz']],
	['${NONE:-a-b}', 'a-b', ['a-b']],
	['${NONE%x}', '', []],
	['\ufeff$A', 'hello', ['hello']],
	['a\u00a0b\ufeffc', 'a\u00a0b\ufeffc', ['a', 'b\ufeffc']],
] as const) {
	test(`${text} is ${JSON.stringify(words)}`, (t) => {
		const expanded = expand(text, variables);
		t.is(expanded.word, word);
		t.deepEqual(expanded.words, [...words]);
	});
}

for (const [text, message] of [
	["it's", 'unexpected end of statement while looking for matching single-quote'],
	['"x', 'unexpected end of statement while looking for matching double-quote'],
	['${A', 'unsupported modifier (\uFFFD) in substitution'],
	['${NONE:?it is needed}', 'NONE: it is needed'],
	['${}', 'syntax error: bad substitution'],
	['${A:=x}', 'unsupported modifier (:=) in substitution'],
	['${A:=x', "syntax error: missing '}'"],
	['${A:#x}', 'unsupported modifier (:#) in substitution'],
	['${A/x}', "syntax error: missing '/' in ${}"],
	['${A-"x}', "syntax error: missing '}'"],
	['${EMPTY:?}', 'EMPTY: is not allowed to be empty'],
	['${A#\\x}', "invalid pattern (\\x) in substitution: invalid escape '\\x'"],
] as const) {
	test(`${text} is refused`, (t) => {
		t.throws(() => expand(text, variables), {message: `failed to process ${goQuote(text)}: ${message}`});
	});
}

test('another escape, variables that stay, and what was not set', (t) => {
	t.is(expand('`$A \\', variables, {escape: '`'}).word, '$A \\');
	t.is(expand('$NONE ${NONE} $A', variables, {keepUnset: true}).word, '$NONE ${NONE} hello');
	t.deepEqual(expand('$NONE$A', variables).unset, ['NONE']);
});

test('every expansion of the reference table is right', (t) => {
	for (const row of table<{
		in: string;
		env: string[];
		err: string | null;
		word: string;
		words: string[] | null;
	}>('shell-lex')) {
		const values = new Map(
			row.env.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
		);
		let got: unknown;
		try {
			const {word, words} = expand(row.in, (name) => values.get(name));
			got = [word, words];
		} catch (error) {
			got = (error as Error).message;
		}
		t.deepEqual(got, row.err ?? [row.word, row.words ?? []], row.in);
	}
	t.pass();
});
