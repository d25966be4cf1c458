/** One line of the events journal: docker's event message as JSON, at most 4 KiB with its newline. */
import {native} from '../../kernel/native.ts';
import type {EngineEvent} from '../api.ts';

/** Longer writes to a file opened with O_APPEND are not promised to stay whole between processes. */
export const maxRecord = 4096;

const types = new Set<string>(['container', 'image', 'volume', 'network']);
const timeNanoPattern = /"timeNano":(\d{1,20})[,}]/;

/** The wall clock in nanoseconds since the epoch; finer than Date.now(), so that events keep their order. */
export const wallClock = (): bigint => native.wallClock();

function encodeOnce(event: EngineEvent): string {
	const {Type, Action, Actor, scope, time, timeNano} = event;
	// The deprecated members are what older programs read.
	const head =
		Type === 'container'
			? {status: Action, id: Actor.ID, from: Actor.Attributes.image ?? ''}
			: Type === 'image'
				? {status: Action, id: Actor.ID}
				: {};
	const text = JSON.stringify({...head, Type, Action, Actor, scope, time});
	return `${text.slice(0, -1)},"timeNano":${timeNano}}\n`;
}

/** Attributes that name the object stay longest when a record has to be cut down. */
const essential = new Set(['name', 'image', 'exitCode', 'signal', 'execID', 'oldName']);

/** A record that is too long loses its largest attributes, labels first; a long action is cut. */
export function encodeRecord(event: EngineEvent): Buffer {
	let record = Buffer.from(encodeOnce(event));
	if (record.length <= maxRecord) return record;
	const attributes = {...event.Actor.Attributes};
	const action = event.Action.length > 400 ? `${event.Action.slice(0, 400)}...` : event.Action;
	const order = Object.keys(attributes).sort(
		(a, b) =>
			Number(essential.has(a)) - Number(essential.has(b)) ||
			attributes[b]!.length + b.length - (attributes[a]!.length + a.length),
	);
	for (const key of ['', ...order]) {
		delete attributes[key];
		record = Buffer.from(
			encodeOnce({
				...event,
				Action: action,
				Actor: {ID: event.Actor.ID.slice(0, 300), Attributes: attributes},
			}),
		);
		if (record.length <= maxRecord) return record;
	}
	return record;
}

/** Undefined for a line that is no record. */
export function decodeRecord(line: string): EngineEvent | undefined {
	let value: Partial<EngineEvent> | null;
	try {
		value = JSON.parse(line) as Partial<EngineEvent> | null;
	} catch {
		return undefined;
	}
	// The number has more digits than a double; the pattern can't match inside a string, where the quotes
	// would be escaped.
	const nanos = timeNanoPattern.exec(line)?.[1];
	const actor = value?.Actor;
	if (
		typeof value !== 'object' ||
		!value ||
		nanos === undefined ||
		!types.has(String(value.Type)) ||
		typeof value.Action !== 'string' ||
		typeof actor?.ID !== 'string' ||
		typeof value.time !== 'number'
	) {
		return undefined;
	}
	const attributes: Record<string, string> = {};
	for (const [key, text] of Object.entries(actor.Attributes ?? {})) attributes[key] = String(text);
	return {
		Type: value.Type!,
		Action: value.Action,
		Actor: {ID: actor.ID, Attributes: attributes},
		scope: 'local',
		time: value.time,
		timeNano: BigInt(nanos),
	};
}
