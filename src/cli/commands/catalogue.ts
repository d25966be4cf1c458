/** All commands that work, for whoever offers them to be chosen from: the terminal UI's palette. */
import {about} from '../help/about.ts';
import {commands} from './table/index.ts';

export interface CatalogueEntry {
	/** `network create`. */
	name: string;
	/** `[OPTIONS] NETWORK`. */
	usage: string;
	about: string;
}

/** In the order of the table. */
export function catalogue(): CatalogueEntry[] {
	return Object.entries(commands)
		.filter(([name, {args}]) => name !== '' && args !== undefined && about[name] !== undefined)
		.map(([name, {usage}]) => ({name, usage, about: about[name]!}));
}
