/**
 * Connections to registries: agents that keep them, the certificates that are trusted, and proxies.
 * node:https is fetched when the first request is made, so that commands that make none don't load it.
 */
import {readdirSync, readFileSync} from 'node:fs';
import type {Agent, AgentOptions, RequestOptions} from 'node:http';
import type {Socket} from 'node:net';
import type {SecureContextOptions} from 'node:tls';
import {WherryError} from '../errors.ts';
import {bypassesProxy} from './host.ts';

type HttpModule = Pick<typeof import('node:http'), 'request'>;

export interface Route {
	readonly http: HttpModule;
	readonly options: RequestOptions & {headers: Record<string, string>};
}

const agentOptions: AgentOptions = {keepAlive: true, maxSockets: 8, scheduling: 'lifo'};

/** Where distributions keep the certificates of the authorities, as Go looks for them. */
const bundles = [
	'/etc/ssl/certs/ca-certificates.crt',
	'/etc/pki/tls/certs/ca-bundle.crt',
	'/etc/ssl/ca-bundle.pem',
	'/etc/pki/tls/cacert.pem',
	'/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
	'/etc/ssl/cert.pem',
];

const http = () => process.getBuiltinModule('node:http');
const https = () => process.getBuiltinModule('node:https');
const tls = () => process.getBuiltinModule('node:tls');

function readable(path: string): string | undefined {
	try {
		return readFileSync(path, 'utf8');
	} catch {
		return undefined;
	}
}

/** What the host trusts; undefined is Node's own list. */
function authorities(env: NodeJS.ProcessEnv): string | undefined {
	for (const path of env.SSL_CERT_FILE ? [env.SSL_CERT_FILE] : bundles) {
		const bundle = readable(path);
		if (bundle) return bundle;
	}
	return undefined;
}

/** docker's certs.d/HOST:PORT: `*.crt` are authorities, `NAME.cert` and `NAME.key` client certificates. */
function hostCertificates(
	folders: readonly string[],
	host: string,
): {ca: string[]; cert?: string; key?: string} {
	let folder = '';
	let names: string[] = [];
	for (const parent of folders) {
		try {
			folder = `${parent}/${host}`;
			names = readdirSync(folder);
			break;
		} catch {}
	}
	const ca = names.filter((name) => name.endsWith('.crt')).map((name) => readable(`${folder}/${name}`) ?? '');
	const client = names.find((name) => name.endsWith('.cert'));
	const cert = client && readable(`${folder}/${client}`);
	const key = client && readable(`${folder}/${client.replace(/\.cert$/, '.key')}`);
	return {ca: ca.filter(Boolean), ...(cert && key ? {cert, key} : {})};
}

export class Connections {
	readonly #env: NodeJS.ProcessEnv;
	readonly #certificates: readonly string[];
	readonly #agents = new Map<string, Agent>();
	#authorities: string | undefined | null = null;

	/** `certificates`: folders with a folder per host. */
	constructor(env: NodeJS.ProcessEnv, certificates: readonly string[]) {
		this.#env = env;
		this.#certificates = certificates;
	}

	/** How to ask for a URL; `insecure` doesn't verify the certificate. */
	for(url: URL, insecure: boolean): Route {
		const secure = url.protocol === 'https:';
		const proxy = this.#proxy(url);
		const hostname = url.hostname.replace(/^\[|\]$/g, '');
		const path = url.pathname + url.search;
		if (!secure) {
			const agent = this.#agent('http', () => new (http().Agent)(agentOptions));
			if (!proxy) return {http: http(), options: {agent, hostname, port: url.port || 80, path, headers: {}}};
			const headers: Record<string, string> = {host: url.host, ...proxyAuthorization(proxy)};
			const {module, hostname: host, port, trust} = this.#way(proxy);
			if (proxy.protocol === 'http:')
				return {http: module, options: {agent, hostname: host, port, path: url.href, headers}};
			const secured = this.#agent(
				`proxy ${proxy.host}`,
				() => new (https().Agent)({...agentOptions, ...trust}),
			);
			return {
				http: module,
				options: {agent: secured, hostname: host, port, path: url.href, headers},
			};
		}
		const key = `https ${insecure ? 'insecure' : url.host} ${proxy?.href ?? ''}`;
		const agent = this.#agent(key, () => {
			const trust = insecure ? {rejectUnauthorized: false} : this.#trust(url.host);
			const made = new (https().Agent)({...agentOptions, ...trust});
			if (proxy) tunnel(made, proxy, this.#way(proxy));
			return made;
		});
		return {http: https(), options: {agent, hostname, port: url.port || 443, path, headers: {}}};
	}

	close(): void {
		for (const agent of this.#agents.values()) agent.destroy();
		this.#agents.clear();
	}

	/** How a proxy itself is spoken to. */
	#way(proxy: URL): Way {
		const hostname = proxy.hostname.replace(/^\[|\]$/g, '');
		if (proxy.protocol === 'http:') return {module: http(), hostname, port: proxy.port || 80, trust: {}};
		// Otherwise Node would take the name for that of the Host header, which is the registry's.
		const servername = process.getBuiltinModule('node:net').isIP(hostname) > 0 ? '' : hostname;
		return {
			module: https(),
			hostname,
			port: proxy.port || 443,
			trust: {...this.#trust(proxy.host), servername},
		};
	}

	#agent(key: string, make: () => Agent): Agent {
		const agent = this.#agents.get(key) ?? make();
		this.#agents.set(key, agent);
		return agent;
	}

	#trust(host: string): SecureContextOptions {
		if (this.#authorities === null) this.#authorities = authorities(this.#env);
		const {ca, ...client} = hostCertificates(this.#certificates, host);
		const system = this.#authorities ?? (ca.length > 0 ? tls().rootCertificates.join('\n') : undefined);
		return {...(system === undefined ? {} : {ca: [system, ...ca]}), ...client};
	}

	#proxy(url: URL): URL | undefined {
		const named = (name: string) => this.#env[name.toUpperCase()] || this.#env[name];
		const text = named(url.protocol === 'https:' ? 'https_proxy' : 'http_proxy');
		if (!text || bypassesProxy(url, named('no_proxy') ?? '')) return undefined;
		const full = text.includes('://') ? text : `http://${text}`;
		const invalid = (reason: string) =>
			// What stands before its host may be a password.
			new WherryError('invalid', `invalid proxy address: ${reason}`, {object: url.host});
		if (!URL.canParse(full)) throw invalid('it is not a URL');
		const proxy = new URL(full);
		// Not asked directly instead: whoever names a proxy wants nothing to go past it.
		if (proxy.protocol !== 'http:' && proxy.protocol !== 'https:')
			throw invalid(`unsupported scheme ${JSON.stringify(proxy.protocol.slice(0, -1))}`);
		return proxy;
	}
}

interface Way {
	readonly module: HttpModule;
	readonly hostname: string;
	readonly port: string | number;
	readonly trust: SecureContextOptions & {servername?: string};
}

/** An error on the way to the proxy, which says so, as Go's do. */
export class ProxyError extends Error {
	constructor(cause: Error) {
		super(cause.message, {cause});
	}
}

function proxyAuthorization(proxy: URL): Record<string, string> {
	if (!proxy.username) return {};
	const pair = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
	return {'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}`};
}

/** Makes an agent's connections go through a CONNECT of the proxy (RFC 9110, 9.3.6). */
function tunnel(agent: Agent, proxy: URL, {module, hostname, port, trust}: Way): void {
	type Callback = (error: Error | null, socket?: Socket) => void;
	const connect = (options: {host?: string; port?: number; servername?: string}, done: Callback) => {
		const target = `${options.host}:${options.port}`;
		const request = module.request({
			method: 'CONNECT',
			hostname,
			port,
			path: target,
			headers: {host: target, ...proxyAuthorization(proxy)},
			agent: false,
			...trust,
		} as RequestOptions);
		request.on('error', (error) => done(new ProxyError(error)));
		request.on('connect', (response, socket) => {
			if (response.statusCode === 200) {
				done(null, tls().connect({...options, socket, servername: options.servername ?? options.host ?? ''}));
				return;
			}
			socket.destroy();
			// Go's words are those of the proxy's status alone, which tell nobody whose they are.
			done(new Error(`the proxy ${proxy.host} answered ${response.statusCode} ${response.statusMessage}`));
		});
		request.end();
	};
	(agent as unknown as {createConnection: typeof connect}).createConnection = connect;
}
