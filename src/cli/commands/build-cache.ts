import type {BuildCacheRecord} from '../../engine/api.ts';
import type {CommandAction} from '../face.ts';
import {humanDuration} from '../format/duration.ts';
import {printable} from '../format/names.ts';
import {humanSize} from '../format/size.ts';
import {printLine, writeOut} from '../output.ts';
import {confirm} from '../terminal/confirm.ts';

const used = ({LastUsedAt}: BuildCacheRecord): string =>
	`${humanDuration((Date.now() - LastUsedAt) / 1000)} ago`;

function table(records: readonly BuildCacheRecord[]): string {
	const rows = [
		['ID', 'RECLAIMABLE', 'SIZE', 'LAST ACCESSED'],
		...records.map((record) => [
			record.Id + (record.Shared ? '*' : ''),
			String(!record.Shared),
			humanSize(record.Size, 3),
			used(record),
		]),
	];
	const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
	return rows
		.map(
			(row) =>
				`${row
					.map((cell, column) => cell.padEnd(widths[column]! + 2))
					.join('')
					.trimEnd()}\n`,
		)
		.join('');
}

export const pruneBuildCache: CommandAction = async ({flags}, open) => {
	const all = flags.bool('all');
	if (!flags.bool('force')) {
		const what = all ? 'all build cache' : 'all dangling build cache';
		if (!(await confirm(`WARNING! This will remove ${what}.\nAre you sure you want to continue?`))) return 0;
	}
	const engine = await open();
	const {records, reclaimed} = await engine.pruneBuildCache({all, filters: flags.filters('filter')});
	if (records.length > 0) writeOut(table(records));
	printLine(`Total:\t${humanSize(reclaimed, 3)}`);
	return 0;
};

export const buildCacheUsage: CommandAction = async ({flags}, open) => {
	const engine = await open();
	const records = await engine.buildCache();
	if (flags.bool('verbose')) {
		for (const record of records) {
			printLine(
				`ID:\t\t${record.Id}\nCreated at:\t${record.CreatedAt}\nReclaimable:\t${!record.Shared}\nShared:\t\t${record.Shared}\nSize:\t\t${humanSize(record.Size, 3)}\nDescription:\t${printable(record.Description)}\nLast used:\t${used(record)}\n`,
			);
		}
	} else if (records.length > 0) writeOut(table(records));
	const sum = (list: readonly BuildCacheRecord[]): string =>
		humanSize(
			list.reduce((total, {Size}) => total + Size, 0),
			3,
		);
	printLine(`Shared:\t\t${sum(records.filter(({Shared}) => Shared))}`);
	printLine(`Private:\t${sum(records.filter(({Shared}) => !Shared))}`);
	printLine(`Reclaimable:\t${sum(records.filter(({Shared}) => !Shared))}`);
	printLine(`Total:\t\t${sum(records)}`);
	return 0;
};
