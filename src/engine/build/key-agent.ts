/**
 * Key agents of a build: another program's behind its socket, or our own, which has keys of files in this process and
 * answers as agents do (draft-miller-ssh-agent): which keys there are, and a signature. Nothing of a key is written
 * anywhere.
 */
import {chmodSync, chownSync, closeSync, mkdtempSync, openSync} from 'node:fs';
import {connect, createServer, type Server, type Socket} from 'node:net';
import {join} from 'node:path';
import {readSshKey, type SshKey, SshReader, sshString} from './ssh-keys.ts';

/** Messages; all others fail. */
const failure = 5;
const listRequest = 11;
const listAnswer = 12;
const signRequest = 13;
const signAnswer = 14;
/** OpenSSH takes no longer ones either. */
const largestMessage = 256 << 10;

/** An answer's type and content. Pure. */
export function answerOf(keys: readonly SshKey[], message: Buffer): Buffer {
	const count = Buffer.alloc(5);
	try {
		const reader = new SshReader(message.subarray(1));
		if (message[0] === listRequest) {
			count.writeUInt8(listAnswer);
			count.writeUInt32BE(keys.length, 1);
			return Buffer.concat([
				count,
				...keys.flatMap(({blob, comment}) => [sshString(blob), sshString(comment)]),
			]);
		}
		if (message[0] === signRequest) {
			const blob = reader.string();
			const data = reader.string();
			const signature = keys.find((key) => key.blob.equals(blob))?.sign(data, reader.number());
			if (signature) return Buffer.concat([Buffer.from([signAnswer]), sshString(signature)]);
		}
	} catch (error) {
		if (!(error instanceof RangeError)) throw error;
	}
	return Buffer.from([failure]);
}

function serve(socket: Socket, keys: readonly SshKey[]): void {
	let pending = Buffer.alloc(0);
	socket.on('data', (chunk) => {
		pending = Buffer.concat([pending, chunk]);
		while (pending.length >= 4) {
			const size = pending.readUInt32BE();
			if (size === 0 || size > largestMessage) {
				socket.destroy();
				return;
			}
			if (pending.length < 4 + size) return;
			socket.write(sshString(answerOf(keys, pending.subarray(4, 4 + size))));
			pending = pending.subarray(4 + size);
		}
	});
}

function forward(socket: Socket, path: string): void {
	const other = connect(path);
	const end = (): void => {
		socket.destroy();
		other.destroy();
	};
	other.on('error', end).on('close', end);
	socket.on('close', end);
	socket.pipe(other).pipe(socket);
}

export class KeyAgents {
	readonly #scratch: string;
	/** Keys, or another agent's socket. */
	readonly #sources = new Map<string, string | readonly SshKey[]>();
	readonly #servers: Server[] = [];
	readonly #folders: number[] = [];
	readonly #sockets = new Set<Socket>();
	readonly #own = new Map<string, Promise<string>>();

	/** Reads the keys. Throws WherryError for one that can't be used. */
	constructor(given: Readonly<Record<string, string | {keys: readonly string[]}>>, scratch: string) {
		this.#scratch = scratch;
		for (const [id, source] of Object.entries(given))
			this.#sources.set(id, typeof source === 'string' ? source : source.keys.map(readSshKey));
	}

	has(id: string): boolean {
		return this.#sources.has(id);
	}

	/** A socket for programs of this host, short enough for all of them; undefined: there is no such agent. */
	async path(id: string): Promise<string | undefined> {
		const source = this.#sources.get(id);
		if (source === undefined || typeof source === 'string') return source;
		const known = this.#own.get(id) ?? this.#listen(source).then(({near}) => near);
		this.#own.set(id, known);
		return known;
	}

	/** A socket of its own for a container, which belongs to who is to use it. */
	async socketFor(id: string, owner: {uid: number; gid: number; mode: number}): Promise<string> {
		const {file} = await this.#listen(this.#sources.get(id)!);
		chownSync(file, owner.uid, owner.gid);
		chmodSync(file, owner.mode);
		return file;
	}

	async #listen(source: string | readonly SshKey[]): Promise<{file: string; near: string}> {
		const folder = mkdtempSync(join(this.#scratch, 'agent-'));
		const fd = openSync(folder, 'r');
		this.#folders.push(fd);
		// The folder's own path may be longer than a socket's address.
		const near = `/proc/${process.pid}/fd/${fd}/agent`;
		const server = createServer((socket) => {
			this.#sockets.add(socket);
			socket.on('close', () => this.#sockets.delete(socket)).on('error', () => socket.destroy());
			if (typeof source === 'string') forward(socket, source);
			else serve(socket, source);
		});
		this.#servers.push(server);
		await new Promise<void>((resolve, reject) => {
			server.on('error', reject);
			server.listen(near, resolve);
		});
		return {file: join(folder, 'agent'), near};
	}

	close(): void {
		for (const socket of this.#sockets) socket.destroy();
		for (const server of this.#servers) server.close();
		for (const fd of this.#folders) closeSync(fd);
		this.#servers.length = 0;
		this.#folders.length = 0;
	}
}
