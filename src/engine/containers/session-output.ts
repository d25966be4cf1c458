/**
 * One direction of a session's output. It goes to a function or through a stream, whichever its reader asks for
 * first; until then it waits here.
 */
import {Readable} from 'node:stream';

/** Bytes that are held for a reader before the socket is no longer read. */
const limit = 1 << 20;

export class SessionOutput {
	readonly #resume: () => void;
	#waiting: Buffer[] = [];
	#waitingSize = 0;
	#ended = false;
	#stream: Readable | undefined;
	#write: ((chunk: Buffer) => void) | undefined;
	/** Its reader is slow: nothing more is to be delivered until `resume` has been called. */
	behind = false;

	constructor(resume: () => void) {
		this.#resume = resume;
	}

	deliver(data: Buffer): void {
		if (this.#ended) return;
		if (this.#write) this.#write(data);
		else if (this.#stream) {
			if (!this.#stream.destroyed && !this.#stream.push(data)) this.behind = true;
		} else {
			this.#waiting.push(data);
			this.#waitingSize += data.length;
			this.behind = this.#waitingSize >= limit;
		}
	}

	finish(): void {
		this.behind = false;
		this.#ended = true;
		if (this.#stream && !this.#stream.destroyed && !this.#stream.readableEnded) this.#stream.push(null);
	}

	/** From now on all goes to `write`, what waits first. */
	writeTo(write: (chunk: Buffer) => void): void {
		this.#write = write;
		for (const chunk of this.#waiting.splice(0)) write(chunk);
		this.#catchUp();
	}

	get stream(): Readable {
		if (this.#stream) return this.#stream;
		const stream = new Readable({highWaterMark: limit, read: () => this.#catchUp()});
		this.#stream = stream;
		let room = true;
		for (const chunk of this.#waiting.splice(0)) room = stream.push(chunk);
		if (this.#ended) stream.push(null);
		else if (room) this.#catchUp();
		return stream;
	}

	#catchUp(): void {
		if (!this.behind) return;
		this.behind = false;
		this.#resume();
	}
}
