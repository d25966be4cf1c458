import {rowOf, tables} from './index.ts';
import {type CommandRows, readTable} from './rows.ts';

/** All commands by their full names, in the order of the table: for whoever shows them. */
export const commands: CommandRows = Object.fromEntries(
	tables.flatMap((table) => Object.keys(readTable(table)).map((name) => [name, rowOf(name)!])),
);
