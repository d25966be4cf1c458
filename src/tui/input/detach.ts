/**
 * The detach keys of an attached session: docker's notation (`ctrl-p,ctrl-q`, `a,ctrl-@`), found across the
 * borders of reads. What might be the beginning of them is held back; the caller flushes it after a while, so
 * that a lone Ctrl+P reaches the shell.
 */

export const DEFAULT_DETACH_KEYS = 'ctrl-p,ctrl-q';

const CONTROL_PUNCTUATION: Record<string, number> = {'@': 0, '[': 27, '\\': 28, ']': 29, '^': 30, _: 31};

/** The bytes of a list of keys; undefined when it isn't one. */
export function parseDetachKeys(keys: string): number[] | undefined {
	const bytes: number[] = [];
	for (const key of keys.split(',')) {
		if (key.length === 1 && key.charCodeAt(0) < 0x80) {
			bytes.push(key.charCodeAt(0));
			continue;
		}
		const name = key.startsWith('ctrl-') ? key.slice(5) : '';
		if (name.length !== 1) return undefined;
		const code = name.toLowerCase().charCodeAt(0);
		if (code >= 0x61 && code <= 0x7a) bytes.push(code - 0x60);
		else if (CONTROL_PUNCTUATION[name] !== undefined) bytes.push(CONTROL_PUNCTUATION[name]);
		else return undefined;
	}
	return bytes.length === 0 ? undefined : bytes;
}

export interface Scanned {
	/** For the container. */
	forward: Uint8Array;
	detached: boolean;
	/** What came after the detach keys: for whoever reads next. */
	rest: Uint8Array;
}

export class DetachScanner {
	readonly #keys: readonly number[];
	#matched = 0;

	constructor(keys: readonly number[]) {
		this.#keys = keys;
	}

	/** Whether the beginning of the keys is held back. */
	get holding(): boolean {
		return this.#matched > 0;
	}

	feed(chunk: Uint8Array): Scanned {
		const forward: number[] = [];
		for (let index = 0; index < chunk.length; index++) {
			this.#step(chunk[index]!, forward);
			if (this.#matched === this.#keys.length) {
				this.#matched = 0;
				return {forward: Uint8Array.from(forward), detached: true, rest: chunk.slice(index + 1)};
			}
		}
		return {forward: Uint8Array.from(forward), detached: false, rest: new Uint8Array()};
	}

	/** What was held back, given up as a beginning. */
	flush(): Uint8Array {
		const held = Uint8Array.from(this.#keys.slice(0, this.#matched));
		this.#matched = 0;
		return held;
	}

	/** After a mismatch the longest tail of what was held that still begins the keys stays held. */
	#step(byte: number, forward: number[]): void {
		const seen = [...this.#keys.slice(0, this.#matched), byte];
		let keep = Math.min(seen.length, this.#keys.length);
		while (keep > 0 && !this.#begins(seen.slice(seen.length - keep))) keep--;
		forward.push(...seen.slice(0, seen.length - keep));
		this.#matched = keep;
	}

	#begins(tail: number[]): boolean {
		return tail.every((byte, index) => byte === this.#keys[index]);
	}
}
