/**
 * The client's side of the monitor's socket: one connection is one request, its answer, and for start,
 * attach and exec the streams.
 */
import {type Readable, Writable} from 'node:stream';
import {
	clientFrame,
	exitFlag,
	type MonitorError,
	maxFrame,
	request as requestType,
} from '../../runtime/monitor-protocol.ts';
import type {ExitStatus, Session, StreamOptions} from '../api.ts';
import {WherryError} from '../errors.ts';
import {type ExitFrame, encodeFrame, FrameDecoder, frameHead, windowSize} from './frames.ts';
import {connectMonitor, MonitorGone, MonitorSocket} from './monitor-socket.ts';
import {SessionOutput} from './session-output.ts';

const stdinPiece = 64 << 10;

/** The monitor's answer `error`. */
export class MonitorRefusal extends Error {
	override readonly name = 'MonitorRefusal';
	readonly detail: MonitorError;

	constructor(detail: MonitorError) {
		super(detail.message);
		this.detail = detail;
	}
}

function parseRefusal(text: string): MonitorRefusal {
	try {
		const detail = JSON.parse(text) as Partial<MonitorError>;
		return new MonitorRefusal({
			...detail,
			code: detail.code === 126 || detail.code === 127 ? detail.code : 125,
			message: String(detail.message ?? 'the monitor gives no reason'),
		});
	} catch {
		return new MonitorRefusal({code: 125, message: 'the monitor gives no reason'});
	}
}

function exitStatus({code, flags}: ExitFrame): ExitStatus {
	return {
		code,
		oomKilled: (flags & exitFlag.oomKilled) !== 0,
		restarting: (flags & exitFlag.restarting) !== 0,
	};
}

/**
 * A connection with a request under way. `answer` settles with the first ok, error or exit; a session goes on
 * after it.
 */
export class MonitorConnection implements Session {
	readonly exit: Promise<ExitStatus>;
	readonly answer: Promise<{ok: string} | {exit: ExitStatus}>;
	readonly execId?: string;
	readonly #socket: MonitorSocket;
	readonly #stdout: SessionOutput;
	readonly #stderr: SessionOutput;
	readonly #wantsStdin: boolean;
	#stdin: Writable | undefined;
	readonly #answer = Promise.withResolvers<{ok: string} | {exit: ExitStatus}>();
	readonly #exit = Promise.withResolvers<ExitStatus>();
	readonly #decoder: FrameDecoder;
	#ended = false;
	/** Called when a client leaves a process that goes on. */
	onDetach: (() => void) | undefined;

	constructor(socket: MonitorSocket, wanted: StreamOptions, execId?: string) {
		this.#socket = socket;
		if (execId !== undefined) this.execId = execId;
		this.answer = this.#answer.promise;
		this.exit = this.#exit.promise;
		// Who isn't interested in one of them doesn't get it as an unhandled rejection.
		this.answer.catch(() => {});
		this.exit.catch(() => {});
		const resume = () => {
			if (!this.#stdout.behind && !this.#stderr.behind) socket.resume();
		};
		this.#stdout = new SessionOutput(resume);
		this.#stderr = new SessionOutput(resume);
		if (!wanted.stdout) this.#stdout.finish();
		if (!wanted.stderr) this.#stderr.finish();
		this.#wantsStdin = wanted.stdin ?? false;
		const outputs = {stdout: this.#stdout, stderr: this.#stderr};
		this.#decoder = new FrameDecoder({
			output: (stream, data) => {
				const output = outputs[stream];
				// The chunk's buffer is the session's own from here on: no copy.
				output.deliver(data);
				if (output.behind) socket.pause();
			},
			ok: (ok) => this.#answer.resolve({ok}),
			error: (text) => this.#finish(parseRefusal(text)),
			exit: (exit) => this.#finish(undefined, exitStatus(exit)),
		});
		socket.open({
			data: (chunk) => {
				try {
					if (!this.#ended) this.#decoder.push(chunk);
				} catch (error) {
					this.#finish(error as Error);
				}
			},
			ended: (error) =>
				this.#finish(new MonitorGone(error?.message ?? "the container's monitor has ended", {cause: error})),
		});
	}

	// The streams are made when somebody asks for them: node:stream is slow to load.
	get stdin(): Writable {
		this.#stdin ??= this.#makeStdin(this.#wantsStdin);
		return this.#stdin;
	}

	get stdout(): Readable {
		return this.#stdout.stream;
	}

	get stderr(): Readable {
		return this.#stderr.stream;
	}

	writeTo(write: (stream: 'stdout' | 'stderr', chunk: Buffer) => void): void {
		this.#stdout.writeTo((chunk) => write('stdout', chunk));
		this.#stderr.writeTo((chunk) => write('stderr', chunk));
	}

	#makeStdin(wanted: boolean): Writable {
		const socket = this.#socket;
		const stdin = new Writable({
			highWaterMark: stdinPiece,
			write: (chunk: Buffer, _, done) => {
				// A process that doesn't read any more is no error of the one who writes.
				if (this.#ended || !wanted) {
					done();
					return;
				}
				for (let at = 0; at < chunk.length; at += stdinPiece) {
					const piece = chunk.subarray(at, at + stdinPiece);
					socket.write(frameHead(clientFrame.stdin, piece.length));
					if (at + stdinPiece >= chunk.length) socket.write(piece, () => done());
					else socket.write(piece);
				}
				if (chunk.length === 0) done();
			},
			final: (done) => {
				if (!this.#ended && wanted) socket.write(encodeFrame(clientFrame.stdinEnd));
				done();
			},
		});
		// A writer that fails (its source broke) must not end the program.
		stdin.on('error', () => {});
		return stdin;
	}

	#finish(error: Error | undefined, status?: ExitStatus): void {
		if (this.#ended) return;
		this.#ended = true;
		if (status) {
			this.#answer.resolve({exit: status});
			this.#exit.resolve(status);
		} else {
			this.#answer.reject(error);
			this.#exit.reject(error);
		}
		this.#stdout.finish();
		this.#stderr.finish();
		this.#socket.destroy();
	}

	resize(rows: number, columns: number): void {
		if (!this.#ended) this.#socket.write(encodeFrame(clientFrame.resize, windowSize(rows, columns)));
	}

	detach(): void {
		if (!this.#ended) this.onDetach?.();
		this.#finish(new WherryError('cancelled', 'the session was detached'));
	}
}

function send(socket: MonitorSocket, type: number, payload: Uint8Array): void {
	if (payload.byteLength > maxFrame) {
		socket.destroy();
		throw new WherryError('invalid', 'the request to the monitor is too large');
	}
	socket.write(encodeFrame(type, payload));
}

/**
 * The session of a request that has been sent, once its command runs. Throws MonitorGone, MonitorRefusal, or
 * `corrupt`. The socket is closed when it fails.
 */
export async function followSession(
	socket: MonitorSocket,
	wanted: StreamOptions,
	execId?: string,
): Promise<{session: MonitorConnection; ok: string}> {
	const connection = new MonitorConnection(socket, wanted, execId);
	const answer = await connection.answer;
	// A process that was there and gone before we asked has its exit as the first answer.
	return {session: connection, ok: 'ok' in answer ? answer.ok : '{}'};
}

/** Sends a request that opens a session. Throws as `followSession`. */
export async function openSession(
	socket: MonitorSocket,
	type: number,
	payload: Uint8Array,
	wanted: StreamOptions,
	execId?: string,
): Promise<{session: MonitorConnection; ok: string}> {
	send(socket, type, payload);
	return await followSession(socket, wanted, execId);
}

/** One request with one answer: the ok's text, or the exit. Throws as `openSession`. */
export async function ask(
	socket: MonitorSocket,
	type: number,
	payload: Uint8Array = Buffer.alloc(0),
): Promise<{ok: string} | {exit: ExitStatus}> {
	const connection = new MonitorConnection(socket, {});
	send(socket, type, payload);
	try {
		return await connection.answer;
	} finally {
		connection.detach();
	}
}

/** A request whose effect lasts as long as its connection; resolves to what ends that. */
export async function hold(socket: MonitorSocket, type: number): Promise<() => void> {
	const connection = new MonitorConnection(socket, {});
	send(socket, type, Buffer.alloc(0));
	try {
		await connection.answer;
	} catch (error) {
		connection.detach();
		throw error;
	}
	connection.exit.catch(() => {});
	return () => connection.detach();
}

export {connectMonitor, MonitorGone, MonitorSocket, requestType};
