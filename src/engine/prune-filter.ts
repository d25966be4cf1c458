/** docker's filters of every prune: label, label!, until. */
import type {Filters} from './api.ts';
import {WherryError} from './errors.ts';
import {labelsMatch} from './events/filter.ts';
import {checkFilters} from './filters.ts';

const durationUnits: Readonly<Record<string, number>> = {
	ns: 1e-6,
	us: 1e-3,
	µs: 1e-3,
	ms: 1,
	s: 1000,
	m: 60_000,
	h: 3_600_000,
};

/**
 * An age (`24h`, `1h30m`), seconds since the epoch, or a date that may end early and without a zone
 * (`2024-01-02T15:04`), to milliseconds since the epoch. Throws `invalid`.
 */
export function untilTime(value: string, now: number): number {
	if (/^\d+(?:\.\d+)?$/.test(value)) return Number(value) * 1000;
	if (/^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/.test(value)) {
		let age = 0;
		for (const [, amount, unit] of value.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g))
			age += Number(amount) * durationUnits[unit!]!;
		return now - age;
	}
	const date = /^(\d{4}-\d\d-\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d(?:\.\d+)?))?)?)?(Z|[+-]\d\d:\d\d)?$/.exec(
		value,
	);
	if (date) {
		const [, day, hours = '00', minutes = '00', seconds = '00', zone = ''] = date;
		const time = Date.parse(`${day}T${hours}:${minutes}:${seconds}${zone}`);
		if (Number.isFinite(time)) return time;
	}
	throw new WherryError('invalid', `failed to parse value as time or duration: ${JSON.stringify(value)}`);
}

/** `created` is milliseconds since the epoch; undefined for what docker doesn't filter by time. */
export type PruneTest = (labels: Record<string, string> | null, created?: number) => boolean;

/** Whether something is old enough and labelled so that it goes. Throws `invalid`. */
export function pruneTest(
	filters: Filters,
	known: readonly string[] = ['label', 'label!', 'until'],
	now: number = Date.now(),
): PruneTest {
	checkFilters(filters, known);
	const [until, more] = filters.until ?? [];
	if (more !== undefined) throw new WherryError('invalid', 'more than one until filter specified');
	const limit = until === undefined ? undefined : untilTime(until, now);
	return (labels, created) => {
		if (limit !== undefined && created !== undefined && created > limit) return false;
		if (!labelsMatch(filters.label ?? [], labels ?? {})) return false;
		return !(filters['label!']?.length && labelsMatch(filters['label!'], labels ?? {}));
	};
}
