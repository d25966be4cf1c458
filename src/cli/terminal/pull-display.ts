import {isatty} from 'node:tty';
import type {PullEvent, PushEvent} from '../../engine/api.ts';
import {humanSize} from '../format/size.ts';
import {writeErr, writeOut} from '../output.ts';

/**
 * docker's display of a pull: on a terminal one line per layer that is rewritten in place, elsewhere one line
 * per change of state, without the progress between.
 */
export class PullDisplay {
	readonly #write: (text: string) => void;
	/** Undefined: not a terminal. */
	readonly #columns: (() => number) | undefined;
	readonly #rows = new Map<string, number>();
	readonly #last = new Map<string, string>();
	readonly #shownAt = new Map<string, number>();
	#lines = 0;

	constructor(write: (text: string) => void, columns?: () => number) {
		this.#write = write;
		this.#columns = columns;
	}

	static on(fd: 1 | 2): PullDisplay {
		const stream = fd === 1 ? process.stdout : process.stderr;
		return new PullDisplay(
			fd === 1 ? writeOut : writeErr,
			isatty(fd) ? () => stream.columns || 80 : undefined,
		);
	}

	show(event: PullEvent | PushEvent, now = performance.now()): void {
		if (event.kind === 'status') {
			this.#write(`${'id' in event && event.id ? `${event.id}: ` : ''}${printable(event.message)}\n`);
			this.#lines++;
			return;
		}
		const {id, state} = event;
		const label =
			state === 'Retrying' ? `Retrying in ${event.delay ?? 0} second${event.delay === 1 ? '' : 's'}` : state;
		if (!this.#columns) {
			// Many events of one state are one line.
			if (moves(state) || this.#last.get(id) === label) return;
			this.#last.set(id, label);
			this.#write(`${id}: ${label}\n`);
			return;
		}
		const moving = moves(state);
		const same = this.#last.get(id) === label;
		const complete = event.total !== undefined && event.current === event.total;
		if (moving && same && !complete && now - (this.#shownAt.get(id) ?? 0) < 100) return;
		this.#last.set(id, label);
		this.#shownAt.set(id, now);

		const bar = moving ? progress(event.current ?? 0, event.total ?? 0, this.#columns()) : '';
		const line = `${id}: ${label}${bar === '' ? ' ' : ` ${bar}`}`;
		const row = this.#rows.get(id);
		if (row === undefined) {
			this.#rows.set(id, this.#lines++);
			this.#write(`${line}\n`);
			return;
		}
		const up = this.#lines - row;
		this.#write(`\x1b[${up}A\x1b[2K\r${line}\x1b[${up}B\r`);
	}

	end(): void {
		this.#rows.clear();
		this.#lines = 0;
	}
}

const moves = (state: string): boolean => ['Downloading', 'Extracting', 'Pushing'].includes(state);

/** `[=====>      ]  1.2MB/3MB`; the bar only where there is room for it. */
export function progress(current: number, total: number, columns: number): string {
	if (current <= 0 && total <= 0) return '';
	const now = humanSize(current).padStart(8);
	if (total <= 0) return now;
	const half = Math.min(50, Math.trunc(Math.trunc((current / total) * 100) / 2));
	const bar = columns > 110 ? `[${'='.repeat(half)}>${' '.repeat(50 - half)}] ` : '';
	return `${bar}${current > total ? now : `${now}/${humanSize(total)}`}`;
}

/** What a registry sent is shown without its control characters. */
const printable = (text: string): string => text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, '\uFFFD');
