/** Why a text is no JSON, in the words of Go's encoding/json, which docker's messages end with. Pure. */

/** What V8 was waiting for, and what Go calls that. The first that fits. */
const places: readonly [of: RegExp, words: string][] = [
	[/^Expected (property name|double-quoted property name)/, 'looking for beginning of object key string'],
	[/^Expected ':' after property name/, 'after object key'],
	[/^Expected ',' or '}' after property value/, 'after object key:value pair'],
	[/^Expected ',' or '\]' after array element/, 'after array element'],
	[/^Unexpected non-whitespace character after JSON/, 'after top-level value'],
	[/^Bad control character in string literal/, 'in string literal'],
	[/^Bad escaped character/, 'in string escape code'],
	[/^Bad Unicode escape/, 'in \\u hexadecimal character escape'],
	[/^(No number after minus sign|Exponent part is missing|Unterminated fractional)/, 'in numeric literal'],
];

/** Go's quoted character. */
const quote = (character: string): string =>
	character === "'" ? `'\\''` : `'${JSON.stringify(character).slice(1, -1).replace('\\"', '"')}'`;

/** `error` is what JSON.parse threw for the text; `cut`: what is said of one that ends too early. */
export function jsonErrorWords(text: string, error: unknown, cut = 'unexpected end of JSON input'): string {
	const {message} = error as Error;
	const named = /^Unexpected token '(.)'/su.exec(message)?.[1];
	const at = /at position (\d+)/.exec(message)?.[1];
	const character = at === undefined ? named : text[Number(at)];
	const place = places.find(([of]) => of.test(message))?.[1] ?? 'looking for beginning of value';
	const isCut = Number(at) >= text.trimEnd().length && place !== 'in string literal';
	if (character === undefined || isCut) return cut;
	return `invalid character ${quote(character)} ${place}`;
}
