/** What a build tells: its steps, numbered as they begin, and what they write. */
import type {BuildEvent} from '../api.ts';

/** How much of a step's last output an error shows. */
const keptLines = 20;

export class Vertex {
	readonly id: number;
	readonly name: string;
	readonly #report: (event: BuildEvent) => void;
	readonly #last: string[] = [];
	#partial = '';

	constructor(id: number, name: string, report: (event: BuildEvent) => void) {
		this.id = id;
		this.name = name;
		this.#report = report;
		report({kind: 'start', id, name});
	}

	log(stream: 'stdout' | 'stderr', text: string): void {
		const lines = (this.#partial + text).split('\n');
		this.#partial = lines.pop()!;
		this.#last.push(...lines);
		this.#last.splice(0, Math.max(0, this.#last.length - keptLines));
		this.#report({kind: 'log', id: this.id, stream, text});
	}

	/** The last lines that were written. */
	get last(): string[] {
		return this.#partial === '' ? [...this.#last] : [...this.#last, this.#partial];
	}

	note(text: string): void {
		this.#report({kind: 'note', id: this.id, text});
	}

	cached(): void {
		this.#report({kind: 'cached', id: this.id});
	}

	done(): void {
		this.#report({kind: 'done', id: this.id});
	}

	failed(message: string): void {
		this.#report({kind: 'error', id: this.id, message});
	}
}

export class Progress {
	readonly #report: (event: BuildEvent) => void;
	#next = 1;

	constructor(report: (event: BuildEvent) => void) {
		this.#report = report;
	}

	begin(name: string): Vertex {
		return new Vertex(this.#next++, name, this.#report);
	}

	/** A step that is done here and now. */
	async step<T>(name: string, work: (vertex: Vertex) => Promise<T>): Promise<T> {
		const vertex = this.begin(name);
		try {
			const result = await work(vertex);
			vertex.done();
			return result;
		} catch (error) {
			vertex.failed((error as Error).message);
			throw error;
		}
	}
}
