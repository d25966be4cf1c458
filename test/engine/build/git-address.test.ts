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
