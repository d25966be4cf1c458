/**
 * Credentials from docker's own configuration: `config.json` in DOCKER_CONFIG or ~/.docker, with its
 * `auths`, `credHelpers` and `credsStore`. The protocol of the helpers is docker's credential-helpers:
 * `docker-credential-NAME get`, the registry on stdin, `{Username, Secret}` on stdout.
 */
import {readFileSync} from 'node:fs';
import {homedir} from 'node:os';
import {join} from 'node:path';
import {isErrno, WherryError} from '../errors.ts';
import {credentialsKey} from './host.ts';

export interface Credentials {
	readonly username: string;
	readonly password: string;
	/** An OAuth2 refresh token, in place of a password. */
	readonly identityToken?: string;
}

export type CredentialSource = (domain: string) => Promise<Credentials | undefined>;

interface AuthEntry {
	auth?: string;
	username?: string;
	password?: string;
	identitytoken?: string;
}

interface ConfigFile {
	auths?: Record<string, AuthEntry>;
	credsStore?: string;
	credHelpers?: Record<string, string>;
}

function readConfig(path: string): ConfigFile {
	try {
		const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
		if (typeof value === 'object' && value !== null) return value;
		throw new Error('it is not a JSON object');
	} catch (error) {
		if (isErrno(error, 'ENOENT', 'ENOTDIR')) return {};
		throw new WherryError('invalid', `can't read ${path}: ${(error as Error).message}`, {
			object: path,
			cause: error,
		});
	}
}

/** Keys are written with and without scheme and path: `https://index.docker.io/v1/`, `localhost:5000`. */
const bareHost = (key: string): string => key.replace(/^https?:\/\//, '').split('/')[0]!;

function decode(entry: AuthEntry): Credentials | undefined {
	let {username = '', password = ''} = entry;
	if (entry.auth) {
		const pair = Buffer.from(entry.auth, 'base64').toString('utf8');
		const colon = pair.indexOf(':');
		if (colon < 0) return undefined;
		username = pair.slice(0, colon);
		password = pair.slice(colon + 1).replace(/\0+$/, '');
	}
	if (entry.identitytoken) return {username, password, identityToken: entry.identitytoken};
	return username === '' ? undefined : {username, password};
}

async function askHelper(name: string, key: string): Promise<Credentials | undefined> {
	if (!/^[A-Za-z0-9._-]+$/.test(name))
		throw new WherryError('invalid', `invalid name of a credential helper: ${JSON.stringify(name)}`);
	const program = `docker-credential-${name}`;
	const {execa} = await import('execa');
	const result = await execa(program, ['get'], {input: key, reject: false, timeout: 60_000});
	if (result.exitCode !== 0) {
		const said = `${result.stdout}\n${result.stderr}`.trim();
		if (/credentials not found/i.test(said)) return undefined;
		throw new WherryError(
			'denied',
			`error getting credentials - ${program}: ${said || result.shortMessage}`,
			{
				object: key,
			},
		);
	}
	let answer: {Username?: unknown; Secret?: unknown};
	try {
		answer = JSON.parse(result.stdout);
	} catch (cause) {
		throw new WherryError('denied', `error getting credentials - ${program}: its answer is not JSON`, {
			object: key,
			cause,
		});
	}
	const {Username: username, Secret: secret} = answer;
	if (typeof username !== 'string' || typeof secret !== 'string' || secret === '') return undefined;
	return username === '<token>'
		? {username: '', password: '', identityToken: secret}
		: {username, password: secret};
}

/** Looks credentials up when they are needed; undefined is anonymous. */
export function dockerCredentials(env: NodeJS.ProcessEnv = process.env): CredentialSource {
	return async (domain) => {
		const config = readConfig(
			join(env.DOCKER_CONFIG || join(env.HOME || homedir(), '.docker'), 'config.json'),
		);
		const key = credentialsKey(domain);
		const helper = config.credHelpers?.[bareHost(key)] ?? config.credHelpers?.[domain] ?? config.credsStore;
		if (helper) {
			const found = await askHelper(helper, key);
			if (found) return found;
		}
		const auths = config.auths ?? {};
		const exact = Object.hasOwn(auths, key) ? auths[key] : undefined;
		const entry = exact ?? Object.entries(auths).find(([name]) => bareHost(name) === bareHost(key))?.[1];
		return entry && decode(entry);
	};
}
