/**
 * The detach keys of an attached session: docker's notation (`ctrl-p,ctrl-q`, `a,ctrl-@`), found across the
 * borders of reads. What might be the beginning of them is held back until the next byte decides; a caller may
 * flush it after a while, so that a lone Ctrl+P reaches the shell.
 */
import {fstatSync} from 'node:fs';
import {displayConfig} from '../config-file.ts';
import {CliError} from '../errors.ts';

const DEFAULT = Uint8Array.of(16, 17);

const NAMED: Record<string, number> = {
	'ctrl-@': 0,
	'ctrl-[': 27,
	'ctrl-\\': 28,
	'ctrl-]': 29,
	'ctrl-^': 30,
	'ctrl-_': 31,
	DEL: 127,
};

function keyCode(key: string): number | undefined {
	if (key.length === 1 && key.charCodeAt(0) < 0x80) return key.charCodeAt(0);
	const letter = /^ctrl-([a-z])$/.exec(key)?.[1];
	return letter ? letter.charCodeAt(0) - 96 : NAMED[key];
}

/** What docker's configuration file says; nobody asks for it where there is no terminal. */
function configuredKeys(): string {
	try {
		return fstatSync(0).isCharacterDevice() ? (displayConfig().detachKeys ?? '') : '';
	} catch {
		return '';
	}
}

/**
 * Bytes; for an empty text those of docker's configuration file, else Ctrl+P Ctrl+Q. Throws docker's error, which
 * has another word for exec.
 */
export function parseDetachKeys(given: string, what: 'detach' | 'escape' = 'detach'): Uint8Array {
	const text = given || configuredKeys();
	if (text === '') return DEFAULT;
	const codes = text.split(',').map(keyCode);
	if (codes.includes(undefined)) throw new CliError(`Error: Invalid ${what} keys (${text}) provided`);
	return Uint8Array.from(codes as number[]);
}

export interface Scanned {
	/** For the container. */
	forward: Uint8Array;
	detached: boolean;
	/** What came after the detach keys: for whoever reads next. */
	rest: Uint8Array;
}

export class DetachScanner {
	readonly #keys: Uint8Array;
	#matched = 0;

	constructor(keys: Uint8Array) {
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
		const held = this.#keys.slice(0, this.#matched);
		this.#matched = 0;
		return held;
	}

	/** After a mismatch the longest tail of what was held that still begins the keys stays held. */
	#step(byte: number, forward: number[]): void {
		const seen = [...this.#keys.subarray(0, this.#matched), byte];
		let keep = Math.min(seen.length, this.#keys.length);
		while (keep > 0 && !this.#begins(seen.slice(seen.length - keep))) keep--;
		forward.push(...seen.slice(0, seen.length - keep));
		this.#matched = keep;
	}

	#begins(tail: number[]): boolean {
		return tail.every((byte, index) => byte === this.#keys[index]);
	}
}
