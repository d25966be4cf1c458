import test from 'ava';
import {openStore, tarOf, temporaryFolder} from '../../setup/images.ts';
import {push, type Registry, startRegistry, writeLayout} from '../../setup/registry.ts';

let registry: Registry;
test.before(async () => {
	registry = await startRegistry();
});
test.after.always(() => registry.stop());

test('the layers of an image say what they do to its files', async (t) => {
	const store = openStore(t);
	const layers = [
		tarOf({'etc/hosts': 'one', 'etc/old': 'gone', 'data/a': 'aaaa', 'data/b': 'b'}),
		tarOf({'etc/hosts': 'longer', 'etc/.wh.old': '', 'data/.wh..wh..opq': '', 'data/c': 'cc'}),
	];
	const name = push(writeLayout(temporaryFolder(t), layers, {}), registry, 'layered');
	const {id} = await store.images.pull(name);
	const analysis = await store.images.layers(name);
	t.is(analysis.id, id);
	t.deepEqual(
		analysis.layers.map(({files}) => files.map(({path, change, size}) => `${change} ${path} ${size}`).sort()),
		[
			['added /data/a 4', 'added /data/b 1', 'added /etc/hosts 3', 'added /etc/old 4'],
			[
				'added /data/c 2',
				'changed /etc/hosts 6',
				'removed /data/a 4',
				'removed /data/b 1',
				'removed /etc/old 4',
			],
		],
	);
	t.is(analysis.wasted, 12);
	t.is(analysis.size, 20);
	await t.throwsAsync(store.images.layers(name, {signal: AbortSignal.abort(new Error('stopped'))}), {
		message: 'stopped',
	});
	await t.throwsAsync(store.images.layers('nothing'), {code: 'not-found'});
});

test('a preview of a prune says what the prune then does, and does nothing', async (t) => {
	const store = openStore(t);
	const shared = tarOf({shared: 'shared'});
	const names: string[] = [];
	for (const own of ['one', 'three']) {
		const layout = writeLayout(temporaryFolder(t), [shared, tarOf({[own]: own})], {});
		names.push(push(layout, registry, `preview-${own}`));
		await store.images.pull(names.at(-1)!);
	}
	t.deepEqual(await store.images.prune({preview: true}), {ImagesDeleted: [], SpaceReclaimed: 0});
	const filters = {dangling: ['false']};
	const preview = await store.images.prune({filters, preview: true});
	const all = (await store.images.list()).reduce((sum, {Size}) => sum + Size, 0);
	t.true(preview.SpaceReclaimed > 0);
	t.true(preview.SpaceReclaimed < all, 'the layer that both have is counted once');
	t.is((await store.images.list()).length, 2);
	t.deepEqual(await store.images.prune({filters}), preview);
	t.deepEqual(await store.images.list(), []);
});
