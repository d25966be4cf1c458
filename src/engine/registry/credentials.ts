/**
 * Credentials from docker's own configuration: `config.json` in DOCKER_CONFIG or ~/.docker, with its
 * `auths`, `credHelpers` and `credsStore`. The protocol of the helpers is docker's credential-helpers:
 * `docker-credential-NAME get`, the registry on stdin, `{Username, Secret}` on stdout; `store` and `erase`.
 */
import {lstatSync, mkdirSync, readFileSync, realpathSync} from 'node:fs';
import {homedir} from 'node:os';
import {dirname, join} from 'node:path';
import {isErrno, WherryError} from '../errors.ts';
import {replaceFile} from '../store/files.ts';
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

const configPath = (env: NodeJS.ProcessEnv): string =>
	join(env.DOCKER_CONFIG || join(env.HOME || homedir(), '.docker'), 'config.json');

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

/** For asking: what can't be parsed is as good as none, of which the face warns. Before it is written it has to be whole. */
function readLenient(path: string): ConfigFile {
	try {
		return readConfig(path);
	} catch (error) {
		if (error instanceof WherryError && error.cause instanceof SyntaxError) return {};
		throw error;
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

/** docker's words for a helper that is not there or has failed. */
function failureOf(program: string, result: {exitCode?: number; code?: string}, said: string): string {
	const error =
		result.code === 'ENOENT'
			? `exec: "${program}": executable file not found in $PATH`
			: result.exitCode === undefined
				? `${program} did not end by itself`
				: `exit status ${result.exitCode}`;
	return `err: ${error}, out: \`${said}\``;
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
		throw new WherryError('denied', `error getting credentials - ${failureOf(program, result, said)}`, {
			object: key,
		});
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
		const config = readLenient(configPath(env));
		const key = credentialsKey(domain);
		const helper = helperOf(config, domain);
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

const helperOf = (config: ConfigFile, domain: string): string | undefined => {
	const key = credentialsKey(domain);
	return config.credHelpers?.[bareHost(key)] ?? config.credHelpers?.[domain] ?? config.credsStore;
};

/** The secret goes to the helper on its stdin, where no list of processes shows it. */
async function tellHelper(name: string, verb: 'store' | 'erase', input: string): Promise<void> {
	if (!/^[A-Za-z0-9._-]+$/.test(name))
		throw new WherryError('invalid', `invalid name of a credential helper: ${JSON.stringify(name)}`);
	const program = `docker-credential-${name}`;
	const {execa} = await import('execa');
	const result = await execa(program, [verb], {input, reject: false, timeout: 60_000});
	if (result.exitCode === 0) return;
	const said = `${result.stdout}\n${result.stderr}`.trim();
	if (verb === 'erase' && /credentials not found/i.test(said)) return;
	const doing = verb === 'store' ? 'storing' : 'erasing';
	throw new WherryError('denied', `error ${doing} credentials - ${failureOf(program, result, said)}`);
}

async function writeConfig(path: string, config: ConfigFile): Promise<void> {
	mkdirSync(dirname(path), {recursive: true, mode: 0o700});
	// A link stays one: people keep this file elsewhere.
	const linked = lstatSync(path, {throwIfNoEntry: false})?.isSymbolicLink();
	await replaceFile(linked ? realpathSync(path) : path, `${JSON.stringify(config, undefined, '\t')}\n`, {
		mode: 0o600,
	});
}

/** Keeps credentials where the configuration says; gives the file when they are in it, readable. */
export async function storeCredentials(
	domain: string,
	credentials: Credentials,
	env: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
	const path = configPath(env);
	const config = readConfig(path);
	const key = credentialsKey(domain);
	const {username, password, identityToken} = credentials;
	const helper = helperOf(config, domain);
	if (helper) {
		const secret = identityToken
			? {Username: '<token>', Secret: identityToken}
			: {Username: username, Secret: password};
		await tellHelper(helper, 'store', JSON.stringify({ServerURL: key, ...secret}));
		await writeConfig(path, {...config, auths: {...config.auths, [key]: {}}});
		return undefined;
	}
	const auth = Buffer.from(`${username}:${identityToken ? '' : password}`).toString('base64');
	const entry = {auth, ...(identityToken ? {identitytoken: identityToken} : {})};
	await writeConfig(path, {...config, auths: {...config.auths, [key]: entry}});
	return path;
}

/** Forgets credentials; false when there were none. */
export async function eraseCredentials(
	domain: string,
	env: NodeJS.ProcessEnv = process.env,
): Promise<boolean> {
	const path = configPath(env);
	const config = readConfig(path);
	const key = credentialsKey(domain);
	const known = Object.keys(config.auths ?? {}).filter(
		(name) => name === key || bareHost(name) === bareHost(key),
	);
	const helper = helperOf(config, domain);
	if (helper) for (const each of new Set([key, ...known])) await tellHelper(helper, 'erase', each);
	if (known.length === 0) return false;
	const auths = Object.fromEntries(
		Object.entries(config.auths ?? {}).filter(([name]) => !known.includes(name)),
	);
	await writeConfig(path, {...config, auths});
	return true;
}
