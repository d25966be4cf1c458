/** JSON (RFC 8259) that knows where each of its values stands, for messages that name a line. Pure. */

export interface Place {
	/** From 1. */
	line: number;
	column: number;
}

export interface JsonDocument {
	value: unknown;
	/** Where values begin; for those of objects their keys do. By path: `keys.container.stop` is `/keys/container.stop`. */
	places: ReadonlyMap<string, Place>;
}

export class JsonError extends Error {
	readonly place: Place;

	constructor(message: string, place: Place) {
		super(message);
		this.place = place;
	}
}

/** Deeper than any configuration. */
const DEEPEST = 32;
const SPACE = /[ \t\r\n]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const WORD = /[A-Za-z]+/y;
const WORDS: Readonly<Record<string, unknown>> = {true: true, false: false, null: null};

class Reader {
	readonly #text: string;
	#at = 0;
	readonly places = new Map<string, Place>();

	constructor(text: string) {
		this.#text = text;
	}

	document(): unknown {
		const value = this.#value('', 0);
		this.#take(SPACE);
		if (this.#at < this.#text.length) this.#fail(`${this.#seen()} after the end of the configuration`);
		return value;
	}

	#value(path: string, depth: number): unknown {
		this.#take(SPACE);
		if (depth > DEEPEST) this.#fail('it is nested too deeply');
		if (!this.places.has(path)) this.places.set(path, this.#place());
		const next = this.#text[this.#at];
		if (next === '{') return this.#object(path, depth);
		if (next === '[') return this.#array(path, depth);
		if (next === '"') return this.#string();
		const number = this.#take(NUMBER);
		if (number !== '') return Number(number);
		const start = this.#at;
		const word = this.#take(WORD);
		if (word !== '' && word in WORDS) return WORDS[word];
		this.#at = start;
		return this.#fail(`a value is missing before ${this.#seen()}`);
	}

	#object(path: string, depth: number): Record<string, unknown> {
		const object: Record<string, unknown> = Object.create(null);
		this.#at++;
		if (this.#closes('}')) return object;
		for (;;) {
			this.#take(SPACE);
			const place = this.#place();
			if (this.#text[this.#at] !== '"')
				this.#fail(`a name in double quotes is missing before ${this.#seen()}`);
			const name = this.#string();
			if (name in object) this.#fail(`${JSON.stringify(name)} is there twice`, place);
			const below = `${path}/${name}`;
			this.places.set(below, place);
			this.#take(SPACE);
			if (this.#text[this.#at] !== ':') this.#fail(`a colon is missing before ${this.#seen()}`);
			this.#at++;
			object[name] = this.#value(below, depth + 1);
			if (this.#closes('}')) return object;
			this.#comma('}');
		}
	}

	#array(path: string, depth: number): unknown[] {
		const array: unknown[] = [];
		this.#at++;
		if (this.#closes(']')) return array;
		for (;;) {
			array.push(this.#value(`${path}/${array.length}`, depth + 1));
			if (this.#closes(']')) return array;
			this.#comma(']');
		}
	}

	#string(): string {
		const text = this.#take(STRING);
		if (text === '') this.#fail('a text has no closing quote, or a character that has to be escaped');
		return JSON.parse(text) as string;
	}

	#closes(bracket: string): boolean {
		this.#take(SPACE);
		if (this.#text[this.#at] !== bracket) return false;
		this.#at++;
		return true;
	}

	#comma(bracket: string): void {
		if (this.#text[this.#at] !== ',') this.#fail(`a comma or ${bracket} is missing before ${this.#seen()}`);
		const place = this.#place();
		this.#at++;
		this.#take(SPACE);
		if (this.#text[this.#at] === bracket) this.#fail(`a comma before ${bracket}`, place);
	}

	#take(expression: RegExp): string {
		expression.lastIndex = this.#at;
		const [found = ''] = expression.exec(this.#text) ?? [];
		this.#at += found.length;
		return found;
	}

	#seen(): string {
		const rest = this.#text.slice(this.#at);
		return rest === '' ? 'the end of the file' : JSON.stringify(/^\w{1,20}|^./s.exec(rest)![0]);
	}

	#place(): Place {
		const before = this.#text.slice(0, this.#at);
		const line = before.split('\n').length;
		return {line, column: this.#at - before.lastIndexOf('\n')};
	}

	#fail(message: string, place: Place = this.#place()): never {
		throw new JsonError(message, place);
	}
}

/** Throws `JsonError`. */
export function readJson(text: string): JsonDocument {
	const reader = new Reader(text.replace(/^\ufeff/, ''));
	return {value: reader.document(), places: reader.places};
}
