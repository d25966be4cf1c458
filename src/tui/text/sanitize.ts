/**
 * Everything on the screen that somebody else wrote passes here first: names, labels, image references,
 * commands, log lines, error messages. No control character and no escape sequence gets through, nor the
 * characters that turn the direction of the text around them.
 */

/** ECMA-48: CSI, OSC, the other control strings, and the two-byte escapes; unterminated ones to the end. */
export const ESCAPES =
	/\u001b(?:\[[0-?]*[ -/]*[@-~]?|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[PX^_][^\u001b]*(?:\u001b\\)?|[ -/]*[0-~]?)/g;
/** C0, DEL, C1, line and paragraph separators, bidirectional controls, lone surrogates, interlinear marks, tags. */
const UNWANTED =
	/[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\u{e0001}]|[\ud800-\udfff]/u;
export const UNWANTED_ALL = new RegExp(UNWANTED.source, 'gu');

const TAB = 8;

/** One line of plain text: breaks and tabs become one space, the rest of the controls vanish. */
export function sanitize(text: string): string {
	if (!UNWANTED.test(text)) return text;
	return text
		.replace(ESCAPES, '')
		.replace(/[\t\n\r\v\f\u2028\u2029]+/g, ' ')
		.replace(UNWANTED_ALL, '');
}

/**
 * A log line as a terminal would leave it: what a carriage return overwrote is gone (progress bars), tabs go to
 * the next stop, backspaces and colours vanish.
 */
export function sanitizeLogLine(line: string): string {
	const text = line.replace(/(?:\r?\n|\r)+$/, '');
	if (!UNWANTED.test(text)) return text;
	const plain = text.replace(ESCAPES, '');
	const last = plain.slice(plain.lastIndexOf('\r') + 1);
	return expandTabs(last).replace(UNWANTED_ALL, '');
}

/** The text begins at this column. */
export function expandTabs(text: string, column = 0): string {
	if (!text.includes('\t')) return text;
	let out = '';
	for (const part of text.split(/(\t)/))
		out += part === '\t' ? ' '.repeat(TAB - ((column + out.length) % TAB)) : part;
	return out;
}
