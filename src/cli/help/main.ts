import yargs from 'yargs';
import {aliases, type Command, command, commands, shortForms, usageLine} from '../commands/table/index.ts';
import {about, commonCommands, flagHelp} from './about.ts';

const typeNames: Record<string, string> = {
	bool: '',
	stringArray: 'list',
	stringSlice: 'list',
	decimal: 'number',
};

function columns(rows: [string, string][]): string {
	const width = Math.max(...rows.map(([name]) => name.length)) + 3;
	return rows.map(([name, text]) => `  ${name.padEnd(width)}${text}`).join('\n');
}

const aboutTyped = (typed: string): string => about[shortForms[typed] ?? aliases[typed] ?? typed] ?? '';

/** The words after which a supported command is reached: `container`, `ps`, `debug`. */
function topLevel(): {management: string[]; plain: string[]} {
	const management: string[] = [];
	const plain: string[] = [];
	for (const name of [...Object.keys(commands), ...Object.keys(shortForms)].sort()) {
		if (name === '' || name.includes(' ')) continue;
		const found = command(name)!;
		if (found.group && aboutTyped(name) !== '') management.push(name);
		else if (found.row.args && !commonCommands.includes(name)) plain.push(name);
	}
	return {management, plain};
}

function rootSections(): string[] {
	const {management, plain} = topLevel();
	const section = (title: string, names: readonly string[]): string =>
		`${title}:\n${columns(names.map((name) => [name, aboutTyped(name)]))}`;
	return [
		"Containers in the terminal: docker's commands, no daemon",
		section('Common Commands', commonCommands),
		section('Management Commands', management),
		section('Commands', plain),
	];
}

function groupSections(found: Command): string[] {
	const below = Object.keys(commands).filter(
		(name) =>
			name.startsWith(`${found.name} `) &&
			!name.slice(found.name.length + 1).includes(' ') &&
			commands[name]!.args,
	);
	if (below.length === 0) return ['Known from docker, not supported yet'];
	const rows = below.map(
		(name) => [name.slice(found.name.length + 1), about[name] ?? ''] as [string, string],
	);
	return [about[found.name] ?? '', `Commands:\n${columns(rows)}`];
}

function commandSections(found: Command): string[] {
	if (!found.row.args) return ['Known from docker, not supported yet'];
	const others = [
		`wherry ${found.name}`,
		...Object.entries({...shortForms, ...aliases})
			.filter(([, name]) => name === found.name)
			.map(([typed]) => `wherry ${typed}`),
	];
	const sections = [about[found.name] ?? ''];
	if (others.length > 1) sections.push(`Aliases:\n  ${others.join(', ')}`);
	return sections;
}

/** Help on a command as it was typed; docker's order of parts, its flags laid out by yargs. */
export async function helpText(typed: string): Promise<string> {
	const found = command(typed);
	if (!found) return `wherry: unknown command: wherry ${typed}`;
	const root = typed === '';
	const sections = root
		? rootSections()
		: found.group && !found.row.args
			? groupSections(found)
			: commandSections(found);
	const name = root ? 'wherry' : `wherry ${typed}`;
	const tail = root || found.group ? [`Run '${name} COMMAND --help' for more information on a command.`] : [];
	const head = [`Usage:  ${usageLine(found).replace(/\n/g, '\n        wherry ')}`, ...sections].filter(
		(part) => part !== '',
	);
	const options = await optionList(found, root);
	return [...head, ...(options === '' ? [] : [options]), ...tail].join('\n\n');
}

async function optionList(found: Command, root: boolean): Promise<string> {
	const parser = yargs([])
		.help(false)
		.version(false)
		.usage('')
		.wrap(Math.min(process.stdout.columns || 100, 110));
	parser.updateStrings({'Options:': root ? 'Global Options:' : 'Options:'});
	let any = false;
	const flags = root
		? [{name: 'version', short: 'v', type: 'bool', default: undefined, supported: true, hidden: false}]
		: found.flags;
	for (const flag of flags) {
		if (!flag.supported || flag.hidden || flag.name === 'help') continue;
		any = true;
		const kind = typeNames[flag.type] ?? flag.type;
		const text = root
			? 'Print the version'
			: (flagHelp[`${found.name} --${flag.name}`] ?? flagHelp[flag.name] ?? '');
		const plainDefault = flag.default && !['0', 'map[]', '<nil>', '-1', '0s'].includes(flag.default);
		parser.option(flag.name, {
			...(flag.short ? {alias: flag.short} : {}),
			describe: `${text}${plainDefault ? ` (default ${flag.default})` : ''}${kind === '' ? '' : `  <${kind}>`}`,
		});
	}
	return any ? (await parser.getHelp()).trim() : '';
}

const fish = `complete -c wherry -f -a '(wherry --get-yargs-completions (commandline -opc) (commandline -ct))'`;

/** A script for the shell's start file; it asks \`wherry --get-yargs-completions\`. */
export async function completionScript(shell: string): Promise<string> {
	if (shell === 'fish') return fish;
	const kept = process.env.SHELL;
	// yargs chooses between bash and zsh by these.
	process.env.SHELL = shell === 'zsh' ? '/bin/zsh' : '/bin/bash';
	if (shell !== 'zsh') delete process.env.ZSH_NAME;
	const lines: string[] = [];
	const log = console.log;
	console.log = (text: string) => lines.push(text);
	try {
		yargs([]).scriptName('wherry').completion('completion').showCompletionScript();
	} finally {
		console.log = log;
		if (kept === undefined) delete process.env.SHELL;
		else process.env.SHELL = kept;
	}
	return lines.join('\n');
}
