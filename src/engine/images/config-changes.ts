/**
 * `--change` of `commit` and `import`: Dockerfile instructions that change an image's configuration (docker's
 * documentation of the commands names them). Pure; errors have docker's words.
 */
import {posix} from 'node:path';
import type {HealthConfig, ImageConfig} from '../api.ts';
import {signalNumber} from '../containers/signals.ts';
import {WherryError} from '../errors.ts';
import {expandWord, expandWords, splitWords} from './expand-words.ts';

const invalid = (message: string): WherryError => new WherryError('invalid', message);

interface Instruction {
	/** In capitals. */
	name: string;
	/** What follows it, as it is written. */
	rest: string;
}

/** Lines that a backslash continues are one; comments and empty lines are none. */
export function splitInstructions(text: string): Instruction[] {
	const instructions: Instruction[] = [];
	let open = '';
	const add = (line: string) => {
		const match = /^\s*(\S+)(?:\s+([\s\S]*))?$/.exec(line);
		if (match) instructions.push({name: match[1]!.toUpperCase(), rest: (match[2] ?? '').trim()});
	};
	for (const line of text.split(/\r?\n/)) {
		if (/^\s*#/.test(line) || (open !== '' && line.trim() === '')) continue;
		const continued = /^([\s\S]*)\\[ \t]*$/.exec(line);
		open += continued ? continued[1]! : line;
		if (continued) continue;
		add(open);
		open = '';
	}
	if (open !== '') add(open);
	return instructions;
}

/** The exec form, `["a", "b"]`; undefined when it is none. */
function jsonForm(rest: string): string[] | undefined {
	if (!rest.startsWith('[')) return undefined;
	try {
		const value: unknown = JSON.parse(rest);
		return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
	} catch {
		return undefined;
	}
}

const defaultShell = ['/bin/sh', '-c'];

const commandForm = (rest: string, config: ImageConfig): string[] =>
	jsonForm(rest) ?? [...(config.Shell?.length ? config.Shell : defaultShell), ...(rest === '' ? [] : [rest])];

function atLeastOne({name, rest}: Instruction): void {
	if (rest === '') throw invalid(`${name} requires at least one argument`);
}

function exactlyOne({name, rest}: Instruction): void {
	if (rest === '') throw invalid(`${name} requires exactly one argument`);
}

/** `NAME=value ...`, or the old form `NAME value`. */
function pairs(instruction: Instruction, environment: readonly string[]): [string, string][] {
	const {name, rest} = instruction;
	atLeastOne(instruction);
	const words = splitWords(rest);
	let raw: [string, string][];
	if (words[0]!.includes('=')) {
		raw = words.map((word) => {
			const equals = word.indexOf('=');
			if (equals < 0) {
				throw invalid(
					`Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`,
				);
			}
			return [word.slice(0, equals), word.slice(equals + 1)];
		});
	} else {
		const match = /^(\S+)\s+([\s\S]+)$/.exec(rest);
		if (!match) throw invalid(`${name} must have two arguments`);
		raw = [[match[1]!, match[2]!]];
	}
	return raw.map(([key, value]) => {
		const pair: [string, string] = [expandWord(key, environment), expandWord(value, environment)];
		if (pair[0] === '') throw invalid(`${name} names can not be blank`);
		return pair;
	});
}

function portNumber(text: string, port: string): number {
	if (!/^\d+$/.test(text) || Number(text) > 65_535) throw invalid(`invalid containerPort: ${port}`);
	return Number(text);
}

/** `80`, `80/udp`, `70-72`; of a published port (`8080:80`) the container's. */
function exposedPorts(spec: string): string[] {
	const slash = spec.indexOf('/');
	const protocol = slash < 0 ? 'tcp' : spec.slice(slash + 1).toLowerCase();
	const port = (slash < 0 ? spec : spec.slice(0, slash)).replace(/^.*:/, '');
	if (port === '') throw invalid(`no port specified: ${spec}<empty>`);
	const [first, last] = port.split('-', 2) as [string, string?];
	const low = portNumber(first, port);
	const high = last === undefined ? low : portNumber(last, port);
	if (high < low) throw invalid(`invalid containerPort: ${port}`);
	if (!['tcp', 'udp', 'sctp'].includes(protocol)) throw invalid(`Invalid proto: ${protocol}`);
	return Array.from({length: high - low + 1}, (_, index) => `${low + index}/${protocol}`);
}

const units: Record<string, number> = {ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9};

/** A Go duration in nanoseconds, at least a millisecond; 0 is the default. */
function duration(flag: string, text: string): number {
	const parts = [...text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g)];
	const bare = /^[+-]?0$/.test(text);
	if (!bare && (parts.length === 0 || parts.map(([part]) => part).join('') !== text.replace(/^[+-]/, ''))) {
		throw invalid(`time: invalid duration ${JSON.stringify(text)}`);
	}
	const sum = parts.reduce((total, [, number, unit]) => total + Number(number) * units[unit!]!, 0);
	const value = text.startsWith('-') ? -sum : sum;
	if (value < 0 || (value > 0 && value < 1e6)) {
		throw invalid(`Interval ${JSON.stringify(flag)} cannot be less than 1ms`);
	}
	return Math.round(value);
}

const intervals: Record<string, 'Interval' | 'Timeout' | 'StartPeriod' | 'StartInterval'> = {
	interval: 'Interval',
	timeout: 'Timeout',
	'start-period': 'StartPeriod',
	'start-interval': 'StartInterval',
};

/** `--interval=5s CMD ...` or `NONE`. */
function healthcheck(instruction: Instruction, config: ImageConfig): HealthConfig {
	const health: HealthConfig = {};
	let rest = instruction.rest;
	for (;;) {
		const flag = /^--([^=\s]*)(?:=(\S*))?\s*/.exec(rest);
		if (!flag) break;
		rest = rest.slice(flag[0].length);
		const [, name, value = ''] = flag as unknown as [string, string, string?];
		if (name === 'retries') {
			if (!/^[+-]?\d+$/.test(value))
				throw invalid(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
			if (Number(value) < 0) throw invalid(`--retries must be at least 1 (not ${value})`);
			health.Retries = Number(value);
		} else if (Object.hasOwn(intervals, name)) health[intervals[name]!] = duration(name, value);
		else throw invalid(`Unknown flag: ${name}`);
	}
	atLeastOne({...instruction, rest});
	const [, kind, command] = /^(\S+)\s*([\s\S]*)$/.exec(rest) as unknown as [string, string, string];
	if (kind.toUpperCase() === 'NONE') {
		if (command !== '') throw invalid('HEALTHCHECK NONE takes no arguments');
		return {Test: ['NONE']};
	}
	if (kind.toUpperCase() !== 'CMD')
		throw invalid(`Unknown type ${JSON.stringify(kind.toUpperCase())} in HEALTHCHECK (try CMD)`);
	if (command === '') throw invalid('Missing command after HEALTHCHECK CMD');
	const exec = jsonForm(command);
	for (const key of Object.keys(health) as (keyof HealthConfig)[]) if (health[key] === 0) delete health[key];
	return {
		...health,
		Test: exec
			? ['CMD', ...exec]
			: config.Shell?.length
				? [...config.Shell, command]
				: ['CMD-SHELL', command],
	};
}

function trigger({rest}: Instruction): string {
	const first = (/^\S+/.exec(rest)?.[0] ?? '').toUpperCase();
	if (first === 'ONBUILD') throw invalid("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
	if (first === 'FROM' || first === 'MAINTAINER')
		throw invalid(`${first} isn't allowed as an ONBUILD trigger`);
	return rest;
}

function setVariable(environment: string[], name: string, value: string): void {
	const at = environment.findIndex((entry) => entry.startsWith(`${name}=`) || entry === name);
	if (at < 0) environment.push(`${name}=${value}`);
	else environment[at] = `${name}=${value}`;
}

type Change = (config: ImageConfig, instruction: Instruction, state: {commandSet: boolean}) => void;

const changes: Record<string, Change> = {
	CMD(config, {rest}, state) {
		config.Cmd = commandForm(rest, config);
		state.commandSet = true;
	},
	ENTRYPOINT(config, {rest}, state) {
		config.Entrypoint = commandForm(rest, config);
		// The command was made for the entry point before.
		if (!state.commandSet) config.Cmd = null;
	},
	ENV(config, instruction) {
		const environment = [...(config.Env ?? [])];
		for (const [name, value] of pairs(instruction, config.Env ?? [])) setVariable(environment, name, value);
		config.Env = environment;
	},
	EXPOSE(config, instruction) {
		atLeastOne(instruction);
		const written = expandWords(instruction.rest, config.Env ?? []);
		const specs = written.length > 0 ? written : [''];
		const ports = specs.flatMap(exposedPorts).sort();
		config.ExposedPorts = {...config.ExposedPorts, ...Object.fromEntries(ports.map((port) => [port, {}]))};
	},
	HEALTHCHECK(config, instruction) {
		config.Healthcheck = healthcheck(instruction, config);
	},
	LABEL(config, instruction) {
		config.Labels = {
			...config.Labels,
			...Object.fromEntries(pairs(instruction, config.Env ?? [])),
		};
	},
	ONBUILD(config, instruction) {
		atLeastOne(instruction);
		config.OnBuild = [...(config.OnBuild ?? []), trigger(instruction)];
	},
	STOPSIGNAL(config, instruction) {
		exactlyOne(instruction);
		const signal = expandWord(instruction.rest, config.Env ?? []);
		try {
			signalNumber(signal);
		} catch (cause) {
			throw new WherryError('invalid', `Invalid signal: ${signal}`, {cause});
		}
		config.StopSignal = signal;
	},
	USER(config, instruction) {
		exactlyOne(instruction);
		config.User = expandWord(instruction.rest, config.Env ?? []);
	},
	VOLUME(config, instruction) {
		atLeastOne(instruction);
		const written = jsonForm(instruction.rest) ?? splitWords(instruction.rest);
		if (written.length === 0) atLeastOne({...instruction, rest: ''});
		const paths = written.map((path) => expandWord(path, config.Env ?? []).trim());
		if (paths.includes('')) throw invalid('VOLUME specified can not be an empty string');
		config.Volumes = {...config.Volumes, ...Object.fromEntries(paths.map((path) => [path, {}]))};
	},
	WORKDIR(config, instruction) {
		exactlyOne(instruction);
		const path = expandWord(instruction.rest, config.Env ?? []);
		const joined = path.startsWith('/') ? path : posix.join('/', config.WorkingDir ?? '', path);
		config.WorkingDir = posix.normalize(joined).replace(/(.)\/+$/, '$1');
	},
};

/** docker's `commit`: what the changes have emptied is as it was. */
export function keepCommand(
	changed: ImageConfig,
	before: Pick<ImageConfig, 'Cmd' | 'Entrypoint'>,
): ImageConfig {
	if (changed.Entrypoint?.length) return changed;
	return {
		...changed,
		Cmd: changed.Cmd?.length ? changed.Cmd : (before.Cmd ?? null),
		Entrypoint: changed.Entrypoint ?? before.Entrypoint ?? null,
	};
}

/** The configuration after the changes, each of which may be several lines. */
export function applyConfigChanges(config: ImageConfig, lines: readonly string[]): ImageConfig {
	if (lines.length === 0) return config;
	const instructions = splitInstructions(lines.join('\n'));
	if (instructions.length === 0) throw invalid('file with no instructions');
	for (const {name} of instructions) {
		if (!Object.hasOwn(changes, name)) throw invalid(`${name.toLowerCase()} is not a valid change command`);
	}
	const changed: ImageConfig = structuredClone(config);
	const state = {commandSet: false};
	for (const instruction of instructions) changes[instruction.name]!(changed, instruction, state);
	return changed;
}
