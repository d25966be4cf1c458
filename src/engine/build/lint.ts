/** What is allowed in a Dockerfile and yet doubtful, by the names of BuildKit's rules. Pure. */
import type {BuildWarning} from '../api.ts';
import type {Dockerfile, Instruction} from './parser.ts';
import type {Stage} from './stages.ts';

const address = (rule: string): string =>
	`https://docs.docker.com/go/dockerfile/rule/${rule.replace(/(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, '-').toLowerCase()}/`;

const casing = (word: string): 'lower' | 'upper' | 'mixed' =>
	word === word.toLowerCase() ? 'lower' : word === word.toUpperCase() ? 'upper' : 'mixed';

/** Names that say what they hold. */
const secretName = /(?:^|_)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)/i;
const publicName = /(?:^|_)public(?:_|$)/i;

/** `# check=skip=RULE,RULE;error=true` */
function directive(text: string | undefined): {skip: readonly string[]; isError: boolean} {
	const fields = new Map(
		(text ?? '').split(';').map((part): [string, string] => {
			const equals = part.indexOf('=');
			return [part.slice(0, equals).trim(), part.slice(equals + 1).trim()];
		}),
	);
	const skip = (fields.get('skip') ?? '').split(',').map((name) => name.trim());
	return {skip, isError: fields.get('error') === 'true'};
}

/** `isError`: the Dockerfile asks that warnings count as errors. */
export function checkDockerfile(
	dockerfile: Dockerfile,
	stages: readonly Stage[],
): {warnings: BuildWarning[]; isError: boolean} {
	const found: BuildWarning[] = [];
	const warn = (rule: string, message: string, {line, endLine}: {line: number; endLine: number}): void =>
		void found.push({rule, message, url: address(rule), line, endLine});
	for (const {message, line} of dockerfile.warnings)
		warn('NoEmptyContinuation', message, {line, endLine: line});
	checkCasing(dockerfile.instructions, warn);
	const names = new Set<string>();
	for (const stage of stages) {
		checkFrom(stage, names, warn);
		checkStage(stage, warn);
	}
	const {skip, isError} = directive(dockerfile.directives.check);
	const warnings = found
		.filter(({rule}) => !skip.includes('all') && !skip.includes(rule))
		.sort((left, right) => left.line - right.line);
	return {warnings, isError: isError && warnings.length > 0};
}

type Warn = (rule: string, message: string, where: {line: number; endLine: number}) => void;

/** All instructions in capitals, or none. */
function checkCasing(instructions: readonly Instruction[], warn: Warn): void {
	const count = (kind: string): number => instructions.filter(({name}) => casing(name) === kind).length;
	const majority = count('lower') > count('upper') ? 'lower' : 'upper';
	for (const instruction of instructions) {
		if (casing(instruction.name) === majority) continue;
		const kind = majority === 'lower' ? 'lowercase' : 'uppercase';
		warn(
			'ConsistentInstructionCasing',
			`Command '${instruction.name}' should match the case of the command majority (${kind})`,
			instruction,
		);
	}
}

function checkFrom(stage: Stage, names: Set<string>, warn: Warn): void {
	const {from, name, index} = stage;
	const [, as, given] = from.args;
	if (as !== undefined && given !== undefined) {
		if (given !== given.toLowerCase())
			warn('StageNameCasing', `Stage name '${given}' should be lowercase`, from);
		if (casing(as) !== casing(from.name))
			warn('FromAsCasing', `'${as}' and '${from.name}' keywords' casing do not match`, from);
		if (['scratch', 'context'].includes(name))
			warn('ReservedStageName', `Stage name should not use the same name as reserved stage "${name}"`, from);
	}
	if (name !== String(index)) {
		if (names.has(name))
			warn('DuplicateStageName', `Duplicate stage name "${name}", stage names should be unique`, from);
		names.add(name);
	}
	const platform = from.flags.find((flag) => flag.startsWith('--platform='))?.slice('--platform='.length);
	if (platform === undefined) return;
	if (/^\$\{?TARGETPLATFORM\}?$/.test(platform)) {
		warn(
			'RedundantTargetPlatform',
			`Setting platform to predefined ${platform} in FROM is redundant as this is the default behavior`,
			from,
		);
	} else if (!platform.includes('$')) {
		warn(
			'FromPlatformFlagConstDisallowed',
			`FROM --platform flag should not use constant value "${platform}"`,
			from,
		);
	}
}

function checkStage({instructions}: Stage, warn: Warn): void {
	const last = new Map<string, Instruction>();
	let hasWorkdir = false;
	const isShellSet = instructions.some(({name}) => name.toLowerCase() === 'shell');
	for (const instruction of instructions) {
		const {args, json} = instruction;
		const name = instruction.name.toUpperCase();
		switch (name) {
			case 'MAINTAINER':
				warn(
					'MaintainerDeprecated',
					'Maintainer instruction is deprecated in favor of using label',
					instruction,
				);
				break;
			case 'CMD':
			case 'ENTRYPOINT':
			case 'HEALTHCHECK': {
				const earlier = last.get(name);
				if (earlier) {
					warn(
						'MultipleInstructionsDisallowed',
						`Multiple ${name} instructions should not be used in the same stage because only the last one will be used`,
						earlier,
					);
				}
				last.set(name, instruction);
				if (!json && !isShellSet && name !== 'HEALTHCHECK' && args.length > 0) {
					warn(
						'JSONArgsRecommended',
						`JSON arguments recommended for ${name} to prevent unintended behavior related to OS signals`,
						instruction,
					);
				}
				break;
			}
			case 'ENV':
			case 'LABEL':
				if (args[2] === '') {
					warn(
						'LegacyKeyValueFormat',
						`"${name} key=value" should be used instead of legacy "${name} key value" format`,
						instruction,
					);
				}
				if (name === 'ENV')
					for (let at = 0; at < args.length; at += 3) checkSecret(name, args[at]!, instruction, warn);
				break;
			case 'ARG':
				for (const text of args) checkSecret(name, text.split('=')[0]!, instruction, warn);
				break;
			case 'WORKDIR': {
				const [path = ''] = args;
				const isRelative = !/^(?:\/|\$|"\/)/.test(path);
				if (isRelative && !hasWorkdir) {
					warn(
						'WorkdirRelativePath',
						`Relative workdir "${path}" can have unexpected results if the base image has no WORKDIR set`,
						instruction,
					);
				}
				hasWorkdir ||= !isRelative;
				break;
			}
			case 'EXPOSE':
				for (const port of args) {
					const protocol = port.split('/')[1];
					if (protocol !== undefined && protocol !== protocol.toLowerCase())
						warn(
							'ExposeProtoCasing',
							`Defined protocol '${port}' in EXPOSE instruction should be lowercase`,
							instruction,
						);
					// `${PORT:-80}` is no address.
					if (port.replace(/\$\{[^}]*\}/g, '').includes(':'))
						warn(
							'ExposeInvalidFormat',
							`EXPOSE instruction should not define an IP address or host-port mapping, found '${port}'`,
							instruction,
						);
				}
				break;
		}
	}
}

function checkSecret(command: string, name: string, instruction: Instruction, warn: Warn): void {
	if (!secretName.test(name) || publicName.test(name)) return;
	warn(
		'SecretsUsedInArgOrEnv',
		`Do not use ARG or ENV instructions for sensitive data (${command} "${name}")`,
		instruction,
	);
}
