/** Instructions that change an image's configuration and no files. Pure. */
import type {ImageConfig} from '../api.ts';
import {signalNumber} from '../containers/signals.ts';
import {durationOf} from './duration.ts';
import {DockerfileError, type Instruction} from './parser.ts';
import {expand, type Variables} from './shell-words.ts';
import {flagValue} from './stages.ts';

export const defaultShell = ['/bin/sh', '-c'];
export const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What instructions read and change. */
export interface StepConfig {
	config: ImageConfig;
	author: string;
	/** CMD has been given in this stage. */
	commandGiven: boolean;
}

/** Go writes maps in the order of their keys, so that equal ones are equal bytes. */
const inOrder = <T>(map: Readonly<Record<string, T>>): Record<string, T> =>
	Object.fromEntries(Object.entries(map).sort(([left], [right]) => (left < right ? -1 : 1)));

export type Words = (text: string) => string;

/** Expansion with the variables of a step; errors name the line. */
export function expander(instruction: Instruction, variables: Variables, token: string) {
	const attempt = <T>(work: () => T): T => {
		try {
			return work();
		} catch (error) {
			throw new DockerfileError((error as Error).message, instruction.line);
		}
	};
	return {
		word: (text: string): string => attempt(() => expand(text, variables, {escape: token}).word),
		words: (text: string): string[] => attempt(() => expand(text, variables, {escape: token}).words),
	};
}

export const commandOf = (instruction: Instruction, config: ImageConfig): string[] =>
	instruction.json
		? [...instruction.args]
		: [...(config.Shell?.length ? config.Shell : defaultShell), ...instruction.args];

/** `name=value` in a list: in the place of an old one, or at the end. */
export function setVariable(env: readonly string[], name: string, value: string): string[] {
	const entry = `${name}=${value}`;
	const at = env.findIndex((known) => known.slice(0, known.indexOf('=')) === name);
	return at < 0 ? [...env, entry] : env.map((known, index) => (index === at ? entry : known));
}

function atLeastOne({name, args, line}: Instruction): void {
	if (args.length === 0)
		throw new DockerfileError(`${name.toUpperCase()} requires at least one argument`, line);
}

function exactlyOne({name, args, line}: Instruction): void {
	if (args.length !== 1)
		throw new DockerfileError(`${name.toUpperCase()} requires exactly one argument`, line);
}

export function noFlags({flags, line}: Instruction): void {
	const [first] = flags;
	if (first !== undefined) throw new DockerfileError(`unknown flag: --${flagValue(first)[0]}`, line);
}

/** `80`, `80/udp`, `7000-7002`. */
export function ports(text: string, line: number): string[] {
	const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/([a-zA-Z]+))?$/.exec(text);
	const first = Number(match?.[1]);
	const last = Number(match?.[2] ?? match?.[1]);
	const protocol = (match?.[3] ?? 'tcp').toLowerCase();
	if (!match || first < 1 || last > 65535 || last < first)
		throw new DockerfileError(`invalid containerPort: ${text}`, line);
	if (!['tcp', 'udp', 'sctp'].includes(protocol))
		throw new DockerfileError(`invalid proto: ${protocol}`, line);
	return Array.from({length: last - first + 1}, (_, at) => `${first + at}/${protocol}`);
}

/** Throws DockerfileError. */
export function healthcheck(instruction: Instruction): NonNullable<ImageConfig['Healthcheck']> {
	const {args, flags, line} = instruction;
	const [type = '', ...rest] = args;
	if (args.length === 0) throw new DockerfileError('HEALTHCHECK requires at least one argument', line);
	if (type.toUpperCase() === 'NONE') {
		if (rest.length > 0) throw new DockerfileError('HEALTHCHECK NONE takes no arguments', line);
		return {Test: ['NONE']};
	}
	if (type.toUpperCase() !== 'CMD') {
		throw new DockerfileError(
			`unknown type ${JSON.stringify(type.toUpperCase())} in HEALTHCHECK (try CMD)`,
			line,
		);
	}
	if (rest.length === 0 || (rest.length === 1 && rest[0] === '')) {
		throw new DockerfileError('missing command after HEALTHCHECK CMD', line);
	}
	const check: NonNullable<ImageConfig['Healthcheck']> = {
		Test: instruction.json ? ['CMD', ...rest] : ['CMD-SHELL', ...rest],
	};
	const fields = {
		interval: 'Interval',
		timeout: 'Timeout',
		'start-period': 'StartPeriod',
		'start-interval': 'StartInterval',
	} as const;
	for (const flag of flags) {
		const [name, value = ''] = flagValue(flag);
		if (name === 'retries') {
			if (/^-\d+$/.test(value))
				throw new DockerfileError(`--retries cannot be negative (${Number(value)})`, line);
			if (!/^\+?\d+$/.test(value))
				throw new DockerfileError(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`, line);
			check.Retries = Number(value);
			continue;
		}
		const field = fields[name as keyof typeof fields];
		if (!field) throw new DockerfileError(`unknown flag: --${name}`, line);
		check[field] = durationOf(value, name, line);
	}
	return check;
}

/** Applies an instruction; false when it is none of these. */
export function applyConfig(
	state: StepConfig,
	instruction: Instruction,
	word: Words,
	words: (text: string) => string[],
): boolean {
	const {config} = state;
	const {args, line} = instruction;
	const name = instruction.name.toLowerCase();
	if (
		name !== 'healthcheck' &&
		[
			'cmd',
			'entrypoint',
			'env',
			'label',
			'expose',
			'volume',
			'user',
			'stopsignal',
			'shell',
			'maintainer',
			'onbuild',
		].includes(name)
	) {
		noFlags(instruction);
	}
	switch (name) {
		case 'cmd':
			config.Cmd = args.length === 0 && !instruction.json ? [] : commandOf(instruction, config);
			config.ArgsEscaped = true;
			state.commandGiven = true;
			return true;
		case 'entrypoint':
			config.Entrypoint = args.length === 0 && !instruction.json ? null : commandOf(instruction, config);
			if (!state.commandGiven) config.Cmd = null;
			return true;
		case 'env':
			atLeastOne(instruction);
			for (const [key, value] of pairsOf(instruction)) {
				const variable = word(key);
				if (variable === '') throw new DockerfileError('ENV names can not be blank', line);
				config.Env = setVariable(config.Env ?? [], variable, word(value));
			}
			return true;
		case 'label':
			atLeastOne(instruction);
			for (const [key, value] of pairsOf(instruction)) {
				const label = word(key);
				if (label === '') throw new DockerfileError('LABEL names can not be blank', line);
				config.Labels = {...config.Labels, [label]: word(value)};
			}
			config.Labels = inOrder(config.Labels ?? {});
			return true;
		case 'expose':
			atLeastOne(instruction);
			for (const text of args.flatMap(words)) {
				for (const port of ports(text, line)) config.ExposedPorts = {...config.ExposedPorts, [port]: {}};
			}
			config.ExposedPorts = inOrder(config.ExposedPorts ?? {});
			return true;
		case 'volume':
			atLeastOne(instruction);
			for (const text of args.map(word)) {
				if (text.trim() === '')
					throw new DockerfileError('VOLUME specified can not be an empty string', line);
				// As it is written, which `run` takes under `/`.
				config.Volumes = {...config.Volumes, [text]: {}};
			}
			config.Volumes = inOrder(config.Volumes ?? {});
			return true;
		case 'user':
			exactlyOne(instruction);
			config.User = word(args[0]!);
			return true;
		case 'stopsignal': {
			exactlyOne(instruction);
			const signal = word(args[0]!);
			try {
				signalNumber(signal);
			} catch {
				throw new DockerfileError(`invalid signal: ${signal}`, line);
			}
			config.StopSignal = signal;
			return true;
		}
		case 'healthcheck':
			config.Healthcheck = healthcheck(instruction);
			return true;
		case 'shell':
			if (!instruction.json)
				throw new DockerfileError('SHELL requires the arguments to be in JSON form', line);
			if (args.length === 0) throw new DockerfileError('SHELL requires at least one argument', line);
			config.Shell = [...args];
			return true;
		case 'maintainer':
			exactlyOne(instruction);
			state.author = args[0]!;
			return true;
		case 'onbuild': {
			const {trigger} = instruction;
			if (!trigger) throw new DockerfileError('ONBUILD requires at least one argument', line);
			const own = instruction.source.trim().replace(/^\S+\s+/, '');
			const text = [own, ...instruction.heredocs.map((each) => each.content + each.name)].join('\n');
			config.OnBuild = [...(config.OnBuild ?? []), text];
			return true;
		}
		default:
			return false;
	}
}

function pairsOf({args}: Instruction): [string, string][] {
	const pairs: [string, string][] = [];
	for (let at = 0; at + 1 < args.length; at += 3) pairs.push([args[at]!, args[at + 1]!]);
	return pairs;
}
