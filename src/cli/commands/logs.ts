import {CliError} from '../errors.ts';
import type {CommandAction} from '../face.ts';
import {parseTimestamp} from '../format/time.ts';
import {writeErr, writeOut} from '../output.ts';

export const logs: CommandAction = async ({flags, args}, open) => {
	const time = (name: string): bigint | undefined => {
		const text = flags.string(name);
		if (text === '') return undefined;
		try {
			return parseTimestamp(text);
		} catch {
			throw new CliError(
				`invalid value for "${name}": failed to parse value as time or duration: ${JSON.stringify(text)}`,
			);
		}
	};
	const since = time('since');
	const until = time('until');
	const tail = flags.string('tail');
	// docker takes anything that isn't a number as `all`.
	const lines = /^\+?\d+$/.test(tail) ? Number(tail) : undefined;
	const timestamps = flags.bool('timestamps');
	const details = flags.bool('details');
	const engine = await open();
	for await (const batch of engine.containers.logs(args[0]!, {
		follow: flags.bool('follow'),
		stdout: true,
		stderr: true,
		...(lines === undefined ? {} : {tail: lines}),
		...(since === undefined ? {} : {since}),
		...(until === undefined ? {} : {until}),
	})) {
		// One write for each run of lines of the same stream.
		let stream = batch[0]?.stream;
		let text = '';
		for (const entry of batch) {
			if (entry.stream !== stream) {
				(stream === 'stderr' ? writeErr : writeOut)(text);
				text = '';
				stream = entry.stream;
			}
			if (timestamps) text += `${entry.time} `;
			// Where the labels and variables of --log-opt go; there are none.
			if (details) text += ' ';
			text += entry.line;
		}
		if (text !== '') (stream === 'stderr' ? writeErr : writeOut)(text);
	}
	return 0;
};
