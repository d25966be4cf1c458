import test from 'ava';
import {parseYaml, YamlError, type YamlValue} from '../../../src/engine/cdi/yaml.ts';

const read = (text: string, value: YamlValue): [string, YamlValue] => [text, value];

for (const [text, value] of [
	read('', null),
	read('# only a comment\n', null),
	read('---\na: 1', {a: 1}),
	read('word', 'word'),
	read('a: b c # comment', {a: 'b c'}),
	read('a: b#c', {a: 'b#c'}),
	read('a: "# no comment" # one', {a: '# no comment'}),
	read("a: 'it''s'", {a: "it's"}),
	read(String.raw`a: "\t\x41é\U0001f600\"\\"`, {a: '\tAé😀"\\'}),
	read('a: [1, "b, c", \'d\', {e: f}, []]', {a: [1, 'b, c', 'd', {e: 'f'}, []]}),
	read('{a: [x], "b": 2,}', {a: ['x'], b: 2}),
	read('a: 0666\nb: 0o17\nc: 0x1F\nd: -3\ne: 1.5e1', {a: 0o666, b: 15, c: 31, d: -3, e: 15}),
	read('a: true\nb: False\nc: ~\nd:\ne: null\nf: yes', {
		a: true,
		b: false,
		c: null,
		d: null,
		e: null,
		f: 'yes',
	}),
	read('a: http://x/y:z', {a: 'http://x/y:z'}),
	read('a: vendor.com/c=all', {a: 'vendor.com/c=all'}),
	read('- 1\n- - 2\n  - 3\n-\n  - 4\n-', [1, [2, 3], [4], null]),
	read('a:\n- b: 1\n  c:\n    - d\n- e: 2', {a: [{b: 1, c: ['d']}, {e: 2}]}),
	read('a:\n  b:\n    c: 1\n  d: 2\ne: 3', {a: {b: {c: 1}, d: 2}, e: 3}),
	read('"a b": 1\r\n\'c\': 2\r\n', {'a b': 1, c: 2}),
	read('- a: 1\n\n  # between\n  b: 2', [{a: 1, b: 2}]),
	read('-x: 1', {'-x': 1}),
]) {
	test(`${JSON.stringify(text)} is read`, (t) => t.deepEqual(parseYaml(text), value));
}

test('a key of any name is only a key', (t) => {
	const value = parseYaml('__proto__:\n  a: 1') as Record<string, YamlValue>;
	t.deepEqual(Object.keys(value), ['__proto__']);
	t.is(Object.getPrototypeOf(value), Object.prototype);
});

for (const [text, message] of [
	['a: 1\na: 2', 'line 1: the key "a" is there twice'],
	['a: &x 1', 'line 1: "&" is not supported here'],
	['a: *x', 'line 1: "*" is not supported here'],
	['a: !!str 1', 'line 1: "!" is not supported here'],
	['a: |\n  text', 'line 1: "|" is not supported here'],
	['a: 1\n--- \nb: 2', 'line 2: only one document is read'],
	['%YAML 1.2', 'line 1: only one document is read'],
	['a:\n\tb: 1', 'line 2: a tab does not indent'],
	['a: "b', 'line 1: a quoted text does not end on its line'],
	["a: 'b", 'line 1: a quoted text does not end on its line'],
	['a: "b" c', 'line 1: unexpected "c"'],
	['a: [1, 2', 'line 1: "," or "]" was expected'],
	['a: [1, ', 'line 1: "]" is missing on this line'],
	['a: {b 1}', 'line 1: ":" was expected'],
	[String.raw`a: "\q"`, String.raw`line 1: unknown escape \q`],
	['a: 1\n  b: 2', 'line 2: wrong indentation, or no "key: value"'],
	['a: 1\nb', 'line 2: wrong indentation, or no "key: value"'],
	['  a: 1\nb: 2', 'line 2: wrong indentation'],
] as const) {
	test(`${JSON.stringify(text)} is refused`, (t) => {
		t.throws(() => parseYaml(text), {instanceOf: YamlError, message});
	});
}
