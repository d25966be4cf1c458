import {writeOut} from '../output.ts';

/** Up to the first line's end. Who interrupts has not said yes, and the question's line is ended. */
function answerOf(stdin: NodeJS.ReadStream): Promise<string> {
	const {promise, resolve} = Promise.withResolvers<string>();
	let text = '';
	const onData = (more: Buffer): void => {
		text += more.toString('latin1');
		if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')));
	};
	const onEnd = (): void => resolve(text);
	const onSignal = (): void => {
		writeOut('\n');
		resolve('');
	};
	const signals = ['SIGINT', 'SIGTERM'] as const;
	stdin.on('data', onData).once('end', onEnd).once('error', onEnd);
	for (const signal of signals) process.on(signal, onSignal);
	return promise.finally(() => {
		for (const signal of signals) process.off(signal, onSignal);
		stdin.off('data', onData).off('end', onEnd);
		// Nothing more is read, and nobody waits for it.
		stdin.pause();
		stdin.unref?.();
	});
}

/** docker's question: only `y` or `Y` means yes; the end of the input and an interrupt mean no. */
export async function confirm(question: string): Promise<boolean> {
	const answer = answerOf(process.stdin);
	// Whoever sees the question may interrupt it at once.
	writeOut(`${question} [y/N] `);
	return (await answer).trim().toLowerCase() === 'y';
}
