/**
 * V8 lets its old space become 50 MB larger than what lives in it before it looks for the first time, and later goes
 * on in steps of several megabytes, each a little higher than the one before. A pane that shows what a hundred
 * containers use leaves garbage every second, and one in which keys are pressed two megabytes, so it would grow for as
 * long as it runs. Asked to look before that much has come together, V8 takes less time for all of it, and the memory
 * stays what it is.
 *
 * Pages that have become empty V8 keeps until it has collected nothing for eight seconds, which never comes here, and
 * those that are nearly empty it keeps anyway. Only the collection of last resort, which takes twice the time, gives
 * them back; it follows when the keys rest, and now and then.
 */
import {getHeapSpaceStatistics, setFlagsFromString} from 'node:v8';
import {runInNewContext} from 'node:vm';

/** Milliseconds after the first frame until what the start has left is collected: it takes ten of them. */
const FIRST = 2500;
/** Milliseconds between two looks at how much there is. */
const INTERVAL = 1000;
/** Bytes that may come together. */
const GARBAGE = 3 << 20;
/** Milliseconds between two collections that make them a burst, and after the last one until its end. */
const BURST = 5000;
/** Milliseconds from one collection of last resort to the next, if there were others between them. */
const THOROUGH = 120_000;

type Flavor = 'regular' | 'last-resort';
type Collect = (options: {type: 'major'; execution: 'async'; flavor: Flavor}) => Promise<void>;

let known: Collect | undefined;

/** Resolves when it is done, which is in a turn of the event loop of its own. */
export async function collect(flavor: Flavor = 'regular'): Promise<void> {
	if (!known) {
		// With another set of flags V8 would refuse the code caches of what is loaded from now on.
		setFlagsFromString('--expose-gc');
		known = runInNewContext('gc') as Collect;
		setFlagsFromString('--no-expose-gc');
	}
	await known({type: 'major', execution: 'async', flavor});
}

/** Bytes in the old space, garbage or not. */
function oldSpace(): number {
	return getHeapSpaceStatistics().find(({space_name: name}) => name === 'old_space')?.space_used_size ?? 0;
}

/** From the first frame on, as long as the process lives. Nothing waits for it. */
export function keepFlat(): void {
	let least = 0;
	let collected = Number.NEGATIVE_INFINITY;
	let thorough = 0;
	let burst = false;
	const look = async (): Promise<void> => {
		const now = oldSpace();
		const time = performance.now();
		const rests = time - collected > BURST;
		// V8 may have looked by itself.
		least = Math.min(least, now);
		if (now - least > GARBAGE) {
			burst ||= !rests;
			await collect();
			collected = performance.now();
		} else if (rests && collected > thorough && (burst || time - thorough > THOROUGH)) {
			burst = false;
			await collect('last-resort');
			thorough = performance.now();
		} else return next();
		least = oldSpace();
		next();
	};
	const next = (delay = INTERVAL): void => {
		setTimeout(look, delay).unref();
	};
	next(FIRST);
}
