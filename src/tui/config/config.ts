/**
 * The user's file: keys, colours, commands, and how panes begin. Whatever is wrong in it is said with its line, and
 * what is right counts all the same: nothing in it stops the terminal UI.
 */
import {readFileSync} from 'node:fs';
import {homedir} from 'node:os';
import {join} from 'node:path';
import {splitWords} from '../actions/run.ts';
import type {Context, KeyBinding} from '../keymap.ts';
import type {State} from '../store/state.ts';
import {sinceSeconds} from '../text/since.ts';
import type {ThemeName, Tone} from '../theme.ts';
import {JsonError, type Place, readJson} from './json.ts';
import {changedKeys} from './keys.ts';
import schemaFile from './schema.json' with {type: 'json'};
import {check, type Problem, type Schema} from './schema.ts';
import {unknownFields} from './template.ts';

export const SCHEMA = schemaFile as Schema;

export interface CustomCommand {
	/** `custom.0`: among the commands of the key table. */
	id: string;
	name: string;
	/** A program and its words, with `{{name}}` and others in them. */
	words: readonly string[];
	context: CustomContext;
	confirm: boolean;
}

export type CustomContext = 'containers' | 'images' | 'networks' | 'volumes' | 'global';

export interface UiConfig {
	theme?: ThemeName;
	colours: Partial<Record<Tone, string>>;
	mouse: boolean;
	detachKeys?: string;
	split?: number;
	hideStopped: boolean;
	usage: boolean;
	logs: Partial<Pick<State['logs'], 'wrap' | 'timestamps' | 'json' | 'colours' | 'since'>>;
	/** The key table with the user's changes and commands; absent when nothing is changed. */
	table?: readonly KeyBinding[];
	commands: readonly CustomCommand[];
	/** What is wrong, as `ui.json:3: ...`. */
	problems: readonly string[];
}

const DEFAULTS: UiConfig = {
	colours: {},
	mouse: false,
	hideStopped: false,
	usage: false,
	logs: {},
	commands: [],
	problems: [],
};

/** XDG's base directories: a relative one counts as none. */
export function configPath(env: NodeJS.ProcessEnv = process.env): string {
	const {XDG_CONFIG_HOME: folder = ''} = env;
	return join(folder.startsWith('/') ? folder : join(env.HOME || homedir(), '.config'), 'wherry', 'ui.json');
}

/** Bytes; a larger one is no configuration. */
const LARGEST = 1 << 20;

/** Never throws. */
export function loadConfig(path: string = configPath()): UiConfig {
	let text: string;
	try {
		text = readFileSync(path, 'utf8');
	} catch (error) {
		const {code, message} = error as NodeJS.ErrnoException;
		return code === 'ENOENT' || code === 'ENOTDIR'
			? DEFAULTS
			: {...DEFAULTS, problems: [`${path}: ${message}`]};
	}
	if (text.length > LARGEST) return {...DEFAULTS, problems: [`${path}: it is too large`]};
	return readConfig(text);
}

interface Raw {
	theme?: ThemeName;
	colours?: Partial<Record<Tone, string>>;
	mouse?: boolean;
	detachKeys?: string;
	split?: number;
	hideStopped?: boolean;
	usage?: boolean;
	logs?: {wrap?: boolean; timestamps?: boolean; json?: boolean; colours?: boolean; since?: string};
	keys?: Record<string, string | string[]>;
	commands?: {
		name: string;
		command: string | string[];
		context?: CustomContext;
		key?: string;
		confirm?: boolean;
	}[];
}

/** What a text says; `name` is what messages call it. Pure. */
export function readConfig(text: string, name = 'ui.json'): UiConfig {
	const problems: {place: Place; message: string}[] = [];
	const told = (): string[] =>
		problems
			.sort((a, b) => a.place.line - b.place.line)
			.map(({place, message}) => `${name}:${place.line}: ${message}`);
	let raw: Raw;
	let places: ReadonlyMap<string, Place>;
	try {
		const document = readJson(text);
		places = document.places;
		const wrong = check(document.value, SCHEMA);
		for (const problem of wrong) problems.push(placed(problem, places));
		raw = without(document.value, wrong) as Raw;
	} catch (error) {
		if (!(error instanceof JsonError)) throw error;
		return {...DEFAULTS, problems: [`${name}:${error.place.line}:${error.place.column}: ${error.message}`]};
	}
	const tell = (problem: Problem): void => void problems.push(placed(problem, places));
	const {
		colours = {},
		mouse = false,
		hideStopped = false,
		usage = false,
		logs = {},
		keys,
		commands: own,
	} = raw;
	const {since, ...logFlags} = logs;
	const custom = customCommands(own ?? [], tell);
	const bindings = custom.map(({command, key}) => binding(command, key));
	const table = keys || own ? changedKeys(keys ?? {}, bindings, tell) : undefined;
	const seconds = since === undefined ? undefined : sinceSeconds(since);
	return {
		...(raw.theme === undefined ? {} : {theme: raw.theme}),
		colours,
		mouse,
		...(raw.detachKeys === undefined ? {} : {detachKeys: raw.detachKeys}),
		...(raw.split === undefined ? {} : {split: raw.split}),
		hideStopped,
		usage,
		logs: {...logFlags, ...(seconds === undefined ? {} : {since: seconds})},
		...(table ? {table} : {}),
		commands: custom.map(({command}) => command),
		problems: told(),
	};
}

/** The path as people read it, with the place where it is. */
function placed(
	{path, message}: Problem,
	places: ReadonlyMap<string, Place>,
): {place: Place; message: string} {
	const what = path === '' ? 'the configuration' : path.slice(1).replaceAll('/', '.');
	return {place: places.get(path) ?? {line: 1, column: 1}, message: `${what}: ${message}`};
}

/** The value without what is wrong in it; an object that lacks something goes as a whole. */
function without(value: unknown, wrong: readonly Problem[], path = ''): unknown {
	const own = wrong.some((problem) => problem.path === path);
	if (own) return path === '' ? {} : undefined;
	if (Array.isArray(value)) {
		const kept = value.map((one, at) => without(one, wrong, `${path}/${at}`));
		return kept.map((one) => (one === undefined ? null : one));
	}
	if (typeof value !== 'object' || value === null) return value;
	return Object.fromEntries(
		Object.entries(value)
			.map(([name, one]) => [name, without(one, wrong, `${path}/${name}`)] as const)
			.filter(([, one]) => one !== undefined),
	);
}

function customCommands(
	raw: readonly (NonNullable<Raw['commands']>[number] | null)[],
	tell: (problem: Problem) => void,
): {command: CustomCommand; key: string | undefined}[] {
	return raw.flatMap((one, at) => {
		if (one === null || !one.command) return [];
		const path = `/commands/${at}/command`;
		const list = Array.isArray(one.command);
		const words = list ? (one.command as string[]) : splitWords(one.command as string);
		if (!words || words.some((word) => word === null)) {
			if (!words) tell({path, message: 'a quote is not closed'});
			return [];
		}
		const context = one.context ?? 'containers';
		const unknown = unknownFields(words, context);
		if (unknown.length > 0) {
			tell({path, message: `there is no {{${unknown[0]}}} of ${context === 'global' ? 'no row' : context}`});
			return [];
		}
		if (words.length === 0 || words[0] === '') {
			tell({path, message: 'must not be empty'});
			return [];
		}
		const command = {id: `custom.${at}`, name: one.name, words, context, confirm: one.confirm ?? false};
		return [{command, key: one.key}];
	});
}

const binding = ({id, name, context}: CustomCommand, key: string | undefined): KeyBinding => ({
	command: id,
	context: context as Context,
	keys: key === undefined ? [] : [key],
	help: name,
});
