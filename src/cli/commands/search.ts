import type {RegistrySearchResult} from '../../engine/api.ts';
import {CliError} from '../errors.ts';
import type {CommandAction} from '../face.ts';
import {formatList, type ListView} from '../format/table.ts';
import {writeOut} from '../output.ts';

const view: ListView = {
	type: '*search.searchContext',
	headings: {
		Name: 'NAME',
		Description: 'DESCRIPTION',
		StarCount: 'STARS',
		IsOfficial: 'OFFICIAL',
		IsAutomated: 'AUTOMATED',
	},
	table: '{{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}',
	quietField: 'Name',
};

const longest = 45;
const mostResults = 100;
const mark = (is: boolean): string => (is ? '[OK]' : '');

function row(result: RegistrySearchResult, whole: boolean): Record<string, unknown> {
	const description = result.Description.replaceAll(/[\r\n]+/g, ' ');
	const characters = [...description];
	return {
		Name: result.Name,
		Description:
			whole || characters.length <= longest ? description : `${characters.slice(0, longest - 1).join('')}…`,
		StarCount: result.StarCount,
		IsOfficial: mark(result.IsOfficial),
		IsAutomated: mark(result.IsAutomated),
	};
}

function isTrue(value: string, filter: string): boolean {
	if (['1', 't', 'true'].includes(value.toLowerCase())) return true;
	if (['0', 'f', 'false'].includes(value.toLowerCase())) return false;
	throw new CliError(`Error: invalid filter '${filter}=[${value}]'`);
}

export const search: CommandAction = async ({flags, args}, open) => {
	const asked = flags.number('limit');
	// docker's client sends none that is not positive.
	if (asked > mostResults) {
		throw new CliError(`Error: limit ${asked} is outside the range of [1, ${mostResults}]`);
	}
	const filters = flags.filters('filter');
	for (const key of Object.keys(filters)) {
		if (!['stars', 'is-official', 'is-automated'].includes(key)) {
			throw new CliError(`Error: invalid filter '${key}'`);
		}
	}
	const stars = (filters.stars ?? []).map((value) => {
		if (!/^\d+$/.test(value)) throw new CliError(`Error: invalid filter 'stars=[${value}]'`);
		return Number(value);
	});
	const official = (filters['is-official'] ?? []).map((value) => isTrue(value, 'is-official'));
	const automated = (filters['is-automated'] ?? []).map((value) => isTrue(value, 'is-automated'));
	const {registries} = await open();
	const results = (await registries.search(args[0]!, {limit: asked > 0 ? asked : 25})).filter(
		(result) =>
			stars.every((least) => result.StarCount >= least) &&
			official.every((is) => result.IsOfficial === is) &&
			automated.every((is) => result.IsAutomated === is),
	);
	const rows = results.map((result) => row(result, flags.bool('no-trunc')));
	writeOut(formatList(view, rows, {format: flags.string('format') || 'table'}));
	return 0;
};
