/** A session with nobody behind it: what a test writes is its output, what is typed is kept. */
import {PassThrough, Writable} from 'node:stream';
import type {ExitStatus, Session} from '../../src/engine/api.ts';

export class FakeSession {
	readonly stdout = new PassThrough({highWaterMark: 64 * 1024});
	readonly stderr = new PassThrough();
	/** All that was written to its input. */
	input = '';
	/** `resize ROWS COLUMNS` and `detach`. */
	readonly calls: string[] = [];
	/** Whether its input is read. */
	reads = true;
	#end!: (status: ExitStatus) => void;
	readonly session: Session;

	constructor() {
		const stdin = new Writable({
			decodeStrings: true,
			write: (chunk: Buffer, _encoding, done) => {
				if (!this.reads) return;
				this.input += chunk.toString('latin1');
				done();
			},
		});
		const exit = new Promise<ExitStatus>((resolve) => {
			this.#end = resolve;
		});
		this.session = {
			stdin,
			stdout: this.stdout,
			stderr: this.stderr,
			writeTo: () => {},
			resize: (rows, columns) => void this.calls.push(`resize ${rows} ${columns}`),
			exit,
			detach: () => void this.calls.push('detach'),
		};
	}

	write(text: string): void {
		this.stdout.write(text);
	}

	end(code = 0): void {
		this.#end({code, oomKilled: false, restarting: false});
	}
}
