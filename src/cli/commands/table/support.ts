/**
 * Writes SUPPORT.md: every command and flag of docker, and what wherry does with it.
 *
 *   node src/cli/commands/table/support.ts > src/cli/commands/SUPPORT.md
 */
import {commands} from './all.ts';
import {aliases, command, shortForms} from './index.ts';
import {commandReason, flagReason} from './refusals.ts';
import type {FlagSpec} from './rows.ts';
import {readTable} from './rows.ts';
import {wherryCommands} from './wherry.ts';

const heads = `# What is supported

Made from the command table by \`support.ts\`; a test holds it against the code. Every command and flag of docker,
its buildx and its compose is here. What is not supported is refused with a message, exit code 1 for a command and
125 for a flag; nothing is silently ignored. A flag that is given the value that it has anyway is taken.

`;

const label = ({name, short}: FlagSpec): string => `${short ? `-${short}/` : ''}--${name}`;

/** The flags of one command in three lines: taken, not there yet, refused for good by reason. */
function flagLines(name: string): string[] {
	const flags = command(name)!.flags.filter((flag) => flag.name !== 'help');
	const taken = flags.filter((flag) => flag.supported);
	const later = flags.filter((flag) => !flag.supported && flagReason(name, flag.name) === undefined);
	const refused = new Map<string, FlagSpec[]>();
	for (const flag of flags) {
		const reason = flag.supported ? undefined : flagReason(name, flag.name);
		if (reason !== undefined) refused.set(reason, [...(refused.get(reason) ?? []), flag]);
	}
	const list = (some: readonly FlagSpec[]): string => some.map((flag) => `\`${label(flag)}\``).join(' ');
	return [
		...(taken.length > 0 ? [`- supported: ${list(taken)}`] : []),
		...(later.length > 0 ? [`- not yet: ${list(later)}`] : []),
		...[...refused].map(([reason, some]) => `- refused, ${reason}: ${list(some)}`),
	];
}

const others = (name: string): string[] =>
	Object.entries({...shortForms, ...aliases})
		.filter(([, full]) => full === name)
		.map(([typed]) => typed);

function section(name: string): string {
	const typed = others(name);
	const title = name === '' ? 'before the command' : `wherry ${name}`;
	const also = typed.length > 0 ? `\nAlso ${typed.map((other) => `\`${other}\``).join(', ')}.\n` : '';
	const lines = flagLines(name);
	return `### ${title}\n${also}${lines.length > 0 ? `\n${lines.join('\n')}\n` : ''}`;
}

export function supportTable(): string {
	const names = Object.keys(commands).sort();
	const there = names.filter((name) => commands[name]!.args !== undefined);
	const refused = new Map<string, string[]>();
	for (const name of names) {
		// Groups are what hangs below them.
		const isGroup = names.some((other) => other.startsWith(`${name} `));
		if (commands[name]!.args !== undefined || name === '' || isGroup) continue;
		const reason = commandReason(name) ?? '';
		refused.set(reason, [...(refused.get(reason) ?? []), name]);
	}
	const rows = [...refused].sort(([a], [b]) => (a < b ? -1 : 1));
	const ours = Object.keys(readTable(wherryCommands));
	const count = (list: readonly string[]): number =>
		list.reduce((sum, name) => sum + command(name)!.flags.filter((flag) => flag.supported).length, 0);
	return `${heads}${there.length} commands with ${count(there)} flags.

## Commands

${there
	.filter((name) => !ours.includes(name))
	.map(section)
	.join('\n')}
## Commands that docker hasn't

${ours
	.filter((name) => commands[name]!.args)
	.map(section)
	.join('\n')}
## Not supported

${rows
	.map(
		([reason, some]) =>
			`- ${reason === '' ? 'not yet' : reason}: ${some.map((name) => `\`${name}\``).join(', ')}`,
	)
	.join('\n')}
`;
}

if (import.meta.main) process.stdout.write(supportTable());
