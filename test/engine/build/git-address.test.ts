import test from 'ava';
import {parseGitAddress} from '../../../src/engine/build/git-address.ts';

test('git addresses are told from others, with their ref and folder', (t) => {
	const cases: [string, [url: string, ref: string, folder: string] | undefined][] = [
		['https://host/a.git', ['https://host/a.git', '', '']],
		['https://host/a.git#v1', ['https://host/a.git', 'v1', '']],
		['https://host/a.git#v1:docs', ['https://host/a.git', 'v1', 'docs']],
		['https://host/a.git#:docs/', ['https://host/a.git', '', 'docs']],
		['https://host/a.git#v1:../../etc', ['https://host/a.git', 'v1', 'etc']],
		['https://host/a.git?ref=x&subdir=y', ['https://host/a.git', 'x', 'y']],
		['git://host/a', ['git://host/a', '', '']],
		['ssh://git@host:22/a', ['ssh://git@host:22/a', '', '']],
		['git@host:owner/repo', ['git@host:owner/repo', '', '']],
		['git@host:owner/repo.git#b:c', ['git@host:owner/repo.git', 'b', 'c']],
		['github.com/owner/repo', ['https://github.com/owner/repo', '', '']],
		['https://host/a.git?tag=v1', ['https://host/a.git', 'refs/tags/v1', '']],
		['https://host/a.git?branch=b#refs/heads/b:x', ['https://host/a.git', 'refs/heads/b', 'x']],
		['https://host/a.git?commit=0123456', ['https://host/a.git', '0123456', '']],
		['ssh://git@host/a?ref=x', ['ssh://git@host/a', 'x', '']],
		['https://host/a.git/', undefined],
		['https://host/a.git.bar', undefined],
		['https://host/a.tar', undefined],
		['https://host/a', undefined],
		['ext::sh -c true', undefined],
		['file:///etc/a.git', undefined],
		['./folder', undefined],
	];
	for (const [text, expected] of cases) {
		const found = parseGitAddress(text);
		t.deepEqual(found && [found.url, found.ref, found.folder], expected, text);
	}
});

test('a git address may say which commit it is and what is kept, and must not contradict itself', (t) => {
	const told = (query: string) => {
		const {ref, checksum, keepGit, submodules} = parseGitAddress(`https://host/a.git?${query}`)!;
		return [ref, checksum, keepGit, submodules];
	};
	t.deepEqual(told('tag=v1&commit=abc'), ['refs/tags/v1', 'abc', undefined, undefined]);
	t.deepEqual(told('checksum=abc&keep-git-dir&submodules=false'), ['abc', 'abc', true, false]);
	const wrong: [string, RegExp][] = [
		['ref=a&tag=b', /^ref conflicts: "a" vs "refs\/tags\/b"$/],
		['tag=a&branch=b', /^branch conflicts with tag$/],
		['ref=a&ref=b', /^query "ref" has multiple values$/],
		['ref=', /^query "ref" has no value$/],
		['submodules=maybe', /^invalid submodules value: "maybe"$/],
		['depth=1', /^unexpected query "depth"$/],
		['subdir=a#:b', /^subdir conflicts: "b" vs "a"$/],
	];
	for (const [query, message] of wrong) t.throws(() => told(query), {message}, query);
});
