/** Frames of the monitor's socket (runtime/monitor-protocol.ts), encoded, and decoded as bytes arrive. Pure. */
import {maxFrame, monitorFrame, streams} from '../../runtime/monitor-protocol.ts';
import type {StreamOptions} from '../api.ts';
import {WherryError} from '../errors.ts';

const headLength = 8;

export function frameHead(type: number, length: number): Buffer {
	const head = Buffer.alloc(headLength);
	head.writeUInt8(type, 0);
	head.writeUInt32LE(length, 4);
	return head;
}

export function encodeFrame(type: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
	return Buffer.concat([frameHead(type, payload.byteLength), payload]);
}

const size16 = (value: number): number => Math.max(0, Math.min(65_535, Math.trunc(value) || 0));

export function windowSize(rows: number, columns: number): Buffer {
	const out = Buffer.alloc(4);
	out.writeUInt16LE(size16(rows), 0);
	out.writeUInt16LE(size16(columns), 2);
	return out;
}

/** The four fields that start, attach and exec begin with. */
export function streamRequest(options: StreamOptions, extra = 0): Buffer {
	const bits =
		(options.stdin ? streams.stdin : 0) |
		(options.stdout ? streams.stdout : 0) |
		(options.stderr ? streams.stderr : 0) |
		extra;
	return Buffer.concat([Buffer.of(bits, 0), windowSize(options.rows ?? 0, options.columns ?? 0)]);
}

export function int32(...values: number[]): Buffer {
	const out = Buffer.alloc(4 * values.length);
	for (const [index, value] of values.entries()) out.writeInt32LE(value, 4 * index);
	return out;
}

export interface ExitFrame {
	code: number;
	flags: number;
}

/** What a decoder gives out. Output comes in pieces as it arrives, everything else as whole frames. */
export interface FrameSink {
	output(stream: 'stdout' | 'stderr', data: Buffer): void;
	ok(text: string): void;
	error(text: string): void;
	exit(exit: ExitFrame): void;
}

const corrupt = (what: string): WherryError =>
	new WherryError('corrupt', `the container's monitor sent ${what}`);

/** The monitor outlives the program that started it, and may be another build: nothing of it is trusted. */
export class FrameDecoder {
	readonly #sink: FrameSink;
	readonly #head = Buffer.alloc(headLength);
	#headFilled = 0;
	#type = 0;
	#left = 0;
	#payload: Buffer[] = [];

	constructor(sink: FrameSink) {
		this.#sink = sink;
	}

	/** Whether a frame has begun and not ended. */
	get inFrame(): boolean {
		return this.#headFilled > 0;
	}

	/** Throws `corrupt`; the decoder is of no use after that. */
	push(chunk: Buffer): void {
		let at = 0;
		while (at < chunk.length) {
			if (this.#headFilled < headLength) {
				const taken = chunk.copy(this.#head, this.#headFilled, at, at + headLength - this.#headFilled);
				this.#headFilled += taken;
				at += taken;
				if (this.#headFilled < headLength) return;
				this.#begin();
			}
			const piece = chunk.subarray(at, at + this.#left);
			at += piece.length;
			this.#left -= piece.length;
			if (this.#type === monitorFrame.stdout || this.#type === monitorFrame.stderr) {
				if (piece.length > 0) {
					this.#sink.output(this.#type === monitorFrame.stdout ? 'stdout' : 'stderr', piece);
				}
			} else if (piece.length > 0) this.#payload.push(piece);
			if (this.#left === 0) this.#end();
		}
	}

	#begin(): void {
		this.#type = this.#head[0]!;
		this.#left = this.#head.readUInt32LE(4);
		if (this.#left > maxFrame) throw corrupt('a frame that is too long');
		if (this.#type < monitorFrame.stdout || this.#type > monitorFrame.exit) {
			throw corrupt(`a frame of the unknown type ${this.#type}`);
		}
		this.#payload = [];
		if (this.#left === 0) this.#end();
	}

	#end(): void {
		if (this.#headFilled < headLength) return;
		this.#headFilled = 0;
		const payload = Buffer.concat(this.#payload);
		this.#payload = [];
		switch (this.#type) {
			case monitorFrame.ok:
				this.#sink.ok(payload.toString('utf8'));
				break;
			case monitorFrame.error:
				this.#sink.error(payload.toString('utf8'));
				break;
			case monitorFrame.exit:
				if (payload.length < 5) throw corrupt('an exit frame that is too short');
				this.#sink.exit({code: payload.readInt32LE(0), flags: payload[4]!});
				break;
			default:
		}
	}
}
