/** The flags of RUN, and its here-documents. Pure. */
import {DockerfileError, type Heredoc, type Instruction} from './parser.ts';
import type {RunMountSpec} from './run-mounts.ts';
import {expand, type Variables} from './shell-words.ts';
import {flagValue, suggestion} from './stages.ts';

export interface ParsedRun {
	readonly args: readonly string[];
	/** A here-document that is a script by itself. */
	readonly script: {readonly name: string; readonly content: string} | undefined;
	readonly mounts: readonly RunMountSpec[];
	readonly network: 'default' | 'none' | 'host';
	readonly security: 'sandbox' | 'insecure';
}

export const chomped = ({content, chomp}: Heredoc): string =>
	chomp ? content.replace(/^\t+/gm, '') : content;

const isTrue = (value: string | undefined): boolean =>
	value === undefined || ['true', '1'].includes(value.toLowerCase());

function number(value: string | undefined, key: string, line: number, radix = 10): number {
	const parsed = Number.parseInt(value ?? '', radix);
	if (!/^\d+$/.test(value ?? '') || Number.isNaN(parsed))
		throw new DockerfileError(`invalid value for ${key}: ${value ?? ''}`, line);
	return parsed;
}

const units: Readonly<Record<string, number>> = {'': 1, b: 1, k: 1 << 10, m: 1 << 20, g: 1 << 30};

const mountTypes = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'];
const mountKeys = [
	...[
		'type',
		'from',
		'source',
		'target',
		'readonly',
		'id',
		'sharing',
		'required',
		'size',
		'mode',
		'uid',
		'gid',
	],
	...['src', 'dst', 'destination', 'ro', 'rw', 'readwrite', 'env'],
];

function mountOf(text: string, line: number, word: (text: string) => string): RunMountSpec {
	const spec: RunMountSpec = {
		type: 'bind',
		from: '',
		source: '/',
		target: '',
		readOnly: true,
		id: '',
		required: false,
		isExclusive: false,
		env: '',
		mode: undefined,
		uid: 0,
		gid: 0,
		size: undefined,
	};
	const fields = text.split(',').map((part): [string, string | undefined] => {
		const equals = part.indexOf('=');
		return equals < 0
			? [part.toLowerCase(), undefined]
			: [part.slice(0, equals).toLowerCase(), word(part.slice(equals + 1))];
	});
	if (text.split(',').some((part) => /^from=.*\$./i.test(part))) {
		const message = "'from' doesn't support variable expansion, define alias stage instead";
		throw new DockerfileError(message, line);
	}
	const type = fields.find(([key]) => key === 'type')?.[1] ?? 'bind';
	if (!mountTypes.includes(type)) {
		const meant = suggestion(type, mountTypes).toLowerCase();
		throw new DockerfileError(`unsupported mount type ${JSON.stringify(type)}${meant}`, line);
	}
	spec.type = type as RunMountSpec['type'];
	spec.readOnly = type === 'bind' || type === 'secret';
	for (const [at, [key, value]] of fields.entries()) {
		const field = text.split(',')[at]!;
		switch (key) {
			case 'type':
				break;
			case 'from':
				spec.from = value ?? '';
				break;
			case 'source':
			case 'src':
				spec.source = value ?? '/';
				break;
			case 'target':
			case 'dst':
			case 'destination':
				spec.target = value ?? '';
				break;
			case 'id':
				spec.id = value ?? '';
				break;
			case 'sharing':
				if (!['shared', 'private', 'locked'].includes(value ?? '')) {
					throw new DockerfileError(`unsupported sharing value ${JSON.stringify(value ?? '')}`, line);
				}
				spec.isExclusive = value !== 'shared';
				break;
			case 'ro':
			case 'readonly':
				spec.readOnly = isTrue(value);
				break;
			case 'rw':
			case 'readwrite':
				spec.readOnly = !isTrue(value);
				break;
			case 'required':
				spec.required = isTrue(value);
				break;
			case 'env':
				spec.env = value ?? '';
				break;
			case 'mode':
				spec.mode = number(value, key, line, 8);
				break;
			case 'uid':
				spec.uid = number(value, key, line);
				break;
			case 'gid':
				spec.gid = number(value, key, line);
				break;
			case 'size': {
				const match = /^(\d+)([bkmg]?)b?$/i.exec(value ?? '');
				if (!match) throw new DockerfileError(`invalid value for size: ${value ?? ''}`, line);
				spec.size = Number(match[1]) * units[match[2]!.toLowerCase()]!;
				break;
			}
			default:
				throw new DockerfileError(
					`unexpected key '${key}' in '${field}'${suggestion(key, mountKeys).toLowerCase()}`,
					line,
				);
		}
	}
	return spec;
}

/** Throws DockerfileError. */
export function parseRun(instruction: Instruction, variables: Variables, token: string): ParsedRun {
	const {flags, line, heredocs} = instruction;
	const word = (text: string): string => {
		try {
			return expand(text, variables, {escape: token}).word;
		} catch (error) {
			throw new DockerfileError((error as Error).message, line);
		}
	};
	const mounts: RunMountSpec[] = [];
	let network: ParsedRun['network'] = 'default';
	let security: ParsedRun['security'] = 'sandbox';
	for (const flag of flags) {
		const [name, value = ''] = flagValue(flag);
		if (name === 'mount') mounts.push(mountOf(value, line, word));
		else if (name === 'network') {
			if (value !== 'default' && value !== 'none' && value !== 'host') {
				throw new DockerfileError(`network ${JSON.stringify(value)} is not supported`, line);
			}
			network = value;
		} else if (name === 'security') {
			if (value !== 'sandbox' && value !== 'insecure') {
				throw new DockerfileError(`security ${JSON.stringify(value)} is not supported`, line);
			}
			security = value;
		} else throw new DockerfileError(`unknown flag: --${name}`, line);
	}
	const {args} = instruction;
	if (!instruction.json && args.every((text) => text.trim() === '')) {
		throw new DockerfileError('RUN requires at least one argument', line);
	}
	if (heredocs.length === 0) return {args, script: undefined, mounts, network, security};
	const text = args[0]!;
	const [only] = heredocs;
	if (heredocs.length === 1 && /^\d*<<-?["']?[^\s"'<>]+["']?$/.test(text.trim())) {
		const content = chomped(only!);
		// The kernel is the one that knows what `#!` means.
		if (content.startsWith('#!'))
			return {args, script: {name: only!.name, content}, mounts, network, security};
		return {args: [content], script: undefined, mounts, network, security};
	}
	const full = [text, ...heredocs.map((heredoc) => `${heredoc.content}${heredoc.name}`)].join('\n');
	return {args: [full], script: undefined, mounts, network, security};
}
