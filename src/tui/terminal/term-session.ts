/**
 * A session with a container, its emulated terminal, and how both are fed: output is read only as fast as the
 * emulator takes it, and who draws it is told at most thirty times a second.
 */
import type {Terminal} from '@xterm/headless';
import type {ExitStatus, Session} from '../../engine/api.ts';
import {LineInput} from '../input/line-input.ts';
import {sanitize} from '../text/sanitize.ts';
import {Emulator} from './emulator.ts';
import {TermSearch} from './term-search.ts';

/** Bytes that the emulator hasn't read yet, at which reading stops, and at which it goes on. */
const HIGH_WATER = 128 * 1024;
const LOW_WATER = 16 * 1024;
/** Milliseconds between two pictures. */
const FRAME = 33;
/** Milliseconds that a program may take for a drawing that it asked not to be seen half. */
const DRAWING = 150;
/** Bytes typed or pasted that the program hasn't read; what is beyond is lost. */
const INPUT_LIMIT = 1 << 20;
/** The same for answers to its own questions. */
const REPLY_LIMIT = 1 << 16;

export interface TermSessionOptions {
	session: Session;
	/** Whether the container has a terminal: its own line discipline then does all the work. */
	tty: boolean;
	columns: number;
	rows: number;
	/** Lines, sanitised, from before. */
	history: readonly string[];
	onEnd(end: ExitStatus | undefined): void;
	/** The user left a container without a terminal with Ctrl+C. */
	onLeave(): void;
}

export class TermSession {
	readonly #options: TermSessionOptions;
	readonly #session: Session;
	readonly emulator: Emulator;
	readonly search: TermSearch;
	/** What the program calls its window. */
	title = '';
	readonly #line: LineInput | undefined;
	readonly #listeners = new Set<() => void>();
	#unread = 0;
	#paused = false;
	#version = 0;
	#dirty = false;
	#lastFrame = 0;
	#drawingSince: number | undefined;
	#timer: NodeJS.Timeout | undefined;
	#over = false;

	constructor(Xterm: typeof Terminal, options: TermSessionOptions) {
		this.#options = options;
		const {session, tty, columns, rows, history} = options;
		this.#session = session;
		this.#line = tty ? undefined : new LineInput();
		this.emulator = new Emulator(Xterm, {
			columns,
			rows,
			convertEol: !tty,
			onReply: (data) => this.#reply(data),
			onTitle: (title) => {
				this.title = sanitize(title);
			},
		});
		this.search = new TermSearch(this.emulator);
		if (history.length > 0) this.#write(history.map((line) => `${line}\r\n`).join(''));
		session.stdout.on('data', this.#onOutput);
		session.stderr.on('data', this.#onOutput);
		for (const stream of [session.stdin, session.stdout, session.stderr]) stream.on('error', () => {});
		if (tty) {
			// Another size first: a shell or an editor that sits there draws itself anew only when it changes.
			session.resize(rows + 1, columns);
			session.resize(rows, columns);
		}
		session.exit.then(
			(status) => this.#end(status),
			() => this.#end(undefined),
		);
	}

	/** Changes with each picture. */
	readonly version = (): number => this.#version;

	readonly subscribe = (listener: () => void): (() => void) => {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	};

	get over(): boolean {
		return this.#over;
	}

	/** What the user typed. False: the program reads nothing, and this is lost. */
	type(bytes: Uint8Array): boolean {
		const {stdin} = this.#session;
		if (this.#over || stdin.destroyed || stdin.writableEnded) return true;
		if (this.emulator.below > 0) {
			this.emulator.scrollToEnd();
			this.#changed();
		}
		if (stdin.writableLength + bytes.length > INPUT_LIMIT) return false;
		if (!this.#line) {
			stdin.write(bytes);
			return true;
		}
		const {send, echo, end, leave} = this.#line.feed(bytes);
		if (echo !== '') this.#write(echo);
		if (send !== '') stdin.write(send);
		if (end) stdin.end();
		if (leave) this.#options.onLeave();
		return true;
	}

	resize(columns: number, rows: number): void {
		const {emulator} = this;
		if (emulator.columns === columns && emulator.rows === rows) return;
		emulator.resize(columns, rows);
		if (!this.#over && this.#options.tty) this.#session.resize(rows, columns);
		this.#changed();
	}

	/** Negative is back; not finite is to one of the ends. */
	scroll(lines: number): void {
		if (lines === Number.NEGATIVE_INFINITY) this.emulator.scrollToTop();
		else if (lines === Number.POSITIVE_INFINITY) this.emulator.scrollToEnd();
		else this.emulator.scroll(lines);
		this.#changed();
	}

	/** Marks what is searched for, or nothing. */
	searchFor(text: string): void {
		this.search.set(text);
		this.#changed();
	}

	/** To the match before or after; false: there is none. */
	findNext(direction: 1 | -1): boolean {
		const there = this.search.step(direction);
		this.#changed();
		return there;
	}

	/** Leaves the container alone; what runs in it goes on. */
	close(): void {
		if (!this.#over) this.#session.detach();
		this.#over = true;
		clearTimeout(this.#timer);
		const {stdout, stderr} = this.#session;
		stdout.off('data', this.#onOutput);
		stderr.off('data', this.#onOutput);
		stdout.resume();
		stderr.resume();
		this.#listeners.clear();
		this.emulator.close();
	}

	readonly #onOutput = (chunk: Uint8Array): void => this.#write(chunk);

	#write(chunk: Uint8Array | string): void {
		const {length} = chunk;
		this.#unread += length;
		if (this.#unread > HIGH_WATER && !this.#paused) {
			this.#paused = true;
			this.#session.stdout.pause();
			this.#session.stderr.pause();
		}
		this.emulator.write(chunk, () => {
			this.#unread -= length;
			if (this.#paused && this.#unread < LOW_WATER) {
				this.#paused = false;
				this.#session.stdout.resume();
				this.#session.stderr.resume();
			}
			this.#changed();
		});
	}

	#reply(data: string): void {
		const {stdin} = this.#session;
		if (this.#over || stdin.destroyed || stdin.writableEnded || stdin.writableLength > REPLY_LIMIT) return;
		stdin.write(data);
	}

	#end(status: ExitStatus | undefined): void {
		if (this.#over) return;
		// What it wrote last is still to be read.
		this.emulator.write('', () => {
			if (this.#over) return;
			this.#over = true;
			this.#changed();
			this.#options.onEnd(status);
		});
	}

	/** A picture at once, or when the last one is old enough. */
	#changed(): void {
		this.#dirty = true;
		if (this.#timer || this.#listeners.size === 0) return;
		const wait = Math.max(0, this.#lastFrame + FRAME - performance.now());
		this.#timer = setTimeout(this.#picture, wait);
	}

	readonly #picture = (): void => {
		this.#timer = undefined;
		if (!this.#dirty) return;
		const now = performance.now();
		if (this.emulator.drawing && !this.#over) {
			this.#drawingSince ??= now;
			if (now - this.#drawingSince < DRAWING) {
				this.#timer = setTimeout(this.#picture, FRAME);
				return;
			}
		}
		this.#drawingSince = undefined;
		this.#dirty = false;
		this.#lastFrame = now;
		this.#version++;
		for (const listener of this.#listeners) listener();
	};
}
