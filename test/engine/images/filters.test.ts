import test from 'ava';
import type {Filters} from '../../../src/engine/api.ts';
import {applyFilters} from '../../../src/engine/images/filters.ts';
import {parseReference} from '../../../src/engine/images/reference.ts';
import {untilTime} from '../../../src/engine/prune-filter.ts';
import type {Image} from '../../../src/engine/store/catalog.ts';

const image = (
	id: string,
	created: string,
	names: string[],
	labels: Record<string, string> | null = null,
): Image => ({
	id,
	ids: [id],
	created,
	labels,
	os: 'linux',
	architecture: 'amd64',
	diffIds: [],
	blobs: [],
	allBlobs: [],
	entries: [],
	manifests: [],
	tagged: undefined,
	references: names.map(parseReference),
});

const images = [
	image('old', '2020-01-01T00:00:00Z', ['busybox:1', 'user/tool:2'], {stage: 'test', empty: ''}),
	image('mid', '2022-01-01T00:00:00Z', ['localhost:5000/busybox:latest']),
	image('new', '2024-01-01T00:00:00Z', [], {stage: 'prod'}),
];
const now = Date.parse('2024-01-02T00:00:00Z');
const find = (name: string) => images.find(({id}) => id === name)!;
const ids = (filters: Filters) => applyFilters(images, filters, find, now).map(({image: {id}}) => id);

const accepted: [Filters, string[]][] = [
	[{}, ['old', 'mid', 'new']],
	[{dangling: ['true']}, ['new']],
	[{dangling: ['0']}, ['old', 'mid']],
	[{label: ['stage']}, ['old', 'new']],
	[{label: ['stage=prod']}, ['new']],
	[{label: ['stage', 'empty=']}, ['old']],
	[{'label!': ['stage']}, ['mid']],
	[{label: ['constructor']}, []],
	[{before: ['mid']}, ['old']],
	[{since: ['mid']}, ['new']],
	[{since: ['old'], before: ['new']}, ['mid']],
	[{until: ['2022-01-02T00:00:00Z']}, ['old', 'mid']],
	[{until: ['24h1m']}, ['old', 'mid']],
	[{until: ['1h']}, ['old', 'mid', 'new']],
	[{reference: ['busybox']}, ['old']],
	[{reference: ['*/*']}, ['old', 'mid']],
	[{reference: ['busybox:*', 'localhost:5000/*']}, ['old', 'mid']],
	[{reference: ['b?sybox:[0-9]']}, ['old']],
	[{reference: ['b?sybox:[^0-9]']}, []],
	[{reference: ['nothing*']}, []],
];

test('an image that was pulled by its digest only is dangling, and is no image without a name', (t) => {
	const digest = `busybox@sha256:${'1'.repeat(64)}`;
	const list = [
		image('both', '2020-01-01T00:00:00Z', ['busybox:1', digest]),
		image('one', '2020-01-01T00:00:00Z', [digest]),
	];
	const found = (dangling: string) =>
		applyFilters(list, {dangling: [dangling]}, find, now).map((each) => each.image.id);
	t.deepEqual(found('true'), ['one']);
	t.deepEqual(found('false'), ['both', 'one']);
});

test('filters choose as docker does', (t) => {
	for (const [filters, expected] of accepted) t.deepEqual(ids(filters), expected, JSON.stringify(filters));
});

test('a reference filter leaves only the names that it accepts', (t) => {
	const [only] = applyFilters(images, {reference: ['user/*']}, find, now);
	t.deepEqual(
		only!.references.map(({path}) => path),
		['user/tool'],
	);
});

test('filters that make no sense are refused', (t) => {
	const wrong: Filters[] = [
		{nope: ['x']},
		{dangling: ['maybe']},
		{until: ['yesterday']},
		{reference: ['[']},
		{reference: ['\\']},
	];
	for (const filters of wrong) t.throws(() => ids(filters), {code: 'invalid'}, JSON.stringify(filters));
});

test('times are ages, seconds since the epoch, or dates', (t) => {
	t.is(untilTime('1h30m', now), now - 5_400_000);
	t.is(untilTime('1700000000', now), 1_700_000_000_000);
	t.is(untilTime('2024-01-01T00:00:00Z', now), now - 86_400_000);
});
