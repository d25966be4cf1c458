import {existsSync, readFileSync} from 'node:fs';
import test from 'ava';
import {
	canonical,
	familiar,
	familiarName,
	parseAny,
	parseReference,
	storedName,
	withDefaultTag,
} from '../../../src/engine/images/reference.ts';

const zeros = '0'.repeat(64);
const sha = `sha256:${'4bc453b53cb3d914b45f4b250294236adba2c0e09ff6f03793949e7e39fd4cc1'}`;

/** Typed, canonical with the default tag, familiar. */
const accepted: [string, string, string][] = [
	['busybox', 'docker.io/library/busybox:latest', 'busybox'],
	['busybox:1.36', 'docker.io/library/busybox:1.36', 'busybox:1.36'],
	['library/busybox', 'docker.io/library/busybox:latest', 'busybox'],
	['docker.io/busybox', 'docker.io/library/busybox:latest', 'busybox'],
	['index.docker.io/busybox', 'docker.io/library/busybox:latest', 'busybox'],
	['docker.io/library/a/b', 'docker.io/library/a/b:latest', 'library/a/b'],
	['user/image', 'docker.io/user/image:latest', 'user/image'],
	['localhost/image', 'localhost/image:latest', 'localhost/image'],
	['localhost:5000/a/b:c', 'localhost:5000/a/b:c', 'localhost:5000/a/b:c'],
	['127.0.0.1:5000/x', '127.0.0.1:5000/x:latest', '127.0.0.1:5000/x'],
	['[::1]:5000/x:1', '[::1]:5000/x:1', '[::1]:5000/x:1'],
	['[2001:db8::1]/x', '[2001:db8::1]/x:latest', '[2001:db8::1]/x'],
	['UPPER/image', 'UPPER/image:latest', 'UPPER/image'],
	['example.com/x', 'example.com/x:latest', 'example.com/x'],
	['xn--n3h.com/x:Tag_1.0-x', 'xn--n3h.com/x:Tag_1.0-x', 'xn--n3h.com/x:Tag_1.0-x'],
	['a__b/c--d.e', 'docker.io/a__b/c--d.e:latest', 'a__b/c--d.e'],
	[`busybox@${sha}`, `docker.io/library/busybox@${sha}`, `busybox@${sha}`],
	[`quay.io/x:1@${sha}`, `quay.io/x:1@${sha}`, `quay.io/x:1@${sha}`],
	[`x:${'t'.repeat(128)}`, `docker.io/library/x:${'t'.repeat(128)}`, `x:${'t'.repeat(128)}`],
	[`${'a/'.repeat(120)}b`, `docker.io/${'a/'.repeat(120)}b:latest`, `${'a/'.repeat(120)}b`],
];

const refused: [string, string][] = [
	['', 'invalid reference format'],
	[':justtag', 'invalid reference format'],
	[`@${sha}`, 'invalid reference format'],
	['-x', 'invalid reference format'],
	['x-', 'invalid reference format'],
	['a..b', 'invalid reference format'],
	['a___b', 'invalid reference format'],
	['a//b', 'invalid reference format'],
	['a/', 'invalid reference format'],
	['http://x', 'invalid reference format'],
	['x:', 'invalid reference format'],
	['x:-t', 'invalid reference format'],
	[`x:${'t'.repeat(129)}`, 'invalid reference format'],
	['x@sha256:123', 'invalid reference format'],
	['x y', 'invalid reference format'],
	['x\n', 'invalid reference format'],
	['../x', 'invalid reference format'],
	['[::1%eth0]/x', 'invalid reference format'],
	['example.com:port/x', 'invalid reference format'],
	['Busybox', 'invalid reference format: repository name (library/Busybox) must be lowercase'],
	['example.com/Foo:Bar', 'invalid reference format: repository name (Foo) must be lowercase'],
	[`x@sha1:${zeros}`, 'unsupported digest algorithm'],
	[`x@sha256:${'0'.repeat(63)}`, 'invalid checksum digest length'],
	[`x@sha256:${'A'.repeat(64)}`, 'invalid checksum digest format'],
	[`x:1@SHA256:${zeros}`, 'invalid checksum digest format'],
	[`${'a/'.repeat(128)}b`, 'repository name must not be more than 255 characters'],
	[zeros, `invalid repository name (${zeros}), cannot specify 64-byte hexadecimal strings`],
];

test('names that docker accepts get the same canonical and familiar forms', (t) => {
	for (const [typed, full, short] of accepted) {
		t.is(canonical(withDefaultTag(parseReference(typed))), full, typed);
		t.is(familiar(parseReference(typed)), short, typed);
	}
});

test('names that docker refuses are refused in its words', (t) => {
	for (const [typed, message] of refused)
		t.throws(() => parseReference(typed), {message, code: 'invalid'}, JSON.stringify(typed));
});

test('an id is told from a name', (t) => {
	t.deepEqual(parseAny(zeros), {id: `sha256:${zeros}`});
	t.deepEqual(parseAny(`sha256:${zeros}`), {id: `sha256:${zeros}`});
	t.like(parseAny('sha256:abc'), {path: 'library/sha256', tag: 'abc'});
});

test('a digest beside a tag is what counts in the store', (t) => {
	t.is(storedName(parseReference(`x:1@${sha}`)), `docker.io/library/x@${sha}`);
	t.is(storedName(parseReference('x')), 'docker.io/library/x:latest');
});

test('a long hostile name is refused in linear work', (t) => {
	for (const text of [`${'a-'.repeat(50_000)}/x`, `${'a_'.repeat(50_000)}`, `${'a.'.repeat(50_000)}!`])
		t.throws(() => parseReference(text), {code: 'invalid'});
});

interface Row {
	in: string;
	any?: string;
	anyErr: string | null;
	canonical?: string;
	digest?: string;
	domain?: string;
	err: string | null;
	familiar?: string;
	path?: string;
	tag?: string;
	withDefaultTag?: string;
}

function answer(text: string): Row {
	const row: Row = {in: text, anyErr: null, err: null};
	try {
		const any = parseAny(text);
		row.any = 'id' in any ? any.id : canonical(any);
	} catch (error) {
		row.anyErr = (error as Error).message;
	}
	try {
		const named = parseReference(text);
		row.canonical = canonical(named);
		row.domain = named.domain;
		row.path = named.path;
		row.familiar = familiar(named);
		row.withDefaultTag = canonical(withDefaultTag(named));
		if (named.tag !== undefined) row.tag = named.tag;
		if (named.digest !== undefined) row.digest = named.digest;
		familiarName(named);
	} catch (error) {
		row.err = (error as Error).message;
	}
	return row;
}

test("the whole table of docker's answers, where it is at hand, and our own where not", (t) => {
	const table = new URL('../../../../shared/reference/oracle/reference.jsonl', import.meta.url);
	const rows: Row[] = existsSync(table)
		? readFileSync(table, 'utf8')
				.split('\n')
				.filter(Boolean)
				.map((line) => JSON.parse(line))
		: [answer('busybox')];
	for (const row of rows) t.deepEqual(answer(row.in), row);
	t.true(rows.length > 0);
});
