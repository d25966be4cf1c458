/**
 * The state outside React. What the user does is published at once; what the world does is collected and
 * published ten times a second at most, and only when something changed.
 */
import {useSyncExternalStore} from 'react';
import type {State} from './state.ts';

/** Milliseconds between publications of what wasn't the user's doing. */
const INTERVAL = 100;

export class Store {
	#state: State;
	#published: State;
	readonly #listeners = new Set<() => void>();
	#timer: NodeJS.Timeout | undefined;
	#last = 0;
	readonly #settle: (state: State) => State;

	/** `settle` puts right what follows from the rest, after every change: it gives back what it got if nothing. */
	constructor(state: State, settle: (state: State) => State = (same) => same) {
		this.#state = state;
		this.#published = state;
		this.#settle = settle;
	}

	/** The newest state, published or not: for commands. */
	get state(): State {
		return this.#state;
	}

	/** The user did something. */
	update(change: (state: State) => State): void {
		this.#state = this.#settle(change(this.#state));
		this.#publish();
	}

	/** The world did something; seen within a tenth of a second. */
	observe(change: (state: State) => State): void {
		const next = this.#settle(change(this.#state));
		if (next === this.#state) return;
		this.#state = next;
		if (this.#timer) return;
		const wait = Math.max(0, this.#last + INTERVAL - performance.now());
		this.#timer = setTimeout(() => this.#publish(), wait);
	}

	readonly subscribe = (listener: () => void): (() => void) => {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	};

	/** What the screen shows. */
	readonly snapshot = (): State => this.#published;

	close(): void {
		clearTimeout(this.#timer);
		this.#listeners.clear();
	}

	#publish(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		this.#last = performance.now();
		if (this.#published === this.#state) return;
		this.#published = this.#state;
		for (const listener of this.#listeners) listener();
	}
}

/** A slice of the published state; the component is drawn again when the slice is another value. */
export function useSlice<T>(store: Store, select: (state: State) => T): T {
	const read = () => select(store.snapshot());
	return useSyncExternalStore(store.subscribe, read, read);
}
