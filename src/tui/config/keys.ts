/** The key table with the user's changes. A change that takes another command's key is refused, and said. Pure. */
import {type Context, KEYMAP, type KeyBinding, SECTIONS} from '../keymap.ts';
import {type Clash, findClashes} from '../keys.ts';
import type {Problem} from './schema.ts';

/** Where every character is text. */
const TYPING: ReadonlySet<Context> = new Set(['form', 'pick', 'filter', 'session']);
/** Keys with a name: what the decoder (input/decoder.ts) calls them. */
const NAMED =
	/^(?:(?:ctrl-|alt-|shift-)*(?:[!-~]|up|down|left|right|home|end|insert|delete|pageup|pagedown|tab|enter|esc|space|backspace|f(?:[1-9]|1\d|20)))$/;

/** Those without which nobody finds the way: they keep at least one key. */
const NEEDED = new Set(['app.quit', 'app.help', 'app.palette', 'app.back']);

export function changedKeys(
	changes: Readonly<Record<string, string | readonly string[]>>,
	own: readonly KeyBinding[],
	tell: (problem: Problem) => void,
): readonly KeyBinding[] {
	const known = new Map<string, KeyBinding>(KEYMAP.map((binding) => [binding.command, binding]));
	const wanted = new Map<string, {keys: readonly string[]; path: string}>();
	for (const [command, value] of Object.entries(changes)) {
		const path = `/keys/${command}`;
		const binding = known.get(command);
		const keys = [value].flat().filter((key) => key !== null);
		const strange = keys.find((key) => !NAMED.test(key));
		if (!binding) tell({path, message: 'there is no such command'});
		else if (strange !== undefined) tell({path, message: `there is no key ${JSON.stringify(strange)}`});
		else if (keys.length === 0 && NEEDED.has(command)) tell({path, message: 'it must keep a key'});
		else if (TYPING.has(binding.context) && keys.some((key) => key.length === 1 || key === 'space'))
			tell({path, message: 'where text is typed, a single character can’t be a key'});
		else wanted.set(command, {keys, path});
	}
	const custom = own.map((binding, at) => ({binding, path: `/commands/${at}/key`}));
	// Without what clashes: one change after the other is put back until nothing does.
	for (;;) {
		const table = [
			...KEYMAP.map((binding): KeyBinding => {
				const change = wanted.get(binding.command);
				return change ? {...binding, keys: change.keys} : binding;
			}),
			...custom.map(({binding}) => binding),
		];
		const clash = firstClash(table, (command) => wanted.has(command) || command.startsWith('custom.'));
		if (!clash) return table;
		const message = `${clash.key} is a key of ${clash.other} already${clash.where}`;
		const change = wanted.get(clash.command);
		if (change) {
			tell({path: change.path, message});
			wanted.delete(clash.command);
			continue;
		}
		const at = custom.findIndex(({binding}) => binding.command === clash.command);
		const {binding} = custom[at]!;
		const number = Number(clash.command.slice('custom.'.length));
		tell({path: `/commands/${number}/key`, message});
		custom[at] = {binding: {...binding, keys: []}, path: ''};
	}
}

const nameOf = ({key, command, other}: Clash): string => `${key} ${command} ${other}`;
/** Also those that are meant. */
const allClashes = (table: readonly KeyBinding[]): Clash[] =>
	findClashes(table.map(({overrides: _, ...binding}): KeyBinding => binding));
let meant: ReadonlySet<string> | undefined;

/**
 * The first one, as that of the user's command which is to give way: the later one of two. A key that an inner context
 * would take from an outer one, or has already, is one, too: it would do something else there than everywhere.
 */
function firstClash(
	table: readonly KeyBinding[],
	changed: (command: string) => boolean,
): (Clash & {where: string}) | undefined {
	meant ??= new Set(allClashes(KEYMAP).map(nameOf));
	for (const clash of allClashes(table)) {
		if (meant.has(nameOf(clash))) continue;
		if (changed(clash.command)) return {...clash, where: ''};
		if (!changed(clash.other)) continue;
		const title = SECTIONS.find(({context}) => context === clash.context)?.title;
		const where = clash.hidden && title !== undefined ? ` (${title})` : '';
		return {...clash, command: clash.other, other: clash.command, where};
	}
	return undefined;
}
