import yargs from 'yargs';
import {commands} from '../commands/table/all.ts';
import {aliases, type Command, command, shortForms, usageLine} from '../commands/table/index.ts';
import {commandReason, isEmptyGroup} from '../commands/table/refusals.ts';
import {about, commonCommands, flagText} from './about.ts';
import {examples} from './examples.ts';
import {flagGroups} from './groups.ts';

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

/** Whether the command is a group of which nothing is supported. */
export const emptyGroup = (found: Command): boolean =>
	found.name !== '' && found.group && isEmptyGroup(commands, found.name);

function refusal(found: Command): string {
	const reason = commandReason(found.name);
	return reason === undefined ? 'Known from docker, not supported yet' : `Not supported: ${reason}`;
}

function groupSections(found: Command): string[] {
	const below = Object.keys(commands).filter(
		(name) =>
			name.startsWith(`${found.name} `) &&
			!name.slice(found.name.length + 1).includes(' ') &&
			(commands[name]!.args || !isEmptyGroup(commands, name)),
	);
	if (below.length === 0) return [refusal(found)];
	const rows = below.map(
		(name) => [name.slice(found.name.length + 1), about[name] ?? ''] as [string, string],
	);
	return [about[found.name] ?? '', `Commands:\n${columns(rows)}`];
}

function commandSections(found: Command): string[] {
	if (!found.row.args) return [refusal(found)];
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
	const found = command(typed)!;
	const root = typed === '';
	const sections = root
		? rootSections()
		: found.group && !found.row.args
			? groupSections(found)
			: commandSections(found);
	const name = root ? 'wherry' : `wherry ${typed}`;
	const tail =
		root || (found.group && !emptyGroup(found))
			? [`Run '${name} COMMAND --help' for more information on a command.`]
			: [];
	const head = [`Usage:  ${usageLine(found)}`, ...sections].filter((part) => part !== '');
	const options = await optionList(found, root);
	const shown = found.row.args && examples[found.name];
	return [
		...head,
		...(options === '' ? [] : [options]),
		...(shown ? [`Examples:\n${shown.map((line) => `  ${line}`).join('\n')}`] : []),
		...tail,
	].join('\n\n');
}

async function optionList(found: Command, root: boolean): Promise<string> {
	const parser = yargs([])
		.help(false)
		.version(false)
		.usage('')
		.wrap(Math.min(process.stdout.columns || 100, 110));
	parser.updateStrings({'Options:': root ? 'Global Options:' : 'Options:'});
	const version = {
		name: 'version',
		short: 'v',
		type: 'bool',
		default: undefined,
		supported: true,
		hidden: false,
	};
	const flags = (
		root && found.row.args ? [...found.flags.filter(({name}) => name !== 'version'), version] : found.flags
	).filter((flag) => found.row.args && flag.supported && !flag.hidden && flag.name !== 'help');
	if (flags.length === 0) return '';
	for (const flag of flags) {
		const kind = typeNames[flag.type] ?? flag.type;
		const text = flagText(found.name, flag.name);
		const plainDefault =
			flag.default && !['0', 'map[]', '<nil>', '-1', '0s', '/root/.docker'].includes(flag.default);
		parser.option(flag.name, {
			...(flag.short ? {alias: flag.short} : {}),
			describe: `${text}${plainDefault ? ` (default ${flag.default})` : ''}${kind === '' ? '' : `  <${kind}>`}`,
		});
	}
	for (const [title, names] of flagGroups(
		found.name,
		flags.map(({name}) => name),
	))
		parser.group(names, `${title}:`);
	return (await parser.getHelp()).trim();
}
