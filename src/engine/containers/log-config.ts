/** Logging drivers and their options: docker's checks in docker's words, and what the monitor is told of them. Pure. */
import {WherryError} from '../errors.ts';
import type {ContainerRecord} from './record.ts';

/** What a log keeps when nobody says otherwise: docker's json-file is without bound. */
export const defaultLog = {maxSize: 100 << 20, maxFiles: 5};
/** docker's for the driver `local`, whose full files are compressed. */
const defaultLocal = {maxSize: 20 << 20, maxFiles: 5};

export const logDrivers: readonly string[] = ['json-file', 'local', 'none'];
const fileOptions = ['compress', 'env', 'env-regex', 'labels', 'labels-regex', 'max-file', 'max-size', 'tag'];

function fail(message: string): never {
	throw new WherryError('invalid', message);
}

/** What docker finds out only when it starts the container, and says in these words. */
function failAtStart(message: string): never {
	fail(`failed to initialize logging driver: ${message}`);
}

/** go-units' sizes: `10k`, `1.5 MB`, `3GiB`; the base is 1000 or 1024. Undefined: not a size. */
function size(text: string, base: number): number | undefined {
	const match = /^(\d+\.?\d*|\.\d+) ?([kmgtp])?i?b?$/i.exec(text);
	if (!match) return undefined;
	const power = match[2] ? 'kmgtp'.indexOf(match[2].toLowerCase()) + 1 : 0;
	const value = Math.trunc(Number(match[1]) * base ** power);
	return Number.isSafeInteger(value) ? value : undefined;
}

const truths: Record<string, boolean> = {
	...Object.fromEntries(['1', 't', 'T', 'TRUE', 'true', 'True'].map((word) => [word, true])),
	...Object.fromEntries(['0', 'f', 'F', 'FALSE', 'false', 'False'].map((word) => [word, false])),
};

interface FileSettings {
	/** Bytes. */
	maxSize: number;
	maxFiles: number;
	compress: boolean;
}

function jsonFileSettings(options: Record<string, string>): FileSettings {
	const settings: FileSettings = {...defaultLog, compress: false};
	const {'max-size': maxSize, 'max-file': maxFile, compress} = options;
	if (maxSize !== undefined) {
		settings.maxSize = size(maxSize, 1000) ?? failAtStart(`invalid size: '${maxSize}'`);
		if (settings.maxSize <= 0) failAtStart('max-size must be a positive number');
		settings.maxFiles = 1;
	}
	if (maxFile !== undefined) {
		if (!/^[+-]?\d+$/.test(maxFile)) {
			failAtStart(`strconv.Atoi: parsing ${JSON.stringify(maxFile)}: invalid syntax`);
		}
		settings.maxFiles = Number(maxFile);
		if (settings.maxFiles < 1) failAtStart('max-file cannot be less than 1');
	}
	if (compress !== undefined) {
		settings.compress =
			truths[compress] ??
			failAtStart(`strconv.ParseBool: parsing ${JSON.stringify(compress)}: invalid syntax`);
		if (settings.compress && (settings.maxFiles === 1 || maxSize === undefined)) {
			failAtStart('compress cannot be true when max-file is less than 2 or max-size is not set');
		}
	}
	return settings;
}

function localSettings(options: Record<string, string>): FileSettings {
	const settings: FileSettings = {...defaultLocal, compress: true};
	const {'max-size': maxSize, 'max-file': maxFile, compress} = options;
	if (maxSize !== undefined) {
		settings.maxSize =
			size(maxSize, 1000) ??
			failAtStart(`invalid value for max-size: ${maxSize}: invalid size: '${maxSize}'`);
	}
	if (maxFile !== undefined) {
		if (!/^[+-]?\d+$/.test(maxFile)) {
			failAtStart(
				`invalid value for max-file: ${maxFile}: strconv.Atoi: parsing ${JSON.stringify(maxFile)}: invalid syntax`,
			);
		}
		settings.maxFiles = Number(maxFile);
		if (settings.maxFiles < 0) failAtStart('max-file must not be negative');
	}
	if (compress !== undefined) {
		settings.compress =
			truths[compress] ??
			failAtStart(
				`error reading compress log option: strconv.ParseBool: parsing ${JSON.stringify(compress)}: invalid syntax`,
			);
	}
	if (settings.compress && settings.maxFiles <= 1) {
		failAtStart('compression cannot be enabled when max file count is 1');
	}
	return settings;
}

const fileSettings = (type: string, options: Record<string, string>): FileSettings =>
	type === 'local' ? localSettings(options) : jsonFileSettings(options);

function pattern(text: string): RegExp {
	try {
		return new RegExp(text);
	} catch (error) {
		const reason = /: ([^:]+)$/.exec((error as Error).message)?.[1] ?? 'invalid';
		return failAtStart(`error parsing regexp: ${reason}: \`${text}\``);
	}
}

/** What a tag's template may name: docker's `logger.Info`. */
function tagFields(record: ContainerRecord): Record<string, string> {
	const command = [...(record.Config.Entrypoint ?? []), ...(record.Config.Cmd ?? [])];
	return {
		Command: command.join(' '),
		ContainerEntrypoint: command[0] ?? '',
		ContainerID: record.Id,
		ContainerImageID: record.Image,
		ContainerImageName: record.Config.Image,
		ContainerName: `/${record.Name}`,
		DaemonName: 'wherry',
		FullID: record.Id,
		ID: record.Id.slice(0, 12),
		ImageFullID: record.Image,
		ImageID: record.Image.slice(0, 12),
		ImageName: record.Config.Image,
		Name: record.Name,
	};
}

/** The part of Go's templates that tags are written in: text and `{{.Field}}`. */
function tagOf(template: string, fields: Record<string, string>): string {
	let text = '';
	let at = 0;
	for (let open = template.indexOf('{{'); open >= 0; open = template.indexOf('{{', at)) {
		const close = template.indexOf('}}', open);
		if (close < 0) failAtStart('template: log-tag:1: unclosed action');
		const inner = template.slice(open + 2, close).trim();
		const field = /^\.(\w+)$/.exec(inner)?.[1];
		if (field === undefined) {
			throw new WherryError(
				'unsupported',
				`failed to initialize logging driver: template: log-tag:1:${open + 2}: only fields are supported in a tag, not "${inner}"`,
			);
		}
		if (!Object.hasOwn(fields, field)) {
			failAtStart(
				`template: log-tag:1:${open + 2}: executing "log-tag" at <${inner}>: can't evaluate field ${field} in type *logger.Info`,
			);
		}
		text += template.slice(at, open) + fields[field]!;
		at = close + 2;
	}
	return text + template.slice(at);
}

/** Labels, variables and the tag that --log-opt asks for, sorted by name. */
export function logAttributes(record: ContainerRecord): Record<string, string> {
	const {Config: options} = record.HostConfig.LogConfig;
	const {Labels} = record.Config;
	const variables: Record<string, string> = {};
	for (const entry of record.Config.Env) {
		const equals = entry.indexOf('=');
		if (equals > 0) variables[entry.slice(0, equals)] = entry.slice(equals + 1);
	}
	const attributes = new Map<string, string>();
	const named = (names: string | undefined, values: Record<string, string>): void => {
		for (const name of names ? names.split(',') : []) {
			if (Object.hasOwn(values, name)) attributes.set(name, values[name]!);
		}
	};
	const matching = (text: string | undefined, values: Record<string, string>): void => {
		if (!text) return;
		const expression = pattern(text);
		for (const [name, value] of Object.entries(values)) {
			if (expression.test(name)) attributes.set(name, value);
		}
	};
	named(options.labels, Labels);
	matching(options['labels-regex'], Labels);
	named(options.env, variables);
	matching(options['env-regex'], variables);
	if (options.tag) {
		const tag = tagOf(options.tag, tagFields(record));
		if (tag) attributes.set('tag', tag);
	}
	return Object.fromEntries([...attributes].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

/** Throws docker's words, but already when the container is made. */
export function checkLogConfig({Type, Config}: ContainerRecord['HostConfig']['LogConfig']): void {
	if (!logDrivers.includes(Type)) {
		throw new WherryError(
			'unsupported',
			`error looking up logging plugin ${Type}: plugin "${Type}" not found`,
		);
	}
	if (Type === 'none') return;
	const {mode, 'max-buffer-size': buffer, ...options} = Config;
	if (mode && mode !== 'blocking' && mode !== 'non-blocking')
		fail(`logger: logging mode not supported: ${mode}`);
	if (buffer !== undefined) {
		if (mode !== 'non-blocking') {
			fail("logger: max-buffer-size option is only supported with 'mode=non-blocking'");
		}
		if (size(buffer, 1024) === undefined) {
			fail(`error parsing option max-buffer-size: invalid size: '${buffer}'`);
		}
	}
	for (const key of Object.keys(options)) {
		if (fileOptions.includes(key)) continue;
		fail(
			Type === 'local'
				? `unknown log opt '${key}' for log driver local`
				: `unknown log opt '${key}' for ${Type} log driver`,
		);
	}
	fileSettings(Type, options);
	for (const key of ['labels-regex', 'env-regex']) if (options[key]) pattern(options[key]);
	if (options.tag) {
		// Which fields there are doesn't depend on the container.
		const known = {Config: {Labels: {}, Env: [], Image: ''}, Id: '', Image: '', Name: ''};
		tagOf(options.tag, tagFields(known as unknown as ContainerRecord));
	}
}

/** MonitorSettings of the log. */
export function logSettings(record: ContainerRecord): {
	'log-driver': string;
	'log-max-size': string;
	'log-max-files': string;
	'log-compress'?: string;
	'log-attributes'?: string;
} {
	const {Type, Config} = record.HostConfig.LogConfig;
	const {maxSize, maxFiles, compress} = fileSettings(Type, Type === 'none' ? {} : Config);
	const attributes = Type === 'none' ? {} : logAttributes(record);
	return {
		'log-driver': Type,
		'log-max-size': String(maxSize),
		'log-max-files': String(maxFiles),
		...(compress ? {'log-compress': '1'} : {}),
		...(Object.keys(attributes).length > 0 ? {'log-attributes': JSON.stringify(attributes)} : {}),
	};
}
