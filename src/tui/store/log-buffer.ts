/**
 * The last lines of one container's output. Lines are kept as they came (cut to a length) and are sanitised
 * when they are drawn, so that a flood costs little more than storing references.
 */
import type {LogEntry} from '../../engine/api.ts';

export interface LogLine {
	stream: 'stdout' | 'stderr';
	/** RFC 3339; empty for a mark. */
	time: string;
	text: string;
	/** Our own remark, not output. */
	mark?: boolean;
}

const CAPACITY = 10_000;
/** Characters of a line that are kept. */
const LINE_LIMIT = 16 * 1024;

export class LogBuffer {
	readonly #lines: (LogLine | undefined)[];
	readonly #capacity: number;
	/** Lines ever added: the number of the next one. */
	#total = 0;
	/** The last line of each stream that has no newline yet. */
	readonly #open: {stdout?: LogLine; stderr?: LogLine} = {};

	constructor(capacity = CAPACITY) {
		this.#capacity = capacity;
		this.#lines = new Array(capacity);
	}

	/** Lines ever added; they are numbered from zero. */
	get total(): number {
		return this.#total;
	}

	/** The number of the oldest line that is still there. */
	get first(): number {
		return Math.max(0, this.#total - this.#capacity);
	}

	at(number: number): LogLine | undefined {
		return number < this.first || number >= this.#total ? undefined : this.#lines[number % this.#capacity];
	}

	push(entries: readonly LogEntry[]): void {
		for (const {stream, time, line} of entries) {
			const open = this.#open[stream];
			const complete = line.endsWith('\n');
			if (open) {
				if (open.text.length < LINE_LIMIT) open.text = (open.text + line).slice(0, LINE_LIMIT);
			} else {
				const text = line.length > LINE_LIMIT ? `${line.slice(0, LINE_LIMIT)}…` : line;
				const added: LogLine = {stream, time, text};
				this.#add(added);
				if (!complete) this.#open[stream] = added;
			}
			if (complete) delete this.#open[stream];
		}
	}

	/** A remark between the lines. */
	mark(text: string): void {
		delete this.#open.stdout;
		delete this.#open.stderr;
		this.#add({stream: 'stdout', time: '', text, mark: true});
	}

	#add(line: LogLine): void {
		this.#lines[this.#total % this.#capacity] = line;
		this.#total++;
	}
}
