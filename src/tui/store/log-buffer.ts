/**
 * The last lines of one container's output, or of several. Lines are kept as they came (cut to a length) and are sanitised
 * when they are drawn, so that a flood costs little more than storing references.
 */
import type {LogEntry} from '../../engine/api.ts';

export interface LogLine {
	stream: 'stdout' | 'stderr';
	/** RFC 3339; empty for a mark. */
	time: string;
	text: string;
	/** Which of several containers wrote it. */
	source?: number | undefined;
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
	/** The last line of each stream of each container that has no newline yet. */
	readonly #open = new Map<string, LogLine>();

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

	push(entries: readonly LogEntry[], source?: number): void {
		for (const {stream, time, line} of entries) {
			const key = source === undefined ? stream : `${stream} ${source}`;
			const open = this.#open.size === 0 ? undefined : this.#open.get(key);
			const complete = line.endsWith('\n');
			if (open) {
				if (open.text.length < LINE_LIMIT) open.text = (open.text + line).slice(0, LINE_LIMIT);
			} else {
				const text = line.length > LINE_LIMIT ? `${line.slice(0, LINE_LIMIT)}…` : line;
				const added: LogLine = source === undefined ? {stream, time, text} : {stream, time, text, source};
				this.#add(added);
				if (!complete) this.#open.set(key, added);
			}
			if (complete && open) this.#open.delete(key);
		}
	}

	/** A remark between the lines. */
	mark(text: string): void {
		this.#open.clear();
		this.#add({stream: 'stdout', time: '', text, mark: true});
	}

	#add(line: LogLine): void {
		this.#lines[this.#total % this.#capacity] = line;
		this.#total++;
	}
}
