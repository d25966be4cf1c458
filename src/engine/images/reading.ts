/**
 * A file of an archive while it is read: who may be interested in it is shown its beginning, and then given all of it.
 * Its digest is made on the way, by them or here.
 */
import {createHash, type Hash} from 'node:crypto';
import {createReadStream} from 'node:fs';

/** Decides by a file's beginning whether it wants the file. See early-layers.ts. */
export interface EarlyReader {
	begin(path: string, size: number, head: Buffer): Promise<EarlyFile | undefined>;
}

export interface EarlyFile {
	write(chunk: Buffer): Promise<void>;
	/** The digest of all that was written; undefined when it has to be made otherwise. */
	finish(): Promise<string | undefined>;
}

/** How many first bytes a reader sees. */
const headSize = 512;

export class Reading {
	readonly #early: EarlyReader | undefined;
	readonly #path: string;
	readonly #size: number;
	#head: Buffer | undefined = Buffer.alloc(0);
	#file: EarlyFile | undefined;
	#hash: Hash | undefined;

	constructor(early: EarlyReader | undefined, path: string, size: number) {
		this.#early = early;
		this.#path = path;
		this.#size = size;
	}

	/** Resolves when the chunk has been taken. */
	async write(chunk: Buffer): Promise<void> {
		if (!this.#head) return this.#give(chunk);
		this.#head = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk]);
		if (this.#head.length >= headSize) await this.#start(this.#head);
	}

	async #start(head: Buffer): Promise<void> {
		this.#head = undefined;
		this.#file = await this.#early?.begin(this.#path, this.#size, head);
		await this.#give(head);
	}

	async #give(chunk: Buffer): Promise<void> {
		if (this.#file) return this.#file.write(chunk);
		this.#hash ??= createHash('sha256');
		this.#hash.update(chunk);
	}

	/** Behind the last byte. `file` has the same bytes and is read when nothing else gives their digest. */
	async digest(file: string): Promise<string> {
		if (this.#head) await this.#start(this.#head);
		const digest = await this.#file?.finish();
		if (digest !== undefined) return digest;
		const hash = this.#hash ?? createHash('sha256');
		if (this.#file)
			for await (const chunk of createReadStream(file, {highWaterMark: 1 << 20}))
				hash.update(chunk as Buffer);
		return `sha256:${hash.digest('hex')}`;
	}
}
