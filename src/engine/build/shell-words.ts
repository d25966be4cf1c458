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

export class ExpansionError extends Error {}

export type Variables = (name: string) => string | undefined;

const isSpace = (character: string): boolean => /\s/u.test(character);
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
	#at = 0;
	readonly #unset: string[] = [];
	/** The word that is being made. A modifier's word takes its place, and what was in it is lost: so BuildKit. */
	#word = '';
	#inWord = false;

	constructor(text: string, variables: Variables, options: ExpandOptions) {
		this.#characters = [...text];
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

	/** Up to an unquoted `stop`, which is taken too; '' is the end. */
	#until(stop: string): {word: string; words: string[]} {
		const {rawEscapes, skipQuotes} = this.#options;
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
				if (rawEscapes) {
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
		if (stop !== '') throw new ExpansionError(`syntax error: missing ${stop === '}' ? "'}'" : `'${stop}'`}`);
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
		const {rawQuotes, rawEscapes} = this.#options;
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
			if (rawEscapes) text += character;
			const escaped = this.#next;
			// At the very end the missing quote is what is wrong.
			if (escaped === '') continue;
			if (escaped === '"' || escaped === '$' || escaped === this.#escape) {
				text += this.#take();
			} else if (!rawEscapes) text += character;
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

	#modified(name: string, modifier: string): string {
		const raw = (colon: string, sign: string, word: string): string | undefined =>
			this.#options.keepUnset && this.#variables(name) === undefined
				? `\${${name}${colon}${sign}${word}}`
				: undefined;
		if (modifier === ':' || '+-?'.includes(modifier || ' ')) {
			const colon = modifier === ':' ? ':' : '';
			const sign = colon ? this.#take() : modifier;
			if (!'+-?'.includes(sign || ' ')) {
				throw new ExpansionError(
					`unsupported modifier (${colon}${sign === '' ? endMark : sign}) in substitution`,
				);
			}
			const {word} = this.#until('}');
			const value = this.#variables(name);
			const isSet = value !== undefined && (colon === '' || value !== '');
			if (sign === '-') return isSet ? value : word;
			if (sign === '+') return isSet ? word : '';
			if (isSet) return value;
			const kept = raw(colon, sign, word);
			if (kept !== undefined) return kept;
			throw new ExpansionError(`${name}: ${word === '' ? 'is not allowed to be unset' : word}`);
		}
		if (modifier === '#' || modifier === '%') {
			let greedy = false;
			if (this.#next === modifier) {
				this.#at++;
				greedy = true;
			}
			const pattern = this.#pattern('}');
			const value = this.#value(name);
			if (value === undefined) {
				return this.#options.keepUnset ? `\${${name}${modifier}${greedy ? modifier : ''}${pattern}}` : '';
			}
			return modifier === '#'
				? trimPrefix(value, pattern, greedy, this.#escape)
				: trimSuffix(value, pattern, greedy, this.#escape);
		}
		if (modifier === '/') {
			let all = false;
			if (this.#next === '/') {
				this.#at++;
				all = true;
			}
			const pattern = this.#pattern('/');
			const replacement = this.#pattern('}');
			const value = this.#value(name);
			if (value === undefined) {
				return this.#options.keepUnset ? `\${${name}/${all ? '/' : ''}${pattern}/${replacement}}` : '';
			}
			const expression = new RegExp(globSource(pattern, true, this.#escape), all ? 'gsu' : 'su');
			return value.replace(expression, () => replacement);
		}
		throw new ExpansionError(
			`unsupported modifier (${modifier === '' ? endMark : modifier}) in substitution`,
		);
	}

	/** The word of a pattern: escapes stay, since they have a meaning there. */
	#pattern(stop: string): string {
		const options = {...this.#options, rawEscapes: true};
		const inner = new Expansion('', this.#variables, options);
		inner.#characters.push(...this.#characters);
		inner.#at = this.#at;
		const {word} = inner.#until(stop);
		this.#at = inner.#at;
		this.#unset.push(...inner.#unset);
		this.#word = '';
		this.#inWord = false;
		return word;
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

/** A shell pattern as the source of a regular expression: `*` and `?`, everything else is itself. */
function globSource(pattern: string, greedy: boolean, token: string): string {
	let source = '';
	const characters = [...pattern];
	for (let at = 0; at < characters.length; at++) {
		const character = characters[at]!;
		if (character === '*') source += greedy ? '.*' : '.*?';
		else if (character === '?') source += '.';
		else if (character === token) {
			const next = characters[++at];
			if (next === undefined) break;
			if (next !== '*' && next !== '?' && next !== token)
				throw new ExpansionError(`invalid escape '${token}${next}'`);
			source += literal(next);
		} else source += literal(character);
	}
	return source;
}

const literal = (character: string): string => character.replace(/[\\^$.*+?()[\]{}|/-]/gu, '\\$&');

function trimPrefix(value: string, pattern: string, greedy: boolean, token: string): string {
	return value.replace(new RegExp(`^${globSource(pattern, greedy, token)}`, 'su'), '');
}

/** The shortest or the longest end that the pattern matches is looked for from the end. */
function trimSuffix(value: string, pattern: string, greedy: boolean, token: string): string {
	const expression = new RegExp(`^${globSource(pattern, greedy, token)}$`, 'su');
	const characters = [...value];
	const places = characters.map((_, at) => at).concat(characters.length);
	for (const at of greedy ? places : places.reverse()) {
		if (expression.test(characters.slice(at).join(''))) return characters.slice(0, at).join('');
	}
	return value;
}
