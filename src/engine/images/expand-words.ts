/**
 * Quotes, escapes and variables in the arguments of Dockerfile instructions, as far as `--change` takes them
 * (Dockerfile reference, "Environment replacement"). Pure.
 */
import {WherryError} from '../errors.ts';

const invalid = (message: string): WherryError => new WherryError('invalid', message);

const nameStart = /[A-Za-z_]/;
const namePart = /[A-Za-z0-9_]/;

class Expansion {
	readonly #text: string;
	readonly #variable: (name: string) => string | undefined;
	#at = 0;
	/** The words so far, split where unquoted values of variables have spaces. */
	readonly #words: string[] = [];
	#word = '';
	#inWord = false;

	constructor(text: string, variable: (name: string) => string | undefined) {
		this.#text = text;
		this.#variable = variable;
	}

	run(): {whole: string; words: string[]} {
		const whole = this.#until('');
		if (this.#inWord) this.#words.push(this.#word);
		return {whole, words: this.#words};
	}

	#add(text: string): string {
		this.#word += text;
		this.#inWord = true;
		return text;
	}

	/** What comes from a variable is split, and what is written with spaces, too. */
	#addSplit(text: string): string {
		for (const part of text.split(/(\s+)/)) {
			if (part === '') continue;
			if (!/\s/.test(part[0]!)) this.#add(part);
			else if (this.#inWord) {
				this.#words.push(this.#word);
				this.#word = '';
				this.#inWord = false;
			}
		}
		return text;
	}

	#until(stop: string): string {
		let result = '';
		while (this.#at < this.#text.length) {
			const char = this.#text[this.#at]!;
			if (stop !== '' && char === stop) {
				this.#at++;
				return result;
			}
			if (char === "'") result += this.#add(this.#single());
			else if (char === '"') result += this.#add(this.#double());
			else if (char === '$') result += this.#addSplit(this.#dollar());
			else if (char === '\\') {
				this.#at += 2;
				if (this.#at <= this.#text.length) result += this.#add(this.#text[this.#at - 1]!);
			} else {
				this.#at++;
				result += /\s/.test(char) ? this.#addSplit(char) : this.#add(char);
			}
		}
		if (stop !== '') throw invalid(`unexpected end of statement while looking for matching ${stop}`);
		return result;
	}

	#single(): string {
		const end = this.#text.indexOf("'", this.#at + 1);
		if (end < 0) throw invalid('unexpected end of statement while looking for matching single-quote');
		const text = this.#text.slice(this.#at + 1, end);
		this.#at = end + 1;
		return text;
	}

	#double(): string {
		let result = '';
		this.#at++;
		for (;;) {
			const char = this.#text[this.#at];
			if (char === undefined)
				throw invalid('unexpected end of statement while looking for matching double-quote');
			if (char === '"') {
				this.#at++;
				return result;
			}
			if (char === '$') result += this.#dollar();
			else if (char === '\\' && ['"', '$', '\\'].includes(this.#text[this.#at + 1] ?? '')) {
				result += this.#text[this.#at + 1]!;
				this.#at += 2;
			} else {
				result += char;
				this.#at++;
			}
		}
	}

	#name(): string {
		const start = this.#at;
		if (nameStart.test(this.#text[start] ?? '')) {
			while (namePart.test(this.#text[this.#at] ?? '')) this.#at++;
		} else if (/[0-9]/.test(this.#text[start] ?? '')) {
			while (/[0-9]/.test(this.#text[this.#at] ?? '')) this.#at++;
		} else if (/[@*#?$!-]/.test(this.#text[start] ?? '')) this.#at++;
		return this.#text.slice(start, this.#at);
	}

	#dollar(): string {
		this.#at++;
		if (this.#text[this.#at] !== '{') {
			const name = this.#name();
			return name === '' ? '$' : (this.#variable(name) ?? '');
		}
		this.#at++;
		const name = this.#name();
		if (this.#at >= this.#text.length) throw invalid("syntax error: missing '}'");
		if (name === '') throw invalid('syntax error: bad substitution');
		const value = this.#variable(name);
		const next = this.#text[this.#at];
		if (next === '}') {
			this.#at++;
			return value ?? '';
		}
		const colon = next === ':';
		if (colon) this.#at++;
		const modifier = this.#text[this.#at++] ?? '';
		const isSet = value !== undefined && !(colon && value === '');
		const word = this.#inBraces();
		if (modifier === '-') return isSet ? value : word;
		if (modifier === '+') return isSet ? word : '';
		if (modifier === '?') {
			if (isSet) return value;
			throw invalid(`${name}: ${word || 'not allowed to be unset'}`);
		}
		throw invalid(`unsupported modifier (${colon ? ':' : ''}${modifier}) in substitution`);
	}

	#inBraces(): string {
		const inner = new Expansion(this.#text, this.#variable);
		inner.#at = this.#at;
		const word = inner.#until('}');
		this.#at = inner.#at;
		return word;
	}
}

/** The text with its quotes removed and variables replaced. `environment` is of the form `NAME=value`. */
export function expandWord(text: string, environment: readonly string[]): string {
	return expand(text, environment).whole;
}

function expand(text: string, environment: readonly string[]): {whole: string; words: string[]} {
	try {
		return new Expansion(text, lookup(environment)).run();
	} catch (error) {
		throw invalid(`failed to process ${JSON.stringify(text)}: ${(error as Error).message}`);
	}
}

/** The same, split at unquoted spaces. */
export function expandWords(text: string, environment: readonly string[]): string[] {
	return expand(text, environment).words;
}

function lookup(environment: readonly string[]): (name: string) => string | undefined {
	return (name) => {
		const entry = environment.find((each) => each.startsWith(`${name}=`));
		return entry?.slice(name.length + 1);
	};
}

/** Words at spaces that are neither quoted nor escaped; quotes and escapes stay in them. */
export function splitWords(text: string): string[] {
	const words: string[] = [];
	let word = '';
	let quote = '';
	for (let at = 0; at < text.length; at++) {
		const char = text[at]!;
		if (quote === '' && /\s/.test(char)) {
			if (word !== '') words.push(word);
			word = '';
			continue;
		}
		if (char === '\\' && quote !== "'" && at + 1 < text.length) {
			word += char + text[++at]!;
			continue;
		}
		if (quote === '' && (char === '"' || char === "'")) quote = char;
		else if (char === quote) quote = '';
		word += char;
	}
	if (word !== '') words.push(word);
	return words;
}
