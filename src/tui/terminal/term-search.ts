/** What is searched for in a terminal and all that has scrolled out of it. */
import type {IMarker} from '@xterm/headless';
import type {CellMark} from '../render/cells.ts';
import {logMatcher, type Matcher} from '../store/log-search.ts';
import type {Emulator} from './emulator.ts';

/** Rows that one match may go over, where a line was wrapped. */
const ROWS = 3;

interface Match {
	/** Among all rows that are kept. */
	row: number;
	/** Characters of the row's text and of those that it goes on in. */
	start: number;
	end: number;
}

export class TermSearch {
	readonly #emulator: Emulator;
	#text = '';
	#matcher: Matcher | undefined = () => [];
	/** It moves with its row, and is gone with it. */
	#found: {marker: IMarker; start: number} | undefined;
	#place = '';

	constructor(emulator: Emulator) {
		this.#emulator = emulator;
	}

	/** Empty: nothing is searched for. */
	get text(): string {
		return this.#text;
	}

	/** As for logs: `re:` before a regular expression. Only marks; `step` goes there. */
	set(text: string): void {
		if (text === this.#text) return;
		this.#text = text;
		this.#matcher = logMatcher(text);
		this.#forget();
	}

	/** `3/17`, as it was when one last went to a match; or why there is none. */
	get place(): string {
		return this.#matcher ? this.#place : 'is no regular expression';
	}

	/** Goes to the match before (-1) or after the last one that was found, at first from the end of what is seen. */
	step(direction: 1 | -1): boolean {
		const emulator = this.#emulator;
		const all = this.#all();
		const {row, start} = this.#foundAt ?? {row: emulator.top + emulator.rows, start: 0};
		const before = (match: Match): number => match.row - row || match.start - start;
		const next =
			direction < 0
				? all.findLastIndex((match) => before(match) < 0)
				: all.findIndex((match) => before(match) > 0);
		const match = all[next];
		if (!match) {
			if (!this.#found) this.#place = String(all.length);
			return false;
		}
		this.#forget();
		const marker = emulator.markRow(match.row);
		if (marker) this.#found = {marker, start: match.start};
		this.#place = `${next + 1}/${all.length}`;
		if (match.row < emulator.top || match.row >= emulator.top + emulator.rows)
			emulator.scrollToRow(match.row - Math.floor(emulator.rows / 2));
		return true;
	}

	/** What is to be marked of a row that is seen. */
	marks(seen: number): readonly CellMark[] {
		if (this.#text === '' || !this.#matcher) return [];
		const row = this.#emulator.top + seen;
		const columns = this.#emulator.rowColumns(row);
		const found = this.#foundAt;
		const marks: CellMark[] = [];
		// One that began in a row before may go on in this one.
		for (let first = Math.max(0, row - ROWS + 1); first <= row; first++) {
			if (first < row && !this.#goesOn(first, row)) continue;
			let offset = 0;
			for (let above = first; above < row; above++) offset += this.#emulator.rowText(above).length;
			for (const {start, end} of this.#matches(first)) {
				const from = Math.max(0, start - offset);
				const to = Math.min(columns.length - 1, end - offset);
				if (to <= from) continue;
				marks.push({
					from: columns[from]!,
					to: columns[to]!,
					found: found?.row === first && found.start === start,
				});
			}
		}
		return marks;
	}

	get #foundAt(): {row: number; start: number} | undefined {
		const found = this.#found;
		return found && found.marker.line >= 0 ? {row: found.marker.line, start: found.start} : undefined;
	}

	#forget(): void {
		this.#found?.marker.dispose();
		this.#found = undefined;
		this.#place = '';
	}

	#all(): Match[] {
		const matches: Match[] = [];
		if (this.#text === '' || !this.#matcher) return matches;
		for (let row = 0; row < this.#emulator.kept; row++) matches.push(...this.#matches(row));
		return matches;
	}

	/** Those that begin in this row. */
	#matches(row: number): Match[] {
		const own = this.#emulator.rowText(row);
		let text = own;
		for (let next = row + 1; next < row + ROWS && this.#emulator.isWrapped(next); next++)
			text += this.#emulator.rowText(next);
		return this.#matcher!(text)
			.filter(([start]) => start < own.length)
			.map(([start, end]) => ({row, start, end}));
	}

	/** Whether all rows after `first` up to `row` are of its line. */
	#goesOn(first: number, row: number): boolean {
		for (let next = first + 1; next <= row; next++) if (!this.#emulator.isWrapped(next)) return false;
		return true;
	}
}
