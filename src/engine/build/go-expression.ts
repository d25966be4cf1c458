/**
 * Go's regular expressions (RE2), as far as patterns of paths need them, in JavaScript's language. Both know the same
 * things, but not by the same letters, and what Go takes for itself is an error here. Pure.
 */

/** After a backslash. */
const escapes: Readonly<Record<string, string>> = {
	A: '(?<![\\s\\S])',
	z: '(?![\\s\\S])',
	b: '\\b',
	B: '\\B',
	C: '[^]',
};
/** The same in a class too. */
const classes: Readonly<Record<string, string>> = {
	a: '\\x07',
	d: '0-9',
	f: '\\f',
	n: '\\n',
	r: '\\r',
	s: '\\t\\n\\f\\r ',
	t: '\\t',
	v: '\\v',
	w: '0-9A-Za-z_',
};
const opposites: Readonly<Record<string, string>> = {D: '\\D', S: '[^\\t\\n\\f\\r ]', W: '\\W'};
const named: Readonly<Record<string, string>> = {
	alnum: '0-9A-Za-z',
	alpha: 'A-Za-z',
	ascii: '\\x00-\\x7f',
	blank: '\\t ',
	cntrl: '\\x00-\\x1f\\x7f',
	digit: '0-9',
	graph: '!-~',
	lower: 'a-z',
	print: ' -~',
	punct: '!-\\/:-@\\[-`\\{-~',
	space: '\\t\\n\\v\\f\\r ',
	upper: 'A-Z',
	word: '0-9A-Za-z_',
	xdigit: '0-9A-Fa-f',
};

const literal = (character: string): string =>
	/[\\^$.*+?()[\]{}|/]/u.test(character) ? `\\${character}` : character;

/** In a class, where a dash has a meaning. */
const member = (character: string): string => (character === '-' ? '\\-' : literal(character));

const isAlphanumeric = (character: string): boolean => /[0-9A-Za-z]/.test(character);
const isAscii = (character: string): boolean => character < '\x80';

/** Undefined when it is none. */
export function goExpression(text: string): string | undefined {
	const characters = [...text];
	let source = '';
	for (let at = 0; at < characters.length; at++) {
		const character = characters[at]!;
		if (character === '\\') {
			const next = characters[++at];
			if (next === undefined) return undefined;
			const single = classes[next];
			if (escapes[next] !== undefined) source += escapes[next];
			else if (opposites[next] !== undefined) source += opposites[next];
			else if (single !== undefined) source += `[${single}]`;
			else if (isAscii(next) && !isAlphanumeric(next)) source += literal(next);
			else return undefined;
		} else if (character === '[') {
			const found = classAt(characters, at);
			if (!found) return undefined;
			source += found.source;
			at = found.end;
		} else if (character === '.') source += '[^\\n]';
		else if ('*?+^$()|'.includes(character)) source += character;
		else source += literal(character);
	}
	try {
		new RegExp(source, 'u');
	} catch {
		return undefined;
	}
	return source;
}

/** A class in brackets, and where its last one is. */
function classAt(characters: readonly string[], start: number): {source: string; end: number} | undefined {
	let at = start + 1;
	let source = '[';
	if (characters[at] === '^') {
		source += '^';
		at++;
	}
	for (let isFirst = true; ; isFirst = false) {
		const character = characters[at];
		if (character === undefined) return undefined;
		if (character === ']' && !isFirst) return {source: `${source}]`, end: at};
		if (character === '[' && characters[at + 1] === ':') {
			const match = /^\[:(\^?)([a-z]+):\]/.exec(characters.slice(at, at + 12).join(''));
			const members = match ? named[match[2]!] : undefined;
			if (match && members !== undefined && match[1] === '') {
				source += members;
				at += match[0].length;
				continue;
			}
			if (match) return undefined;
		}
		if (character === '\\' && classes[characters[at + 1] ?? ''] !== undefined) {
			source += classes[characters[at + 1]!];
			at += 2;
			continue;
		}
		const low = memberAt(characters, at);
		if (!low) return undefined;
		at = low.next;
		let high = low;
		if (characters[at] === '-' && characters[at + 1] !== undefined && characters[at + 1] !== ']') {
			const found = memberAt(characters, at + 1);
			if (!found) return undefined;
			high = found;
			at = found.next;
		}
		if (low.character.codePointAt(0)! > high.character.codePointAt(0)!) return undefined;
		source += member(low.character);
		if (high !== low) source += `-${member(high.character)}`;
	}
}

function memberAt(characters: readonly string[], at: number): {character: string; next: number} | undefined {
	const character = characters[at];
	if (character !== '\\') return character === undefined ? undefined : {character, next: at + 1};
	const next = characters[at + 1];
	if (next === undefined || isAlphanumeric(next) || !isAscii(next)) return undefined;
	return {character: next, next: at + 2};
}
