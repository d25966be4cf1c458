/** What is made of the key table (keymap.ts): lookups, the help, hints, the palette, and what clashes. */
import {type CommandId, type Context, KEYMAP, type KeyBinding, OUTER, SECTIONS} from './keymap.ts';
import type {TextLine} from './store/state.ts';

export type Keymap = ReadonlyMap<Context, ReadonlyMap<string, string>>;

export function buildKeymap(table: readonly KeyBinding[] = currentTable()): Keymap {
	const map = new Map<Context, Map<string, string>>();
	for (const {context, keys, command} of table) {
		const bindings = map.get(context) ?? new Map<string, string>();
		map.set(context, bindings);
		for (const key of keys) bindings.set(key, command);
	}
	return map;
}

let table: readonly KeyBinding[] = KEYMAP;
let keymap: Keymap | undefined;

/** The keys as they are now: the defaults with the user's changes and commands. */
export const currentTable = (): readonly KeyBinding[] => table;

export function currentKeymap(): Keymap {
	keymap ??= buildKeymap(table);
	return keymap;
}

/** From the next key on. */
export function setTable(next: readonly KeyBinding[]): void {
	table = next;
	keymap = undefined;
}

/** The first key of a command, as people write it; empty when it has none. */
export function keyOf(command: string): string {
	const key = table.find((binding) => binding.command === command)?.keys[0];
	return key === undefined ? '' : keyLabel(key);
}

/** The command of a key, looked for from the context outwards. */
export function commandFor(keymap: Keymap, context: Context, key: string): string | undefined {
	for (const place of [context, ...OUTER[context]]) {
		const command = keymap.get(place)?.get(key);
		if (command) return command;
	}
	return undefined;
}

/** What the hints and the texts of empty panes say of a command: its key as it is now, or the one that finds it. */
export const keyLine = (command: CommandId, text: string): string =>
	`${keyOf(command) || keyOf('app.palette')}  ${text}`;

export interface Clash {
	key: string;
	context: Context;
	/** Of the two it is the one further down in the table. */
	command: string;
	other: string;
	/** The other one is of an outer context, from which the key is taken without a mark that it is meant. */
	hidden: boolean;
}

/** Keys that two commands of one context claim, and keys taken from an outer context unmarked. */
export function findClashes(table: readonly KeyBinding[]): Clash[] {
	const clashes: Clash[] = [];
	const keymap = buildKeymap(table);
	const seen = new Map<string, string>();
	for (const {context, command, keys, overrides} of table) {
		for (const key of keys) {
			const place = `${context} ${key}`;
			const first = seen.get(place);
			if (first === undefined) seen.set(place, command);
			else if (first !== command) clashes.push({key, context, command, other: first, hidden: false});
			if (overrides) continue;
			for (const outer of OUTER[context]) {
				const other = keymap.get(outer)?.get(key);
				if (other) clashes.push({key, context, command, other, hidden: true});
			}
		}
	}
	return clashes;
}

/** Contexts whose commands make no sense in a list of commands: moving about, and answering dialogs. */
const PALETTE_SKIPS =
	/^(list\.|session\.|(logs|term)\.(down|up|half|page|first|last|left|right)|pane\.(next|previous|left|right)|app\.(palette|back))/;

/** What the palette offers: commands of panes and those that hold everywhere, with the section that they are in. */
export function paletteEntries(
	table: readonly KeyBinding[] = currentTable(),
): {command: string; context: Context; title: string; help: string; keys: readonly string[]}[] {
	return SECTIONS.flatMap(({context, title}) =>
		table
			.filter((binding) => binding.context === context && !PALETTE_SKIPS.test(binding.command))
			.map(({command, help, keys}) => ({command: command, context, title, help, keys})),
	);
}

const KEY_NAMES: Record<string, string> = {
	up: '↑',
	down: '↓',
	left: '←',
	right: '→',
	enter: 'Enter',
	esc: 'Esc',
	tab: 'Tab',
	space: 'Space',
	pageup: 'PgUp',
	pagedown: 'PgDn',
	home: 'Home',
	end: 'End',
	delete: 'Del',
};

/** `ctrl-p` as people write it: `Ctrl+P`. */
export function keyLabel(key: string): string {
	const parts = key.length > 1 ? key.split(/-(?=.)/) : [key];
	const last = parts.pop()!;
	const name = KEY_NAMES[last] ?? (parts.length > 0 || /^f\d+$/.test(last) ? last.toUpperCase() : last);
	return [...parts.map((part) => part[0]!.toUpperCase() + part.slice(1)), name].join('+');
}

/** The help, the focused pane's part first. */
export function helpLines(focus: Context, table: readonly KeyBinding[] = currentTable()): TextLine[] {
	const sections = [...SECTIONS].sort((a, b) => Number(b.context === focus) - Number(a.context === focus));
	return sections.flatMap(({context, title}, index) => [
		...(index > 0 ? [{name: '', text: ''}] : []),
		{name: '', text: title, heading: true},
		...table
			.filter((binding) => binding.context === context)
			.map((binding) => ({name: binding.keys.map(keyLabel).join(' '), text: binding.help})),
	]);
}

/** The bottom line's hints for a context: key and word. Those that aren't offered are left out. */
export function hints(
	context: Context,
	table: readonly KeyBinding[] = currentTable(),
	isOffered: (binding: KeyBinding) => boolean = () => true,
): {key: string; word: string}[] {
	const places = [context, ...OUTER[context]];
	const taken = new Set<string>();
	return places.flatMap((place) =>
		table
			.filter((binding) => {
				const {context: where, hint, keys} = binding;
				// An inner context has the key for something else.
				if (where !== place || !hint || keys.length === 0 || taken.has(keys[0]!)) return false;
				taken.add(keys[0]!);
				return isOffered(binding);
			})
			.map((binding) => ({key: keyLabel(binding.keys[0]!), word: binding.hint!})),
	);
}
