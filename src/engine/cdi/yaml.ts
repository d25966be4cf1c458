/**
 * The part of YAML 1.2 that device specifications are written in: block and one-line flow collections, plain and
 * quoted scalars, comments. Anchors, tags, block scalars and several documents are refused, not guessed at.
 */

export type YamlValue = string | number | boolean | null | YamlValue[] | {[key: string]: YamlValue};

/** `line` counts from 1. */
export class YamlError extends Error {
	readonly line: number;

	constructor(line: number, message: string) {
		super(`line ${line}: ${message}`);
		this.line = line;
	}
}

interface Line {
	readonly number: number;
	readonly indent: number;
	/** Without the indentation and without a comment. */
	readonly text: string;
}

/** Cuts a comment off: a `#` at the start or after a space, outside of quotes. */
function withoutComment(text: string): string {
	let quote = '';
	for (let at = 0; at < text.length; at++) {
		const character = text[at]!;
		if (quote) {
			if (quote === '"' && character === '\\') at++;
			else if (character === quote) quote = '';
		} else if ((character === '"' || character === "'") && /^$|[\s,[{:-]$/.test(text.slice(0, at))) {
			quote = character;
		} else if (character === '#' && (at === 0 || /\s/.test(text[at - 1]!))) return text.slice(0, at);
	}
	return text;
}

function linesOf(source: string): Line[] {
	const lines: Line[] = [];
	for (const [index, raw] of source.split(/\r?\n/).entries()) {
		const number = index + 1;
		const text = withoutComment(raw).trimEnd();
		if (text === '') continue;
		if (text === '---' && lines.length === 0) continue;
		if (/^(---|\.\.\.|%)/.test(text)) throw new YamlError(number, 'only one document is read');
		const indent = text.length - text.trimStart().length;
		if (text.slice(0, indent).includes('\t')) throw new YamlError(number, 'a tab does not indent');
		lines.push({number, indent, text: text.slice(indent)});
	}
	return lines;
}

const escapes: Record<string, string> = {
	...{'0': '\0', a: '\x07', b: '\b', t: '\t', n: '\n', v: '\v', f: '\f', r: '\r', e: '\x1b'},
	...{' ': ' ', '"': '"', '/': '/', '\\': '\\', N: '\x85', _: '\xa0', L: '\u2028', P: '\u2029'},
};

/** A plain scalar by the core schema; a leading 0 is octal, as programs in Go read it. */
function plain(text: string): YamlValue {
	if (/^(~|null|Null|NULL)?$/.test(text)) return null;
	if (/^(true|True|TRUE)$/.test(text)) return true;
	if (/^(false|False|FALSE)$/.test(text)) return false;
	if (/^[+-]?(0|[1-9]\d*)$/.test(text)) return Number(text);
	if (/^0o?[0-7]+$/.test(text)) return Number.parseInt(text.replace('o', ''), 8);
	if (/^0x[0-9a-fA-F]+$/.test(text)) return Number(text);
	if (/^[+-]?(\d+\.\d*|\.\d+|\d+)([eE][+-]?\d+)?$/.test(text)) return Number(text);
	return text;
}

/** Scalars and flow collections of one line. */
class Flow {
	readonly #text: string;
	readonly #line: number;
	#at = 0;

	constructor(text: string, line: number) {
		this.#text = text;
		this.#line = line;
	}

	#fail(message: string): never {
		throw new YamlError(this.#line, message);
	}

	#spaces(): void {
		while (this.#text[this.#at] === ' ' || this.#text[this.#at] === '\t') this.#at++;
	}

	/** The whole text as one value. */
	whole(): YamlValue {
		const value = this.#value(false);
		this.#spaces();
		if (this.#at < this.#text.length) this.#fail(`unexpected ${JSON.stringify(this.#text.slice(this.#at))}`);
		return value;
	}

	#value(inside: boolean): YamlValue {
		this.#spaces();
		const first = this.#text[this.#at];
		if (first === '"') return this.#double();
		if (first === "'") return this.#single();
		if (first === '[') return this.#sequence();
		if (first === '{') return this.#mapping();
		if (first !== undefined && '&*!|>@`%'.includes(first)) {
			this.#fail(`${JSON.stringify(first)} is not supported here`);
		}
		// In a collection a comma or a bracket ends it, and a colon that a space follows.
		const rest = this.#text.slice(this.#at);
		const match = inside ? /^(?:[^,[\]{}:]|:(?![\s,[\]{}]|$))*/.exec(rest)! : /^.*$/s.exec(rest)!;
		this.#at += match[0].length;
		return plain(match[0].trim());
	}

	#double(): string {
		let out = '';
		for (this.#at++; ; this.#at++) {
			const character = this.#text[this.#at];
			if (character === undefined) this.#fail('a quoted text does not end on its line');
			if (character === '"') break;
			if (character !== '\\') {
				out += character;
				continue;
			}
			const kind = this.#text[++this.#at] ?? '';
			const digits = {x: 2, u: 4, U: 8}[kind];
			if (digits === undefined) {
				out += escapes[kind] ?? this.#fail(`unknown escape \\${kind}`);
				continue;
			}
			const code = Number.parseInt(this.#text.slice(this.#at + 1, this.#at + 1 + digits), 16);
			if (Number.isNaN(code) || code > 0x10ffff) this.#fail(`wrong escape \\${kind}`);
			out += String.fromCodePoint(code);
			this.#at += digits;
		}
		this.#at++;
		return out;
	}

	#single(): string {
		const match = /^'((?:[^']|'')*)'/.exec(this.#text.slice(this.#at));
		if (!match) this.#fail('a quoted text does not end on its line');
		this.#at += match[0].length;
		return match[1]!.replaceAll("''", "'");
	}

	/** What stands between brackets, up to the closing one. */
	#items(close: string, item: () => void): void {
		this.#at++;
		for (;;) {
			this.#spaces();
			if (this.#text[this.#at] === close) break;
			if (this.#at >= this.#text.length) this.#fail(`"${close}" is missing on this line`);
			item();
			this.#spaces();
			if (this.#text[this.#at] === ',') this.#at++;
			else if (this.#text[this.#at] !== close) this.#fail(`"," or "${close}" was expected`);
		}
		this.#at++;
	}

	#sequence(): YamlValue[] {
		const list: YamlValue[] = [];
		this.#items(']', () => list.push(this.#value(true)));
		return list;
	}

	#mapping(): {[key: string]: YamlValue} {
		const entries: [string, YamlValue][] = [];
		this.#items('}', () => {
			const key = this.#value(true);
			this.#spaces();
			if (this.#text[this.#at] !== ':') this.#fail('":" was expected');
			this.#at++;
			entries.push([String(key), this.#value(true)]);
		});
		return object(entries, this.#line);
	}
}

function object(entries: readonly [string, YamlValue][], line: number): {[key: string]: YamlValue} {
	const seen = new Set<string>();
	for (const [key] of entries) {
		if (seen.has(key)) throw new YamlError(line, `the key ${JSON.stringify(key)} is there twice`);
		seen.add(key);
	}
	// fromEntries defines properties: `__proto__` is a key like any other.
	return Object.fromEntries(entries);
}

/** `key: rest`, where the key may be quoted. */
const keyPattern =
	/^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"'[\]{},&*!|>%@`#?-][^#]*?|-[^\s][^#]*?)\s*:(?:\s+(.*))?$/s;

class Block {
	readonly #lines: readonly Line[];
	#at = 0;

	constructor(lines: readonly Line[]) {
		this.#lines = lines;
	}

	document(): YamlValue {
		if (this.#lines.length === 0) return null;
		const value = this.#node(this.#lines[0]!.indent);
		const left = this.#lines[this.#at];
		if (left) throw new YamlError(left.number, 'wrong indentation');
		return value;
	}

	#node(indent: number): YamlValue {
		const line = this.#lines[this.#at]!;
		if (/^-(\s|$)/.test(line.text)) return this.#sequence(indent);
		if (keyPattern.test(line.text)) return this.#mapping(indent);
		this.#at++;
		return new Flow(line.text, line.number).whole();
	}

	/** What stands on the lines below, when they are further in; otherwise nothing. */
	#below(indent: number, sequenceToo: boolean): YamlValue {
		const next = this.#lines[this.#at];
		if (!next || next.indent < indent) return null;
		if (next.indent > indent) return this.#node(next.indent);
		// A sequence may stand right below its key.
		return sequenceToo && /^-(\s|$)/.test(next.text) ? this.#sequence(indent) : null;
	}

	#sequence(indent: number): YamlValue[] {
		const list: YamlValue[] = [];
		for (;;) {
			const line = this.#lines[this.#at];
			if (!line || line.indent < indent) return list;
			const item = /^-(\s+|$)/.exec(line.text);
			if (line.indent > indent) throw new YamlError(line.number, 'wrong indentation');
			if (!item) return list;
			const rest = line.text.slice(item[0].length);
			if (rest === '') {
				this.#at++;
				list.push(this.#below(indent, false));
			} else list.push(this.#inline(line, indent + item[0].length, rest));
		}
	}

	/** The rest of a line after its dash is a node of its own, as far in as it stands. */
	#inline(line: Line, indent: number, text: string): YamlValue {
		const lines = [...this.#lines];
		lines[this.#at] = {number: line.number, indent, text};
		const inner = new Block(lines);
		inner.#at = this.#at;
		const value = inner.#node(indent);
		this.#at = inner.#at;
		return value;
	}

	#mapping(indent: number): {[key: string]: YamlValue} {
		const entries: [string, YamlValue][] = [];
		const first = this.#lines[this.#at]!.number;
		for (;;) {
			const line = this.#lines[this.#at];
			if (!line || line.indent < indent || /^-(\s|$)/.test(line.text)) return object(entries, first);
			const match = keyPattern.exec(line.text);
			if (line.indent > indent || !match)
				throw new YamlError(line.number, 'wrong indentation, or no "key: value"');
			const key = /^["']/.test(match[1]!) ? new Flow(match[1]!, line.number).whole() : match[1]!;
			this.#at++;
			const rest = match[2] ?? '';
			entries.push([
				String(key),
				rest === '' ? this.#below(indent, true) : new Flow(rest, line.number).whole(),
			]);
		}
	}
}

/** Throws YamlError. */
export function parseYaml(source: string): YamlValue {
	return new Block(linesOf(source)).document();
}
