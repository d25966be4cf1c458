import {buildCommands} from './build.ts';
import {composeCommands} from './compose.ts';
import {containerCommands} from './container.ts';
import {imageCommands} from './image.ts';
import {networkCommands} from './network.ts';
import {type CommandRow, type FlagSpec, findRow, hasBelow, readFlags} from './rows.ts';
import {swarmCommands} from './swarm.ts';
import {systemCommands} from './system.ts';
import {volumeCommands} from './volume.ts';
import {wherryCommands} from './wherry.ts';

/** Every command by its full name; '' has the flags that go before a command. */
export const tables: readonly string[] = [
	containerCommands,
	imageCommands,
	volumeCommands,
	networkCommands,
	systemCommands,
	buildCommands,
	composeCommands,
	swarmCommands,
	wherryCommands,
];

/** docker's short forms of commands on containers, images and the system: each is the same command. */
export const shortForms: Record<string, string> = {
	attach: 'container attach',
	commit: 'container commit',
	cp: 'container cp',
	create: 'container create',
	diff: 'container diff',
	events: 'system events',
	exec: 'container exec',
	export: 'container export',
	history: 'image history',
	images: 'image ls',
	import: 'image import',
	info: 'system info',
	kill: 'container kill',
	load: 'image load',
	logs: 'container logs',
	pause: 'container pause',
	port: 'container port',
	ps: 'container ls',
	pull: 'image pull',
	push: 'image push',
	rename: 'container rename',
	restart: 'container restart',
	rm: 'container rm',
	rmi: 'image rm',
	run: 'container run',
	save: 'image save',
	start: 'container start',
	stats: 'container stats',
	stop: 'container stop',
	tag: 'image tag',
	top: 'container top',
	unpause: 'container unpause',
	update: 'container update',
	wait: 'container wait',
};

/** Second names. */
export const aliases: Record<string, string> = {
	'builder du': 'buildx du',
	'buildx f': 'buildx bake',
	'buildx b': 'buildx build',
	'checkpoint list': 'checkpoint ls',
	'checkpoint remove': 'checkpoint rm',
	'config list': 'config ls',
	'config remove': 'config rm',
	'container list': 'container ls',
	'container ps': 'container ls',
	'container remove': 'container rm',
	'context list': 'context ls',
	'context remove': 'context rm',
	'image list': 'image ls',
	'image remove': 'image rm',
	'network list': 'network ls',
	'network remove': 'network rm',
	'node list': 'node ls',
	'node remove': 'node rm',
	'plugin list': 'plugin ls',
	'plugin remove': 'plugin rm',
	'secret list': 'secret ls',
	'secret remove': 'secret rm',
	'service list': 'service ls',
	'service remove': 'service rm',
	'stack up': 'stack deploy',
	'stack list': 'stack ls',
	'stack remove': 'stack rm',
	'stack down': 'stack rm',
	'volume list': 'volume ls',
	'volume remove': 'volume rm',
};

/** These take a command line of somebody else's: their flags end at the first argument. */
const endsAtFirstArgument = new Set([
	'',
	'container run',
	'container create',
	'container exec',
	'container top',
	'image tag',
	'compose run',
	'compose exec',
	'plugin set',
	'service create',
	'debug plan',
]);

export interface Command {
	/** The full name, `container run`. */
	name: string;
	/** As the user called it: `run`. */
	typed: string;
	row: CommandRow;
	flags: FlagSpec[];
	interspersed: boolean;
	/** Whether others hang below it: `container`. */
	group: boolean;
}

/** `@other command` in the place of flags. */
const withFlags = (row: CommandRow): CommandRow =>
	row.flags.startsWith('@') ? {...row, flags: rowOf(row.flags.slice(1))!.flags} : row;

/** By its full name. */
export function rowOf(name: string): CommandRow | undefined {
	// Users type anything.
	if (name.includes('|') || name.includes('\n')) return undefined;
	for (const table of tables) {
		const row = findRow(table, name);
		if (row) return withFlags(row);
	}
	return undefined;
}

function longName(typed: string): string {
	for (const names of [shortForms, aliases]) if (Object.hasOwn(names, typed)) return names[typed]!;
	return typed;
}

export function fullName(typed: string): string | undefined {
	const name = longName(typed);
	return rowOf(name) === undefined ? undefined : name;
}

export function command(typed: string): Command | undefined {
	const name = longName(typed);
	const row = rowOf(name);
	if (row === undefined) return undefined;
	const group = name === '' || tables.some((table) => hasBelow(table, name));
	return {name, typed, row, flags: readFlags(row), interspersed: !endsAtFirstArgument.has(name), group};
}

/** `Usage:  wherry run [OPTIONS] IMAGE [COMMAND] [ARG...]` without the first word. */
export function usageLine({typed, row}: Pick<Command, 'typed' | 'row'>): string {
	return `wherry ${typed === '' ? '' : `${typed} `}${row.usage}`.trimEnd();
}
