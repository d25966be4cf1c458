/** The terminal UI on a fake engine, for tests of what happens to the terminal. `K` `t` crashes it. */
import {runTui} from '../../src/tui/main.tsx';
import {busyEngine} from './fake-engine.ts';

const {engine} = busyEngine();
const later = (crash: () => unknown) => async (): Promise<void> => {
	setImmediate(crash);
};
engine.containers.kill = later(() => {
	throw new Error('an error nobody caught');
});
engine.containers.restart = later(() => Promise.reject(new Error('a promise nobody awaited')));
process.exit(await runTui({engine}));
