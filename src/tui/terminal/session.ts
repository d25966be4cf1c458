/** A session with a container that has the whole screen, until its process ends or the user leaves. */
import type {ReadStream, WriteStream} from 'node:tty';
import type {ExitStatus, Session} from '../../engine/api.ts';
import {native} from '../../kernel/native.ts';
import {LineInput} from '../input/line-input.ts';
import type {InputRouter} from '../input/router.ts';
import {CLEAR, scrollAway, UNDO_SESSION} from './modes.ts';

/** Node's declarations leave the descriptor out. */
export type TerminalInput = ReadStream & {fd: number};

export interface FullScreenOptions {
	session: Session;
	/** Whether the container has a terminal: its own line discipline then does all the work. */
	tty: boolean;
	/** One line, sanitised, at the top. */
	banner: string;
	/** Lines, sanitised, below it. */
	history?: readonly string[];
	router: InputRouter;
	stdin: TerminalInput;
	stdout: WriteStream;
	/** Bytes. */
	detachKeys: Uint8Array;
}

export type SessionEnd = 'detached' | ExitStatus;

/** The caller has taken Ink off the screen and puts it back afterwards. */
export async function runFullScreen(options: FullScreenOptions): Promise<SessionEnd> {
	const {session, tty, router, stdin, stdout, detachKeys} = options;
	stdout.write(`${scrollAway(stdout.rows)}\u001b[2m${options.banner}\u001b[0m\r\n`);
	for (const past of options.history ?? []) stdout.write(`${past}\r\n`);
	// Node's raw mode keeps the terminal's own newline translation, which breaks programs that move by line feed.
	if (tty && stdin.isTTY) native.rawTerminal(stdin.fd);

	const {promise: detached, resolve: onDetach} = Promise.withResolvers<'detached'>();
	const line = new LineInput();
	router.attach({
		keys: detachKeys,
		write: (bytes) => {
			if (session.stdin.destroyed || session.stdin.writableEnded) return true;
			if (tty) return session.stdin.write(bytes);
			const {send, echo, end, leave} = line.feed(bytes);
			if (echo !== '') stdout.write(echo);
			const room = send === '' || session.stdin.write(send);
			if (end) session.stdin.end();
			if (leave) onDetach('detached');
			return room;
		},
		onDetach: () => onDetach('detached'),
	});
	const onDrain = (): void => router.resume();
	const onInputError = (): void => router.resume();
	session.stdin.on('drain', onDrain);
	session.stdin.on('error', onInputError);

	const show = (chunk: Uint8Array): void => {
		if (stdout.write(chunk)) return;
		session.stdout.pause();
		session.stderr.pause();
		stdout.once('drain', () => {
			session.stdout.resume();
			session.stderr.resume();
		});
	};
	const onBroken = (): void => {};
	session.stdout.on('data', show);
	session.stderr.on('data', show);
	session.stdout.on('error', onBroken);
	session.stderr.on('error', onBroken);

	const resize = (): void => session.resize(stdout.rows, stdout.columns);
	stdout.on('resize', resize);
	if (tty) {
		// Another size first: a shell or an editor that sits there draws itself anew only when it changes.
		session.resize(stdout.rows + 1, stdout.columns);
		resize();
	}
	try {
		const end = await Promise.race([detached, session.exit]);
		if (end === 'detached') session.detach();
		return end;
	} finally {
		stdout.off('resize', resize);
		session.stdout.off('data', show);
		session.stderr.off('data', show);
		session.stdin.off('drain', onDrain);
		session.stdout.resume();
		session.stderr.resume();
		router.detach();
		stdout.write(UNDO_SESSION + CLEAR);
		// Node believes the terminal is raw already, so it has to be told twice.
		if (stdin.isTTY) {
			stdin.setRawMode(false);
			stdin.setRawMode(true);
		}
	}
}
