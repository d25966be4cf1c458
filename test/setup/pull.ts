/** A process that pulls one image: `node pull.ts ROOT RUN REFERENCE`. Prints the id; on failure the message. */
import {createImages} from '../../src/engine/images/images.ts';
import {Locks} from '../../src/engine/locks.ts';
import {Paths} from '../../src/engine/paths.ts';

const [root, run, reference] = process.argv.slice(2);
const paths = new Paths(root!, run!);
const images = createImages({
	paths,
	locks: new Locks(paths),
	journal: {append() {}},
	containersUsing: async () => [],
	transport: {retryDelay: 5},
});
try {
	const {id} = await images.pull(reference!);
	process.stdout.write(`${id}\n`);
} catch (error) {
	process.stdout.write(`${(error as Error).message}\n`);
	process.exitCode = 1;
} finally {
	images.close();
}
