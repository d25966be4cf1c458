import test from 'ava';
import {PatternMatcher, parseIgnoreFile} from '../../../src/engine/build/patterns.ts';
import {table} from './oracle.ts';

test('the last pattern that matches a path or a folder above it decides', (t) => {
	const matcher = new PatternMatcher(
		parseIgnoreFile('# comment\n**/*.log\ndocs\n!docs/README.md\n/build/\n!**/keep.log\n'),
	);
	for (const path of ['a.log', 'x/y/b.log', 'docs', 'docs/a/b', 'build', 'build/out'])
		t.true(matcher.excludes(path), path);
	for (const path of ['docs/README.md', 'x/keep.log', 'src/a.c', 'log'])
		t.false(matcher.excludes(path), path);
	t.true(matcher.mayKeepBelow('docs'));
	t.false(new PatternMatcher(['docs', '!other/x']).mayKeepBelow('docs'));
	t.true(new PatternMatcher(['docs', '!**/x']).mayKeepBelow('docs'));
	t.throws(() => new PatternMatcher(['[']), {message: 'syntax error in pattern'});
	t.throws(() => new PatternMatcher(['!']), {message: 'illegal exclusion pattern: "!"'});
});

for (const [pattern, path, excluded] of [
	['**file', 'xfile', true],
	['**.go', 'a/b.go', true],
	['a**', 'abc/d', true],
	['a/**', 'a', false],
	['a]', 'a]', true],
	['[[:alpha:]]x', 'bx', true],
	['[[:alpha:]]x', '1x', false],
	['[!a]', '!', true],
	['a\\d', 'a1', true],
	['a\\d', 'ad', false],
	['my-app*', 'my-app.js', true],
	['a\\-b*', 'a-b', true],
	['[a\\-z]x', '-x', true],
	['[a\\-z]x', 'bx', false],
	['foo\\ bar', 'foo bar', true],
	['[a-é]x', 'bx', true],
] as const) {
	test(`${pattern} ${excluded ? 'leaves out' : 'keeps'} ${path}`, (t) => {
		t.is(new PatternMatcher([pattern]).excludes(path), excluded);
	});
}

test('an escape that Go does not know is told when it is needed', (t) => {
	const matcher = new PatternMatcher(['!a\\é']);
	t.false(matcher.excludes('b'));
	t.throws(() => new PatternMatcher(['a\\é']).excludes('b'), {message: 'syntax error in pattern'});
});

test('every decision of the reference table is right', (t) => {
	for (const row of table<{
		patterns: string[];
		path: string;
		err: string | null;
		matchErr: string | null;
		excluded: boolean;
	}>('dockerignore')) {
		let got: unknown;
		try {
			got = new PatternMatcher(row.patterns).excludes(row.path);
		} catch {
			got = 'refused';
		}
		t.is(got, row.err || row.matchErr ? 'refused' : row.excluded, JSON.stringify(row));
	}
	for (const row of table<{in: string; patterns: string[] | null}>('dockerignore-file')) {
		t.deepEqual(parseIgnoreFile(row.in), row.patterns ?? [], row.in);
	}
	t.pass();
});
