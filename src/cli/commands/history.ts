import type {HistoryItem} from '../../engine/api.ts';
import type {CommandAction} from '../face.ts';
import {humanDuration} from '../format/duration.ts';
import {printable, shortId} from '../format/names.ts';
import {humanSize} from '../format/size.ts';
import {formatList, type ListView} from '../format/table.ts';
import {writeOut} from '../output.ts';
import {platformOf} from './run-options.ts';

const view: ListView = {
	type: '*image.historyContext',
	headings: {
		ID: 'IMAGE',
		CreatedSince: 'CREATED',
		CreatedAt: 'CREATED AT',
		CreatedBy: 'CREATED BY',
		Size: 'SIZE',
		Comment: 'COMMENT',
	},
	table:
		'{{.ID}}\t{{if .CreatedSince }}{{.CreatedSince}}{{else}}N/A{{end}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}',
	quietField: 'ID',
};

const longestCommand = 45;

/** RFC 3339 in the local zone, as Go prints it. */
function localTime(seconds: number): string {
	const date = new Date(seconds * 1000);
	const offset = -date.getTimezoneOffset();
	const two = (value: number): string => String(Math.trunc(value)).padStart(2, '0');
	const zone =
		offset === 0
			? 'Z'
			: `${offset < 0 ? '-' : '+'}${two(Math.abs(offset) / 60)}:${two(Math.abs(offset) % 60)}`;
	return new Date((seconds + offset * 60) * 1000).toISOString().slice(0, 19) + zone;
}

function row(item: HistoryItem, human: boolean, whole: boolean): Record<string, unknown> {
	const command = printable(item.CreatedBy.replaceAll('\t', ' '));
	const characters = [...command];
	const created = localTime(item.Created);
	return {
		ID: whole || item.Id === '<missing>' ? item.Id : shortId(item.Id),
		CreatedAt: created,
		CreatedSince:
			item.Created <= 0 ? '' : human ? `${humanDuration(Date.now() / 1000 - item.Created)} ago` : created,
		CreatedBy:
			whole || characters.length <= longestCommand
				? command
				: `${characters.slice(0, longestCommand - 1).join('')}…`,
		Size: human ? humanSize(item.Size, 3) : String(item.Size),
		Comment: printable(item.Comment),
	};
}

export const history: CommandAction = async ({flags, args}, open) => {
	const platform = platformOf(flags.string('platform'));
	const engine = await open();
	const items = await engine.images.history(args[0]!, platform ? {platform} : {});
	const human = flags.bool('human');
	const table = human ? view.table : view.table.replace(/\{\{if.*?end\}\}/, '{{.CreatedAt}}');
	const rows = items.map((item) => row(item, human, flags.bool('no-trunc')));
	writeOut(
		formatList({...view, table}, rows, {
			format: flags.string('format') || 'table',
			quiet: flags.bool('quiet'),
		}),
	);
	return 0;
};
