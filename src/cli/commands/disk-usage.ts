/** `system df`. */
import type {ContainerSummary, DiskUsage} from '../../engine/api.ts';
import type {CommandAction} from '../face.ts';
import {humanDuration} from '../format/duration.ts';
import {humanSize} from '../format/size.ts';
import {formatList, type ListRow, type ListView} from '../format/table.ts';
import {Struct} from '../format/template/go-value.ts';
import {goTimeText} from '../format/time.ts';
import {formatValue} from '../format/value.ts';
import {writeOut} from '../output.ts';
import {containerRow, containerView} from './container-list.ts';
import {imageRow, imageView, namesOf} from './image-list.ts';
import {volumeRow, volumeView} from './volumes.ts';

const view: ListView = {
	type: '*formatter.diskUsageImagesContext',
	headings: {
		Active: 'ACTIVE',
		Reclaimable: 'RECLAIMABLE',
		Size: 'SIZE',
		TotalCount: 'TOTAL',
		Type: 'TYPE',
	},
	table: '{{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}',
	quietField: 'Type',
	raw: `type: {{.Type}}
total: {{.TotalCount}}
active: {{.Active}}
size: {{.Size}}
reclaimable: {{.Reclaimable}}
`,
};

/** With the part of the whole that it is. */
function reclaimable(size: number, total: number): string {
	return total > 0 ? `${humanSize(size)} (${Math.trunc((size * 100) / total)}%)` : humanSize(size);
}

const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);

const isActive = ({State}: ContainerSummary): boolean =>
	State === 'running' || State === 'paused' || State === 'restarting';

interface Part {
	type: string;
	count: number;
	active: number;
	size: number;
	free: number;
}

const rowOf = ({type, count, active, size, free}: Part): ListRow => ({
	Active: String(active),
	Reclaimable: reclaimable(free, size),
	Size: humanSize(size),
	TotalCount: String(count),
	Type: type,
});

/** One row for each kind of thing; what is built has no cache of its own here. */
export function usageRows({LayersSize, Images, Containers, Volumes, BuildCache}: DiskUsage): ListRow[] {
	const used = Images.filter((image) => image.Containers > 0);
	const own = sum(used.map(({Size, SharedSize}) => Size - SharedSize));
	const sizeOf = ({SizeRw = 0}: ContainerSummary) => SizeRw;
	const volumeSize = ({UsageData}: DiskUsage['Volumes'][number]) => UsageData.Size;
	const parts: Part[] = [
		{type: 'Images', count: Images.length, active: used.length, size: LayersSize, free: LayersSize - own},
		{
			type: 'Containers',
			count: Containers.length,
			active: Containers.filter(isActive).length,
			size: sum(Containers.map(sizeOf)),
			free: sum(Containers.filter((container) => !isActive(container)).map(sizeOf)),
		},
		{
			type: 'Local Volumes',
			count: Volumes.length,
			active: Volumes.filter(({UsageData}) => UsageData.RefCount > 0).length,
			size: sum(Volumes.map(volumeSize)),
			free: sum(Volumes.filter(({UsageData}) => UsageData.RefCount === 0).map(volumeSize)),
		},
		{
			type: 'Build Cache',
			count: BuildCache.length,
			active: 0,
			size: sum(BuildCache.map(({Size}) => Size)),
			free: sum(BuildCache.filter(({Shared}) => !Shared).map(({Size}) => Size)),
		},
	];
	return parts.map(rowOf);
}

const tables = {
	Images: {
		view: imageView(false),
		columns:
			'{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{if .CreatedSince }}{{.CreatedSince}}{{else}}N/A{{end}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}',
	},
	Containers: {
		view: containerView(true),
		columns:
			'{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}\t{{.Status}}\t{{.Names}}',
	},
	Volumes: {view: volumeView, columns: '{{.Name}}\t{{.Links}}\t{{.Size}}'},
	BuildCache: {
		view: {
			type: '*formatter.buildCacheContext',
			headings: {
				ID: 'CACHE ID',
				CacheType: 'CACHE TYPE',
				Size: 'SIZE',
				CreatedSince: 'CREATED',
				LastUsedSince: 'LAST USED',
				UsageCount: 'USAGE',
				Shared: 'SHARED',
			},
			table: '',
			quietField: 'ID',
		},
		columns:
			'{{.ID}}\t{{.CacheType}}\t{{.Size}}\t{{.CreatedSince}}\t{{.LastUsedSince}}\t{{.UsageCount}}\t{{.Shared}}',
	},
} as const satisfies Record<string, {view: ListView; columns: string}>;

type Kind = keyof typeof tables;

/** Everything, row by row; ids whole for templates. */
export function usageDetails(usage: DiskUsage, trunc: boolean, now: number): Record<Kind, ListRow[]> {
	return {
		// docker: an image is one row, under its first name.
		Images: usage.Images.map((image) => ({
			...imageRow(image, namesOf(image, false)[0]!, {trunc, now}),
			Digest: '',
			SharedSize: humanSize(image.SharedSize),
			UniqueSize: humanSize(image.Size - image.SharedSize),
		})),
		Containers: usage.Containers.map((container) =>
			containerRow({...container, SizeRootFs: 0}, {trunc, now}),
		),
		Volumes: usage.Volumes.map((volume) => ({
			...volumeRow(volume),
			Links: String(volume.UsageData.RefCount),
			Size: humanSize(volume.UsageData.Size),
		})),
		BuildCache: usage.BuildCache.map((record) => ({
			CacheType: 'regular',
			CreatedAt: goTimeText(record.CreatedAt),
			CreatedSince: `${humanDuration(now - Date.parse(record.CreatedAt) / 1000)} ago`,
			Description: record.Description,
			ID: record.Id,
			InUse: 'false',
			LastUsedAt: goTimeText(new Date(record.LastUsedAt).toISOString()),
			LastUsedSince: `${humanDuration(now - record.LastUsedAt / 1000)} ago`,
			Parent: '',
			Shared: String(record.Shared),
			Size: humanSize(record.Size),
			UsageCount: '1',
		})),
	};
}

/** docker's, in which every kind of thing has its own lines. */
const rawDetails = `{{range .Images}}type: Image
${imageView(true).raw}
{{end -}}
{{range .Containers}}type: Container
${containerView(true).raw}
{{end -}}
{{range .Volumes}}type: Volume
${volumeView.raw}
{{end -}}
{{range .BuildCache}}type: Build Cache
build_cache_id: {{.ID}}
parent_id: {{.Parent}}
build_cache_type: {{.CacheType}}
description: {{.Description}}
created_at: {{.CreatedAt}}
created_since: {{.CreatedSince}}
last_used_at: {{.LastUsedAt}}
last_used_since: {{.LastUsedSince}}
usage_count: {{.UsageCount}}
in_use: {{.InUse}}
shared: {{.Shared}}

{{end -}}`;

function detailText(details: Record<Kind, ListRow[]>, cache: number): string {
	const table = (kind: Kind) =>
		formatList(tables[kind].view, details[kind], {format: `table ${tables[kind].columns}`});
	return [
		`Images space usage:\n\n${table('Images')}`,
		`Containers space usage:\n\n${table('Containers')}`,
		`Local Volumes space usage:\n\n${table('Volumes')}`,
		`Build cache usage: ${humanSize(cache)}\n\n${table('BuildCache')}`,
	].join('\n');
}

function detailValue(details: Record<Kind, ListRow[]>): Struct {
	const lists = Object.entries(details).map(([kind, rows]) => [
		kind,
		rows.map((row) => new Struct(tables[kind as Kind].view.type, row)),
	]);
	return new Struct('*formatter.diskUsageContext', Object.fromEntries(lists), {ordered: true});
}

export const diskUsage: CommandAction = async ({flags}, open) => {
	const format = flags.string('format');
	const engine = await open();
	const usage = await engine.diskUsage();
	const now = Date.now() / 1000;
	if (!flags.bool('verbose')) writeOut(formatList(view, usageRows(usage), {format}));
	else if (format === '' || format === 'table') {
		const cache = sum(usage.BuildCache.map(({Size}) => Size));
		writeOut(detailText(usageDetails(usage, true, now), cache));
	} else {
		const wording = {parse: 'template parsing error', execute: ''};
		const template = format === 'raw' ? rawDetails : format;
		writeOut(formatValue(template, detailValue(usageDetails(usage, false, now)), {wording}));
	}
	return 0;
};
