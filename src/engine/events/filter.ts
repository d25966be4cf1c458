/** docker's filters of `events`. */
import type {EngineEvent, Filters} from '../api.ts';

/** docker's kinds of objects whose names a filter may give. */
const objects = ['config', 'container', 'daemon', 'network', 'node', 'plugin', 'secret', 'service', 'volume'];

/** Actions that carry an argument after a colon; a filter without one means all of them. */
const withArgument = ['exec_create', 'exec_start', 'health_status'];

/** Whether the labels have what each filter asks for: `key` or `key=value`. */
export function labelsMatch(filters: readonly string[], labels: Record<string, string>): boolean {
	return filters.every((filter) => {
		const split = filter.indexOf('=');
		if (split < 0) return Object.hasOwn(labels, filter);
		const key = filter.slice(0, split);
		return Object.hasOwn(labels, key) && labels[key] === filter.slice(split + 1);
	});
}

function stripTag(name: string): string {
	const digest = name.indexOf('@');
	const repository = digest < 0 ? name : name.slice(0, digest);
	const colon = repository.lastIndexOf(':');
	return colon > repository.lastIndexOf('/') ? repository.slice(0, colon) : repository;
}

/** A filter that docker doesn't know changes nothing. */
export function eventFilter(filters: Filters = {}): (event: EngineEvent) => boolean {
	const exact = (key: string, ...values: string[]) => {
		const wanted = filters[key];
		return !wanted?.length || values.some((value) => wanted.includes(value));
	};
	const prefix = (key: string, ...values: string[]) => {
		const wanted = filters[key];
		return !wanted?.length || values.some((value) => wanted.some((start) => value.startsWith(start)));
	};
	const eventMatch = filters.event?.some((name) => withArgument.includes(name)) ? prefix : exact;
	return (event) => {
		const {ID, Attributes} = event.Actor;
		const name = Attributes.name ?? '';
		const image = (event.Type === 'image' ? Attributes.name : Attributes.image) ?? '';
		return (
			eventMatch('event', event.Action) &&
			exact('type', event.Type) &&
			exact('scope', event.scope) &&
			// docker compares these with what any event is about, by the beginning of its id or its name.
			objects.every((key) => prefix(key, ID, name)) &&
			exact('image', ID, image, stripTag(ID), stripTag(image)) &&
			labelsMatch(filters.label ?? [], Attributes)
		);
	};
}
