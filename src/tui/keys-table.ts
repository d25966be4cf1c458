/** The README's table of keys, from the key table: `node src/tui/keys-table.ts` writes it anew. */
import {readFileSync, writeFileSync} from 'node:fs';
import {KEYMAP, type KeyBinding, SECTIONS} from './keymap.ts';
import {keyLabel} from './keys.ts';

const START = '<!-- keys: made by src/tui/keys-table.ts -->\n';
const END = '<!-- end of keys -->';

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('*', '\\*');
/** A backslash or a bar in code is itself, but a bar ends the cell. */
const code = (text: string): string => (text === '`' ? '`` ` ``' : `\`${text.replaceAll('|', '\\|')}\``);

export function keysTable(table: readonly KeyBinding[] = KEYMAP): string {
	const rows = SECTIONS.flatMap(({context, title}) => [
		`| **${title}** | | |`,
		...table
			.filter((binding) => binding.context === context)
			.map(
				({keys, help, command}) =>
					`| ${keys.map((key) => code(keyLabel(key))).join(' ')} | ${cell(help)} | ${code(command)} |`,
			),
	]);
	return ['| Key | | Name in `ui.json` |', '|---|---|---|', ...rows, ''].join('\n');
}

/** The README with the table as it is now. Pure. */
export function withTable(readme: string, table: string): string {
	const start = readme.indexOf(START);
	const end = readme.indexOf(END);
	if (start < 0 || end < start) throw new Error('the README has no place for the keys');
	return `${readme.slice(0, start + START.length)}\n${table}\n${readme.slice(end)}`;
}

if (import.meta.main) {
	const path = new URL('../../README.md', import.meta.url).pathname;
	writeFileSync(path, withTable(readFileSync(path, 'utf8'), keysTable()));
}
