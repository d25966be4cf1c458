/** Tokens of Go's text/template language. */
import {TemplateError} from '../../errors.ts';

export type TokenType =
	| 'text'
	| 'open'
	| 'close'
	| 'space'
	| 'field'
	| 'variable'
	| 'identifier'
	| 'dot'
	| 'string'
	| 'char'
	| 'number'
	| 'bool'
	| 'nil'
	| 'keyword'
	| 'pipe'
	| 'declare'
	| 'assign'
	/** Any other printable character. */
	| 'other'
	| '('
	| ')'
	| 'eof'
	/** What is wrong; nothing comes after it. */
	| 'error';

export interface Token {
	type: TokenType;
	value: string;
	/** Offset in the text. */
	at: number;
}

export const lineOf = (text: string, at: number): number => text.slice(0, at).split('\n').length;

/** `template: name:line: message`. */
export const parseError = (name: string, text: string, at: number, message: string): TemplateError =>
	new TemplateError(`template: ${name}:${lineOf(text, at)}: ${message}`);

const keywords = new Set('block break continue define else end if range template with'.split(' '));

const isSpace = (char: string | undefined): boolean =>
	char === ' ' || char === '\t' || char === '\r' || char === '\n';

const isWord = (char: string | undefined): boolean =>
	char !== undefined && (/\w/.test(char) || (char > '\x7f' && /[\p{L}\p{Nd}]/u.test(char)));

/** `U+0040 '@'`. */
const unicode = (char: string): string => {
	const code = char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
	return /[\p{C}\p{Z}]/u.test(char) && char !== ' ' ? `U+${code}` : `U+${code} '${char}'`;
};

export function lex(text: string): Token[] {
	const tokens: Token[] = [];
	let at = 0;
	let trimNext = false;
	while (at < text.length) {
		const open = text.indexOf('{{', at);
		const trims = open >= 0 && text[open + 2] === '-' && isSpace(text[open + 3]);
		let [start, end] = [at, open < 0 ? text.length : open];
		if (trimNext) while (start < end && isSpace(text[start])) start++;
		if (trims) while (end > start && isSpace(text[end - 1])) end--;
		if (end > start) tokens.push({type: 'text', value: text.slice(start, end), at: start});
		trimNext = false;
		if (open < 0) break;
		at = open + (trims ? 4 : 2);
		const problem = text.startsWith('/*', at) ? comment() : action(open);
		if (problem !== undefined) {
			tokens.push({type: 'error', value: problem, at});
			return tokens;
		}
	}
	tokens.push({type: 'eof', value: '', at: text.length});
	return tokens;

	/** Goes past `}}` or ` -}}`; false when neither is next. */
	function closes(): boolean {
		if (isSpace(text[at]) && text.startsWith('-}}', at + 1)) {
			trimNext = true;
			at += 4;
			return true;
		}
		if (!text.startsWith('}}', at)) return false;
		at += 2;
		return true;
	}

	function comment(): string | undefined {
		const close = text.indexOf('*/', at);
		if (close < 0) return 'unclosed comment';
		at = close + 2;
		return closes() ? undefined : 'comment ends before closing delimiter';
	}

	function push(type: TokenType, length: number): void {
		tokens.push({type, value: text.slice(at, at + length), at});
		at += length;
	}

	/** The inside of an action. What is wrong with it, in Go's words. */
	function action(open: number): string | undefined {
		tokens.push({type: 'open', value: '{{', at: open});
		let depth = 0;
		for (;;) {
			const from = at;
			if (closes()) {
				if (depth > 0) return 'unclosed left paren';
				tokens.push({type: 'close', value: '}}', at: from});
				return undefined;
			}
			if (at >= text.length) return 'unclosed action';
			const char = text[at]!;
			if (isSpace(char)) {
				let length = 1;
				while (isSpace(text[at + length]) && !text.startsWith('-}}', at + length + 1)) length++;
				push('space', length);
			} else if (char === '(') {
				depth++;
				push('(', 1);
			} else if (char === ')') {
				if (--depth < 0) return 'unexpected right paren';
				push(')', 1);
			} else {
				const problem = word(char);
				if (problem !== undefined) return problem;
			}
		}
	}

	function word(char: string): string | undefined {
		if (char === '"' || char === "'") return quoted(char);
		if (char === '`') {
			const end = text.indexOf('`', at + 1);
			if (end < 0) return 'unterminated raw quoted string';
			push('string', end + 1 - at);
			return undefined;
		}
		if (char === ':') {
			if (text[at + 1] !== '=') return 'expected :=';
			push('declare', 2);
		} else if (char === '=') push('assign', 1);
		else if (char === '|') push('pipe', 1);
		else if (char === '$' || (char === '.' && !/\d/.test(text[at + 1] ?? ''))) {
			const end = wordEnd(at + 1);
			const problem = terminated(end);
			if (problem !== undefined) return problem;
			push(char === '$' ? 'variable' : end === at + 1 ? 'dot' : 'field', end - at);
		} else if (/[\d+.-]/.test(char)) return number();
		else if (isWord(char)) {
			const end = wordEnd(at);
			const problem = terminated(end);
			if (problem !== undefined) return problem;
			push(wordType(text.slice(at, end)), end - at);
		} else if (char >= ' ' && char < '\x7f') push('other', 1);
		else return `unrecognized character in action: ${unicode(String.fromCodePoint(text.codePointAt(at)!))}`;
		return undefined;
	}

	function wordEnd(from: number): number {
		let end = from;
		while (isWord(text[end])) end++;
		return end;
	}

	function quoted(quote: string): string | undefined {
		let end = at + 1;
		while (end < text.length && text[end] !== quote && text[end] !== '\n') end += text[end] === '\\' ? 2 : 1;
		if (text[end] !== quote)
			return quote === '"' ? 'unterminated quoted string' : 'unterminated character constant';
		push(quote === '"' ? 'string' : 'char', end + 1 - at);
		return undefined;
	}

	function number(): string | undefined {
		const pattern =
			/[+-]?(?:0[xX][\da-fA-F_]*(?:\.[\da-fA-F_]*)?(?:[pP][+-]?\d*)?|0[oO][0-7_]*|0[bB][01_]*|[\d_]*(?:\.[\d_]*)?(?:[eE][+-]?[\d_]*)?)/y;
		pattern.lastIndex = at;
		const length = pattern.exec(text)![0].length;
		if (isWord(text[at + length]))
			return `bad number syntax: ${JSON.stringify(text.slice(at, at + length + 1))}`;
		push('number', length);
		return undefined;
	}

	/** A name must end at a space or punctuation. */
	function terminated(end: number): string | undefined {
		const next = text[end];
		if (next === undefined || isSpace(next) || '.,|:)('.includes(next) || text.startsWith('}}', end))
			return undefined;
		return `bad character ${unicode(String.fromCodePoint(text.codePointAt(end)!))}`;
	}
}

function wordType(word: string): TokenType {
	if (keywords.has(word)) return 'keyword';
	if (word === 'true' || word === 'false') return 'bool';
	return word === 'nil' ? 'nil' : 'identifier';
}

const simpleEscapes: Record<string, string> = {
	a: '\x07',
	b: '\b',
	f: '\f',
	n: '\n',
	r: '\r',
	t: '\t',
	v: '\v',
	'\\': '\\',
};

/** The value of a quoted or raw string token. Undefined when an escape is wrong. */
export function unquote(token: string): string | undefined {
	if (token.startsWith('`')) return token.slice(1, -1).replaceAll('\r', '');
	let bad = false;
	const value = token
		.slice(1, -1)
		.replace(/\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|[\s\S])/g, (_, code: string) => {
			const [first = ''] = code;
			if (code.length > 1) {
				const number = /[0-7]/.test(first) ? Number.parseInt(code, 8) : Number.parseInt(code.slice(1), 16);
				if (number <= 0x10ffff && !(first === 'x' || /[0-7]/.test(first) ? number > 0xff : false))
					return String.fromCodePoint(number);
				bad = true;
				return '';
			}
			// A text escapes its own quotation mark only.
			const char = code === token[0] ? code : simpleEscapes[code];
			if (char === undefined) bad = true;
			return char ?? '';
		});
	return bad ? undefined : value;
}
