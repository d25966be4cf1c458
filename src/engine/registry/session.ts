/** Login, logout and search: what is asked of a registry as a whole. */
import {WherryError} from '../errors.ts';
import {checkStrings} from '../store/manifest.ts';
import {parseChallenges} from './challenge.ts';
import {
	type CredentialSource,
	type Credentials,
	dockerCredentials,
	eraseCredentials,
	storeCredentials,
} from './credentials.ts';
import {failureOf} from './failure.ts';
import {isLoopback, registryHost} from './host.ts';
import {isInsecure} from './settings.ts';
import type {Response, Transport} from './transport.ts';

export const dockerHub = 'docker.io';

const largestAnswer = 4 << 20;
const hubIndex = 'https://index.docker.io/v1/';
const catalogPage = 1000;
const mostCatalogPages = 20;

/** The registry that a person names on the command line: with or without a scheme, and docker's own index. */
export function registryDomain(text: string): string {
	const bare = text.replace(/^https?:\/\//, '').replace(/\/+$/, '');
	const host = bare.split('/')[0]!;
	if (text === '' || ['index.docker.io', 'docker.io', 'registry-1.docker.io'].includes(host))
		return dockerHub;
	if (!/^(?:\[[\da-fA-F:]+\]|[\w.-]+)(?::\d+)?$/.test(host)) {
		throw new WherryError('invalid', `invalid registry name: ${JSON.stringify(text)}`, {object: text});
	}
	return host;
}

const basic = ({username, password}: Credentials): string =>
	`Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

/** The base URL that answers, as pulls and pushes find it. */
async function ping(transport: Transport, domain: string, signal?: AbortSignal) {
	const host = registryHost(domain);
	const secure = new URL(`https://${host}/v2/`);
	const lax = isLoopback(secure.hostname) || (await isInsecure(transport.settings, secure.host));
	const ask = async (base: URL, insecure: boolean) => {
		const response = await transport.request(base, {insecure, signal});
		await transport.read(response, largestAnswer);
		return {base, insecure, response};
	};
	try {
		return await ask(secure, lax);
	} catch (error) {
		if (!lax || signal?.aborted) throw error;
		return ask(new URL(`http://${host}/v2/`), false);
	}
}

const refused = (url: URL, response: Response): WherryError =>
	new WherryError(
		response.status === 401 || response.status === 403 ? 'denied' : 'unavailable',
		`login attempt to ${url} failed with status: ${response.status} ${response.body.statusMessage ?? ''}`.trim(),
		{object: url.host},
	);

/**
 * Asks the registry whether it takes the credentials. Gives those to keep: with the registry's refresh token
 * in place of the password where it has such.
 */
async function verify(transport: Transport, domain: string, credentials: Credentials): Promise<Credentials> {
	const {base, insecure, response} = await ping(transport, domain);
	if (response.status !== 401) {
		if (response.status >= 400) throw refused(base, response);
		return credentials;
	}
	for (const {scheme, parameters} of response.challenges.flatMap(parseChallenges)) {
		if (scheme === 'basic') {
			const isOpen = base.protocol !== 'https:' && !isLoopback(base.hostname);
			// Who calls it insecure has been asked.
			if (isOpen && !(await isInsecure(transport.settings, base.host))) throw unencrypted(base.host);
			const answer = await transport.request(base, {insecure, headers: {authorization: basic(credentials)}});
			await transport.read(answer, largestAnswer);
			if (answer.status !== 200) throw refused(base, answer);
			return credentials;
		}
		if (scheme !== 'bearer') continue;
		const {realm = '', service = ''} = parameters;
		if (!URL.canParse(realm)) continue;
		const url = new URL(realm);
		if (url.protocol !== 'https:' && !isLoopback(url.hostname)) throw unencrypted(url.host);
		url.searchParams.set('account', credentials.username);
		url.searchParams.set('client_id', 'wherry');
		url.searchParams.set('offline_token', 'true');
		if (service) url.searchParams.set('service', service);
		const answer = await transport.request(url, {headers: {authorization: basic(credentials)}});
		const body = await transport.read(answer, largestAnswer);
		if (answer.status !== 200) {
			const failure = failureOf(answer, body);
			throw new WherryError('denied', `Get "${base}": ${failure.message}`, {object: domain, cause: failure});
		}
		const token = identityToken(body);
		return token === undefined ? credentials : {...credentials, identityToken: token};
	}
	throw new WherryError('unavailable', `the registry ${base.host} names no way to log in that is known`, {
		object: domain,
	});
}

const unencrypted = (host: string): WherryError =>
	new WherryError(
		'denied',
		`refused to send a password to ${host} without TLS: the connection is not encrypted`,
		{
			object: host,
		},
	);

function identityToken(body: Buffer): string | undefined {
	try {
		checkStrings(body, 'answer of the authorization server');
		const {refresh_token: token} = JSON.parse(body.toString('utf8'));
		return typeof token === 'string' && token !== '' ? token : undefined;
	} catch {
		return undefined;
	}
}

export interface SearchResult {
	Name: string;
	Description: string;
	StarCount: number;
	IsOfficial: boolean;
	IsAutomated: boolean;
}

const printable = (value: unknown): string =>
	typeof value === 'string' ? value.replace(/[\p{Cc}\p{Cf}]+/gu, ' ') : '';

/** What a server answers, which may be anything. */
function object(body: Buffer, what: string, host: string): Record<string, unknown> {
	checkStrings(body, what);
	try {
		const value = JSON.parse(body.toString('utf8'));
		if (typeof value === 'object' && value !== null) return value;
	} catch {}
	throw new WherryError('unavailable', `the ${what} of ${host} is not a JSON object`, {object: host});
}

/** Docker Hub's own search; of another registry the names in its catalogue that have the term in them. */
async function search(
	transport: Transport,
	source: CredentialSource,
	text: string,
	limit: number,
): Promise<SearchResult[]> {
	if (/^https?:\/\//.test(text))
		throw new WherryError('invalid', 'invalid repository name (ex: "registry.domain.tld/myrepos")', {
			object: text,
		});
	const slash = text.indexOf('/');
	const first = text.slice(0, Math.max(0, slash));
	const domain = slash > 0 && (/[.:]/.test(first) || first === 'localhost') ? first : dockerHub;
	const term =
		domain === dockerHub ? text.replace(/^(?:docker\.io|index\.docker\.io)\//, '') : text.slice(slash + 1);
	if (domain !== dockerHub) return searchCatalog(transport, source, domain, term, limit);
	const url = new URL('search', hubIndex);
	url.searchParams.set('q', term.replace(/^library\//, ''));
	url.searchParams.set('n', String(limit));
	const credentials = await source(dockerHub).catch(() => undefined);
	const headers =
		credentials?.username && credentials.password ? {authorization: basic(credentials)} : undefined;
	const response = await transport.request(url, headers ? {headers} : {});
	const body = await transport.read(response, largestAnswer);
	if (response.status !== 200) throw new WherryError('unavailable', failureOf(response, body).message);
	const {results} = object(body, 'answer of the search', url.host);
	if (!Array.isArray(results)) return [];
	return results.slice(0, limit).map((result) => ({
		Name: printable(result?.name),
		Description: printable(result?.description),
		StarCount: Number(result?.star_count) || 0,
		IsOfficial: result?.is_official === true,
		IsAutomated: result?.is_automated === true,
	}));
}

async function searchCatalog(
	transport: Transport,
	source: CredentialSource,
	domain: string,
	term: string,
	limit: number,
): Promise<SearchResult[]> {
	const {base, insecure, response: first} = await ping(transport, domain);
	const {Authorization} = await import('./authorization.ts');
	const authorization = new Authorization(transport, domain, source);
	authorization.challenged(first.status === 401 ? first.challenges : []);
	const lax = await isInsecure(transport.settings, base.host);
	const found: string[] = [];
	let next: URL | undefined = new URL(`_catalog?n=${catalogPage}`, base);
	for (let page = 0; next && found.length < limit && page < mostCatalogPages; page++) {
		const header = await authorization.header(base, 'registry:catalog:*', {lax});
		const response: Response = await transport.request(next, {
			insecure,
			headers: header === undefined ? {} : {authorization: header},
		});
		const body = await transport.read(response, largestAnswer);
		if (response.status !== 200)
			throw new WherryError('unavailable', failureOf(response, body).message, {object: domain});
		const {repositories} = object(body, 'catalogue', domain);
		for (const name of Array.isArray(repositories) ? repositories : []) {
			if (typeof name === 'string' && name.includes(term)) found.push(name);
		}
		// RFC 5988, as the distribution specification pages its lists.
		const link = /<([^>]+)>;\s*rel="?next"?/.exec(String(response.headers.link ?? ''))?.[1];
		const following = link && URL.canParse(link, base.href) ? new URL(link, base) : undefined;
		next = following?.origin === base.origin ? following : undefined;
	}
	return found.slice(0, limit).map((name) => ({
		Name: `${domain}/${printable(name)}`,
		Description: '',
		StarCount: 0,
		IsOfficial: false,
		IsAutomated: false,
	}));
}

export interface RegistrySession {
	login(server: string, credentials: Credentials): Promise<{stored: string | undefined}>;
	logout(server: string): Promise<boolean>;
	known(server: string): Promise<Credentials | undefined>;
	search(term: string, limit: number): Promise<SearchResult[]>;
}

export function registrySession(transport: Transport, env: NodeJS.ProcessEnv): RegistrySession {
	const source = dockerCredentials(env);
	return {
		async login(server, credentials) {
			const domain = registryDomain(server);
			const kept = await verify(transport, domain, credentials);
			return {stored: await storeCredentials(domain, kept, env)};
		},
		logout: async (server) => eraseCredentials(registryDomain(server), env),
		known: async (server) => source(registryDomain(server)),
		search: (term, limit) => search(transport, source, term, limit),
	};
}
