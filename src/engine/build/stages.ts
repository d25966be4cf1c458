/** The stages of a Dockerfile, and which of them a target needs. Pure. */
import {checkInstruction} from './instruction-rules.ts';
import {type Dockerfile, DockerfileError, type Instruction, instructionNames} from './parser.ts';
import {expand, type Variables} from './shell-words.ts';

export interface Stage {
	readonly index: number;
	/** In lower case; its index when it has none. */
	readonly name: string;
	readonly base: string;
	readonly platform: string | undefined;
	readonly from: Instruction;
	readonly instructions: readonly Instruction[];
}

export interface Stages {
	readonly stages: readonly Stage[];
	/** Values of ARG before the first FROM. */
	readonly globals: ReadonlyMap<string, string>;
}

/** What the platform of this host is called in ARG. */
export type PlatformArgs = Readonly<Record<string, string>>;

/** The number of changes that make one word of another; for suggestions. */
function distance(one: string, other: string): number {
	let row = Array.from({length: other.length + 1}, (_, at) => at);
	for (let i = 1; i <= one.length; i++) {
		const next = [i];
		for (let j = 1; j <= other.length; j++) {
			const same = one[i - 1] === other[j - 1] ? 0 : 1;
			next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + same));
		}
		row = next;
	}
	return row.at(-1)!;
}

/** ` (did you mean copy?)`, or nothing. */
export function suggestion(word: string, known: readonly string[]): string {
	const lower = word.toLowerCase();
	const best = known
		.map((name) => ({name, away: distance(lower, name)}))
		.filter(({name, away}) => away > 0 && away < 3 && away < name.length)
		.sort((left, right) => left.away - right.away)[0];
	return best ? ` (did you mean ${best.name.toUpperCase()}?)` : '';
}

export function unknownInstruction({name, line}: Instruction): DockerfileError {
	return new DockerfileError(`unknown instruction: ${name}${suggestion(name, instructionNames)}`, line);
}

/** The value of `--name=` among an instruction's flags. */
export const flagValue = (flag: string): [name: string, value: string | undefined] => {
	const equals = flag.indexOf('=');
	return equals < 0 ? [flag.slice(2), undefined] : [flag.slice(2, equals), flag.slice(equals + 1)];
};

const stageName = /^[a-z][a-z0-9-_.]*$/;

/** Splits the instructions at each FROM. Throws DockerfileError. */
export function splitStages(
	dockerfile: Dockerfile,
	buildArgs: ReadonlyMap<string, string>,
	platform: PlatformArgs,
): Stages {
	const globals = new Map<string, string>();
	const stages: Stage[] = [];
	const options = {escape: dockerfile.escape};
	const variables: Variables = (name) => globals.get(name) ?? platform[name];
	let current: {stage: Omit<Stage, 'instructions'>; instructions: Instruction[]} | undefined;
	const close = () => {
		if (current) stages.push({...current.stage, instructions: current.instructions});
	};
	for (const instruction of dockerfile.instructions) {
		const name = instruction.name.toLowerCase();
		checkInstruction(instruction);
		if (name === 'from') {
			close();
			current = {stage: fromOf(instruction, stages.length, variables, options), instructions: []};
			continue;
		}
		if (current) {
			current.instructions.push(instruction);
			continue;
		}
		if (name !== 'arg') {
			throw new DockerfileError('no build stage in current context', instruction.line);
		}
		for (const word of instruction.args) {
			const equals = word.indexOf('=');
			const key = expand(equals < 0 ? word : word.slice(0, equals), variables, options).word;
			const given = buildArgs.get(key);
			if (given !== undefined) globals.set(key, given);
			else if (equals >= 0) globals.set(key, expand(word.slice(equals + 1), variables, options).word);
		}
	}
	close();
	if (stages.length === 0) throw new DockerfileError('dockerfile contains no stages to build');
	checkCycles(stages);
	return {stages, globals};
}

/** Names of what an instruction takes files of. */
export function sourcesOf({flags, trigger}: Instruction): string[] {
	return [...flags, ...(trigger?.flags ?? [])].flatMap((flag) => {
		const from = /^--from=(.+)$/.exec(flag)?.[1];
		const mount = /^--mount=(.+)$/.exec(flag)?.[1];
		const mounted = mount?.split(',').find((part) => part.startsWith('from='));
		return [...(from ? [from] : []), ...(mounted ? [mounted.slice('from='.length)] : [])];
	});
}

/** No stage may need itself. What is taken of a name may be a later stage's; what a stage is made of is an earlier one. */
function checkCycles(stages: readonly Stage[]): void {
	const done = new Set<Stage>();
	const visit = (stage: Stage, path: readonly Stage[]): Instruction | undefined => {
		if (done.has(stage)) return undefined;
		done.add(stage);
		const below = [...path, stage];
		const base = findStage(stages, stage.base, stage.index);
		if (base && (below.includes(base) || visit(base, below))) return stage.from;
		for (const instruction of stage.instructions) {
			if (instruction.trigger) continue;
			for (const name of sourcesOf(instruction)) {
				const found = findStage(stages, name);
				if (found && (below.includes(found) || visit(found, below))) return instruction;
			}
		}
		return undefined;
	};
	for (const stage of stages) {
		const found = visit(stage, []);
		if (!found) continue;
		const name = stage.name === String(stage.index) ? `stage-${stage.index}` : stage.name;
		throw new DockerfileError(`circular dependency detected on stage: ${name}`, found.line);
	}
}

function fromOf(
	instruction: Instruction,
	index: number,
	variables: Variables,
	options: {escape: string},
): Omit<Stage, 'instructions'> {
	const {args, line, flags} = instruction;
	const word = (text: string): string => {
		try {
			return expand(text, variables, options).word;
		} catch (error) {
			throw new DockerfileError((error as Error).message, line);
		}
	};
	let platform: string | undefined;
	for (const flag of flags) {
		const [name, value] = flagValue(flag);
		if (name !== 'platform' || value === undefined)
			throw new DockerfileError(`unknown flag: --${name}`, line);
		platform = word(value);
	}
	if (args.length !== 1 && args.length !== 3) {
		throw new DockerfileError('FROM requires either one or three arguments', line);
	}
	let name = String(index);
	if (args.length === 3) {
		name = args[2]!.toLowerCase();
		if (args[1]!.toLowerCase() !== 'as' || !stageName.test(name)) {
			throw new DockerfileError(
				args[1]!.toLowerCase() === 'as'
					? `invalid name for build stage: ${JSON.stringify(args[2])}, name can't start with a number or contain symbols`
					: 'FROM requires either one or three arguments',
				line,
			);
		}
	}
	const base = word(args[0]!);
	if (base === '') throw new DockerfileError(`base name (${args[0]}) should not be blank`, line);
	return {index, name, base, platform, from: instruction};
}

/** The stage that a word names: by name (the last one, or the last before `before`), or by index. */
export function findStage(stages: readonly Stage[], word: string, before = stages.length): Stage | undefined {
	const lower = word.toLowerCase();
	const earlier = stages.slice(0, before);
	return (
		earlier.findLast(({name, index}) => name === lower && name !== String(index)) ??
		(/^\d+$/.test(word) ? earlier[Number(word)] : undefined)
	);
}

/** The stage to build. Throws DockerfileError. */
export function targetStage(stages: readonly Stage[], target: string): Stage {
	if (target === '') return stages.at(-1)!;
	const found = findStage(stages, target);
	if (found) return found;
	const names = stages.filter(({name, index}) => name !== String(index)).map(({name}) => name);
	throw new DockerfileError(
		`target stage "${target}" could not be found${suggestion(target, names).toLowerCase()}`,
	);
}
