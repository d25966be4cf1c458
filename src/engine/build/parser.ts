/**
 * Dockerfiles as BuildKit's parser reads them: lines, continuations, comments, parser directives, here-documents, and
 * the words of each instruction (Dockerfile reference, "Format", "Parser directives", "Here-Documents"). What the
 * words mean is not looked at here. Pure.
 */
import {WherryError} from '../errors.ts';
import {expand, goQuote, isSpace, trimLeft, trimSpace} from './shell-words.ts';

export interface Heredoc {
	readonly name: string;
	/** The descriptor of `N<<EOF`, 0 without one. */
	readonly fd: number;
	/** Whether variables in it are expanded. */
	readonly expand: boolean;
	/** Whether tabs at the beginning of lines are to be taken away; they are still there. */
	readonly chomp: boolean;
	content: string;
	/** Of the instruction. */
	readonly line: number;
}

export interface Instruction {
	/** As it is written. */
	readonly name: string;
	/** `--key=value` before the arguments. */
	readonly flags: readonly string[];
	/** The words; for ENV and LABEL name, value and separator of each pair in turn. */
	readonly args: readonly string[];
	/** The arguments are a JSON array. */
	readonly json: boolean;
	/** ONBUILD's. */
	readonly trigger?: Instruction;
	readonly heredocs: readonly Heredoc[];
	/** First and last line, from 1. */
	readonly line: number;
	readonly endLine: number;
	/** The whole instruction on one line. */
	readonly source: string;
	/** Comments right above it. */
	readonly comments: readonly string[];
}

export interface Dockerfile {
	readonly escape: string;
	/** `syntax`, `escape`, `check`. */
	readonly directives: Readonly<Record<string, string>>;
	readonly instructions: readonly Instruction[];
	readonly warnings: readonly {message: string; line: number}[];
}

/** `line` is where it is wrong, from 1. */
export class DockerfileError extends WherryError {
	readonly line: number | undefined;

	constructor(message: string, line?: number) {
		super('invalid', message);
		this.line = line;
	}
}

interface Parts {
	args: string[];
	json?: boolean;
	trigger?: Instruction;
}

interface Context {
	readonly escape: string;
	readonly line: number;
}

type Reader = (rest: string, context: Context) => Parts;

function parseJson(rest: string): string[] {
	const text = trimLeft(rest);
	if (!text.startsWith('[')) throw new SyntaxError('not a JSON array');
	const value: unknown = JSON.parse(text, (_, item) => {
		// Which Go can't keep, so that it is no JSON.
		if (item === Number.POSITIVE_INFINITY || item === Number.NEGATIVE_INFINITY)
			throw new SyntaxError('range');
		return typeof item === 'string' ? item.toWellFormed() : item;
	});
	if (!Array.isArray(value)) throw new SyntaxError('not a JSON array');
	for (const item of value) if (typeof item !== 'string') throw new NotStrings();
	return value as string[];
}

class NotStrings extends Error {}

const notStrings = 'when using JSON array syntax, arrays must be comprised of strings only';

const maybeJson: Reader = (rest, {line}) => {
	if (rest === '') return {args: []};
	try {
		return {args: parseJson(rest), json: true};
	} catch (error) {
		if (error instanceof NotStrings) throw new DockerfileError(notStrings, line);
		return {args: [rest]};
	}
};

const words = (rest: string): string[] => rest.split(/[\t\v\f\r ]+/).filter((word) => word !== '');

const delimited: Reader = (rest) => ({args: rest === '' ? [] : words(rest)});

const maybeJsonList: Reader = (rest, context) => {
	try {
		return {args: parseJson(rest), json: true};
	} catch (error) {
		if (error instanceof NotStrings) throw new DockerfileError(notStrings, context.line);
		return delimited(rest, context);
	}
};

const whole: Reader = (rest) => ({args: rest === '' ? [] : [rest]});

/** Words with their quotes and escapes, which expansion removes later. */
function quotedWords(rest: string, token: string): string[] {
	const found: string[] = [];
	let word = '';
	let quote = '';
	let inWord = false;
	let blank = true;
	const characters = [...rest];
	for (let at = 0; at <= characters.length; at++) {
		const character = characters[at];
		if (!inWord) {
			if (character === undefined) break;
			if (isSpace(character)) continue;
			inWord = true;
			blank = true;
		}
		if (character === undefined) {
			if (word !== '' || !blank) found.push(word);
			break;
		}
		if (quote === '') {
			if (isSpace(character)) {
				found.push(word);
				word = '';
				inWord = false;
				continue;
			}
			if (character === "'" || character === '"') quote = character;
			if (character === token) {
				// At the very end it is dropped.
				if (at + 1 === characters.length) continue;
				word += character;
				word += characters[++at];
				blank = false;
				continue;
			}
		} else {
			if (character === quote) quote = '';
			// Between single quotes an escape is none.
			if (character === token && quote !== "'") {
				if (at + 1 === characters.length) {
					continue;
				}
				word += character;
				word += characters[++at];
				blank = false;
				continue;
			}
		}
		word += character;
		blank = false;
	}
	return found;
}

/** `NAME value` of old, or any number of `name=value`. */
function pairs(rest: string, key: string, {escape: token, line}: Context): string[] {
	const found = quotedWords(rest, token);
	if (found.length === 0) return [];
	if (!found[0]!.includes('=')) {
		const match = /^([^\t\v\f\r ]*)[\t\v\f\r ]+([\s\S]*)$/.exec(rest);
		if (!match) throw new DockerfileError(`${key} must have two arguments`, line);
		return [match[1]!, match[2]!, ''];
	}
	return found.flatMap((word) => {
		const equals = word.indexOf('=');
		if (equals < 0) {
			throw new DockerfileError(
				`Syntax error - can't find = in ${goQuote(word)}. Must be of the form: name=value`,
				line,
			);
		}
		return [word.slice(0, equals), word.slice(equals + 1), '='];
	});
}

const names: Reader = (rest, {escape: token}) => ({args: quotedWords(rest, token)});

const health: Reader = (rest, context) => {
	const split = /^(\S+)([\s\S]*)$/.exec(rest);
	if (!split) return {args: []};
	const tail = trimLeft(split[2]!);
	const {args, json} = maybeJson(tail, context);
	return {args: [split[1]!, ...args], ...(json ? {json} : {})};
};

const trigger: Reader = (rest, context) => {
	if (rest === '') return {args: []};
	return {args: [], trigger: instructionOf(rest, context, [])};
};

const readers: Readonly<Record<string, Reader>> = {
	add: maybeJsonList,
	arg: names,
	cmd: maybeJson,
	copy: maybeJsonList,
	entrypoint: maybeJson,
	env: (rest, context) => ({args: pairs(rest, 'ENV', context)}),
	expose: delimited,
	from: delimited,
	healthcheck: health,
	label: (rest, context) => ({args: pairs(rest, 'LABEL', context)}),
	maintainer: whole,
	onbuild: trigger,
	run: maybeJson,
	shell: maybeJson,
	stopsignal: whole,
	user: whole,
	volume: maybeJsonList,
	workdir: whole,
};

export const instructionNames: readonly string[] = Object.keys(readers);

/**
 * Takes `--flag` words off the front. BuildKit looks at bytes here and takes each for a character, so that others than
 * ASCII's come out as several.
 */
function takeFlags(line: string): {flags: string[]; rest: string} {
	const {flags, rest} = takeByteFlags(Buffer.from(line).toString('latin1'));
	return {flags, rest: Buffer.from(rest, 'latin1').toString()};
}

function takeByteFlags(text: string): {flags: string[]; rest: string} {
	const flags: string[] = [];
	let word = '';
	let phase: 'spaces' | 'word' | 'quote' = 'spaces';
	let quote = '';
	let blank = true;
	for (let at = 0; at <= text.length; at++) {
		const character = text[at];
		if (phase === 'spaces') {
			if (character === undefined) break;
			if (isSpace(character)) continue;
			// Only words that begin with two dashes are flags.
			if (!text.startsWith('--', at)) return {flags, rest: text.slice(at)};
			phase = 'word';
		}
		if ((phase === 'word' || phase === 'quote') && character === undefined) {
			if (word !== '--' && (word !== '' || !blank)) flags.push(word);
			return {flags, rest: ''};
		}
		if (character === undefined) break;
		if (phase === 'word') {
			if (isSpace(character)) {
				phase = 'spaces';
				// A lone `--` ends them.
				if (word === '--') return {flags, rest: text.slice(at)};
				if (word !== '' || !blank) flags.push(word);
				word = '';
				blank = true;
				continue;
			}
			if (character === "'" || character === '"') {
				quote = character;
				blank = false;
				phase = 'quote';
				continue;
			}
			if (character === '\\') {
				if (at + 1 === text.length) continue;
				word += text[++at];
				continue;
			}
			word += character;
			continue;
		}
		if (character === quote) {
			phase = 'word';
			continue;
		}
		if (character === '\\') {
			if (at + 1 === text.length) {
				phase = 'word';
				continue;
			}
			word += text[++at];
			continue;
		}
		word += character;
	}
	return {flags, rest: ''};
}

function instructionOf(text: string, context: Context, comments: readonly string[]): Instruction {
	const match = /^([^\t\v\f\r ]*)(?:[\t\v\f\r ]+([\s\S]*))?$/.exec(trimSpace(text))!;
	const {flags, rest} = takeFlags(match[2] ?? '');
	const name = match[1]!;
	const reader = readers[name.toLowerCase()];
	const parts = reader ? reader(trimSpace(rest), context) : {args: ['']};
	return {
		name,
		flags,
		args: parts.args,
		json: parts.json ?? false,
		...(parts.trigger ? {trigger: parts.trigger} : {}),
		heredocs: [],
		line: context.line,
		endLine: context.line,
		source: text,
		comments,
	};
}

const takesHeredocs = (instruction: Instruction): boolean => {
	const {name, json, trigger: inner} = instruction;
	if (['add', 'copy', 'run'].includes(name.toLowerCase())) return !json;
	return inner !== undefined && ['add', 'copy', 'run'].includes(inner.name.toLowerCase()) && !inner.json;
};

const none = (): undefined => undefined;

const quotes = (text: string): number => text.match(/['"]/g)?.length ?? 0;

/** `N<<-"WORD"`; undefined for what is no here-document. */
export function parseHeredoc(word: string, line: number): Heredoc | undefined {
	const match = /^(\d*)<<(-?)([^<]*)$/.exec(word);
	if (!match || match[3] === '') return undefined;
	const rest = match[3]!;
	let plain: string[];
	let raw: string[];
	try {
		plain = expand(rest, none, {keepUnset: true}).words;
		raw = expand(rest, none, {keepUnset: true, rawQuotes: true}).words;
	} catch {
		return undefined;
	}
	if (plain.length !== 1) return undefined;
	return {
		name: plain[0]!,
		fd: match[1] === '' ? 0 : Number(match[1]),
		// A word that is quoted in any part asks for the text as it is; an escape is no quote.
		expand: quotes(plain[0]!) === quotes(raw[0] ?? ''),
		chomp: match[2] === '-',
		content: '',
		line,
	};
}

function heredocsOf(text: string, line: number): Heredoc[] {
	const options = {keepUnset: true, rawQuotes: true, rawEscapes: true};
	let found: string[];
	try {
		found = expand(text, none, options).words;
	} catch {
		return [];
	}
	return found.flatMap((word) => parseHeredoc(word, line) ?? []);
}

const directivePattern = /^#([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=[\t\n\f\r ]*([^\n]+?)[\t\n\f\r ]*$/;
/** Bytes. */
const longestLine = 65535;
const directiveNames = ['syntax', 'escape', 'check'];

/** Throws DockerfileError. */
export function parseDockerfile(text: string): Dockerfile {
	const lines = text.replace(/^\uFEFF/, '').split('\n');
	// The last line ends with its newline; what follows it is no line.
	if (lines.at(-1) === '') lines.pop();
	const tooLong = lines.findIndex((line) => Buffer.byteLength(line) > longestLine);
	if (tooLong >= 0) lines.length = tooLong;
	const directives: Record<string, string> = {};
	const instructions: Instruction[] = [];
	const warnings: {message: string; line: number}[] = [];
	let token = '\\';
	let continuation = continuationPattern(token);
	let directivesPossible = true;
	let comments: string[] = [];

	for (let at = 0; at < lines.length; at++) {
		const line = at + 1;
		const first = withoutReturn(lines[at]!);
		if (directivesPossible) {
			const comment = trimLeft(first);
			const match = directivePattern.exec(`${comment.slice(0, 1)}${trimLeft(comment.slice(1))}`);
			const key = match?.[1]?.toLowerCase();
			if (match && key && directiveNames.includes(key)) {
				if (directives[key] !== undefined) {
					throw new DockerfileError(`only one ${key} parser directive can be used`, line);
				}
				directives[key] = match[2]!;
				if (key === 'escape') {
					if (match[2] !== '\\' && match[2] !== '`') {
						throw new DockerfileError(`invalid escape token '${match[2]}' does not match \` or \\`, line);
					}
					token = match[2];
					continuation = continuationPattern(token);
				}
				continue;
			}
			directivesPossible = false;
		}
		const trimmed = trimLeft(first);
		if (trimmed.startsWith('#')) {
			comments.push(trimSpace(trimmed.slice(1)));
			continue;
		}
		if (trimmed === '') {
			comments = [];
			continue;
		}
		let {source, open} = continued(trimmed, continuation);
		let emptyContinuation = false;
		while (open && at + 1 < lines.length) {
			const next = withoutReturn(lines[++at]!);
			if (trimLeft(next).startsWith('#')) continue;
			if (trimLeft(next) === '') {
				emptyContinuation = true;
				continue;
			}
			const more = continued(next, continuation);
			source += more.source;
			open = more.open;
		}
		if (emptyContinuation)
			warnings.push({message: `Empty continuation line found in: ${source}`, line: at + 1});

		const instruction = instructionOf(source, {escape: token, line}, comments);
		comments = [];
		const heredocs = takesHeredocs(instruction) && source.includes('<<') ? heredocsOf(source, line) : [];
		for (const heredoc of heredocs) {
			let ended = false;
			const content: string[] = [];
			while (at + 1 < lines.length) {
				const next = lines[++at]!;
				const bare = heredoc.chomp ? next.replace(/^\t+/, '') : next;
				if (withoutReturn(bare) === heredoc.name) {
					ended = true;
					break;
				}
				content.push(`${next}\n`);
			}
			if (!ended) throw new DockerfileError('unterminated heredoc', line);
			heredoc.content = content.join('');
		}
		instructions.push({...instruction, heredocs, endLine: at + 1});
	}
	if (instructions.length === 0) throw new DockerfileError('file with no instructions');
	if (tooLong >= 0) {
		const message = `dockerfile line greater than max allowed size of ${longestLine}`;
		throw new DockerfileError(message, tooLong + 1);
	}
	return {escape: token, directives, instructions, warnings};
}

const withoutReturn = (line: string): string => line.replace(/\r+$/, '');

const continuationPattern = (character: string): RegExp => {
	const token = character === '\\' ? '\\\\' : character;
	return new RegExp(`([^${token}])${token}[ \\t]*$|^${token}[ \\t]*$`);
};

function continued(line: string, pattern: RegExp): {source: string; open: boolean} {
	return pattern.test(line) ? {source: line.replace(pattern, '$1'), open: true} : {source: line, open: false};
}

/** The instructions as BuildKit's own parser prints its tree, a line each; for comparison. */
export function printTree(instructions: readonly Instruction[]): string {
	const print = ({name, flags, args, trigger: inner}: Instruction): string => {
		const given = flags.length > 0 ? ` [${flags.map(goQuote).join(' ')}]` : '';
		const nested = inner ? ` (${print(inner)})` : '';
		return `${name.toLowerCase()}${given}${nested}${args.map((word) => ` ${goQuote(word)}`).join('')}`.trim();
	};
	return instructions.map((instruction) => `(${print(instruction)})`).join('\n');
}
