/**
 * What docker's configuration file says about how things are shown: `config.json` in DOCKER_CONFIG or ~/.docker.
 * A file that can't be read is as good as none, which docker also says.
 */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {jsonErrorWords} from './format/json-error.ts';
import {printError} from './output.ts';

export interface DisplayConfig {
	psFormat?: string;
	imagesFormat?: string;
	networksFormat?: string;
	volumesFormat?: string;
	statsFormat?: string;
	detachKeys?: string;
	/** docker's `proxies.default`: variables of the containers that are made. */
	proxies?: Record<string, string>;
	/** Filters of every prune: `label=key`, `label!=key`, ... */
	pruneFilters?: string[];
}

const texts = [
	'psFormat',
	'imagesFormat',
	'networksFormat',
	'volumesFormat',
	'statsFormat',
	'detachKeys',
] as const satisfies (keyof DisplayConfig)[];

const proxyVariables: Record<string, string> = {
	httpProxy: 'HTTP_PROXY',
	httpsProxy: 'HTTPS_PROXY',
	noProxy: 'NO_PROXY',
	ftpProxy: 'FTP_PROXY',
	allProxy: 'ALL_PROXY',
};

/** The variables of a new container with those of its proxies, in both spellings, that nobody has set. */
export function withProxies(variables: readonly string[]): string[] {
	const {proxies} = displayConfig();
	if (proxies === undefined) return [...variables];
	const names = new Set(variables.map((variable) => variable.split('=', 1)[0]!));
	const added = Object.entries(proxies)
		.flatMap(([name, value]) => [name, name.toLowerCase()].map((each) => [each, value] as const))
		.filter(([name]) => !names.has(name));
	return [...variables, ...added.map(([name, value]) => `${name}=${value}`)];
}

/** Said once, however often the file is read. */
let warned = false;

/** docker's warning about a file that can't be read, by those who need it for something else. */
export const warnOfConfig = (): void => void displayConfig();

export function displayConfig(env: NodeJS.ProcessEnv = process.env): DisplayConfig {
	const folder = env.DOCKER_CONFIG || (env.HOME ? join(env.HOME, '.docker') : '');
	if (folder === '') return {};
	const path = join(folder, 'config.json');
	let value: Record<string, unknown>;
	let text = '';
	try {
		text = readFileSync(path, 'utf8');
		if (text.trim() === '') return {};
		value = JSON.parse(text) as Record<string, unknown>;
		if (typeof value !== 'object' || value === null) throw new Error('it is not a JSON object');
	} catch (error) {
		const {code, message} = error as NodeJS.ErrnoException;
		const reason = error instanceof SyntaxError ? jsonErrorWords(text, error, 'unexpected EOF') : message;
		if (!warned && code !== 'ENOENT' && code !== 'ENOTDIR')
			printError(
				error instanceof SyntaxError
					? `WARNING: Error parsing config file (${path}): ${reason}`
					: `WARNING: Error loading config file: ${path}: ${reason}`,
			);
		warned = true;
		return {};
	}
	const config: DisplayConfig = {};
	for (const key of texts) if (typeof value[key] === 'string') config[key] = value[key];
	const {default: proxies} = (value.proxies ?? {}) as {default?: Record<string, unknown>};
	if (typeof proxies === 'object' && proxies !== null) {
		config.proxies = Object.fromEntries(
			Object.entries(proxies).flatMap(([key, text]) =>
				Object.hasOwn(proxyVariables, key) && typeof text === 'string' && text !== ''
					? [[proxyVariables[key]!, text]]
					: [],
			),
		);
	}
	if (Array.isArray(value.pruneFilters)) config.pruneFilters = value.pruneFilters.map(String);
	return config;
}

type FormatKey = 'psFormat' | 'imagesFormat' | 'networksFormat' | 'volumesFormat' | 'statsFormat';

/** The format of a list: what the flag says, else what the configuration says, but not with --quiet. */
export function listFormat(key: FormatKey, flag: string, quiet: boolean): string {
	return flag !== '' || quiet ? flag : (displayConfig()[key] ?? '');
}
