import type {EngineEvent} from '../../engine/api.ts';
import {CliError} from '../errors.ts';
import type {CommandAction} from '../face.ts';
import {printable} from '../format/names.ts';
import {Struct} from '../format/template/go-value.ts';
import {formatRfc3339Nano, parseTimestamp} from '../format/time.ts';
import {executeTemplate, parseTemplate} from '../format/value.ts';
import {printError, writeOut} from '../output.ts';

/** docker's line: time, type, action, id, and the attributes by name. */
export function eventLine({Type, Action, Actor, timeNano}: EngineEvent): string {
	const attributes = Object.keys(Actor.Attributes)
		.sort()
		.map((key) => `${key}=${Actor.Attributes[key]}`);
	const suffix = attributes.length > 0 ? ` (${printable(attributes.join(', '))})` : '';
	return `${formatRfc3339Nano(timeNano)} ${Type} ${Action} ${Actor.ID}${suffix}`;
}

/** The fields that docker's templates have for an event; the lower-case ones are for JSON. */
function eventValue(event: EngineEvent): Struct {
	return new Struct('*events.Message', {
		...(event.Type === 'container' || event.Type === 'image'
			? {status: event.Action, id: event.Actor.ID, from: event.Actor.Attributes.image ?? ''}
			: {}),
		Type: event.Type,
		Action: event.Action,
		Actor: event.Actor,
		Scope: event.scope,
		Time: event.time,
		TimeNano: event.timeNano,
		Status: event.Action,
		ID: event.Actor.ID,
		From: event.Actor.Attributes.image ?? '',
	});
}

/** docker's JSON of an event, in its order of fields. */
export function eventJson(event: EngineEvent): string {
	const {Type, Action, Actor, scope, time, timeNano} = event;
	const old =
		Type === 'container'
			? {status: Action, id: Actor.ID, ...(Actor.Attributes.image ? {from: Actor.Attributes.image} : {})}
			: Type === 'image'
				? {status: Action, id: Actor.ID}
				: {};
	// timeNano is more than a number of JavaScript holds.
	const text = JSON.stringify({...old, Type, Action, Actor, scope, time});
	return `${text.slice(0, -1)},"timeNano":${timeNano}}`;
}

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
	const format = flags.string('format');
	let line = eventLine;
	if (format === 'json' || format === '{{json .}}') line = eventJson;
	else if (format !== '') {
		let template: ReturnType<typeof parseTemplate>;
		try {
			template = parseTemplate(format, wording);
		} catch (error) {
			throw new CliError(
				(error as Error).message.replace('template parsing error', 'Error parsing format'),
				64,
			);
		}
		line = (event) => executeTemplate(template, eventValue(event), {wording});
	}
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
