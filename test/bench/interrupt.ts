/**
 * A benchmark that is told to end undoes what it has made: signals count between two measurements, and so does that
 * nobody reads it any more (`| head`).
 */
import {constants} from 'node:os';
import {setImmediate as turn} from 'node:timers/promises';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
let received: (typeof signals)[number] | 'SIGPIPE' | undefined;

for (const signal of signals) {
	process.on(signal, () => {
		received ??= signal;
	});
}

for (const stream of [process.stdout, process.stderr]) {
	stream.on('error', () => {
		received ??= 'SIGPIPE';
	});
}

/** Throws once a signal has come. Commands are waited for without a turn of the event loop, so this takes one. */
export async function checkpoint(): Promise<void> {
	await turn();
	if (received) throw new Error(`ended by ${received}`);
}

/** What a shell gives for it; undefined when none has come. */
export const interruptedCode = (): number | undefined => received && 128 + constants.signals[received];
