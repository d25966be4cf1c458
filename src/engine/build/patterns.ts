/**
 * `.dockerignore`, as moby's pattern matcher reads it: one pattern a line, `!` for exceptions, `**` for any number of
 * folders, and otherwise Go's filepath.Match. The last pattern that matches decides. Pure.
 */
import {posix} from 'node:path';
import {goExpression} from './go-expression.ts';
import {trimSpace} from './shell-words.ts';

export class PatternError extends Error {}

interface Pattern {
	readonly text: string;
	readonly parts: readonly string[];
	readonly exclusion: boolean;
	readonly match: (path: string) => boolean;
}

/** The patterns of a file, cleaned. */
export function parseIgnoreFile(text: string): string[] {
	const patterns: string[] = [];
	const lines = text.replace(/^\uFEFF/, '').split('\n');
	for (const line of lines) {
		if (line.startsWith('#')) continue;
		let pattern = trimSpace(line);
		if (pattern === '') continue;
		const inverted = pattern.startsWith('!');
		if (inverted) pattern = trimSpace(pattern.slice(1));
		if (pattern !== '') {
			pattern = clean(pattern);
			if (pattern.length > 1 && pattern.startsWith('/')) pattern = pattern.slice(1);
		}
		patterns.push((inverted ? '!' : '') + pattern);
	}
	return patterns;
}

/** Go's filepath.Clean: no slash at the end. */
function clean(path: string): string {
	const normal = posix.normalize(path);
	return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

/** Which paths of a context are left out. Throws PatternError in docker's words. */
export class PatternMatcher {
	readonly #patterns: Pattern[] = [];
	/** Some patterns are exceptions: a folder that is left out may still hold what isn't. */
	readonly hasExclusions: boolean;

	constructor(patterns: readonly string[]) {
		for (const each of patterns) {
			let text = trimSpace(each);
			if (text === '') continue;
			text = clean(text);
			let exclusion = false;
			if (text.startsWith('!')) {
				if (text.length === 1) throw new PatternError('illegal exclusion pattern: "!"');
				text = text.slice(1);
				exclusion = true;
			}
			checkGlob(text);
			this.#patterns.push({text, parts: text.split('/'), exclusion, match: compile(text)});
		}
		this.hasExclusions = this.#patterns.some(({exclusion}) => exclusion);
	}

	/** Whether a path, relative to the context, is left out: itself, or by a folder above it. */
	excludes(path: string): boolean {
		// Of `a/b/` it is `a/b`.
		const slash = path.lastIndexOf('/');
		const parent = slash < 0 ? '.' : clean(path.slice(0, slash) || '/');
		const parents = parent === '.' ? [] : parent.split('/');
		let excluded = false;
		for (const pattern of this.#patterns) {
			// Nothing that this one says would change the outcome.
			if (pattern.exclusion !== excluded) continue;
			let matched = pattern.match(path);
			if (!matched && parent !== '.') {
				for (let depth = 1; depth <= parents.length && !matched; depth++) {
					matched = pattern.match(parents.slice(0, depth).join('/'));
				}
			}
			if (matched) excluded = !pattern.exclusion;
		}
		return excluded;
	}

	/** The patterns for native.readContext (native/addon/ignore_rules.h); undefined where they can't be told so. */
	rules(): string[] | undefined {
		const rules = this.#patterns.map(({text, parts, exclusion}) => {
			const operations = operationsOf(text);
			if (!operations) return '';
			const wild = parts.findIndex((part) => /[*?]/.test(part));
			const fixed = wild < 0 ? text : parts.slice(0, wild).join('/');
			return [(exclusion ? '!' : '=') + fixed, ...(wild < 0 ? [] : ['w']), ...operations, ''].join('\n');
		});
		return rules.includes('') ? undefined : rules;
	}

	/** Whether below a folder that is left out something may be an exception. */
	mayKeepBelow(folder: string): boolean {
		const slashed = `${folder}/`;
		return this.#patterns.some(({exclusion, text, parts}) => {
			if (!exclusion) return false;
			const depth = folder.split('/').length;
			const wild = parts.findIndex((part) => /[*?[\\]/.test(part));
			if (wild < 0) return `${text}/`.startsWith(slashed);
			// As far as it is written out it must lead there.
			const fixed = parts.slice(0, wild);
			return folder.split('/').slice(0, fixed.length).join('/') === fixed.slice(0, depth).join('/');
		});
	}
}

/** Go's filepath.Match with the empty name: only its complaint about the pattern counts. */
function checkGlob(pattern: string): void {
	const characters = [...pattern];
	let at = 0;
	const bad = () => new PatternError('syntax error in pattern');
	const member = () => {
		const character = characters[at];
		if (character === undefined || character === '-' || character === ']') throw bad();
		if (character === '\\') {
			at++;
			if (characters[at] === undefined) throw bad();
		}
		at++;
		if (characters[at] === undefined) throw bad();
	};
	while (at < characters.length) {
		const character = characters[at++]!;
		if (character === '\\') {
			if (characters[at++] === undefined) throw bad();
		} else if (character === '[') {
			if (characters[at] === '^') at++;
			for (let first = true; ; first = false) {
				if (characters[at] === ']' && !first) break;
				member();
				if (characters[at] === '-') {
					at++;
					member();
				}
			}
			at++;
		}
	}
}

/** moby's translation to one of Go's regular expressions; the path is matched as a whole. */
function compile(pattern: string): (path: string) => boolean {
	let source = '^';
	const characters = [...pattern];
	let kind: 'exact' | 'prefix' | 'suffix' | 'expression' = 'exact';
	for (let at = 0; at < characters.length; at++) {
		const character = characters[at]!;
		if (character === '*') {
			if (characters[at + 1] !== '*') {
				source += '[^/]*';
				kind = 'expression';
				continue;
			}
			const isFirst = at === 0;
			at++;
			// `**/` is like `**`.
			if (characters[at + 1] === '/') at++;
			if (at + 1 < characters.length) {
				source += '(.*/)?';
				kind = 'expression';
			} else if (kind === 'exact') kind = 'prefix';
			else {
				source += '.*';
				kind = 'expression';
			}
			if (isFirst) kind = 'suffix';
		} else if (character === '?') {
			source += '[^/]';
			kind = 'expression';
		} else if ('.+()|{}$'.includes(character)) source += `\\${character}`;
		else if (character === '\\') {
			const next = characters[++at];
			source += `\\${next ?? ''}`;
			if (next !== undefined) kind = 'expression';
		} else {
			source += character;
			if (character === '[' || character === ']') kind = 'expression';
		}
	}
	if (kind === 'exact') return (path) => path === pattern;
	if (kind === 'prefix') {
		const prefix = pattern.slice(0, -2);
		return (path) => path.startsWith(prefix);
	}
	if (kind === 'suffix') {
		const suffix = pattern.slice(2);
		return (path) => path.endsWith(suffix) || (suffix.startsWith('/') && path === suffix.slice(1));
	}
	// What is wrong with it counts when it is needed.
	let expression: RegExp | undefined;
	return (path) => {
		if (!expression) {
			const translated = goExpression(`${source}$`);
			if (translated === undefined) throw new PatternError('syntax error in pattern');
			expression = new RegExp(translated, 'u');
		}
		return expression.test(path);
	};
}

/** What `compile` makes, for the native walk: a letter each, and the text of what is literal. */
function operationsOf(pattern: string): string[] | undefined {
	// These would be a regular expression's.
	if (/[[\]\\^\n]/.test(pattern)) return undefined;
	const ending = /^\*\*([^*?]*)$/.exec(pattern)?.[1];
	if (ending !== undefined && !ending.startsWith('/')) return [`s${ending}`];
	let isWild = false;
	return [...pattern.matchAll(/\*\*\/?|[*?]|[^*?]+/g)].map(({0: part, index}) => {
		if (!/^[*?]/.test(part)) return `l${part}`;
		const wasWild = isWild;
		isWild = true;
		if (part.length === 1) return part;
		if (index + part.length < pattern.length) return 'd';
		return wasWild ? 'a' : 'r';
	});
}
