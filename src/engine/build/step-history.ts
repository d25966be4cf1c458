/** An instruction as `history` shows it. Pure. */
import type {ImageConfig} from '../api.ts';
import {durationWords} from '../containers/health.ts';
import {expander, ports} from './config-steps.ts';
import type {Instruction} from './parser.ts';
import {goQuote, type Variables} from './shell-words.ts';

/** On one line, of a length that fits into a list. */
export const shown = ({source}: Instruction): string => source.replace(/\s+/g, ' ').trim().slice(0, 500);

/** A number as Go's %q has it, which is a character. */
const characterOf = (code: number): string =>
	code === 39 ? "'\\''" : `'${code === 34 ? '"' : goQuote(String.fromCodePoint(code)).slice(1, -1)}'`;

/** As Go's %q prints the structure. */
function healthText(check: NonNullable<ImageConfig['Healthcheck']>): string {
	const {Test = [], Interval = 0, Timeout = 0, StartPeriod = 0, StartInterval = 0, Retries = 0} = check;
	const times = [Interval, Timeout, StartPeriod, StartInterval].map((time) => goQuote(durationWords(time)));
	return `&{${[quoted(Test), ...times, characterOf(Retries)].join(' ')}}`;
}

const quoted = (list: readonly string[] | null | undefined): string =>
	`[${(list ?? []).map(goQuote).join(' ')}]`;

/**
 * `created_by` of one that changes no files, with what the configuration has become by it. `variables` are those before
 * it. Undefined for what history doesn't tell.
 */
export function describeStep(
	instruction: Instruction,
	config: ImageConfig,
	variables: Variables,
	escaping: string,
): string | undefined {
	const name = instruction.name.toUpperCase();
	const {word, words} = expander(instruction, variables, escaping);
	switch (name) {
		case 'CMD':
			return `CMD ${quoted(config.Cmd)}`;
		case 'ENTRYPOINT':
			return `ENTRYPOINT ${quoted(config.Entrypoint)}`;
		case 'ENV':
		case 'LABEL': {
			const pairs: string[] = [];
			for (let at = 0; at + 1 < instruction.args.length; at += 3) {
				pairs.push(`${word(instruction.args[at]!)}=${word(instruction.args[at + 1]!)}`);
			}
			return `${name} ${pairs.join(' ')}`;
		}
		case 'EXPOSE': {
			const told = instruction.args.flatMap(words).flatMap((text) => ports(text, instruction.line));
			const unique = [...new Set(told)].sort();
			return `EXPOSE map[${unique.map((port) => `${port}:{}`).join(' ')}]`;
		}
		case 'VOLUME':
			return `VOLUME [${instruction.args.map(word).join(' ')}]`;
		case 'USER':
			return `USER ${config.User}`;
		case 'SHELL':
			return `SHELL [${(config.Shell ?? []).join(' ')}]`;
		case 'HEALTHCHECK':
			return `HEALTHCHECK ${healthText(config.Healthcheck ?? {})}`;
		case 'ONBUILD':
			return undefined;
		case 'STOPSIGNAL':
			return `STOPSIGNAL ${config.StopSignal}`;
		default:
			return `${name} ${instruction.source.trim().replace(/^\S+\s*/, '')}`;
	}
}
