import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {contentSize} from '../../../src/engine/store/archive-content.ts';
import {native} from '../../../src/kernel/native.ts';
import {tarOf, tarOfScript, temporaryFolder} from '../../setup/images.ts';

test('a layer is as large as its files and links, however it is archived, packed or unpacked', async (t) => {
	const long = 'n'.repeat(150);
	const archives = {
		ours: [tarOf({d: null, 'd/a': 'x'.repeat(1000), l: '-> d/a', e: ''}), 1003],
		// Hard links count once, holes as what they stand for; GNU tar tells of long links in attributes.
		gnu: [
			tarOfScript(
				t,
				`mkdir d; printf 12345 > d/a; ln d/a d/b; ln -s ${long} l; truncate -s 100000 hole; mkfifo f; printf 1 > ${long}`,
			),
			5 + 150 + 100000 + 1,
		],
		none: [tarOf({}), 0],
		wrong: [Buffer.from('no archive at all'), 0],
	} as const;
	for (const [name, [bytes, wanted]] of Object.entries(archives)) {
		const folder = temporaryFolder(t);
		const path = join(folder, 'archive');
		writeFileSync(path, bytes);
		t.is(await contentSize(path), wanted, name);
		if (name === 'wrong') continue;
		const tree = join(folder, 'tree');
		mkdirSync(tree);
		const unpacker = native.unpackLayer(tree);
		await unpacker.write(bytes);
		t.is((await unpacker.finish()).content, wanted, name);
	}
	t.is(await contentSize('/nowhere/at/all'), undefined);
});

test('an archive with absurd lengths has an end', async (t) => {
	const path = join(temporaryFolder(t), 'archive');
	const bytes = Buffer.from(tarOf({a: 'x', b: 'y'}));
	bytes.write('77777777777', 124, 'latin1');
	writeFileSync(path, bytes);
	t.is(await contentSize(path), 0o77777777777);
	bytes.fill(0xff, 124, 136);
	writeFileSync(path, bytes);
	t.true(Number.isFinite(await contentSize(path)));
});
