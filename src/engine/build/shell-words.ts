/**
 * Variables, quotes and escapes in Dockerfiles, as BuildKit expands them (Dockerfile reference, "Environment
 * replacement"): `$name`, `${name}`, `${name:-word}` and the other modifiers of a POSIX shell. Pure.
 */

export interface Expanded {
	/** The whole as one word. */
	readonly word: string;
	/** The words into which it falls at spaces that nobody quoted. */
	readonly words: string[];
	/** Variables that were asked for but not set. */
	readonly unset: string[];
}

export interface ExpandOptions {
	/** `\` or a backquote. */
	readonly escape?: string;
	/** Quotes stay in the result. */
	readonly rawQuotes?: boolean;
	/** Escapes stay in the result. */
	readonly rawEscapes?: boolean;
	/** What is not set stays as it was written. */
	readonly keepUnset?: boolean;
	/** Quotes have no meaning. */
	readonly skipQuotes?: boolean;
}

/** Go's unicode.IsSpace. */
const space = '\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const spacePattern = new RegExp(`[${space}]`);
const leftPattern = new RegExp(`^[${space}]+`);
const rightPattern = new RegExp(`[${space}]+$`);

export const isSpace = (character: string): boolean => spacePattern.test(character);
export const trimLeft = (text: string): string => text.replace(leftPattern, '');
export const trimSpace = (text: string): string => trimLeft(text).replace(rightPattern, '');

export class ExpansionError extends Error {}

export type Variables = (name: string) => string | undefined;

const isNameStart = (character: string): boolean => /[\p{L}_]/u.test(character);
const isNamePart = (character: string): boolean => /[\p{L}\p{Nd}_]/u.test(character);
const isDigit = (character: string): boolean => /\p{Nd}/u.test(character);
const isSpecial = (character: string): boolean => character !== '' && '@*#?-$!'.includes(character);

/** What is shown for an end that came too early: the decoder's replacement character. */
const endMark = '\uFFFD';

/** Throws ExpansionError in BuildKit's words. */
export function expand(text: string, variables: Variables, options: ExpandOptions = {}): Expanded {
	const expansion = new Expansion(text, variables, options);
	try {
		return expansion.run();
	} catch (error) {
		if (!(error instanceof ExpansionError)) throw error;
		throw new ExpansionError(`failed to process ${goQuote(text)}: ${error.message}`);
	}
}

/** Go's %q, as far as texts of Dockerfiles need it. */
export function goQuote(text: string): string {
	const escapes: Record<string, string> = {
		'"': '\\"',
		'\\': '\\\\',
		'\n': '\\n',
		'\t': '\\t',
		'\r': '\\r',
		'\v': '\\v',
		'\f': '\\f',
		'\b': '\\b',
		'\x07': '\\a',
	};
	let quoted = '';
	for (const character of text) {
		const code = character.codePointAt(0)!;
		if (escapes[character] !== undefined) quoted += escapes[character];
		else if (code < 0x20 || code === 0x7f) quoted += `\\x${code.toString(16).padStart(2, '0')}`;
		else if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]|[^\S ]/u.test(character)) {
			quoted +=
				code > 0xffff
					? `\\U${code.toString(16).padStart(8, '0')}`
					: `\\u${code.toString(16).padStart(4, '0')}`;
		} else quoted += character;
	}
	return `"${quoted}"`;
}

class Expansion {
	readonly #characters: string[];
	readonly #variables: Variables;
	readonly #options: ExpandOptions;
	readonly #escape: string;
	#rawEscapes: boolean;
	#at = 0;
	readonly #unset: string[] = [];
	/** The word that is being made. A modifier's word takes its place, and what was in it is lost: so BuildKit. */
	#word = '';
	#inWord = false;

	constructor(text: string, variables: Variables, options: ExpandOptions) {
		// A mark of the byte order at the beginning is skipped.
		this.#characters = [...text.replace(/^\uFEFF/, '')];
		this.#rawEscapes = options.rawEscapes ?? false;
		this.#variables = variables;
		this.#options = options;
		this.#escape = options.escape ?? '\\';
	}

	run(): Expanded {
		const {word, words} = this.#until('');
		return {word, words, unset: this.#unset};
	}

	get #next(): string {
		return this.#characters[this.#at] ?? '';
	}

	#take(): string {
		return this.#characters[this.#at++] ?? '';
	}

	/**
	 * Up to an unquoted `stop`, which is taken too; '' is the end. `rawEscapes`: in a pattern escapes have a meaning of
	 * their own, so they stay.
	 */
	#until(stop: string, rawEscapes = this.#rawEscapes): {word: string; words: string[]} {
		const before = this.#rawEscapes;
		this.#rawEscapes = rawEscapes;
		try {
			return this.#read(stop);
		} finally {
			this.#rawEscapes = before;
		}
	}

	#read(stop: string): {word: string; words: string[]} {
		const {skipQuotes} = this.#options;
		let word = '';
		const words: string[] = [];
		this.#word = '';
		this.#inWord = false;
		const addRaw = (text: string) => {
			this.#word += text;
			this.#inWord = true;
		};
		const add = (text: string) => {
			for (const character of text) {
				if (!isSpace(character)) addRaw(character);
				else if (this.#inWord) {
					if (this.#word !== '') {
						words.push(this.#word);
						this.#word = '';
						this.#inWord = false;
					}
				}
			}
		};
		while (this.#at < this.#characters.length) {
			const character = this.#next;
			if (stop !== '' && character === stop) {
				this.#at++;
				return this.#finish(word, words);
			}
			if (!skipQuotes && (character === "'" || character === '"')) {
				const text = character === "'" ? this.#single() : this.#double();
				word += text;
				addRaw(text);
			} else if (character === '$') {
				const text = this.#dollar();
				word += text;
				add(text);
			} else if (this.#take() === this.#escape) {
				if (this.#rawEscapes) {
					word += this.#escape;
					addRaw(this.#escape);
				}
				const escaped = this.#take();
				if (escaped === '') break;
				word += escaped;
				addRaw(escaped);
			} else {
				word += character;
				add(character);
			}
		}
		if (stop !== '')
			throw new ExpansionError(`unexpected end of statement while looking for matching ${stop}`);
		return this.#finish(word, words);
	}

	#finish(word: string, words: string[]): {word: string; words: string[]} {
		if (this.#word !== '') words.push(this.#word);
		this.#word = '';
		return {word, words};
	}

	#single(): string {
		const {rawQuotes} = this.#options;
		let text = '';
		const quote = this.#take();
		if (rawQuotes) text += quote;
		for (;;) {
			const character = this.#take();
			if (character === '')
				throw new ExpansionError('unexpected end of statement while looking for matching single-quote');
			if (character === "'") return rawQuotes ? text + character : text;
			text += character;
		}
	}

	#double(): string {
		const {rawQuotes} = this.#options;
		let text = '';
		const quote = this.#take();
		if (rawQuotes) text += quote;
		for (;;) {
			const character = this.#next;
			if (character === '')
				throw new ExpansionError('unexpected end of statement while looking for matching double-quote');
			if (character === '"') {
				this.#at++;
				return rawQuotes ? text + character : text;
			}
			if (character === '$') {
				text += this.#dollar();
				continue;
			}
			this.#at++;
			if (character !== this.#escape) {
				text += character;
				continue;
			}
			if (this.#rawEscapes) text += character;
			const escaped = this.#next;
			// At the very end the missing quote is what is wrong.
			if (escaped === '') continue;
			text += escaped === '"' || escaped === '$' || escaped === this.#escape ? this.#take() : character;
		}
	}

	#dollar(): string {
		this.#at++;
		if (this.#next !== '{') {
			const name = this.#name();
			if (name === '') return '$';
			const value = this.#value(name);
			return value ?? (this.#options.keepUnset ? `$${name}` : '');
		}
		this.#at++;
		const first: string = this.#next;
		if (first === '') throw new ExpansionError("syntax error: missing '}'");
		if (first === '{' || first === '}' || first === ':') {
			throw new ExpansionError('syntax error: bad substitution');
		}
		const name = this.#name();
		const modifier = this.#take();
		if (modifier === '}') {
			const value = this.#value(name);
			return value ?? (this.#options.keepUnset ? `\${${name}}` : '');
		}
		return this.#modified(name, modifier);
	}

	#value(name: string): string | undefined {
		const value = this.#variables(name);
		if (value === undefined) this.#unset.push(name);
		return value;
	}

	/** The word of a modifier. An end inside of it is told as the end of the whole. */
	#wordOf(stop: string, missing: string, rawEscapes: boolean): string {
		try {
			return this.#until(stop, rawEscapes).word;
		} catch (error) {
			if (error instanceof ExpansionError && this.#next === '')
				throw new ExpansionError(`syntax error: missing ${missing}`);
			throw error;
		}
	}

	/** `first` is what stands after the name. A word is read before its modifier is judged. */
	#modified(name: string, first: string): string {
		if (first === '/') return this.#replaced(name);
		const colon = first === ':' ? ':' : '';
		const modifier = colon ? this.#take() : first;
		const shown = `${colon}${modifier === '' ? endMark : modifier}`;
		const unsupported = (): ExpansionError =>
			new ExpansionError(`unsupported modifier (${shown}) in substitution`);
		if (colon === '' && !'+-?#%'.includes(modifier || ' ')) throw unsupported();
		const isPattern = modifier === '#' || modifier === '%';
		if (isPattern && colon !== '') throw unsupported();
		const word = this.#wordOf('}', "'}'", isPattern);
		const value = this.#variables(name);
		if (value === undefined && modifier !== '-' && modifier !== '+') this.#unset.push(name);
		if (value === undefined && this.#options.keepUnset) return `\${${name}${shown}${word}}`;
		const isSet = value !== undefined && (colon === '' || value !== '');
		switch (modifier) {
			case '-':
				return isSet ? value : word;
			case '+':
				return isSet ? word : '';
			case '?': {
				if (isSet) return value;
				const reason = value === undefined ? 'is not allowed to be unset' : 'is not allowed to be empty';
				throw new ExpansionError(`${name}: ${word === '' ? reason : word}`);
			}
			case '#':
			case '%': {
				const isGreedy = word.startsWith(modifier);
				const pattern = isGreedy ? word.slice(1) : word;
				const trim = modifier === '#' ? trimPrefix : trimSuffix;
				return trim(value ?? '', pattern, isGreedy);
			}
			default:
				throw unsupported();
		}
	}

	/** `${name/pattern/word}` */
	#replaced(name: string): string {
		const isAll = this.#next === '/';
		if (isAll) this.#at++;
		const pattern = this.#wordOf('/', `'/' in \${}`, true);
		const word = this.#wordOf('}', "'}'", true);
		const value = this.#value(name);
		if (value === undefined && this.#options.keepUnset) return `\${${name}/${pattern}/${word}}`;
		const expression = new RegExp(globSource(pattern, true), isAll ? 'gu' : 'u');
		const replacement = (match: string): string => (isAll ? template(word, match) : word);
		return (value ?? '').replace(expression, replacement);
	}

	#name(): string {
		const first = this.#next;
		let name = '';
		if (first !== '' && isDigit(first)) {
			while (this.#next !== '' && isDigit(this.#next)) name += this.#take();
			return name;
		}
		if (isSpecial(first)) return this.#take();
		if (first === '' || !isNameStart(first)) return '';
		while (this.#next !== '' && isNamePart(this.#next)) name += this.#take();
		return name;
	}
}

/** Replacing all takes the word as Go's regexp does: `$0` is what was found, another `$name` is nothing. */
const template = (word: string, match: string): string =>
	word.replace(
		/\$(?:\$|([\p{L}\p{Nd}_]+)|\{([\p{L}\p{Nd}_]+)\})/gu,
		(text, plain?: string, braced?: string) =>
			text === '$$' ? '$' : Number(plain ?? braced) === 0 ? match : '',
	);

/** A shell pattern as the source of a regular expression: `*` and `?`, everything else is itself. */
function globSource(pattern: string, greedy: boolean): string {
	let source = '';
	const characters = [...pattern];
	for (let at = 0; at < characters.length; at++) {
		const character = characters[at]!;
		if (character === '*') source += greedy ? '[^\\n]*' : '[^\\n]*?';
		else if (character === '?') source += '[^\\n]';
		else if (character === '\\') {
			const next = characters[at + 1];
			// These only had to be escaped to be in the pattern.
			if (next === '}' || next === '/') continue;
			if (next !== '*' && next !== '?' && next !== '\\') {
				throw new ExpansionError(
					`invalid pattern (${pattern}) in substitution: invalid escape '\\${next ?? endMark}'`,
				);
			}
			source += literal(next);
			at++;
		} else source += literal(character);
	}
	return source;
}

const literal = (character: string): string => character.replace(/[\\^$.*+?()[\]{}|/]/gu, '\\$&');

function trimPrefix(value: string, pattern: string, greedy: boolean): string {
	return value.replace(new RegExp(`^${globSource(pattern, greedy)}`, 'u'), '');
}

const reversed = (text: string): string => [...text].reverse().join('');

/** Turned around, so that the shortest end is looked for too; an escape stays before what it escapes. */
function trimSuffix(value: string, pattern: string, greedy: boolean): string {
	const turned = (pattern.match(/\\[\s\S]|[\s\S]/gu) ?? []).reverse().join('');
	return reversed(trimPrefix(reversed(value), turned, greedy));
}
