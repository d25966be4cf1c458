/**
 * Who we are to a registry: basic authentication, and bearer tokens from the realm that it names
 * (distribution's token authentication, with docker's refresh tokens).
 */
import {WherryError} from '../errors.ts';
import {checkStrings} from '../store/manifest.ts';
import {type Challenge, parseChallenges} from './challenge.ts';
import type {CredentialSource, Credentials} from './credentials.ts';
import {failureOf} from './failure.ts';
import {isLoopback} from './host.ts';
import type {Transport} from './transport.ts';

interface Token {
	readonly header: string;
	/** Milliseconds since the epoch. */
	readonly expires: number;
}

const largestAnswer = 1 << 20;
/** Seconds; the specification's default. */
const defaultLife = 60;

export class Authorization {
	readonly #transport: Transport;
	readonly #domain: string;
	readonly #source: CredentialSource;
	readonly #tokens = new Map<string, Promise<Token>>();
	#challenges: Challenge[] = [];
	#credentials: Promise<Credentials | undefined> | undefined;

	constructor(transport: Transport, domain: string, source: CredentialSource) {
		this.#transport = transport;
		this.#domain = domain;
		this.#source = source;
	}

	/** Remembers what an answer of the registry asked for. */
	challenged(headers: readonly string[]): void {
		const challenges = headers.flatMap(parseChallenges);
		if (challenges.length > 0) this.#challenges = challenges;
	}

	/**
	 * The value for the Authorization header; undefined when nothing is asked for or there is nothing to say.
	 * `base` is the registry's own URL, `fresh` doesn't take a token that has been refused, and `lax` gives the registry
	 * itself its password without TLS.
	 */
	async header(
		base: URL,
		scope: string,
		options: {fresh?: boolean; lax?: boolean; signal?: AbortSignal | undefined} = {},
	) {
		for (const challenge of this.#challenges) {
			if (challenge.scheme === 'bearer') return this.#bearer(challenge, scope, options);
			if (challenge.scheme === 'basic') {
				const credentials = await this.#who();
				if (!credentials?.username) throw new WherryError('denied', 'no basic auth credentials');
				if (!options.lax && !confidential(base))
					throw new WherryError(
						'denied',
						`refused to send a password to ${base.host} without TLS: the connection is not encrypted`,
						{object: base.host},
					);
				return basic(credentials);
			}
		}
		return undefined;
	}

	#who(): Promise<Credentials | undefined> {
		this.#credentials ??= this.#source(this.#domain);
		return this.#credentials;
	}

	async #bearer(
		challenge: Challenge,
		scope: string,
		options: {fresh?: boolean; signal?: AbortSignal | undefined},
	) {
		const {realm = '', service = ''} = challenge.parameters;
		const key = JSON.stringify([realm, service, scope]);
		const cached = options.fresh ? undefined : await this.#tokens.get(key)?.catch(() => undefined);
		if (cached && cached.expires > Date.now()) return cached.header;
		const fetching = this.#fetch(realm, service, scope, options.signal);
		this.#tokens.set(key, fetching);
		fetching.catch(() => this.#tokens.delete(key));
		return (await fetching).header;
	}

	async #fetch(
		realm: string,
		service: string,
		scope: string,
		signal: AbortSignal | undefined,
	): Promise<Token> {
		if (!URL.canParse(realm))
			throw new WherryError(
				'unavailable',
				`invalid token auth challenge realm: ${JSON.stringify(realm.slice(0, 200))}`,
				{
					object: this.#domain,
				},
			);
		const url = new URL(realm);
		// A realm that anybody on the way could read gets no password; it may still give an anonymous token.
		const credentials = confidential(url) ? await this.#who() : undefined;
		const started = Date.now();
		const response = credentials?.identityToken
			? await this.#transport.request(url, {
					method: 'POST',
					headers: {'content-type': 'application/x-www-form-urlencoded', accept: 'application/json'},
					body: new URLSearchParams({
						grant_type: 'refresh_token',
						service,
						scope,
						client_id: 'wherry',
						refresh_token: credentials.identityToken,
					}).toString(),
					signal,
				})
			: await this.#transport.request(query(url, service, scope, credentials), {
					headers: {
						accept: 'application/json',
						...(credentials?.username ? {authorization: basic(credentials)} : {}),
					},
					signal,
				});
		const body = await this.#transport.read(response, largestAnswer);
		if (response.status !== 200) {
			const failure = failureOf(response, body);
			throw new WherryError(
				response.status === 401 || response.status === 403 ? 'denied' : 'unavailable',
				`Get "${url.origin}${url.pathname}": ${failure.message}`,
				{object: this.#domain, cause: failure},
			);
		}
		return readToken(body, started, this.#domain);
	}
}

const confidential = (url: URL): boolean => url.protocol === 'https:' || isLoopback(url.hostname);

const basic = ({username, password}: Credentials): string =>
	`Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

function query(realm: URL, service: string, scope: string, credentials: Credentials | undefined): URL {
	const url = new URL(realm);
	if (service) url.searchParams.set('service', service);
	for (const each of scope.split(' ')) if (each) url.searchParams.append('scope', each);
	if (credentials?.username) url.searchParams.set('account', credentials.username);
	return url;
}

function readToken(body: Buffer, started: number, domain: string): Token {
	let answer: {token?: unknown; access_token?: unknown; expires_in?: unknown} | null = null;
	try {
		checkStrings(body, 'answer of the authorization server');
		answer = JSON.parse(body.toString('utf8'));
	} catch {}
	const token = answer?.token || answer?.access_token;
	if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token))
		throw new WherryError('unavailable', 'authorization server did not include a token in the response', {
			object: domain,
		});
	const life = Number(answer?.expires_in);
	const seconds = Number.isFinite(life) && life > defaultLife ? life : defaultLife;
	// A tenth is kept back: a token must not expire on the way.
	return {header: `Bearer ${token}`, expires: started + seconds * 900};
}
