/**
 * HTTP for registries, with kept connections, redirects, proxies and time-outs. Errors are worded as Go's net/http words them, since those are the words that users of docker know and search for.
 */
import type {Agent, ClientRequest, IncomingMessage, RequestOptions} from 'node:http';
import type {Readable} from 'node:stream';
import {WherryError} from '../errors.ts';
import {Connections, ProxyError} from './connections.ts';
import {type RegistrySettings, registrySettings} from './settings.ts';

export interface Response {
	readonly status: number;
	readonly headers: IncomingMessage['headers'];
	/** Every WWW-Authenticate header. */
	readonly challenges: readonly string[];
	/** Must be read to its end or destroyed. */
	readonly body: IncomingMessage;
	/** After redirects. */
	readonly url: URL;
}

export interface RequestInit {
	headers?: Record<string, string>;
	method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
	/** A function makes the stream anew each time that it has to be sent. */
	body?: string | Buffer | (() => Readable);
	signal?: AbortSignal | undefined;
	/** Certificates are not looked at: for loopback addresses and the registries that the host calls insecure. */
	insecure?: boolean;
}

export interface TransportOptions {
	/** Milliseconds without a byte after which a peer counts as gone. */
	stallTimeout?: number;
	/** Milliseconds before the first retry; doubled each time. */
	retryDelay?: number;
	env?: NodeJS.ProcessEnv;
	/** Read from the host when absent. */
	settings?: RegistrySettings;
}

const mostRedirects = 10;
const redirects: readonly number[] = [301, 302, 303, 307, 308];

export class Transport {
	readonly stallTimeout: number;
	readonly retryDelay: number;
	readonly settings: RegistrySettings;
	readonly #connections: Connections;

	constructor(options: TransportOptions = {}) {
		this.stallTimeout = options.stallTimeout ?? 30_000;
		this.retryDelay = options.retryDelay ?? 1000;
		const env = options.env ?? process.env;
		this.settings = options.settings ?? registrySettings(env);
		this.#connections = new Connections(env, this.settings.certificates);
	}

	/** Throws `unavailable` when the peer can't be reached; every answer of a peer is returned. */
	async request(url: URL, init: RequestInit = {}): Promise<Response> {
		let target = url;
		let headers = init.headers ?? {};
		for (let hop = 0; ; hop++) {
			const response = await this.#once(target, {...init, headers});
			const {location} = response.headers;
			if (!redirects.includes(response.status) || location === undefined) return response;
			response.body.destroy();
			if (hop === mostRedirects)
				throw failed(init, url, 'unavailable', `stopped after ${mostRedirects} redirects`);
			const next = redirectTarget(target, location);
			if (!next) throw failed(init, url, 'unavailable', `refused the redirect to ${location.slice(0, 200)}`);
			if (next.origin !== target.origin) headers = withoutSecrets(headers);
			// RFC 9110, 15.4.4: what is at the other place is fetched, not sent there.
			if (response.status === 303) init = {...(init.signal ? {signal: init.signal} : {}), headers};
			target = next;
		}
	}

	/** The whole body, of at most `limit` bytes. */
	async read(response: Response, limit: number): Promise<Buffer> {
		const chunks: Buffer[] = [];
		let size = 0;
		const stalled = setTimeout(() => response.body.destroy(timedOut()), this.stallTimeout);
		try {
			for await (const chunk of response.body as AsyncIterable<Buffer>) {
				stalled.refresh();
				size += chunk.length;
				if (size > limit) {
					response.body.destroy();
					throw new WherryError('corrupt', `the answer of ${response.url} is larger than ${limit} bytes`);
				}
				chunks.push(chunk);
			}
		} catch (error) {
			if (error instanceof WherryError) throw error;
			throw describe({}, response.url, error as Error);
		} finally {
			clearTimeout(stalled);
		}
		return Buffer.concat(chunks);
	}

	/** Ends the connections that are kept; what is under way fails. */
	close(): void {
		this.#connections.close();
	}

	#once(url: URL, init: RequestInit): Promise<Response> {
		if (url.protocol !== 'https:' && url.protocol !== 'http:')
			throw failed(init, url, 'invalid', `unsupported protocol scheme "${url.protocol.slice(0, -1)}"`);
		const {http, options} = this.#connections.for(url, init.insecure === true);
		const settings: RequestOptions = {
			...options,
			method: init.method ?? 'GET',
			headers: {'user-agent': 'wherry', ...init.headers, ...options.headers},
			...(init.signal ? {signal: init.signal} : {}),
		};
		return new Promise((resolve, reject) => {
			const request: ClientRequest = http.request(settings as RequestOptions & {agent: Agent});
			const timer = setTimeout(() => request.destroy(timedOut()), this.stallTimeout);
			request.on('response', (body) => {
				clearTimeout(timer);
				body.on('error', () => {});
				resolve({
					status: body.statusCode!,
					headers: body.headers,
					challenges: body.headersDistinct['www-authenticate'] ?? [],
					body,
					url,
				});
			});
			request.on('error', (error) => {
				clearTimeout(timer);
				reject(describe(init, url, error));
			});
			if (typeof init.body !== 'function') {
				request.end(init.body);
				return;
			}
			const body = init.body();
			// As long as something goes out the peer is there.
			body.on('data', () => timer.refresh());
			body.on('error', (error) => request.destroy(error));
			request.on('close', () => body.destroy());
			body.pipe(request);
		});
	}
}

function redirectTarget(from: URL, location: string): URL | undefined {
	if (!URL.canParse(location, from.href)) return undefined;
	const next = new URL(location, from.href);
	// Nobody between may read or change what was asked for over TLS; and a user name in it is not ours.
	if (from.protocol === 'https:' && next.protocol !== 'https:') return undefined;
	if (next.username || next.password) return undefined;
	return next;
}

/** CVE-2020-15157: whoever we are sent to doesn't get the credentials of who sent us. */
function withoutSecrets(headers: Record<string, string>): Record<string, string> {
	return Object.fromEntries(
		Object.entries(headers).filter(([name]) => !['authorization', 'cookie'].includes(name.toLowerCase())),
	);
}

const timedOut = (): NodeJS.ErrnoException => Object.assign(new Error('timed out'), {code: 'ESTALLED'});

const failed = (init: RequestInit, url: URL, code: WherryError['code'], message: string, cause?: unknown) =>
	new WherryError(code, `${goMethod(init)} "${url}": ${message}`, {object: url.host, cause});

/** `Get`, as Go writes the method in its errors. */
const goMethod = ({method = 'GET'}: RequestInit): string => method[0] + method.slice(1).toLowerCase();

const verification = 'tls: failed to verify certificate: x509: ';
const unknownAuthority = `${verification}certificate signed by unknown authority`;

const tlsErrors: Readonly<Record<string, string>> = {
	UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
	UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
	UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
	SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
	DEPTH_ZERO_SELF_SIGNED_CERT: unknownAuthority,
	CERT_HAS_EXPIRED: `${verification}certificate has expired or is not yet valid`,
	CERT_NOT_YET_VALID: `${verification}certificate has expired or is not yet valid`,
};

const connectErrors: Readonly<Record<string, string>> = {
	ECONNREFUSED: 'connection refused',
	EHOSTUNREACH: 'no route to host',
	ENETUNREACH: 'network is unreachable',
	EACCES: 'permission denied',
	EPERM: 'operation not permitted',
};

interface SocketError extends NodeJS.ErrnoException {
	address?: string;
	port?: number;
	host?: string;
	reason?: string;
}

const dialed = ({address, port}: SocketError): string =>
	address === undefined ? 'dial tcp' : `dial tcp ${address.includes(':') ? `[${address}]` : address}:${port}`;

/** A fault of the connection in Go's words. */
function describe(init: RequestInit, url: URL, thrown: Error): WherryError {
	if (thrown instanceof WherryError) return thrown;
	const toProxy = thrown instanceof ProxyError ? 'proxyconnect tcp: ' : '';
	if (toProxy) thrown = thrown.cause as Error;
	if (thrown.name === 'AbortError' || init.signal?.aborted)
		return new WherryError('cancelled', 'context canceled', {object: url.host, cause: thrown});
	// Several addresses have been tried: the first is the one that was preferred.
	const error = (thrown instanceof AggregateError ? thrown.errors[0] : thrown) as SocketError;
	const code = error.code ?? '';
	const host = url.hostname;
	const words = (): string => {
		if (connectErrors[code] && error.syscall === 'connect')
			return `${dialed(error)}: connect: ${connectErrors[code]}`;
		if (code === 'ETIMEDOUT') return `${dialed(error)}: i/o timeout`;
		if (code === 'ENOTFOUND') return `dial tcp: lookup ${host}: no such host`;
		if (code === 'EAI_AGAIN') return `dial tcp: lookup ${host}: Temporary failure in name resolution`;
		if (code === 'ESTALLED')
			return 'net/http: request canceled (Client.Timeout exceeded while awaiting headers)';
		if (tlsErrors[code]) return tlsErrors[code];
		if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
			return `${verification}certificate is not valid for ${host}: ${error.reason ?? ''}`;
		if (/wrong version number|packet length too long|http request/.test(error.message))
			return 'http: server gave HTTP response to HTTPS client';
		if (code === 'EPROTO' || code.startsWith('ERR_SSL'))
			return `remote error: tls: ${/SSL routines:[^:]*:([^:]+)/.exec(error.message)?.[1] ?? code}`;
		if (code === 'ECONNRESET')
			return error.message === 'socket hang up' || error.message === 'aborted'
				? 'EOF'
				: 'connection reset by peer';
		if (code.startsWith('HPE_'))
			return 'net/http: HTTP/1.x transport connection broken: malformed HTTP response';
		return error.message;
	};
	return failed(init, url, 'unavailable', toProxy + words(), thrown);
}
