/** What may follow the words of a command line: from the command table, and names from the engine. */
import type {ContainerStatus, Engine} from '../../engine/api.ts';
import {commands} from '../commands/table/all.ts';
import {type Command, command, fullName, shortForms} from '../commands/table/index.ts';
import type {FlagSpec} from '../commands/table/rows.ts';
import {about, flagText} from '../help/about.ts';
import {argumentKinds, type Kind} from './arguments.ts';
import {filtersOf, type Values, valuesOf} from './values.ts';

export interface Candidate {
	word: string;
	about?: string;
}

export interface Completion {
	candidates: Candidate[];
	/** Go on in the same word. */
	noSpace: boolean;
	/** What the shell itself shall offer when there are no candidates. */
	fallback: 'files' | 'folders' | 'nothing';
}

const nothing: Completion = {candidates: [], noSpace: false, fallback: 'nothing'};
const files: Completion = {...nothing, fallback: 'files'};

interface Position {
	found: Command;
	/** The arguments so far, without flags. */
	args: string[];
	/** The flag whose value is being typed. */
	awaiting: FlagSpec | undefined;
	given: Set<string>;
	/** After `--`, or after the first argument of a command that runs another. */
	flagsEnded: boolean;
}

/** Reads the words as the parser does, but nothing is wrong. */
function follow(words: readonly string[]): Position {
	const position: Position = {
		found: command('')!,
		args: [],
		awaiting: undefined,
		given: new Set(),
		flagsEnded: false,
	};
	for (const word of words) {
		if (position.awaiting) {
			position.awaiting = undefined;
			continue;
		}
		if (!position.flagsEnded && word.startsWith('-') && word !== '-') {
			if (word === '--') position.flagsEnded = true;
			else readFlag(position, word);
			continue;
		}
		const {found, args} = position;
		const longer = found.typed === '' ? word : `${found.typed} ${word}`;
		if (found.group && args.length === 0 && fullName(longer) !== undefined) {
			Object.assign(position, {found: command(longer)!, given: new Set(), flagsEnded: false});
			continue;
		}
		args.push(word);
		if (!found.interspersed) position.flagsEnded = true;
	}
	return position;
}

function readFlag(position: Position, word: string): void {
	const {flags} = position.found;
	const take = (spec: FlagSpec | undefined, value: string): void => {
		if (!spec) return;
		position.given.add(spec.name);
		if (spec.type !== 'bool' && value === '') position.awaiting = spec;
	};
	if (word.startsWith('--')) {
		const [name] = word.slice(2).split('=', 1);
		take(
			flags.find((flag) => flag.name === name),
			word.includes('=') ? '=' : '',
		);
		return;
	}
	for (let at = 1; at < word.length; at++) {
		const spec = flags.find((flag) => flag.short === word[at]);
		take(spec, word.slice(at + 1));
		if (spec && spec.type !== 'bool') return;
	}
}

/** `words` without the program's name; the last one is being typed. */
export async function complete(
	words: readonly string[],
	open: () => Promise<Engine>,
	env: NodeJS.ProcessEnv = process.env,
): Promise<Completion> {
	const typing = words.at(-1) ?? '';
	const position = follow(words.slice(0, -1));
	const {found, args, awaiting, flagsEnded} = position;
	const lookUp = new LookUp(open, env, args);
	if (awaiting) return await flagValue(found, awaiting, typing, '', lookUp);
	if (typing.startsWith('-') && !flagsEnded) {
		const match = /^--([a-z0-9-]+)=(.*)$/s.exec(typing);
		const spec = match && found.flags.find((flag) => flag.name === match[1]);
		if (spec) return await flagValue(found, spec, match[2]!, `--${spec.name}=`, lookUp);
		return flagNames(position, typing);
	}
	if (found.group && args.length === 0) return subcommands(found, typing);
	if (found.row.args === undefined || (found.row.args[1] !== -1 && args.length >= found.row.args[1]))
		return nothing;
	const kinds = argumentKinds[found.name] ?? ['none'];
	const kind = kinds[Math.min(args.length, kinds.length - 1)]!;
	return await answer(kind, typing, '', lookUp);
}

function flagNames({found, given}: Position, typing: string): Completion {
	const flags = found.flags
		.filter((flag) => flag.supported && !flag.hidden && (flag.name !== 'help' || found.name === ''))
		.filter((flag) => !given.has(flag.name) || isRepeated(flag));
	const candidates = flags.map((flag) => ({word: `--${flag.name}`, about: flagText(found.name, flag.name)}));
	candidates.push({word: '--help', about: 'Show help'});
	return {...nothing, candidates: fitting(candidates, typing)};
}

const isRepeated = ({type}: FlagSpec): boolean =>
	['list', 'map', 'filter', 'mount', 'network', 'ulimit', 'stringArray', 'stringSlice'].includes(type);

async function flagValue(
	found: Command,
	spec: FlagSpec,
	typing: string,
	prefix: string,
	lookUp: LookUp,
): Promise<Completion> {
	if (spec.type === 'bool') return await answer(['true', 'false'], typing, prefix, lookUp);
	if (spec.type === 'filter') {
		const keys = filtersOf(found.name);
		const equals = typing.indexOf('=');
		if (equals < 0)
			return await answer(
				Object.keys(keys).map((key) => `${key}=`),
				typing,
				prefix,
				lookUp,
			);
		const key = typing.slice(0, equals);
		return await answer(keys[key] ?? 'none', typing.slice(equals + 1), `${prefix}${key}=`, lookUp);
	}
	const values = valuesOf(found.name, spec.name);
	if (values === undefined) return nothing;
	const container = /^container:/.exec(typing);
	if (container && (values === 'network-mode' || (Array.isArray(values) && values.includes('container:')))) {
		return await answer('container', typing.slice(10), `${prefix}container:`, lookUp);
	}
	return await answer(values, typing, prefix, lookUp);
}

function subcommands(found: Command, typing: string): Completion {
	const prefix = found.typed === '' ? '' : `${found.typed} `;
	const candidates: Candidate[] = [];
	for (const name of [...Object.keys(commands), ...Object.keys(shortForms)]) {
		if (name === '' || !name.startsWith(prefix)) continue;
		const word = name.slice(prefix.length);
		const full = fullName(name)!;
		if (word === '' || word.includes(' ') || !isThere(full)) continue;
		candidates.push({word, about: about[full] ?? ''});
	}
	return {...nothing, candidates: fitting(candidates, typing)};
}

/** A command that can be run, or a group with one. */
const isThere = (name: string): boolean =>
	commands[name]!.args !== undefined ||
	Object.entries(commands).some(([below, row]) => row.args !== undefined && below.startsWith(`${name} `));

function fitting(candidates: readonly Candidate[], typing: string): Candidate[] {
	const unique = new Map(candidates.map((candidate) => [candidate.word, candidate]));
	return [...unique.values()]
		.filter(({word}) => word.startsWith(typing))
		.sort((a, b) => (a.word < b.word ? -1 : 1));
}

/** `prefix` is what stands before the typed part in the same word. */
async function answer(values: Values, typing: string, prefix: string, lookUp: LookUp): Promise<Completion> {
	if (values === 'none') return nothing;
	if (values === 'file') return files;
	if (values === 'folder') return {...nothing, fallback: 'folders'};
	const words: Candidate[] =
		typeof values === 'string' ? await lookUp.of(values) : values.map((word) => ({word}));
	const candidates = fitting(words, typing);
	const noSpace = candidates.length > 0 && candidates.every(({word}) => /[=:,]$/.test(word));
	return {
		candidates: candidates.map((candidate) => ({...candidate, word: prefix + candidate.word})),
		noSpace,
		// These may be paths of the host as well.
		fallback: values === 'volume' || values === 'container-path' ? 'files' : 'nothing',
	};
}

const states: Partial<Record<Kind, readonly ContainerStatus[]>> = {
	running: ['running', 'paused', 'restarting'],
	pausable: ['running'],
	paused: ['paused'],
	startable: ['created', 'exited'],
};

/** Names that the engine knows. */
class LookUp {
	readonly #open: () => Promise<Engine>;
	readonly #env: NodeJS.ProcessEnv;
	readonly #args: readonly string[];

	constructor(open: () => Promise<Engine>, env: NodeJS.ProcessEnv, args: readonly string[]) {
		this.#open = open;
		this.#env = env;
		this.#args = args;
	}

	async of(kind: Exclude<Values, readonly string[]>): Promise<Candidate[]> {
		switch (kind) {
			case 'image':
				return await this.#images(false);
			case 'repository':
				return await this.#images(true);
			case 'volume':
				return this.#others((await (await this.#open()).volumes.list()).map(({Name}) => ({word: Name})));
			case 'network':
				return this.#others(await this.#networks());
			case 'custom-network':
				return this.#others(
					(await this.#networks()).filter(({word}) => !['bridge', 'host', 'none'].includes(word)),
				);
			case 'network-mode':
				return [...(await this.#networks()), {word: 'container:'}];
			case 'member':
				return await this.#members();
			case 'object':
				return [
					...(await this.#containers('container')),
					...(await this.#images(false)),
					...(await this.#networks()),
					...(await this.of('volume')),
				];
			case 'container-path':
				return (await this.#containers('container')).map(({word}) => ({word: `${word}:`}));
			case 'command':
				return subcommands(command(this.#args.join(' ')) ?? command('')!, '').candidates;
			case 'shell':
				return ['bash', 'zsh', 'fish'].map((word) => ({word}));
			case 'variable':
				return Object.keys(this.#env).map((word) => ({word}));
			case 'file':
			case 'folder':
			case 'none':
				return [];
			default:
				return this.#others(await this.#containers(kind));
		}
	}

	/** Nobody names the same object twice. */
	#others(candidates: readonly Candidate[]): Candidate[] {
		return candidates.filter(({word}) => !this.#args.includes(word));
	}

	async #containers(kind: Kind): Promise<Candidate[]> {
		const all = await (await this.#open()).containers.list({all: true});
		const wanted = states[kind];
		return all
			.filter(({State}) => wanted === undefined || wanted.includes(State))
			.map(({Names, Image, Status}) => ({word: Names[0]!.slice(1), about: `${Image}, ${Status}`}));
	}

	async #images(bare: boolean): Promise<Candidate[]> {
		const tags = (await (await this.#open()).images.list()).flatMap(({RepoTags}) => RepoTags);
		// Most people leave out the tag that is the default.
		const names = tags.flatMap((tag) => (tag.endsWith(':latest') ? [tag.slice(0, -7), tag] : [tag]));
		const repositories = tags.map((tag) => tag.slice(0, tag.lastIndexOf(':')));
		return (bare ? repositories : names).map((word) => ({word}));
	}

	async #networks(): Promise<Candidate[]> {
		return (await (await this.#open()).networks.list()).map(({Name, Driver}) => ({
			word: Name,
			about: Driver,
		}));
	}

	async #members(): Promise<Candidate[]> {
		const network = this.#args[0]!;
		const all = await (await this.#open()).containers.list({all: true, filters: {network: [network]}});
		return all.map(({Names, Image}) => ({word: Names[0]!.slice(1), about: Image}));
	}
}
