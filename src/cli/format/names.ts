import {characterWidth, textWidth} from './width.ts';

/** How docker shortens ids, names and commands in its tables. */

/** 12 hex digits of an id, without its algorithm. */
export function shortId(id: string): string {
	const colon = id.indexOf(':');
	return (colon < 0 ? id : id.slice(colon + 1)).slice(0, 12);
}

/** At most so many columns, the last of them an ellipsis. */
export function ellipsis(text: string, most: number): string {
	if (textWidth(text) <= most) return text;
	let kept = '';
	let width = 0;
	for (const character of text) {
		width += characterWidth(character);
		if (width > most - 1) break;
		kept += character;
	}
	return `${kept}…`;
}

/** Columns are for a terminal; what a container or an image calls itself doesn't get to send it commands. */
export const printable = (text: string): string => text.replace(/[\x00-\x1f\x7f-\x9f]/g, '\uFFFD');

/** Labels as one text: `a=b,c=d`. */
export const labelList = (labels: Record<string, string> | null): string =>
	Object.entries(labels ?? {})
		.map(([key, value]) => `${key}=${value}`)
		.sort()
		.join(',');

/** The template's `.Label "name"`. */
export const labelOf =
	(labels: Record<string, string> | null) =>
	(name: string): string =>
		labels?.[name] ?? '';

/** The heading over that: the last word of the label's name. */
export const labelHeading = (name: string): string => name.split('.').at(-1)!.replace(/[-_]/g, ' ');
