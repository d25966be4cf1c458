/**
 * A connection to a monitor: bytes in and out, in order. Straight on the addon: node:net takes as long to load
 * as all the rest of `exec`.
 */
import {closeSync, constants, openSync} from 'node:fs';
import {basename, dirname} from 'node:path';
import {type NativeSocket, native} from '../../kernel/native.ts';
import {isErrno} from '../errors.ts';

/** sockaddr_un.sun_path with its final NUL. */
const maxSocketPath = 107;

/** The monitor can't be reached: it has ended, or it has never been. */
export class MonitorGone extends Error {
	override readonly name = 'MonitorGone';
}

/** What a socket tells: data, and once that it has ended, with an error or without. */
export interface SocketUser {
	data(chunk: Buffer): void;
	ended(error?: Error): void;
}

interface Piece {
	bytes: Uint8Array;
	done: (() => void) | undefined;
}

export class MonitorSocket {
	readonly #socket: NativeSocket;
	readonly #waiting: Piece[] = [];
	#user: SocketUser | undefined;
	#paused = false;
	#ended = false;

	/** The descriptor is the socket's own from now on. */
	constructor(fd: number) {
		this.#socket = native.openSocket(fd, (event) => {
			if (event === undefined) this.#flush();
			else if (event === null) this.#end();
			else if (event instanceof Error) this.#end(event);
			else this.#user?.data(event);
		});
	}

	/** Nothing is read before. */
	open(user: SocketUser): void {
		this.#user = user;
		this.#watch();
	}

	pause(): void {
		this.#paused = true;
		this.#watch();
	}

	resume(): void {
		this.#paused = false;
		this.#watch();
	}

	/** Never waits; `done` is called when the system has taken the bytes. */
	write(bytes: Uint8Array, done?: () => void): void {
		if (this.#ended) return;
		this.#waiting.push({bytes, done});
		if (this.#waiting.length === 1) this.#flush();
	}

	/** Ends it at once, without a word to its user. Idempotent. */
	destroy(): void {
		this.#ended = true;
		this.#waiting.length = 0;
		this.#socket.close();
	}

	#flush(): void {
		const done: (() => void)[] = [];
		try {
			for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
				const taken = first.bytes.byteLength === 0 ? 0 : this.#socket.write(first.bytes);
				if (taken < first.bytes.byteLength) {
					first.bytes = first.bytes.subarray(taken);
					break;
				}
				this.#waiting.shift();
				if (first.done) done.push(first.done);
			}
		} catch (error) {
			// What the monitor said before it left is still to be read, and its end after that.
			for (const {done: late} of this.#waiting.splice(0)) if (late) done.push(late);
			// What the monitor said before it left is still to be read, and its end after that.
			if (!isErrno(error, 'EPIPE', 'ECONNRESET')) this.#end(error as Error);
		}
		this.#watch();
		for (const call of done) queueMicrotask(call);
	}

	#watch(): void {
		if (this.#ended) return;
		this.#socket.watch(this.#user !== undefined && !this.#paused, this.#waiting.length > 0);
	}

	#end(error?: Error): void {
		if (this.#ended) return;
		const user = this.#user;
		this.destroy();
		user?.ended(error);
	}
}

/** Throws MonitorGone when nobody listens there. */
export function connectMonitor(path: string): MonitorSocket {
	let folder: number | undefined;
	try {
		let address = path;
		if (Buffer.byteLength(path) > maxSocketPath) {
			folder = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
			address = `/proc/self/fd/${folder}/${basename(path)}`;
		}
		return new MonitorSocket(native.connectSocket(address));
	} catch (error) {
		const gone = isErrno(error, 'ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOTDIR');
		throw gone ? new MonitorGone(`nobody listens on ${path}`, {cause: error}) : error;
	} finally {
		if (folder !== undefined) closeSync(folder);
	}
}
