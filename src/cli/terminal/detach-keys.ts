import {CliError} from '../errors.ts';

const names: Record<string, number> = {'@': 0, '[': 27, '\\': 28, ']': 29, '^': 30, _: 31};

/** docker's notation, `ctrl-p,ctrl-q` or `a,b`, as bytes. Throws its error. */
export function parseDetachKeys(text: string): Uint8Array {
	if (text === '') return Uint8Array.of(16, 17);
	const bytes: number[] = [];
	for (const key of text.split(',')) {
		if (key.length === 1) {
			bytes.push(key.charCodeAt(0));
			continue;
		}
		const control = /^ctrl-(.)$/.exec(key)?.[1];
		const code = control && (/[a-z]/.test(control) ? control.charCodeAt(0) - 96 : names[control]);
		if (code === undefined || code === '')
			throw new CliError(`Error: Invalid detach keys (${text}) provided`);
		bytes.push(code);
	}
	return Uint8Array.from(bytes);
}

/**
 * Finds the detach keys in what is typed, across chunks. Bytes that begin the sequence are held back until
 * the next one decides.
 */
export class DetachScanner {
	readonly #keys: Uint8Array;
	#matched = 0;

	constructor(keys: Uint8Array) {
		this.#keys = keys;
	}

	/** What goes on to the container, and whether the sequence is complete; what follows it is dropped. */
	scan(chunk: Uint8Array): {pass: Uint8Array; detached: boolean} {
		const keys = this.#keys;
		if (keys.length === 0) return {pass: chunk, detached: false};
		const pass: number[] = [];
		for (const byte of chunk) {
			if (byte === keys[this.#matched]) {
				this.#matched++;
				if (this.#matched === keys.length) {
					this.#matched = 0;
					return {pass: Uint8Array.from(pass), detached: true};
				}
				continue;
			}
			pass.push(...keys.subarray(0, this.#matched));
			this.#matched = 0;
			if (byte === keys[0]) this.#matched = 1;
			else pass.push(byte);
		}
		return {pass: Uint8Array.from(pass), detached: false};
	}
}
