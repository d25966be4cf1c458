/** All commands that work, for whoever offers them to be chosen from: the terminal UI's palette. */
import {about, flagText} from '../help/about.ts';
import {commands} from './table/all.ts';
import {readFlags} from './table/rows.ts';

export interface CatalogueEntry {
	/** `network create`. */
	name: string;
	/** `[OPTIONS] NETWORK`. */
	usage: string;
	about: string;
	flags: CatalogueFlag[];
}

export interface CatalogueFlag {
	name: string;
	about: string;
	/** pflag's: `bool`, `string`, `list`, ... */
	type: string;
	default: string | undefined;
}

/** Those that need a terminal of their own or speak of another place make no sense for whoever fills in a form. */
const left = new Set(['help', 'version']);

/** In the order of the table. */
export function catalogue(): CatalogueEntry[] {
	return Object.entries(commands)
		.filter(([name, {args}]) => name !== '' && args !== undefined && about[name] !== undefined)
		.map(([name, row]) => ({
			name,
			usage: row.usage,
			about: about[name]!,
			flags: readFlags(row)
				.filter((flag) => flag.supported && !flag.hidden && !left.has(flag.name))
				.map(({name: flag, type, default: value}) => ({
					name: flag,
					about: flagText(name, flag),
					type,
					default: value,
				})),
		}));
}
