import type {BuildCacheRecord, CacheRoom} from '../../engine/api.ts';
import type {CommandAction} from '../face.ts';
import {humanDuration} from '../format/duration.ts';
import {printable} from '../format/names.ts';
import {humanSize} from '../format/size.ts';
import {formatList, type ListRow, type ListView} from '../format/table.ts';
import {printLine, writeOut} from '../output.ts';
import type {FlagValues} from '../parse/flag-values.ts';
import {confirm} from '../terminal/confirm.ts';
import {checkBuilder} from './builders.ts';

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

/** What docker's `builder prune` and buildx's `prune` say of how much stays. */
function keptOf(flags: FlagValues): CacheRoom {
	const flag = (name: string): number | undefined => (flags.changed(name) ? flags.number(name) : undefined);
	const [reserved, maxUsed, minFree] = [
		flag('reserved-space') ?? flag('keep-storage'),
		flag('max-used-space'),
		flag('min-free-space'),
	];
	return {
		...(reserved === undefined ? {} : {reserved}),
		...(maxUsed === undefined ? {} : {maxUsed}),
		...(minFree === undefined ? {} : {minFree}),
	};
}

export const pruneBuildCache: CommandAction = async ({flags}, open) => {
	checkBuilder(flags.string('builder'));
	const all = flags.bool('all');
	if (!flags.bool('force')) {
		const what = all ? 'all build cache' : 'all dangling build cache';
		if (!(await confirm(`WARNING! This will remove ${what}.\nAre you sure you want to continue?`))) return 0;
	}
	const engine = await open();
	const filters = flags.filters('filter');
	const {records, reclaimed} = await engine.pruneBuildCache({all, filters, keep: keptOf(flags)});
	if (flags.bool('verbose')) for (const record of records) printLine(pretty(record));
	else if (records.length > 0) writeOut(table(records));
	printLine(`Total:\t${humanSize(reclaimed, 3)}`);
	return 0;
};

const pretty = (record: BuildCacheRecord): string =>
	`ID:\t\t${record.Id}\nCreated at:\t${record.CreatedAt}\nReclaimable:\t${!record.Shared}\nShared:\t\t${record.Shared}\nSize:\t\t${humanSize(record.Size, 3)}\nDescription:\t${printable(record.Description)}\nLast used:\t${used(record)}\n`;

const view: ListView = {
	type: '*commands.diskusageContext',
	headings: {
		ID: 'ID',
		Parents: 'PARENTS',
		CreatedAt: 'CREATED AT',
		Mutable: 'MUTABLE',
		Reclaimable: 'RECLAIMABLE',
		Shared: 'SHARED',
		Size: 'SIZE',
		Description: 'DESCRIPTION',
		UsageCount: 'USAGE COUNT',
		LastUsedAt: 'LAST ACCESSED',
		Type: 'TYPE',
	},
	table: '{{.ID}}\t{{.Reclaimable}}\t{{.Size}}\t{{.LastUsedAt}}',
	quietField: 'ID',
};

const row = (record: BuildCacheRecord): ListRow => ({
	ID: record.Id,
	Parents: null,
	CreatedAt: record.CreatedAt,
	Mutable: false,
	Reclaimable: !record.Shared,
	Shared: record.Shared,
	Size: humanSize(record.Size, 3),
	Description: printable(record.Description),
	UsageCount: 0,
	LastUsedAt: used(record),
	Type: 'regular',
});

export const buildCacheUsage: CommandAction = async ({flags}, open) => {
	checkBuilder(flags.string('builder'));
	const engine = await open();
	const records = await engine.buildCache(flags.filters('filter'));
	const format = flags.string('format');
	if (format !== '' && format !== 'pretty' && format !== 'table') {
		writeOut(formatList(view, records.map(row), {format}));
		return 0;
	}
	if (flags.bool('verbose') || format === 'pretty') for (const record of records) printLine(pretty(record));
	else if (records.length > 0) writeOut(table(records));
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
