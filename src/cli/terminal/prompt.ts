import {readSync} from 'node:fs';
import type {ReadStream} from 'node:tty';
import {writeOut} from '../output.ts';

/** One line from the terminal. With `secret` nothing of it is shown, and the terminal is as before afterwards. */
export async function promptLine(question: string, options: {secret?: boolean} = {}): Promise<string> {
	writeOut(question);
	if (!options.secret) return readLine();
	const input = process.stdin as ReadStream;
	input.setRawMode(true);
	try {
		return await new Promise<string>((resolve, reject) => {
			let line = '';
			const onData = (chunk: Buffer): void => {
				for (const character of chunk.toString('utf8')) {
					if (character === '\r' || character === '\n') {
						finish(() => resolve(line));
						return;
					}
					if (character === '\x03' || (character === '\x04' && line === '')) {
						finish(() => reject(new Error('interrupted')));
						return;
					}
					line = character === '\x7f' || character === '\b' ? line.slice(0, -1) : line + character;
				}
			};
			const finish = (done: () => void): void => {
				input.off('data', onData);
				input.pause();
				done();
			};
			input.on('data', onData);
			input.resume();
		});
	} finally {
		input.setRawMode(false);
		writeOut('\n');
	}
}

/** The terminal's own editing of a line is used. */
async function readLine(): Promise<string> {
	const byte = Buffer.alloc(1);
	const bytes: number[] = [];
	for (;;) {
		try {
			if (readSync(0, byte, 0, 1, null) === 0) break;
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') break;
			await new Promise((resolve) => setTimeout(resolve, 20));
			continue;
		}
		if (byte[0] === 10) break;
		bytes.push(byte[0]!);
	}
	return Buffer.from(bytes).toString('utf8').replace(/\r$/, '');
}
