/** The terminal UI on the real engine, with ways to crash it: `p` while it draws, `r` by a promise. */
import {openEngine} from '../../src/engine/engine.ts';
import {runTui} from '../../src/tui/main.tsx';

const engine = openEngine();
const list = engine.containers.list.bind(engine.containers);
engine.containers.pause = async (id) => {
	engine.containers.list = async (options) =>
		(await list(options)).map((row) => ({
			...row,
			get Status(): string {
				throw new Error('an error while drawing');
			},
		}));
	// What changes is read again.
	await engine.containers.rename(id, `${(await engine.containers.inspect(id)).Name.slice(1)}-2`);
};
engine.containers.restart = async () => {
	setImmediate(() => Promise.reject(new Error('a promise nobody awaited')));
};
process.exit(await runTui({engine}));
