import {buildCommands} from './build.ts';
import {composeCommands} from './compose.ts';
import {containerCommands} from './container.ts';
import {imageCommands} from './image.ts';
import {networkCommands} from './network.ts';
import {type CommandRow, type CommandRows, type FlagSpec, readFlags} from './rows.ts';
import {swarmCommands} from './swarm.ts';
import {systemCommands} from './system.ts';
import {volumeCommands} from './volume.ts';
import {wherryCommands} from './wherry.ts';

/** Every command by its full name; '' has the flags that go before a command. */
export const commands: CommandRows = {
	...containerCommands,
	...imageCommands,
	...volumeCommands,
	...networkCommands,
	...systemCommands,
	...buildCommands,
	...composeCommands,
	...swarmCommands,
	...wherryCommands,
};

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

const groups = new Set(
	Object.keys(commands).flatMap((name) =>
		name.includes(' ') ? [name.slice(0, name.lastIndexOf(' '))] : [''],
	),
);

export function fullName(typed: string): string | undefined {
	const name = shortForms[typed] ?? aliases[typed] ?? typed;
	return Object.hasOwn(commands, name) ? name : undefined;
}

export function command(typed: string): Command | undefined {
	const name = fullName(typed);
	if (name === undefined) return undefined;
	const row = commands[name]!;
	const flags = readFlags(commands, row);
	return {name, typed, row, flags, interspersed: !endsAtFirstArgument.has(name), group: groups.has(name)};
}

/** `Usage:  wherry run [OPTIONS] IMAGE [COMMAND] [ARG...]` without the first word. */
export function usageLine({typed, row}: Pick<Command, 'typed' | 'row'>): string {
	return `wherry ${typed === '' ? '' : `${typed} `}${row.usage}`.trimEnd();
}
