/**
 * The client's side of the monitor's socket: one connection is one request, its answer, and for start,
 * attach and exec the streams.
 */
import {closeSync, constants, openSync} from 'node:fs';
import {connect, Socket} from 'node:net';
import {basename, dirname} from 'node:path';
import {Readable, Writable} from 'node:stream';
import {
	clientFrame,
	exitFlag,
	type MonitorError,
	maxFrame,
	request as requestType,
} from '../../runtime/monitor-protocol.ts';
import type {ExitStatus, Session, StreamOptions} from '../api.ts';
import {isErrno, WherryError} from '../errors.ts';
import {type ExitFrame, encodeFrame, FrameDecoder, frameHead, windowSize} from './frames.ts';

/** sockaddr_un.sun_path with its final NUL. */
const maxSocketPath = 107;
/** Output that is held for a reader before the socket is no longer read. */
const outputBuffer = 1 << 20;
const stdinPiece = 64 << 10;

/** The monitor can't be reached: it has ended, or it has never been. */
export class MonitorGone extends Error {
	override readonly name = 'MonitorGone';
}

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

/** Rejects with MonitorGone when nobody listens there. */
export function connectMonitor(path: string): Promise<Socket> {
	return new Promise((resolve, reject) => {
		let folder: number | undefined;
		let address = path;
		const fail = (error: unknown) => {
			if (folder !== undefined) closeSync(folder);
			const gone = isErrno(error, 'ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOTDIR');
			reject(gone ? new MonitorGone(`nobody listens on ${path}`, {cause: error}) : error);
		};
		try {
			if (Buffer.byteLength(path) > maxSocketPath) {
				folder = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
				address = `/proc/self/fd/${folder}/${basename(path)}`;
			}
			const socket = connect(address);
			socket.once('error', fail);
			socket.once('connect', () => {
				socket.off('error', fail);
				if (folder !== undefined) closeSync(folder);
				resolve(socket);
			});
		} catch (error) {
			fail(error);
		}
	});
}

/** The other end of a socket pair, from the addon. */
export function socketFromDescriptor(fd: number): Socket {
	return new Socket({fd, readable: true, writable: true});
}

function exitStatus({code, flags}: ExitFrame): ExitStatus {
	return {
		code,
		oomKilled: (flags & exitFlag.oomKilled) !== 0,
		restarting: (flags & exitFlag.restarting) !== 0,
	};
}

/** One direction of output, which stops the socket while its reader is behind. */
class Output extends Readable {
	#resume: () => void;
	behind = false;

	constructor(resume: () => void) {
		super({highWaterMark: outputBuffer});
		this.#resume = resume;
	}

	override _read(): void {
		if (!this.behind) return;
		this.behind = false;
		this.#resume();
	}

	deliver(data: Buffer): void {
		if (!this.destroyed && !this.readableEnded && !this.push(data)) this.behind = true;
	}

	finish(): void {
		this.behind = false;
		if (!this.destroyed) this.push(null);
	}
}

/**
 * A connection with a request under way. `answer` settles with the first ok, error or exit; a session goes on
 * after it.
 */
class MonitorConnection implements Session {
	readonly stdin: Writable;
	readonly stdout: Output;
	readonly stderr: Output;
	readonly exit: Promise<ExitStatus>;
	readonly answer: Promise<{ok: string} | {exit: ExitStatus}>;
	readonly execId?: string;
	readonly #socket: Socket;
	readonly #answer = Promise.withResolvers<{ok: string} | {exit: ExitStatus}>();
	readonly #exit = Promise.withResolvers<ExitStatus>();
	readonly #decoder: FrameDecoder;
	#ended = false;

	constructor(socket: Socket, wanted: StreamOptions, execId?: string) {
		this.#socket = socket;
		if (execId !== undefined) this.execId = execId;
		this.answer = this.#answer.promise;
		this.exit = this.#exit.promise;
		// Who isn't interested in one of them doesn't get it as an unhandled rejection.
		this.answer.catch(() => {});
		this.exit.catch(() => {});
		const resume = () => {
			if (!this.stdout.behind && !this.stderr.behind) socket.resume();
		};
		this.stdout = new Output(resume);
		this.stderr = new Output(resume);
		if (!wanted.stdout) this.stdout.finish();
		if (!wanted.stderr) this.stderr.finish();
		this.stdin = this.#makeStdin(wanted.stdin ?? false);
		this.#decoder = new FrameDecoder({
			output: (stream, data) => {
				const output = this[stream];
				// The chunk's buffer is the socket's own from here on: no copy.
				output.deliver(data);
				if (output.behind) socket.pause();
			},
			ok: (ok) => this.#answer.resolve({ok}),
			error: (text) => this.#finish(parseRefusal(text)),
			exit: (exit) => this.#finish(undefined, exitStatus(exit)),
		});
		socket.on('data', (chunk) => {
			try {
				if (!this.#ended) this.#decoder.push(chunk as Buffer);
			} catch (error) {
				this.#finish(error as Error);
			}
		});
		socket.on('error', (error) => this.#finish(new MonitorGone(error.message, {cause: error})));
		socket.on('close', () => this.#finish(new MonitorGone("the container's monitor has ended")));
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
				socket.cork();
				for (let at = 0; at < chunk.length; at += stdinPiece) {
					const piece = chunk.subarray(at, at + stdinPiece);
					socket.write(frameHead(clientFrame.stdin, piece.length));
					if (at + stdinPiece >= chunk.length) socket.write(piece, () => done());
					else socket.write(piece);
				}
				socket.uncork();
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
		this.stdout.finish();
		this.stderr.finish();
		this.#socket.destroy();
	}

	resize(rows: number, columns: number): void {
		if (!this.#ended) this.#socket.write(encodeFrame(clientFrame.resize, windowSize(rows, columns)));
	}

	detach(): void {
		this.#finish(new WherryError('cancelled', 'the session was detached'));
	}
}

function send(socket: Socket, type: number, payload: Uint8Array): void {
	if (payload.byteLength > maxFrame) {
		socket.destroy();
		throw new WherryError('invalid', 'the request to the monitor is too large');
	}
	socket.write(encodeFrame(type, payload));
}

/**
 * Sends a request that opens a session, and waits until the command runs. Throws MonitorGone, MonitorRefusal,
 * or `corrupt`. The socket is closed when it fails.
 */
export async function openSession(
	socket: Socket,
	type: number,
	payload: Uint8Array,
	wanted: StreamOptions,
	execId?: string,
): Promise<{session: Session; ok: string}> {
	const connection = new MonitorConnection(socket, wanted, execId);
	send(socket, type, payload);
	const answer = await connection.answer;
	// A process that was there and gone before we asked has its exit as the first answer.
	return {session: connection, ok: 'ok' in answer ? answer.ok : '{}'};
}

/** One request with one answer: the ok's text, or the exit. Throws as `openSession`. */
export async function ask(
	socket: Socket,
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

export {requestType};
