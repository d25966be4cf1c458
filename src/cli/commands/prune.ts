/** `container prune`, `image prune`, `volume prune` and `system prune`; that of networks is beside its others. */
import type {Engine, Filters} from '../../engine/api.ts';
import {displayConfig} from '../config-file.ts';
import {CliError} from '../errors.ts';
import type {CommandAction} from '../face.ts';
import {humanSize} from '../format/size.ts';
import {writeOut} from '../output.ts';
import type {FlagValues} from '../parse/flag-values.ts';
import {confirm} from '../terminal/confirm.ts';

/** What the flags say, and what docker's configuration file adds to every prune. */
function pruneFilters(flags: FlagValues): Filters {
	const filters = flags.filters('filter');
	for (const text of displayConfig().pruneFilters ?? []) {
		const [key = '', ...rest] = text.split('=');
		const value = rest.join('=');
		if (key !== 'label' && key !== 'label!') continue;
		// What is asked for on the command line is not undone by the file, nor the other way round.
		const opposite = key === 'label' ? 'label!' : 'label';
		if (filters[opposite]?.includes(value) || filters[key]?.includes(value)) continue;
		filters[key] = [...(filters[key] ?? []), value];
	}
	return filters;
}

/** True when it may be done. */
async function isSure(flags: FlagValues, warning: string): Promise<boolean> {
	return flags.bool('force') || (await confirm(`${warning}\nAre you sure you want to continue?`));
}

interface Pruned {
	/** Lines below a heading, with the heading. */
	text: string;
	space: number;
}

const section = (heading: string, lines: readonly string[]): string =>
	lines.length === 0 ? '' : `${heading}\n${lines.join('\n')}\n`;

async function containers(engine: Engine, filters: Filters): Promise<Pruned> {
	const {ContainersDeleted, SpaceReclaimed} = await engine.containers.prune({filters});
	return {text: section('Deleted Containers:', ContainersDeleted), space: SpaceReclaimed};
}

async function images(engine: Engine, filters: Filters, all: boolean): Promise<Pruned> {
	const {ImagesDeleted, SpaceReclaimed} = await engine.images.prune({
		filters: all ? {...filters, dangling: ['false']} : filters,
	});
	const lines = ImagesDeleted.map((item) =>
		'Untagged' in item ? `untagged: ${item.Untagged}` : `deleted: ${item.Deleted}`,
	);
	return {text: section('Deleted Images:', lines), space: SpaceReclaimed};
}

async function networks(engine: Engine, filters: Filters): Promise<Pruned> {
	const {NetworksDeleted} = await engine.networks.prune({filters});
	return {text: section('Deleted Networks:', NetworksDeleted), space: 0};
}

async function volumes(engine: Engine, filters: Filters): Promise<Pruned> {
	const {VolumesDeleted, SpaceReclaimed} = await engine.volumes.prune({filters});
	return {text: section('Deleted Volumes:', VolumesDeleted), space: SpaceReclaimed};
}

async function buildCache(engine: Engine, {until}: Filters, all: boolean): Promise<Pruned> {
	const {records, reclaimed} = await engine.pruneBuildCache({all, filters: until ? {until} : {}});
	return {
		text: section(
			'Deleted build cache objects:',
			records.map(({Id}) => Id),
		),
		space: reclaimed,
	};
}

function report(parts: readonly Pruned[]): void {
	for (const {text} of parts) if (text !== '') writeOut(`${text}\n`);
	writeOut(`Total reclaimed space: ${humanSize(parts.reduce((sum, {space}) => sum + space, 0))}\n`);
}

export const pruneContainers: CommandAction = async ({flags}, open) => {
	if (!(await isSure(flags, 'WARNING! This will remove all stopped containers.'))) return 0;
	report([await containers(await open(), pruneFilters(flags))]);
	return 0;
};

export const pruneImages: CommandAction = async ({flags}, open) => {
	const all = flags.bool('all');
	const warning = all
		? 'WARNING! This will remove all images without at least one container associated to them.'
		: 'WARNING! This will remove all dangling images.';
	if (!(await isSure(flags, warning))) return 0;
	report([await images(await open(), pruneFilters(flags), all)]);
	return 0;
};

export const pruneVolumes: CommandAction = async ({flags}, open) => {
	const all = flags.bool('all');
	const filters = pruneFilters(flags);
	if (all && filters.all) {
		throw new CliError('conflicting options: cannot specify both --all and --filter all=1');
	}
	const warning = `WARNING! This will remove ${all ? 'all' : 'anonymous'} local volumes not used by at least one container.`;
	if (!(await isSure(flags, warning))) return 0;
	report([await volumes(await open(), all ? {...filters, all: ['true']} : filters)]);
	return 0;
};

/** docker's question: what goes, and the filters that it is asked with. */
export function systemWarning(options: {all: boolean; volumes: boolean; filters: readonly string[]}): string {
	const parts = [
		'all stopped containers',
		'all networks not used by at least one container',
		...(options.volumes ? ['all anonymous volumes not used by at least one container'] : []),
		options.all ? 'all images without at least one container associated to them' : 'all dangling images',
		options.all ? 'all build cache' : 'unused build cache',
	];
	const list = parts.map((part) => `  - ${part}\n`).join('');
	const filters =
		options.filters.length === 0
			? ''
			: `\n  Items to be pruned will be filtered with:\n${options.filters.map((text) => `  - ${text}\n`).join('')}`;
	return `WARNING! This will remove:\n${list}${filters}`;
}

export const pruneSystem: CommandAction = async ({flags}, open) => {
	const [all, withVolumes] = [flags.bool('all'), flags.bool('volumes')];
	const filters = pruneFilters(flags);
	if (withVolumes && filters.until?.length) {
		throw new CliError('ERROR: The "until" filter is not supported with "--volumes"');
	}
	const shown = Object.entries(filters)
		.flatMap(([key, values]) => values.map((value) => `${key}=${value}`))
		.sort();
	if (!(await isSure(flags, systemWarning({all, volumes: withVolumes, filters: shown})))) return 0;
	const engine = await open();
	const parts = [await containers(engine, filters), await networks(engine, filters)];
	if (withVolumes) parts.push(await volumes(engine, filters));
	parts.push(await images(engine, filters, all));
	// By its label nothing of a build is known.
	if (!filters.label && !filters['label!']) parts.push(await buildCache(engine, filters, all));
	report(parts);
	return 0;
};
