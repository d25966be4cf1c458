/** An instruction as `history` shows it. Pure. */
import type {ImageConfig} from '../api.ts';
import {expander, ports} from './config-steps.ts';
import type {Instruction} from './parser.ts';
import type {Variables} from './shell-words.ts';

/** On one line, of a length that fits into a list. */
export const shown = ({source}: Instruction): string => source.replace(/\s+/g, ' ').trim().slice(0, 500);

/** `created_by` of one that changes no files, with what the configuration has become by it. */
export function describeStep(
	instruction: Instruction,
	config: ImageConfig,
	variables: Variables,
	escaping: string,
): string {
	const name = instruction.name.toUpperCase();
	const list = (value: readonly string[] | null | undefined): string => JSON.stringify(value ?? []);
	switch (name) {
		case 'CMD':
			return `CMD ${list(config.Cmd)}`;
		case 'ENTRYPOINT':
			return `ENTRYPOINT ${list(config.Entrypoint)}`;
		case 'ENV':
		case 'LABEL': {
			const pairs: string[] = [];
			for (let at = 0; at + 1 < instruction.args.length; at += 3) {
				const key = instruction.args[at]!;
				const env = variables(key);
				pairs.push(`${key}=${name === 'ENV' ? (env ?? '') : (config.Labels?.[key] ?? '')}`);
			}
			return `${name} ${pairs.join(' ')}`;
		}
		case 'EXPOSE': {
			const {words} = expander(instruction, variables, escaping);
			const told = instruction.args.flatMap(words).flatMap((text) => ports(text, instruction.line));
			const unique = [...new Set(told)].sort();
			return `EXPOSE map[${unique.map((port) => `${port}:{}`).join(' ')}]`;
		}
		case 'VOLUME': {
			const {word} = expander(instruction, variables, escaping);
			return `VOLUME [${instruction.args.map(word).join(' ')}]`;
		}
		case 'USER':
			return `USER ${config.User}`;
		case 'SHELL':
			return `SHELL [${(config.Shell ?? []).join(' ')}]`;
		case 'STOPSIGNAL':
			return `STOPSIGNAL ${config.StopSignal}`;
		default:
			return `${name} ${instruction.source.trim().replace(/^\S+\s*/, '')}`;
	}
}
