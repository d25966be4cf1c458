/**
 * One repository of one registry: the OCI distribution specification 1.1, its pulling half; upload.ts has the other.
 * Digests are the caller's to verify for blobs, which stream; documents are verified here.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import {isErrno, WherryError} from '../errors.ts';
import {isTag} from '../images/reference.ts';
import {sha256} from '../store/digest.ts';
import {
	checkStrings,
	type Index,
	indexTypes,
	largestManifest,
	type Manifest,
	manifestTypes,
	parseManifest,
} from '../store/manifest.ts';
import {Authorization} from './authorization.ts';
import type {CredentialSource} from './credentials.ts';
import {failureOf, RegistryFailure} from './failure.ts';
import {isLoopback, registryHost} from './host.ts';
import {isInsecure} from './settings.ts';
import type {RequestInit, Response, Transport} from './transport.ts';

export interface Document {
	readonly bytes: Buffer;
	readonly digest: string;
	readonly manifest: Manifest | Index;
}

export interface BlobRequest {
	readonly digest: string;
	/** Bytes, as the manifest says. */
	readonly size: number;
	/** The first byte wanted. */
	readonly offset?: number;
	readonly signal?: AbortSignal | undefined;
	/** Before a retry: seconds until it. */
	readonly onRetry?: (seconds: number) => void;
}

const accept = [...manifestTypes, ...indexTypes].join(', ');
const largestError = 64 << 10;
/** Attempts that bring nothing before a transfer is given up. */
const attempts = 5;
const longestRetryAfter = 60;
const mostPages = 1000;
const mostTags = 10_000;

interface Endpoint {
	readonly base: URL;
	readonly insecure: boolean;
	/** The host's settings name it among the insecure ones: it gets its password without TLS, too. */
	readonly lax: boolean;
}

/** One request of a repository. */
export interface RepositoryRequest {
	/** Below the repository, or an absolute URL that the registry has given. */
	readonly target: string | URL;
	readonly method?: RequestInit['method'];
	readonly headers?: Record<string, string>;
	readonly body?: RequestInit['body'];
	readonly signal?: AbortSignal | undefined;
	/** Statuses besides 200 to 299 that are an answer and no failure. */
	readonly statuses?: readonly number[];
	/** Repositories that must be read besides this one. */
	readonly sources?: readonly string[];
}

export class Repository {
	readonly #transport: Transport;
	readonly #authorization: Authorization;
	readonly #domain: string;
	readonly #path: string;
	readonly #actions: string;
	readonly #mirror: URL | undefined;
	#endpoint: Promise<Endpoint> | undefined;

	/** `domain` and `path` of a reference. `mirror` is asked in place of the domain, which it has the names of. */
	constructor(
		transport: Transport,
		domain: string,
		path: string,
		credentials: CredentialSource,
		options: {access?: 'pull' | 'pull,push'; mirror?: URL} = {},
	) {
		this.#transport = transport;
		this.#domain = domain;
		this.#path = path;
		this.#actions = options.access ?? 'pull';
		this.#mirror = options.mirror;
		// A mirror is somebody else: it gets no password for the registry that it mirrors.
		this.#authorization = new Authorization(transport, options.mirror?.host ?? domain, credentials);
	}

	/** Finds the registry, and asks for nothing. Throws `unavailable` when there is none. */
	async connect(signal?: AbortSignal): Promise<void> {
		await this.#connect(signal);
	}

	/** All tags, as the registry orders them. What is none by the specification's rules is left out. */
	async tags(signal?: AbortSignal): Promise<string[]> {
		const tags = new Set<string>();
		let target: string | URL = 'tags/list';
		for (let page = 0; page < mostPages; page++) {
			const response = await this.send({target, signal});
			const bytes = await this.#transport.read(response, largestManifest);
			checkStrings(bytes, 'list of tags');
			let listed: unknown;
			try {
				listed = JSON.parse(bytes.toString('utf8')).tags;
			} catch (cause) {
				throw new WherryError('unavailable', 'the registry sent a list of tags that is not valid JSON', {
					cause,
				});
			}
			for (const tag of Array.isArray(listed) ? listed : [])
				if (typeof tag === 'string' && isTag(tag)) tags.add(tag);
			if (tags.size > mostTags)
				throw new WherryError('unsupported', `the repository has more than ${mostTags} tags`);
			// RFC 5988, as the distribution specification pages its lists.
			const link = /<([^>]+)>;\s*rel="?next"?/.exec(String(response.headers.link ?? ''))?.[1];
			const next = link && URL.canParse(link, response.url.href) ? new URL(link, response.url) : undefined;
			if (!next || next.origin !== response.url.origin) break;
			target = next;
		}
		return [...tags];
	}

	/**
	 * By tag or digest. Throws RegistryFailure, or WherryError `corrupt` when it isn't what its digest says.
	 * `anyContent`: see parseManifest.
	 */
	async manifest(
		tagOrDigest: string,
		signal?: AbortSignal,
		options: {anyContent?: boolean} = {},
	): Promise<Document> {
		const response = await this.#get(`manifests/${tagOrDigest}`, {accept}, signal);
		const bytes = await this.#transport.read(response, largestManifest);
		const digest = sha256(bytes);
		const expected = tagOrDigest.includes(':') ? tagOrDigest : undefined;
		if (expected !== undefined && expected !== digest)
			throw new WherryError('corrupt', `manifest verification failed for digest ${expected}`, {
				object: expected,
			});
		return {bytes, digest, manifest: parseManifest(bytes, response.headers['content-type'], options)};
	}

	/** A small blob as a whole, verified. */
	async blob(request: BlobRequest): Promise<Buffer> {
		const chunks: Buffer[] = [];
		for await (const chunk of this.stream(request)) chunks.push(chunk);
		const bytes = Buffer.concat(chunks);
		if (sha256(bytes) !== request.digest)
			throw new WherryError('corrupt', `filesystem layer verification failed for digest ${request.digest}`, {
				object: request.digest,
			});
		return bytes;
	}

	/**
	 * The bytes of a blob from `offset` to its size, not verified. A transfer that breaks off or stalls is
	 * continued where it was (RFC 9110 section 14), up to five times in a row without a byte.
	 */
	async *stream(request: BlobRequest): AsyncGenerator<Buffer> {
		const {digest, size, signal} = request;
		let at = request.offset ?? 0;
		for (let failed = 0; at < size; ) {
			const before = at;
			try {
				const headers: Record<string, string> = at > 0 ? {range: `bytes=${at}-${size - 1}`} : {};
				const response = await this.#get(`blobs/${digest}`, headers, signal, false);
				for await (const chunk of this.#body(response, at)) {
					if (at + chunk.length > size)
						throw new WherryError('corrupt', `blob ${digest} is larger than its manifest says`, {
							object: digest,
						});
					at += chunk.length;
					yield chunk;
				}
				if (at < size)
					throw new WherryError(
						'unavailable',
						`blob ${digest} ends after ${at} of ${size} bytes: unexpected EOF`,
						{
							object: digest,
						},
					);
			} catch (error) {
				if (signal?.aborted) throw cancelled(error);
				failed = at > before ? 1 : failed + 1;
				if (failed >= attempts || !isTransient(error)) throw error;
				await this.#pause(failed, error, signal, request.onRetry);
			}
		}
	}

	/** The body from `offset`, whatever part of the blob the server has sent. */
	async *#body(response: Response, offset: number): AsyncGenerator<Buffer> {
		let skip = offset;
		if (response.status === 206) {
			const start = /^bytes (\d+)-/.exec(response.headers['content-range'] ?? '')?.[1];
			skip = offset - Number(start ?? offset);
			if (skip < 0 || Number.isNaN(skip))
				throw new WherryError('unavailable', 'the registry sent another range than it was asked for');
		}
		const {body} = response;
		// Time that the reader takes is not the peer's.
		let waiting = true;
		const timer = setTimeout(() => {
			if (waiting) body.destroy(Object.assign(new Error('the transfer has stalled'), {code: 'ESTALLED'}));
			else timer.refresh();
		}, this.#transport.stallTimeout);
		try {
			for await (const chunk of body as AsyncIterable<Buffer>) {
				waiting = false;
				if (skip < chunk.length) yield skip > 0 ? chunk.subarray(skip) : chunk;
				skip = Math.max(0, skip - chunk.length);
				waiting = true;
				timer.refresh();
			}
		} catch (cause) {
			const said = (cause as Error).message === 'aborted' ? 'unexpected EOF' : (cause as Error).message;
			throw new WherryError('unavailable', `read ${response.url.origin}: ${said}`, {
				object: this.#domain,
				cause,
			});
		} finally {
			clearTimeout(timer);
			body.destroy();
		}
	}

	async #pause(
		failed: number,
		error: unknown,
		signal: AbortSignal | undefined,
		onRetry?: (seconds: number) => void,
	) {
		const asked = error instanceof RegistryFailure ? error.retryAfter : undefined;
		const delay =
			asked === undefined
				? this.#transport.retryDelay * 2 ** (failed - 1)
				: Math.min(asked, longestRetryAfter) * 1000;
		onRetry?.(Math.ceil(delay / 1000));
		try {
			await sleep(delay, undefined, signal ? {signal} : {});
		} catch (aborted) {
			throw cancelled(aborted);
		}
	}

	/** An answer with status 200 or 206. Documents are asked for again when the server has a bad moment. */
	async #get(
		path: string,
		headers: Record<string, string>,
		signal?: AbortSignal,
		retry = true,
	): Promise<Response> {
		for (let failed = 1; ; failed++)
			try {
				return await this.#getOnce(path, headers, signal);
			} catch (error) {
				if (!retry || failed >= attempts || !isTransient(error) || signal?.aborted) throw error;
				// Who has no network is told so at once.
				if (this.#endpoint === undefined && isUnreached(error)) throw error;
				// A limit that has been reached isn't lifted within seconds.
				if (error instanceof RegistryFailure && error.status === 429) throw error;
				await this.#pause(failed, error, signal);
			}
	}

	#getOnce(path: string, headers: Record<string, string>, signal?: AbortSignal): Promise<Response> {
		return this.send({target: path, headers, signal});
	}

	/** An answer of the registry. Throws RegistryFailure. The body must be read to its end or destroyed. */
	async send(request: RepositoryRequest): Promise<Response> {
		const {method, body: content, signal, headers, sources = []} = request;
		const {base, insecure, lax} = await this.#connect(signal);
		const url =
			typeof request.target === 'string' ? new URL(`${this.#path}/${request.target}`, base) : request.target;
		const scopes = [
			`repository:${this.#path}:${this.#actions}`,
			...sources.map((path) => `repository:${path}:pull`),
		];
		for (let fresh = false; ; fresh = true) {
			// An upload's place may be on another host, which signs its URLs and gets no password of ours.
			const authorization =
				url.origin === base.origin
					? await this.#header(base, url, scopes.join(' '), {fresh, lax, signal})
					: undefined;
			const response = await this.#transport.request(url, {
				headers: {...headers, ...(authorization === undefined ? {} : {authorization})},
				...(method ? {method} : {}),
				...(content === undefined ? {} : {body: content}),
				signal,
				insecure: insecure && url.origin === base.origin,
			});
			if ((response.status >= 200 && response.status < 300) || request.statuses?.includes(response.status)) {
				return response;
			}
			const body = await this.#transport.read(response, largestError);
			// Once more with what it asks for now: the token has expired, or the ping asked for nothing.
			if (response.status === 401 && !fresh && response.challenges.length > 0) {
				this.#authorization.challenged(response.challenges);
				continue;
			}
			throw failureOf(response, body);
		}
	}

	async #header(
		base: URL,
		url: URL,
		scope: string,
		options: {fresh: boolean; lax: boolean; signal: AbortSignal | undefined},
	): Promise<string | undefined> {
		try {
			return await this.#authorization.header(base, scope, options);
		} catch (error) {
			if (error instanceof WherryError && error.message === 'no basic auth credentials')
				throw new WherryError('denied', `Get "${url}": ${error.message}`, {
					object: this.#domain,
					cause: error,
				});
			throw error;
		}
	}

	#connect(signal?: AbortSignal): Promise<Endpoint> {
		if (!this.#endpoint) {
			this.#endpoint = this.#find(signal);
			this.#endpoint.catch(() => {
				this.#endpoint = undefined;
			});
		}
		return this.#endpoint;
	}

	/**
	 * As docker does: HTTPS; on the loopback device, and where the host's settings call the registry insecure, any
	 * certificate will do, and then plain HTTP.
	 */
	async #find(signal?: AbortSignal): Promise<Endpoint> {
		if (this.#mirror) {
			const base = new URL('v2/', this.#mirror.href.replace(/\/*$/, '/'));
			const lax = await isInsecure(this.#transport.settings, base.host);
			const insecure = isLoopback(base.hostname) || lax;
			await this.#ping(base, insecure, signal);
			return {base, insecure, lax};
		}
		const host = registryHost(this.#domain);
		const secure = new URL(`https://${host}/v2/`);
		try {
			const lax = await isInsecure(this.#transport.settings, secure.host);
			const insecure = isLoopback(secure.hostname) || lax;
			await this.#ping(secure, insecure, signal);
			return {base: secure, insecure, lax};
		} catch (error) {
			if (signal?.aborted || !(error instanceof WherryError)) throw error;
			// A name that nobody knows is not asked for a second time: that may take long.
			if (isErrno(error.cause, 'EAI_AGAIN', 'ENOTFOUND')) throw error;
			const lax = await isInsecure(this.#transport.settings, secure.host);
			if (!lax && !(await onThisMachine(secure.hostname))) throw error;
			const plain = new URL(`http://${host}/v2/`);
			await this.#ping(plain, false, signal);
			return {base: plain, insecure: false, lax};
		}
	}

	async #ping(base: URL, insecure: boolean, signal?: AbortSignal): Promise<void> {
		const response = await this.#transport.request(base, {insecure, signal});
		this.#authorization.challenged(response.status === 401 ? response.challenges : []);
		// Whatever else it answers, the request for the manifest will tell better.
		await this.#transport.read(response, largestManifest);
	}
}

async function onThisMachine(hostname: string): Promise<boolean> {
	if (isLoopback(hostname)) return true;
	const {lookup} = process.getBuiltinModule('node:dns/promises');
	const found = await lookup(hostname, {all: true}).catch(() => []);
	return found.length > 0 && found.every(({address}) => isLoopback(address));
}

const cancelled = (cause: unknown): WherryError =>
	cause instanceof WherryError && cause.code === 'cancelled'
		? cause
		: new WherryError('cancelled', 'context canceled', {cause});

/** Whether there is no way to the host, or no name for it. */
const isUnreached = (error: unknown): boolean =>
	error instanceof WherryError &&
	isErrno(error.cause, 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT');

/** Whether the same request may succeed later. */
export function isTransient(error: unknown): boolean {
	if (error instanceof RegistryFailure) return [408, 429, 500, 502, 503, 504].includes(error.status);
	const cause = error instanceof WherryError ? error.cause : error;
	if (error instanceof WherryError && error.code !== 'unavailable') return false;
	if (isErrno(cause, 'ECONNREFUSED', 'ENOTFOUND')) return false;
	return (
		isErrno(
			cause,
			'ECONNRESET',
			'ESTALLED',
			'ETIMEDOUT',
			'EPIPE',
			'EAI_AGAIN',
			'EHOSTUNREACH',
			'ENETUNREACH',
		) ||
		(error instanceof WherryError && cause === undefined)
	);
}
