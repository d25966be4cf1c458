import {readFileSync} from 'node:fs';
import test from 'ava';
import {containerRow, containerView} from '../../../src/cli/commands/container-list.ts';
import {type InspectKind, inspectValue, loadTypes} from '../../../src/cli/format/inspect-value.ts';
import {formatList} from '../../../src/cli/format/table.ts';
import {typedAs} from '../../../src/cli/format/template/go-value.ts';
import {formatValue, parseTemplate} from '../../../src/cli/format/value.ts';
import {systemWording} from '../../../src/cli/format/wording.ts';
import type {ContainerSummary} from '../../../src/engine/api.ts';
import '../../../src/cli/format/types/system.ts';

const read = (name: string) =>
	JSON.parse(readFileSync(new URL(`./templates/${name}.json`, import.meta.url), 'utf8'));
const objects = read('objects') as Record<string, unknown>;
/** Templates, and what docker prints for them or the error that it gives. */
const answers = read('answers') as Record<string, [template: string, answer: string][]>;

const messageOf = (action: () => string): string => {
	try {
		return action();
	} catch (error) {
		return (error as Error).message;
	}
};

for (const kind of ['container', 'image', 'network', 'volume'] as const satisfies InspectKind[]) {
	test(`templates about a ${kind} print and fail as docker's do`, async (t) => {
		await loadTypes(kind);
		for (const [template, answer] of answers[kind]!) {
			const actual = messageOf(() => inspectValue(parseTemplate(template), kind, objects[kind]));
			t.is(actual, answer, template);
		}
	});
}

test('templates about the engine print and fail as docker’s do', (t) => {
	for (const [template, answer] of answers.info!) {
		const value = typedAs('system.dockerInfo', objects.info);
		t.is(
			messageOf(() => formatValue(template, value, {wording: systemWording})),
			answer,
			template,
		);
	}
});

test('templates of a list print and fail as docker’s do', (t) => {
	const containers = objects.list as ContainerSummary[];
	const rows = containers.map((container) => containerRow(container, {trunc: true, now: 1_800_000_000}));
	for (const [template, answer] of answers.list!) {
		const actual = messageOf(() =>
			formatList(containerView(false), rows, {format: template}).replace(/\n$/, ''),
		);
		t.is(actual, answer, template);
	}
});

test('a missing key is <no value> where docker allows it', (t) => {
	t.is(formatValue('{{.a}} {{.a.b}}', {}), '<no value> <no value>');
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
