/**
 * What every instruction has to be like, whether or not its stage is built: its flags, how many words it takes, and
 * what ONBUILD may carry (Dockerfile reference). Checked in order, before anything runs. Pure.
 */
import {healthcheck} from './config-steps.ts';
import {DockerfileError, type Instruction, instructionNames, parseHeredoc} from './parser.ts';
import {flagValue, suggestion, unknownInstruction} from './stages.ts';

interface Rule {
	readonly words: 'any' | 'some' | 'one' | 'source and destination' | 'one or three';
	readonly flags?: Readonly<Record<string, 'text' | 'bool' | 'texts'>>;
}

const copyFlags = {chown: 'text', chmod: 'text', link: 'bool', exclude: 'texts'} as const;

const rules: Readonly<Record<string, Rule>> = {
	add: {
		words: 'source and destination',
		flags: {...copyFlags, 'keep-git-dir': 'bool', checksum: 'text', unpack: 'bool'},
	},
	arg: {words: 'some'},
	cmd: {words: 'any'},
	copy: {words: 'source and destination', flags: {...copyFlags, from: 'text', parents: 'bool'}},
	entrypoint: {words: 'any'},
	env: {words: 'some'},
	expose: {words: 'some'},
	from: {words: 'one or three', flags: {platform: 'text'}},
	healthcheck: {
		words: 'some',
		flags: {
			interval: 'text',
			timeout: 'text',
			'start-period': 'text',
			'start-interval': 'text',
			retries: 'text',
		},
	},
	label: {words: 'some'},
	maintainer: {words: 'one'},
	onbuild: {words: 'any'},
	run: {words: 'any', flags: {mount: 'texts', network: 'text', security: 'text'}},
	shell: {words: 'some'},
	stopsignal: {words: 'one'},
	user: {words: 'one'},
	volume: {words: 'some'},
	workdir: {words: 'one'},
};

function checkFlags({flags, line}: Instruction, known: NonNullable<Rule['flags']>): void {
	const seen = new Set<string>();
	for (const flag of flags) {
		const [name, value] = flagValue(flag);
		const kind = known[name];
		if (!kind) {
			const meant = suggestion(name, Object.keys(known)).toLowerCase();
			throw new DockerfileError(`unknown flag: --${name}${meant}`, line);
		}
		if (seen.has(name) && kind !== 'texts')
			throw new DockerfileError(`duplicate flag specified: ${name}`, line);
		seen.add(name);
		if (kind === 'bool' ? value === '' : value === undefined)
			throw new DockerfileError(`missing a value on flag: ${name}`, line);
		if (kind === 'bool' && value !== undefined && !['true', 'false'].includes(value.toLowerCase()))
			throw new DockerfileError(`expecting boolean value for flag ${name}, not: ${value}`, line);
	}
}

function checkWords({args, line}: Instruction, name: string, {words}: Rule): void {
	const fail = (text: string): never => {
		throw new DockerfileError(`${name.toUpperCase()} requires ${text}`, line);
	};
	if (words === 'some' && args.length === 0) fail('at least one argument');
	if (words === 'one' && args.length !== 1) fail('exactly one argument');
	if (words === 'one or three' && args.length !== 1 && args.length !== 3)
		fail('either one or three arguments');
	if (words === 'source and destination' && args.length < 2)
		fail('at least two arguments, but only one was provided. Destination could not be determined');
}

/** Of these the flags are looked at before the words. */
const flagsFirst: ReadonlySet<string> = new Set(['cmd', 'entrypoint', 'env', 'label', 'run', 'shell']);
/** Of these never. */
const flagsIgnored: ReadonlySet<string> = new Set(['arg', 'stopsignal']);

function checkNames({args, line}: Instruction, name: string): void {
	const upper = name.toUpperCase();
	const isBlank =
		name === 'arg'
			? args.some((word) => word.startsWith('='))
			: (name === 'env' || name === 'label') && args.some((word, at) => at % 3 === 0 && word === '');
	if (isBlank) throw new DockerfileError(`${upper} names can not be blank`, line);
	if (name === 'volume' && args.some((word) => word.trim() === ''))
		throw new DockerfileError('VOLUME specified can not be an empty string', line);
	if ((name === 'copy' || name === 'add') && parseHeredoc(args.at(-1)!, line))
		throw new DockerfileError(`${upper} cannot accept a heredoc as a destination`, line);
}

/** Throws DockerfileError. */
export function checkInstruction(instruction: Instruction): void {
	const {args, line, json, trigger} = instruction;
	const name = instruction.name.toLowerCase();
	const rule = rules[name];
	if (!rule || !instructionNames.includes(name)) throw unknownInstruction(instruction);
	if (flagsFirst.has(name)) checkFlags(instruction, rule.flags ?? {});
	checkWords(instruction, name, rule);
	const takesNone = name === 'healthcheck' && args[0]?.toUpperCase() === 'NONE';
	if (!flagsFirst.has(name) && !flagsIgnored.has(name) && !takesNone)
		checkFlags(instruction, rule.flags ?? {});
	checkNames(instruction, name);
	if (name === 'healthcheck') healthcheck(instruction);
	if (name === 'shell' && !json)
		throw new DockerfileError('SHELL requires the arguments to be in JSON form', line);
	if (name === 'run' && !json && args.every((word) => word.trim() === ''))
		throw new DockerfileError('RUN requires at least one argument', line);
	if (name === 'onbuild') {
		if (!trigger) throw new DockerfileError('ONBUILD requires at least one argument', line);
		checkTriggerName(trigger);
	}
}

/** What a trigger says is looked at where it is pulled. Throws DockerfileError. */
function checkTriggerName(trigger: Instruction): void {
	const name = trigger.name.toUpperCase();
	if (name === 'ONBUILD')
		throw new DockerfileError("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed", trigger.line);
	if (name === 'MAINTAINER' || name === 'FROM')
		throw new DockerfileError(`${name} isn't allowed as an ONBUILD trigger`, trigger.line);
}

/** What an image's ONBUILD says. Throws DockerfileError. */
export function checkTrigger(trigger: Instruction): void {
	checkTriggerName(trigger);
	checkInstruction(trigger);
}
