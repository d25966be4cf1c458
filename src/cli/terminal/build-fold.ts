import type {BuildEvent} from '../../engine/api.ts';
import {writeErr} from '../output.ts';
import {apply, type FrameLine, frameOf, newBuildState} from './build-frame.ts';

const colours: Readonly<Record<FrameLine['kind'], string>> = {
	head: '',
	running: '',
	done: '\x1b[34m',
	error: '\x1b[31m',
	log: '\x1b[2m',
};

/** Milliseconds between two frames. */
const pace = 100;

/** BuildKit's display on a terminal: one line for each step in place, and under those that run what they write. */
export class FoldingDisplay {
	readonly #state = newBuildState(performance.now());
	readonly #colour = !process.env.NO_COLOR;
	readonly #timer: NodeJS.Timeout;
	#height = 0;
	#isOver = false;

	constructor() {
		this.#timer = setInterval(() => this.#draw(), pace);
		this.#timer.unref();
	}

	show(event: BuildEvent): void {
		apply(this.#state, event, performance.now());
	}

	#draw(): void {
		const {columns = 80, rows = 24} = process.stderr;
		const lines = frameOf(this.#state, performance.now(), {columns, rows}, this.#isOver);
		const text = lines.map(({text: line, kind}) =>
			this.#colour && colours[kind] ? `${colours[kind]}${line}\x1b[0m` : line,
		);
		// Back to the head of the last frame, and what is left of it goes.
		const back = this.#height > 0 ? `\x1b[${this.#height}A` : '';
		writeErr(`${back}\r\x1b[J${text.join('\n')}\n`);
		this.#height = lines.length;
	}

	end(): void {
		if (this.#isOver) return;
		this.#isOver = true;
		clearInterval(this.#timer);
		this.#draw();
		const {warnings} = this.#state;
		if (warnings.length === 0) return;
		const lines = warnings.map(({rule, message, line}) => ` - ${rule}: ${message} (line ${line})\n`);
		writeErr(`\n ${warnings.length} warning${warnings.length === 1 ? '' : 's'} found:\n${lines.join('')}`);
	}
}
