/** Archives as streams of this process: what the native part reads and writes are descriptors. */
import {closeSync} from 'node:fs';
import {Readable} from 'node:stream';
import {native} from '../../kernel/native.ts';
import {isErrno} from '../errors.ts';

/** What `produce` writes to a descriptor, which is its own until it is done. An error of it is the stream's. */
export function readableFrom(produce: (fd: number) => Promise<unknown>): Readable {
	const [ours, theirs] = native.socketPair();
	const done = produce(theirs).finally(() => closeSync(theirs));
	const stream = new Readable({
		read() {
			socket.watch(true, false);
		},
		destroy(error, callback) {
			// Whoever writes finds nobody there any more, and ends.
			socket.close();
			done.then(
				() => callback(error),
				() => callback(error),
			);
		},
	});
	const socket = native.openSocket(ours, (event) => {
		if (event instanceof Error) stream.destroy(event);
		else if (event === null) {
			socket.watch(false, false);
			done.then(
				() => stream.push(null),
				(error: Error) => stream.destroy(error),
			);
		} else if (event && !stream.push(event)) socket.watch(false, false);
	});
	done.catch((error: Error) => stream.destroy(error));
	return stream;
}

/** Gives what comes from a stream to `consume` as a descriptor. */
export async function withDescriptor<T>(
	source: AsyncIterable<Uint8Array>,
	consume: (fd: number) => Promise<T>,
): Promise<T> {
	const [ours, theirs] = native.socketPair();
	let wake = () => {};
	const socket = native.openSocket(ours, (event) => {
		if (event === undefined || event instanceof Error) wake();
	});
	let stopped = false;
	let failure: {reason: unknown} | undefined;
	const feed = async () => {
		for await (const chunk of source) {
			for (let rest = chunk; rest.length > 0 && !stopped; ) {
				rest = rest.subarray(socket.write(rest));
				if (rest.length === 0) break;
				await new Promise<void>((resolve) => {
					wake = resolve;
					socket.watch(false, true);
				});
				socket.watch(false, false);
			}
			if (stopped) return;
		}
	};
	feed()
		.catch((reason: unknown) => {
			failure ??= {reason};
		})
		.finally(() => socket.close());
	try {
		return await consume(theirs);
	} catch (error) {
		// An archive that has ended early, because its source failed.
		throw failure && !isErrno(failure.reason, 'EPIPE') ? failure.reason : error;
	} finally {
		stopped = true;
		closeSync(theirs);
		wake();
	}
}
