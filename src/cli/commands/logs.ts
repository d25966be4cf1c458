import type {LogEntry, LogText} from '../../engine/api.ts';
import {CliError} from '../errors.ts';
import type {CommandAction} from '../face.ts';
import {parseTimestamp} from '../format/time.ts';
import {writeErr, writeOut} from '../output.ts';

/** Go's url.QueryEscape. */
const queryEscape = (text: string): string =>
	encodeURIComponent(text.toWellFormed())
		.replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`)
		.replaceAll('%20', '+');

/** `a=b,c=d`, sorted by name. */
function details({attrs}: LogEntry): string {
	if (!attrs) return '';
	return Object.keys(attrs)
		.sort()
		.map((key) => `${queryEscape(key)}=${queryEscape(attrs[key]!)}`)
		.join(',');
}

export const logs: CommandAction = async ({flags, args}, open) => {
	const time = (name: string): bigint | undefined => {
		const text = flags.string(name);
		if (text === '') return undefined;
		try {
			return parseTimestamp(text);
		} catch (error) {
			throw new CliError(`invalid value for "${name}": ${(error as Error).message}`);
		}
	};
	const since = time('since');
	const until = time('until') || undefined;
	const tail = flags.string('tail');
	// docker takes anything that isn't a number as `all`.
	const lines = /^\+?\d+$/.test(tail) ? Number(tail) : undefined;
	const timestamps = flags.bool('timestamps');
	const options = {
		follow: flags.bool('follow'),
		...(lines === undefined ? {} : {tail: lines}),
		...(since === undefined ? {} : {since}),
		...(until === undefined ? {} : {until}),
	};
	const {containers} = await open();
	const write = (texts: readonly LogText[]): void => {
		for (const {stream, data} of texts) (stream === 'stderr' ? writeErr : writeOut)(data);
	};
	if (flags.bool('details')) {
		const {joinEntries} = await import('../../engine/containers/log-text.ts');
		const head = (entry: LogEntry): string => `${timestamps ? `${entry.time} ` : ''}${details(entry)} `;
		for await (const batch of containers.logs(args[0]!, options)) write(joinEntries(batch, head));
	} else {
		for await (const texts of containers.logText(args[0]!, {...options, timestamps})) write(texts);
	}
	return 0;
};
