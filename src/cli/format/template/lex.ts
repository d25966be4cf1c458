/** Tokens of Go's text/template language. */
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
	| 'comma'
	| 'declare'
	| 'assign'
	| '('
	| ')'
	| 'eof';

export interface Token {
	type: TokenType;
	value: string;
	/** Offset in the text. */
	at: number;
}

export class TemplateError extends Error {}

export const lineOf = (text: string, at: number): number => text.slice(0, at).split('\n').length;

/** `template: name:line: message`. */
export const parseError = (name: string, text: string, at: number, message: string): TemplateError =>
	new TemplateError(`template: ${name}:${lineOf(text, at)}: ${message}`);

const keywords = new Set('block break continue define else end if range template with'.split(' '));

const isSpace = (char: string | undefined): boolean =>
	char !== undefined && ' \t\r\n'.includes(char) && char !== '';
const isWord = (char: string | undefined): boolean =>
	char !== undefined && (/\w/.test(char) || (char > '\x7f' && /[\p{L}\p{Nd}]/u.test(char)));

export function lex(name: string, text: string): Token[] {
	const tokens: Token[] = [];
	let at = 0;
	const fail = (message: string, where = at): never => {
		throw parseError(name, text, where, message);
	};
	let trimNext = false;
	while (at < text.length) {
		const open = text.indexOf('{{', at);
		let end = open < 0 ? text.length : open;
		const trims = open >= 0 && text[open + 2] === '-' && isSpace(text[open + 3]);
		let start = at;
		if (trimNext) while (start < end && isSpace(text[start])) start++;
		if (trims) while (end > start && isSpace(text[end - 1])) end--;
		if (end > start) tokens.push({type: 'text', value: text.slice(start, end), at: start});
		trimNext = false;
		if (open < 0) break;
		at = open + (trims ? 4 : 2);
		const body = trims ? at : at;
		if (text.startsWith('/*', body)) {
			const close = text.indexOf('*/', body);
			if (close < 0) fail('unclosed comment', body);
			at = close + 2;
			if (isSpace(text[at]) && text.startsWith('-}}', at + 1)) {
				trimNext = true;
				at += 4;
			} else if (text.startsWith('}}', at)) at += 2;
			else fail('comment ends before closing delimiter');
			continue;
		}
		tokens.push({type: 'open', value: '{{', at: open});
		let depth = 0;
		for (;;) {
			if (at >= text.length) fail('unclosed action');
			if (isSpace(text[at]) && text.startsWith('-}}', at + 1)) {
				if (depth > 0) fail('unclosed left paren');
				trimNext = true;
				tokens.push({type: 'close', value: '}}', at});
				at += 4;
				break;
			}
			if (text.startsWith('}}', at)) {
				if (depth > 0) fail('unclosed left paren');
				tokens.push({type: 'close', value: '}}', at});
				at += 2;
				break;
			}
			const char = text[at]!;
			if (isSpace(char)) {
				const from = at;
				while (isSpace(text[at]) && !text.startsWith('-}}', at + 1)) at++;
				if (at === from) continue;
				tokens.push({type: 'space', value: text.slice(from, at), at: from});
				continue;
			}
			const push = (type: TokenType, length: number): void => {
				tokens.push({type, value: text.slice(at, at + length), at});
				at += length;
			};
			if (text.startsWith(':=', at)) push('declare', 2);
			else if (char === '=') push('assign', 1);
			else if (char === '|') push('pipe', 1);
			else if (char === ',') push('comma', 1);
			else if (char === '"') {
				let end = at + 1;
				while (end < text.length && text[end] !== '"' && text[end] !== '\n')
					end += text[end] === '\\' ? 2 : 1;
				if (text[end] !== '"') fail('unterminated quoted string');
				push('string', end + 1 - at);
			} else if (char === '`') {
				const end = text.indexOf('`', at + 1);
				if (end < 0) fail('unterminated raw quoted string');
				push('string', end + 1 - at);
			} else if (char === "'") {
				let end = at + 1;
				while (end < text.length && text[end] !== "'" && text[end] !== '\n')
					end += text[end] === '\\' ? 2 : 1;
				if (text[end] !== "'") fail('unterminated character constant');
				push('char', end + 1 - at);
			} else if (char === '(') {
				depth++;
				push('(', 1);
			} else if (char === ')') {
				if (--depth < 0) fail('unexpected right paren');
				push(')', 1);
			} else if (char === '$' || (char === '.' && !/\d/.test(text[at + 1] ?? ''))) {
				let end = at + 1;
				while (isWord(text[end])) end++;
				const type = char === '$' ? 'variable' : end === at + 1 ? 'dot' : 'field';
				terminated(end);
				push(type, end - at);
			} else if (/[\d+.-]/.test(char)) {
				const number =
					/^[+-]?(0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|[\d_]*\.?[\d_]*([eE][+-]?\d+)?)/.exec(
						text.slice(at),
					)![0];
				if (!/\d/.test(number) || isWord(text[at + number.length])) {
					let end = at + number.length;
					while (isWord(text[end])) end++;
					fail(`bad number syntax: ${JSON.stringify(text.slice(at, Math.max(end, at + 1)))}`);
				}
				push('number', number.length);
			} else if (isWord(char)) {
				let end = at;
				while (isWord(text[end])) end++;
				terminated(end);
				const word = text.slice(at, end);
				const type = keywords.has(word)
					? 'keyword'
					: word === 'true' || word === 'false'
						? 'bool'
						: word === 'nil'
							? 'nil'
							: 'identifier';
				push(type, end - at);
			} else {
				const code = char.codePointAt(0)!;
				fail(
					`unexpected ${JSON.stringify(char)} in operand`.replace(
						/^unexpected "(.)" in operand$/,
						`unrecognized character in action: U+${code.toString(16).toUpperCase().padStart(4, '0')} '$1'`,
					),
				);
			}
		}
	}
	tokens.push({type: 'eof', value: '', at: text.length});
	return tokens;

	/** A name must end at a space or punctuation. */
	function terminated(end: number): void {
		const next = text[end];
		if (next === undefined || isSpace(next) || '.,|:)(='.includes(next) || text.startsWith('}}', end)) return;
		fail(
			`bad character U+${next.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')} '${next}'`,
			end,
		);
	}
}

/** The value of a quoted or raw string token. Undefined when an escape is wrong. */
export function unquote(token: string): string | undefined {
	if (token.startsWith('`')) return token.slice(1, -1).replaceAll('\r', '');
	const simple: Record<string, string> = {
		a: '\x07',
		b: '\b',
		f: '\f',
		n: '\n',
		r: '\r',
		t: '\t',
		v: '\v',
		'\\': '\\',
		'"': '"',
		"'": "'",
	};
	let bad = false;
	const value = token
		.slice(1, -1)
		.replace(/\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|[\s\S])/g, (_, code: string) => {
			if (/^[xuU]./.test(code)) return String.fromCodePoint(Number.parseInt(code.slice(1), 16));
			if (/^[0-7]{3}$/.test(code)) return String.fromCodePoint(Number.parseInt(code, 8));
			const char = simple[code];
			if (char === undefined) bad = true;
			return char ?? '';
		});
	return bad ? undefined : value;
}
