import {parseDuration} from './duration.ts';
import {goTimeError} from './go-time.ts';

/** Times as docker reads them in --since and --until, and as it prints them. All are nanoseconds since 1970. */
const second = 1_000_000_000n;

/** What of `2006-01-02T15:04:05` is none of a time, in Go's order; Date takes February 30 for March 2. */
function outOfRange(local: string): string | undefined {
	const [year, month, day, hour, minute, second] = local.split(/[-T:]/).map(Number) as [
		...[number, number, number],
		...[number, number, number],
	];
	if (month < 1 || month > 12) return 'month';
	if (hour > 23) return 'hour';
	if (minute > 59) return 'minute';
	if (second >= 60) return 'second';
	return day < 1 || day > new Date(Date.UTC(year, month, 0)).getUTCDate() ? 'day' : undefined;
}

/** `2006-01-02T15:04:05.999999999Z07:00` in the local zone or UTC. */
export function parseRfc3339(text: string): bigint | undefined {
	const match = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?$/.exec(text);
	if (!match || outOfRange(text.slice(0, 19)) !== undefined) return undefined;
	const whole = Date.parse(`${text.slice(0, 19)}${match[8] ?? ''}`);
	if (Number.isNaN(whole)) return undefined;
	return BigInt(whole) * 1_000_000n + BigInt((match[7] ?? '').padEnd(9, '0') || '0');
}

/**
 * A time stamp as the user gives one: a duration before now (`10m`), RFC 3339 with or without its parts
 * (`2024-01-02`, `2024-01-02T15:04`, local when there is no zone), or seconds since the epoch with up to nine
 * decimals.
 */
export function parseTimestamp(text: string, now: bigint = BigInt(Date.now()) * 1_000_000n): bigint {
	try {
		// docker's `0` is the beginning of time.
		if (text !== '0') return now - parseDuration(text);
	} catch {
		// Not a duration.
	}
	const unix = /^(-?\d+)(?:\.(\d+))?$/.exec(text);
	if (unix) return BigInt(unix[1]!) * second + BigInt((unix[2] ?? '').slice(0, 9).padEnd(9, '0') || '0');
	const date = /^\d{4}-\d\d-\d\d(?:T(\d\d?)(?::(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?)?)?(Z|[+-]\d\d:\d\d)?$/.exec(
		text,
	);
	if (date) {
		const zone = date[4] ?? '';
		let local = zone === '' ? text : text.slice(0, -zone.length);
		if (date[1] === undefined) local += 'T00:00:00';
		else if (date[2] === undefined) local += ':00:00';
		else if (date[3] === undefined) local += ':00';
		// Go takes an hour of one digit.
		const value = parseRfc3339(local.replace(/T(?=\d(?!\d))/, 'T0') + zone);
		if (value !== undefined) return value;
	}
	throw new Error(
		(text.includes('-') ? goTimeError(text) : undefined) ??
			`failed to parse value as time or duration: ${JSON.stringify(text)}`,
	);
}

const two = (value: number): string => String(value).padStart(2, '0');

function zone(date: Date): string {
	const minutes = -date.getTimezoneOffset();
	const absolute = Math.abs(minutes);
	return `${minutes < 0 ? '-' : '+'}${two(Math.trunc(absolute / 60))}:${two(absolute % 60)}`;
}

/** `2006-01-02` and `15:04:05`, in the local zone. */
export const day = (date: Date): string =>
	`${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
export const clock = (date: Date): string =>
	`${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;

/** Go's RFC3339Nano with all nine digits, in the local zone: docker's events. */
export function formatRfc3339Nano(nanoseconds: bigint): string {
	const date = new Date(Number(nanoseconds / 1_000_000n));
	const offset = date.getTimezoneOffset() === 0 ? 'Z' : zone(date);
	return `${day(date)}T${clock(date)}.${String(nanoseconds % second).padStart(9, '0')}${offset}`;
}

/** The name of the local zone as Go prints it: `UTC`, `CET`, or `+0530` where it has none. */
function zoneName(date: Date): string {
	if (date.getTimezoneOffset() === 0 && new Date(2020, 6, 1).getTimezoneOffset() === 0) return 'UTC';
	const name = /\(([A-Z]{2,5})\)/.exec(date.toString())?.[1];
	return name ?? zone(date).replace(':', '');
}

/** Go's default Time.String: `2024-01-02 15:04:05 +0000 UTC`, as CreatedAt has it. */
export function formatGoTime(seconds: number): string {
	const date = new Date(seconds * 1000);
	return `${day(date)} ${clock(date)} ${zone(date).replace(':', '')} ${zoneName(date)}`;
}

/** Go's Time.String of an RFC 3339 time in its own zone: `2024-01-02 15:04:05.5 +0000 UTC`. */
export function goTimeText(time: string): string {
	const match = /^(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d+))?(?:([Zz])|([+-]\d\d):(\d\d))$/.exec(time);
	if (!match) return time;
	const [, date, clockTime, digits = '', utc, hours, minutes] = match;
	const fraction = digits.replace(/0+$/, '');
	const offset = utc ? '+0000 UTC' : `${hours}${minutes} ${hours}${minutes}`;
	return `${date} ${clockTime}${fraction === '' ? '' : `.${fraction}`} ${offset}`;
}
