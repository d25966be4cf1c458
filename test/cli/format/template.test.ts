import {readFileSync} from 'node:fs';
import test from 'ava';
import {formatValue} from '../../../src/cli/format/value.ts';

interface Cases {
	data: unknown;
	/** A template and what docker's inspect prints for it, or its error. */
	cases: [template: string, output: string][];
}

const {data, cases} = JSON.parse(
	readFileSync(new URL('./template-cases.json', import.meta.url), 'utf8'),
) as Cases;

const nils: Record<string, string> = {Binds: '[]', CapAdd: '[]', Entrypoint: '[]', Volumes: 'map[]'};

function apply(template: string): string {
	try {
		return formatValue(template, data, {
			missingKeyFails: true,
			isMap: (field) => field === 'Labels' || field === 'PortBindings',
			nilText: (field) => nils[field] ?? '<nil>',
		});
	} catch (error) {
		return (error as Error).message;
	}
}

test('templates print and fail as docker does', (t) => {
	t.true(cases.length > 100);
	for (const [template, output] of cases) t.is(apply(template), output, template);
});

test('a missing key is <no value> where docker allows it', (t) => {
	t.is(formatValue('{{.a}} {{.a.b}}', {}), '<no value> <no value>');
	t.is(formatValue('{{index .m "x"}}|', {m: {a: 'b'}}), '|');
});

test('a template that never ends its recursion is refused', (t) => {
	t.throws(() => formatValue('{{define "a"}}{{template "a"}}{{end}}{{template "a"}}', {}), {
		message: /exceeded maximum template depth/,
	});
});

test('numbers beyond 2^53 keep all their digits', (t) => {
	t.is(
		formatValue('{{.n}} {{json .}}', {n: 1700000000123456789n}),
		'1700000000123456789 {"n":1700000000123456789}',
	);
});
