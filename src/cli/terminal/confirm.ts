import {readSync} from 'node:fs';
import {writeOut} from '../output.ts';

/** docker's question: only `y` or `Y` means yes; the end of the input means no. */
export async function confirm(question: string): Promise<boolean> {
	writeOut(`${question} [y/N] `);
	const byte = Buffer.alloc(1);
	let answer = '';
	for (;;) {
		try {
			if (readSync(0, byte, 0, 1, null) === 0) break;
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') break;
			await new Promise((resolve) => setTimeout(resolve, 20));
			continue;
		}
		if (byte[0] === 10) break;
		answer += byte.toString('latin1');
	}
	return answer.trim().toLowerCase() === 'y';
}
