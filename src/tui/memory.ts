/**
 * V8 first lets its heap become 50 MB larger than what lives in it, and then keeps to what lives. Asked once to look
 * after the start, it does so from the first minute on: the memory stays what it is.
 */
import {setFlagsFromString} from 'node:v8';
import {runInNewContext} from 'node:vm';

/** Milliseconds after the first frame: it takes ten of them. */
const LATER = 2500;

type Collect = (options: {type: 'major'; execution: 'async'}) => Promise<void>;

/** Nothing waits for it. */
export function collectOnce(): void {
	setTimeout(() => void collect(), LATER).unref();
}

/** Resolves when it is done, which is in a turn of the event loop of its own. */
export async function collect(): Promise<void> {
	// With another set of flags V8 would refuse the code caches of what is loaded from now on.
	setFlagsFromString('--expose-gc');
	const gc = runInNewContext('gc') as Collect;
	setFlagsFromString('--no-expose-gc');
	await gc({type: 'major', execution: 'async'});
}
