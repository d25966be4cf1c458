/**
 * A process that fills a store: `node store-work.ts ROOT RUN REFERENCE ARCHIVE TAR` pulls, loads, imports, makes an
 * image of a new layer as commits do, tags and removes.
 */
import {createReadStream, readFileSync, writeSync} from 'node:fs';
import {createImages} from '../../src/engine/images/images.ts';
import {addImage, packLayer} from '../../src/engine/images/new-image.ts';
import {hostPlatform} from '../../src/engine/images/platform.ts';
import {parseReference} from '../../src/engine/images/reference.ts';
import {Locks} from '../../src/engine/locks.ts';
import {Paths} from '../../src/engine/paths.ts';
import {openStore} from '../../src/engine/store/collect.ts';
import {sha256} from '../../src/engine/store/digest.ts';
import {acquireLease} from '../../src/engine/store/leases.ts';

const [root, run, reference, archive, tar] = process.argv.slice(2);
const paths = new Paths(root!, run!);
const locks = new Locks(paths);
const images = createImages({
	paths,
	locks,
	journal: {append() {}},
	containersUsing: async () => [],
	transport: {retryDelay: 5},
});
await images.pull(reference!);
await images.load(createReadStream(archive!));
const {id} = await images.import(createReadStream(tar!), {reference: 'imported:1'});
await images.tag(id, 'imported:2');
await images.ensureBase();

const lease = await acquireLease(paths, locks, []);
const bytes = Buffer.concat([readFileSync(tar!), Buffer.alloc(1024)]);
const layer = await packLayer(lease, async (fd) => {
	writeSync(fd, bytes);
	return {size: bytes.length, digest: sha256(bytes), entries: 1};
});
const created = new Date().toISOString();
await addImage(
	openStore(paths, locks),
	{platform: hostPlatform(), created, config: {}, history: [], layers: [layer!]},
	parseReference('made:1'),
);
lease.release();
await images.remove('imported:1');
images.close();
