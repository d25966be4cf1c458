import type {BuildEvent, BuildWarning} from '../../engine/api.ts';
import {writeErr} from '../output.ts';

type Mode = 'plain' | 'rawjson';

/** What a container wrote is shown without what would move the cursor. */
const printable = (text: string): string => text.replace(/[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]/g, '');

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)}s`;

/**
 * A build's steps as BuildKit prints them: `#3 [2/4] RUN make`, its output with the time since it began, and how it
 * ended. What is not a terminal gets these.
 */
export class BuildDisplay {
	readonly #mode: Mode;
	readonly #began = new Map<number, number>();
	readonly #names = new Map<number, string>();
	readonly #partial = new Map<number, string>();
	readonly #warnings: BuildWarning[] = [];
	#last = 0;

	constructor(mode: Mode) {
		this.#mode = mode;
	}

	show(event: BuildEvent): void {
		if (this.#mode === 'rawjson') {
			writeErr(`${JSON.stringify(event)}\n`);
			return;
		}
		switch (event.kind) {
			case 'start':
				this.#began.set(event.id, performance.now());
				this.#names.set(event.id, event.name);
				this.#head(event.id, true);
				return;
			case 'log': {
				const lines = ((this.#partial.get(event.id) ?? '') + event.text).split('\n');
				this.#partial.set(event.id, lines.pop()!);
				for (const line of lines) this.#output(event.id, line);
				return;
			}
			case 'note':
				this.#line(event.id, event.text);
				return;
			case 'cached':
				this.#line(event.id, 'CACHED');
				return;
			case 'done':
				this.#flush(event.id);
				this.#line(event.id, `DONE ${seconds(this.#age(event.id))}`);
				return;
			case 'error':
				this.#flush(event.id);
				this.#line(event.id, `ERROR: ${printable(event.message)}`);
				return;
			case 'warning':
				this.#warnings.push(event);
		}
	}

	#age(id: number): number {
		return performance.now() - (this.#began.get(id) ?? 0);
	}

	#flush(id: number): void {
		const rest = this.#partial.get(id);
		this.#partial.delete(id);
		if (rest) this.#output(id, rest);
	}

	/** The step's name again when another one has written since. */
	#head(id: number, first = false): void {
		if (this.#last === id && !first) return;
		if (this.#last !== 0) writeErr('\n');
		this.#last = id;
		const name = printable(this.#names.get(id) ?? '');
		writeErr(`#${id} ${name}\n`);
	}

	#output(id: number, text: string): void {
		this.#head(id);
		writeErr(`#${id} ${(this.#age(id) / 1000).toFixed(3)} ${printable(text.replace(/\r$/, ''))}\n`);
	}

	#line(id: number, text: string): void {
		this.#head(id);
		writeErr(`#${id} ${text}\n`);
	}

	end(): void {
		for (const id of this.#partial.keys()) this.#flush(id);
		const count = this.#warnings.length;
		if (count === 0) return;
		const lines = this.#warnings.map(
			({rule, message, line}) => ` - ${rule}: ${printable(message)} (line ${line})\n`,
		);
		writeErr(`\n ${count} warning${count === 1 ? '' : 's'} found:\n${lines.join('')}`);
		this.#warnings.length = 0;
	}
}

/** docker's words for a build that has failed: the step's last output, where it is, and why. */
export function describeBuildError(error: Error, output: readonly string[]): string {
	const {excerpt, step} = error as {excerpt?: string; step?: {name: string; last: readonly string[]}};
	const parts: string[] = [];
	if (output.length > 0) parts.push(printable(output.join('').trimEnd()));
	if (step) parts.push(`------\n > ${printable(step.name)}:\n${step.last.map(printable).join('\n')}\n------`);
	if (excerpt) parts.push(printable(excerpt));
	const prefix = excerpt !== undefined ? 'failed to solve: ' : '';
	parts.push(`ERROR: failed to build: ${prefix}${printable(error.message)}`);
	return parts.join('\n');
}

/** What `build --check` prints. */
export function describeWarnings(warnings: readonly Extract<BuildEvent, {kind: 'warning'}>[]): string {
	if (warnings.length === 0) return 'Check complete, no warnings found.\n';
	const shown = warnings.map(
		({rule, url, message, excerpt}) =>
			`\nWARNING: ${rule} - ${url}\n${printable(message)}\n${printable(excerpt)}\n`,
	);
	const count =
		warnings.length === 1 ? '1 warning has been found!' : `${warnings.length} warnings have been found!`;
	return `Check complete, ${count}\n${shown.join('')}\n`;
}
