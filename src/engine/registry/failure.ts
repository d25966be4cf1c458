/** A registry's refusals (distribution specification, "Error Codes") in the words of docker's client. */
import {type ErrorCode, WherryError} from '../errors.ts';
import {parseChallenges} from './challenge.ts';
import type {Response} from './transport.ts';

export class RegistryFailure extends Error {
	override readonly name = 'RegistryFailure';
	readonly status: number;
	/** `MANIFEST_UNKNOWN`, ...; empty when the answer had none. */
	readonly reason: string;
	/** Seconds that the registry asks to wait. */
	readonly retryAfter: number | undefined;
	/** How often something may be asked for in so many seconds, when the registry has said it. */
	readonly rate: Rate | undefined;

	constructor(
		status: number,
		reason: string,
		message: string,
		{retryAfter, rate}: {retryAfter?: number | undefined; rate?: Rate | undefined} = {},
	) {
		super(message);
		this.status = status;
		this.reason = reason;
		this.retryAfter = retryAfter;
		this.rate = rate;
	}
}

interface Rate {
	readonly count: number;
	/** Seconds. */
	readonly window: number;
}

/** For answers without a message, and those that only a header explains. */
const messages: Readonly<Record<string, string>> = {
	UNAUTHORIZED: 'authentication required',
	DENIED: 'requested access to the resource is denied',
	MANIFEST_UNKNOWN: 'manifest unknown',
	NAME_UNKNOWN: 'repository name not known to registry',
	TOOMANYREQUESTS: 'too many requests',
};

/** What a peer wrote, fit for a terminal: no control characters, not endless. */
const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').slice(0, 500);

const words = (reason: string, message: string): string =>
	`${printable(reason.toLowerCase().replaceAll('_', ' '))}: ${printable(message)}`;

/** RFC 9110 section 10.2.3: seconds, or a date. */
function retryAfter(response: Response): number | undefined {
	const value = response.headers['retry-after'];
	if (value === undefined) return undefined;
	const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
	return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : undefined;
}

/** Docker Hub's `RateLimit-Limit: 100;w=21600` (draft-ietf-httpapi-ratelimit-headers). */
function rateOf(response: Response): Rate | undefined {
	const value = response.headers['ratelimit-limit'];
	const [, count, window] = /^(\d{1,9});w=(\d{1,9})$/.exec(typeof value === 'string' ? value : '') ?? [];
	return count === undefined ? undefined : {count: Number(count), window: Number(window)};
}

/** The failure that an answer with a status of 400 or more describes. */
export function failureOf(response: Response, body: Buffer): RegistryFailure {
	const {status} = response;
	const fail = (reason: string, message: string) =>
		new RegistryFailure(status, reason, message, {
			retryAfter: retryAfter(response),
			rate: status === 429 ? rateOf(response) : undefined,
		});
	const known = (reason: string, message?: string) =>
		fail(reason, words(reason, message || messages[reason] || reason.toLowerCase()));

	if (status === 401)
		for (const {scheme, parameters} of response.challenges.flatMap(parseChallenges)) {
			const reason = {invalid_token: 'UNAUTHORIZED', insufficient_scope: 'DENIED'}[parameters.error ?? ''];
			if (scheme === 'bearer' && reason) return known(reason);
		}
	const text = body.toString('utf8');
	let document: unknown;
	try {
		document = JSON.parse(text);
	} catch {
		if (status === 401) return known('UNAUTHORIZED');
		if (status === 429) return known('TOOMANYREQUESTS', text.trim());
		if (status >= 500)
			return fail(
				'',
				`received unexpected HTTP status: ${status} ${response.body.statusMessage ?? ''}`.trim(),
			);
		return fail(
			'',
			`error parsing HTTP ${status} response body: ${text === '' ? 'unexpected end of JSON input' : `not JSON: ${JSON.stringify(printable(text))}`}`,
		);
	}
	const {errors, details} = (document ?? {}) as {errors?: unknown; details?: unknown};
	const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
	if (typeof first === 'object' && first !== null && 'code' in first && typeof first.code === 'string')
		return known(
			first.code,
			'message' in first && typeof first.message === 'string' ? first.message : undefined,
		);
	const fallback = {401: 'UNAUTHORIZED', 403: 'DENIED', 429: 'TOOMANYREQUESTS'}[status];
	if (fallback) return known(fallback, typeof details === 'string' ? details : undefined);
	if (status >= 500)
		return fail('', `received unexpected HTTP status: ${status} ${response.body.statusMessage ?? ''}`.trim());
	return fail('', `error parsing HTTP ${status} response body: no error details found in HTTP response body`);
}

const codes: Readonly<Record<string, ErrorCode>> = {
	MANIFEST_UNKNOWN: 'not-found',
	NAME_UNKNOWN: 'not-found',
	BLOB_UNKNOWN: 'not-found',
	DENIED: 'denied',
	UNAUTHORIZED: 'denied',
};

const spans: readonly [number, string][] = [
	[86_400, 'day'],
	[3600, 'hour'],
	[60, 'minute'],
	[1, 'second'],
];

/** `6 hours`: in the largest unit of which there is a whole one, rounded up. */
function spanOf(seconds: number): string {
	const [size, unit] = spans.find(([each]) => seconds >= each) ?? [1, 'second'];
	const count = Math.max(1, Math.ceil(seconds / size));
	return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/** What somebody who has asked too often can do; `name` is familiar, and without a registry one of Docker Hub. */
function rateAdvice({rate, retryAfter: wait}: RegistryFailure, name: string): string {
	const first = name.split('/')[0]!;
	const registry = name.includes('/') && (/[.:]/.test(first) || first === 'localhost') ? first : undefined;
	const allowed = rate ? `it gives ${rate.count} pulls in ${spanOf(rate.window)}; ` : '';
	const when = wait ? `in ${spanOf(wait)}` : 'later';
	const mirror = registry === undefined ? ', or name a mirror in registry-mirrors of daemon.json' : '';
	const login = `wherry login${registry === undefined ? '' : ` ${registry}`}`;
	return ` (the registry limits how often one may pull: ${allowed}try again ${when}, log in for more with "${login}"${mirror})`;
}

/** docker's sentence for a failed pull; `name` is familiar without, `reference` with the tag or digest. */
export function describeFailure(failure: RegistryFailure, name: string, reference: string): WherryError {
	const code =
		codes[failure.reason] ??
		(failure.status === 404 ? 'not-found' : failure.status === 403 ? 'denied' : 'unavailable');
	const lead: Record<string, string> = {
		MANIFEST_UNKNOWN: `manifest for ${reference} not found: `,
		NAME_UNKNOWN: `repository ${name} not found: `,
		DENIED: `pull access denied for ${name}, repository does not exist or may require 'docker login': `,
	};
	const advice = failure.status === 429 ? rateAdvice(failure, name) : '';
	return new WherryError(code, (lead[failure.reason] ?? '') + failure.message + advice, {
		object: reference,
		cause: failure,
	});
}
