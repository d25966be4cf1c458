import {type Command, command, fullName, rowOf, usageLine} from '../commands/table/index.ts';
import {refuseFlag} from '../commands/table/refusals.ts';
import {deprecations, type FlagSpec} from '../commands/table/rows.ts';
import {CliError} from '../errors.ts';
import {FlagValues} from './flag-values.ts';
import {parseMount} from './mount.ts';

export interface ParsedLine {
	command: Command;
	flags: FlagValues;
	args: string[];
	/** `--help` was given: nothing else counts. */
	help: boolean;
	/** Before the command: `--version`. */
	version: boolean;
	/** The flags before the command. */
	globals: FlagValues;
	/** What to say on stderr about flags that docker has given up. */
	notes: string[];
}

/** `Usage:` and the hint, as docker ends its errors. */
export function usageHint(found: Pick<Command, 'typed' | 'row'>, verb = 'Run'): string {
	const name = `wherry${found.typed === '' ? '' : ` ${found.typed}`}`;
	return `\n\nUsage:  ${usageLine(found)}\n\n${verb} '${name} --help' for more information`;
}

/**
 * Reads a command line with pflag's rules: `--flag value`, `--flag=value`, `-abc` clusters, `-eVALUE`,
 * `-e=VALUE`, `--` ends the flags. Throws CliError with docker's text and status.
 */
export function parseCommandLine(argv: readonly string[]): ParsedLine {
	const root = command('')!;
	root.flags.push({
		name: 'version',
		short: 'v',
		type: 'bool',
		default: undefined,
		supported: true,
		hidden: false,
	});
	const before = parseFlags(root, argv);
	const result = {version: before.flags.bool('version'), notes: before.notes, globals: before.flags};
	if (before.args.length === 0 || before.help || result.version) return {...before, command: root, ...result};

	// The longest name that the words make; a group takes one more word, or is an error.
	let typed = before.args[0]!;
	let used = 1;
	if (typed.startsWith('-') || fullName(typed) === undefined) throw unknownCommand('', typed);
	let found = command(typed)!;
	while (found.group) {
		const next = before.args[used];
		if (next === undefined) break;
		if (next.startsWith('-')) break;
		if (fullName(`${typed} ${next}`) === undefined) {
			if (found.row.args) break;
			throw unknownCommand(typed, next);
		}
		typed = `${typed} ${next}`;
		used++;
		found = command(typed)!;
	}
	const parsed = parseFlags(found, before.args.slice(used));
	return {...parsed, ...result, command: found, notes: [...result.notes, ...parsed.notes]};
}

function unknownCommand(group: string, word: string): CliError {
	const full = `wherry ${group === '' ? '' : `${group} `}`;
	const usage = group === '' ? '' : `\n\nUsage:  wherry ${group} ${rowOf(fullName(group)!)!.usage}`;
	return new CliError(
		`wherry: unknown command: ${full}${word}${usage}\n\nRun '${full.trim()} --help' for more information`,
	);
}

const help: FlagSpec = {
	name: 'help',
	short: undefined,
	type: 'bool',
	default: undefined,
	supported: true,
	hidden: true,
};

interface ParsedFlags {
	flags: FlagValues;
	args: string[];
	help: boolean;
	notes: string[];
}

function parseFlags(found: Command, argv: readonly string[]): ParsedFlags {
	const specs = found.flags.some((flag) => flag.name === 'help') ? found.flags : [...found.flags, help];
	const flags = new FlagValues(specs);
	const args: string[] = [];
	const notes: string[] = [];
	const given: FlagSpec[] = [];

	const fail = (message: string): never => {
		throw new CliError(`${message}${usageHint(found)}`, 125);
	};
	const set = (spec: FlagSpec, text: string): void => {
		try {
			// Checked where docker checks it, so that the first wrong flag is the one that is named.
			if (spec.type === 'mount') parseMount(text);
			flags.set(spec, text);
		} catch (error) {
			const label = spec.short ? `-${spec.short}, --${spec.name}` : `--${spec.name}`;
			fail(`invalid argument ${JSON.stringify(text)} for "${label}" flag: ${(error as Error).message}`);
		}
		const deprecated = deprecations[spec.name];
		if (deprecated !== undefined && spec.hidden)
			notes.push(`Flag --${spec.name} has been deprecated, ${deprecated}`);
		given.push(spec);
	};

	let at = 0;
	for (; at < argv.length; at++) {
		const word = argv[at]!;
		if (word === '--') {
			args.push(...argv.slice(at + 1));
			break;
		}
		if (word === '-' || !word.startsWith('-')) {
			if (!found.interspersed) {
				args.push(...argv.slice(at));
				break;
			}
			args.push(word);
			continue;
		}
		if (word.startsWith('--')) {
			const equals = word.indexOf('=');
			const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
			if (name === '' || name.startsWith('-')) fail(`bad flag syntax: ${word}`);
			const spec = specs.find((flag) => flag.name === name);
			if (!spec) {
				fail(`unknown flag: --${name}`);
				continue;
			}
			if (equals >= 0) set(spec, word.slice(equals + 1));
			else if (spec.type === 'bool') set(spec, 'true');
			else if (at + 1 < argv.length) set(spec, argv[++at]!);
			else fail(`flag needs an argument: --${name}`);
			continue;
		}
		for (let letter = 1; letter < word.length; letter++) {
			const short = word[letter]!;
			let spec = specs.find((flag) => flag.short === short);
			// `-h` is help where it isn't the host name.
			if (!spec && short === 'h') spec = help;
			if (!spec) {
				fail(`unknown shorthand flag: '${short}' in -${word.slice(letter)}`);
				continue;
			}
			const rest = word.slice(letter + 1);
			if (rest.startsWith('=')) {
				set(spec, rest.slice(1));
				break;
			}
			if (spec.type === 'bool') {
				set(spec, 'true');
				continue;
			}
			if (rest !== '') set(spec, rest);
			else if (at + 1 < argv.length) set(spec, argv[++at]!);
			else fail(`flag needs an argument: '${short}' in -${word.slice(letter)}`);
			break;
		}
	}

	const wantsHelp = given.some((spec) => spec.name === 'help');
	if (!wantsHelp && (found.row.args || found.name === '')) {
		for (const spec of given) {
			if (!spec.supported && !isHarmless(spec, flags)) throw new CliError(refuseFlag(found, spec.name), 125);
		}
		if (found.name !== '') checkArguments(found, args);
	}
	return {flags, args, help: wantsHelp, notes};
}

/** A flag that is given the value which it has anyway asks for nothing. */
function isHarmless({name, type, default: value}: FlagSpec, flags: FlagValues): boolean {
	if (type === 'bool') return flags.bool(name) === (value === 'true');
	return name === 'context' && flags.string(name) === 'default';
}

function checkArguments(found: Command, args: readonly string[]): void {
	const [low, high] = found.row.args!;
	if (args.length >= low && (high === -1 || args.length <= high)) return;
	const count = (n: number): string => `${n} argument${n === 1 ? '' : 's'}`;
	const name = `'wherry ${found.typed}'`;
	const wrong = (says: string, verb?: string): CliError =>
		new CliError(`wherry: ${name} ${says}${usageHint(found, verb)}`);
	if (high === 0) throw wrong('accepts no arguments');
	if (high === low) throw wrong(`requires ${count(low)}`);
	if (high === -1) throw wrong(`requires at least ${count(low)}`, 'See');
	if (low === 0) throw wrong(`requires at most ${count(high)}`);
	throw wrong(`requires at least ${low} and at most ${count(high)}`);
}
