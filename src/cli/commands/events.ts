import type {EngineEvent} from '../../engine/api.ts';
import {CliError} from '../errors.ts';
import type {CommandAction} from '../face.ts';
import {printable} from '../format/names.ts';
import {formatRfc3339Nano, parseTimestamp} from '../format/time.ts';
import {printError, writeOut} from '../output.ts';

/** docker's line: time, type, action, id, and the attributes by name. */
export function eventLine({Type, Action, Actor, timeNano}: EngineEvent): string {
	const attributes = Object.keys(Actor.Attributes)
		.sort()
		.map((key) => `${key}=${Actor.Attributes[key]}`);
	const suffix = attributes.length > 0 ? ` (${printable(attributes.join(', '))})` : '';
	return `${formatRfc3339Nano(timeNano)} ${Type} ${Action} ${Actor.ID}${suffix}`;
}

/** docker's message of the API; the first three are what older programs read. */
const message = ({Type, Action, Actor, scope, time, timeNano}: EngineEvent) => ({
	...(Type === 'container' || Type === 'image' ? {status: Action, id: Actor.ID} : {}),
	...(Type === 'container' && Actor.Attributes.image ? {from: Actor.Attributes.image} : {}),
	Type,
	Action,
	Actor,
	scope,
	time,
	timeNano,
});

/** docker's JSON of an event, in its order of fields. */
export function eventJson(event: EngineEvent): string {
	const {timeNano, ...rest} = message(event);
	// It is more than a number of JavaScript holds.
	return `${JSON.stringify(rest).slice(0, -1)},"timeNano":${timeNano}}`;
}

/** How each event is printed. Throws what is wrong with a template before there is any event. */
async function printerOf(format: string): Promise<(event: EngineEvent) => string> {
	if (format === '') return eventLine;
	if (format === 'json' || format === '{{json .}}') return eventJson;
	const [{executeTemplate, parseTemplate}, {typedAs}] = await Promise.all([
		import('../format/value.ts'),
		import('../format/template/go-value.ts'),
		import('../format/types/system.ts'),
	]);
	try {
		const template = parseTemplate(format, wording);
		const print = (value: object) => executeTemplate(template, typedAs('*events.Message', value), {wording});
		// docker tries it on an empty message.
		print({});
		return (event) => print(message(event));
	} catch (error) {
		throw new CliError((error as Error).message, 64);
	}
}

/** A time as docker's client gives it to its server: seconds, with nine decimals unless they were given so. */
const seconds = (nanoseconds: bigint, given: string): string =>
	/^\d+(\.\d+)?$/.test(given)
		? given
		: `${nanoseconds / 1_000_000_000n}.${String(nanoseconds % 1_000_000_000n).padStart(9, '0')}`;

const wording = {parse: 'Error parsing format', execute: 'Error parsing format'};

export const events: CommandAction = async ({flags}, open) => {
	const time = (name: string): bigint | undefined => {
		const text = flags.string(name);
		if (text === '') return undefined;
		try {
			return parseTimestamp(text);
		} catch (error) {
			throw new CliError((error as Error).message);
		}
	};
	const since = time('since');
	const until = time('until');
	if (since !== undefined && until !== undefined && since > until) {
		throw new CliError(
			`Error: \`since\` time (${seconds(since, flags.string('since'))}) cannot be after \`until\` time (${seconds(until, flags.string('until'))})`,
		);
	}
	const line = await printerOf(flags.string('format'));
	const engine = await open();
	const stream = engine.events.stream({
		...(since === undefined ? {} : {since}),
		...(until === undefined ? {} : {until}),
		filters: flags.filters('filter'),
	});
	for await (const batch of stream) {
		if (!Array.isArray(batch)) printError('wherry events: some events were lost');
		else writeOut(batch.map((event) => `${line(event)}\n`).join(''));
	}
	return 0;
};
