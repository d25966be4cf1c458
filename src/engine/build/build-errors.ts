/** What went wrong with a build, and where in its Dockerfile. */
import {WherryError} from '../errors.ts';
import {DockerfileError} from './parser.ts';

/** An error of a build, with the Dockerfile and the line that it is about. */
export class BuildError extends WherryError {
	/** The Dockerfile with numbers around the line; empty when no line is to blame. */
	readonly excerpt: string;
	/** The step's name and its last lines. */
	readonly step: {name: string; last: readonly string[]} | undefined;

	constructor(cause: Error, excerpt: string, step?: {name: string; last: readonly string[]}) {
		super(cause instanceof WherryError ? cause.code : 'internal', cause.message, {cause});
		this.excerpt = excerpt;
		this.step = step;
	}
}

/** The lines around the one that is wrong, which is marked. */
export function excerptOf(text: string, name: string, first: number, last = first): string {
	const lines = text.replace(/\n$/, '').split('\n');
	const from = Math.max(1, first - 2);
	const to = Math.min(lines.length, last + 2);
	const rows = lines.slice(from - 1, to).map((line, index) => {
		const at = from + index;
		return `${String(at).padStart(4)} | ${at >= first && at <= last ? '>>>' : '   '} ${line}`;
	});
	return `${name}:${first}\n--------------------\n${rows.join('\n')}\n--------------------`;
}

export function inFile<T>(text: string, name: string, work: () => T): T {
	try {
		return work();
	} catch (error) {
		throw located(error as Error, text, name);
	}
}

export function located(error: Error, text: string, name: string): Error {
	const inner = error instanceof StepError ? (error.cause as Error) : error;
	const line =
		inner instanceof DockerfileError ? inner.line : error instanceof StepError ? error.line : undefined;
	const last = error instanceof StepError ? error.endLine : line;
	const step =
		error instanceof StepError && error.last.length > 0 ? {name: error.step, last: error.last} : undefined;
	const wrapped =
		inner instanceof DockerfileError && inner.line !== undefined
			? new WherryError('invalid', `dockerfile parse error on line ${inner.line}: ${inner.message}`, {
					cause: inner,
				})
			: inner;
	return new BuildError(wrapped, line === undefined ? '' : excerptOf(text, name, line, last), step);
}

/** A step that has failed: which, and what it wrote last. */
export class StepError extends Error {
	readonly step: string;
	readonly last: readonly string[];
	readonly line: number;
	readonly endLine: number;

	constructor(cause: Error, step: string, last: readonly string[], line: number, endLine: number) {
		super(cause.message, {cause});
		this.step = step;
		this.last = last;
		this.line = line;
		this.endLine = endLine;
	}
}
