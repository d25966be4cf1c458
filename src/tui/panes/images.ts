import {humanDuration} from '../../cli/format/duration.ts';
import {humanSize} from '../../cli/format/size.ts';
import type {ImageSummary} from '../../engine/api.ts';
import {keyLine} from '../keys.ts';
import type {State} from '../store/state.ts';
import type {ListPane} from './pane.ts';

/** A tag of an image, or an image without one: a row, as in `images`. */
export interface ImageRow {
	/** `repository:tag`, or the id. */
	key: string;
	repository: string;
	tag: string;
	image: ImageSummary;
}

export function shortId(id: string): string {
	return id.replace(/^sha256:/, '').slice(0, 12);
}

/** What a command calls it. */
export function imageReference(row: ImageRow): string {
	return row.tag === '<none>' ? shortId(row.image.Id) : `${row.repository}:${row.tag}`;
}

function rowsOf(image: ImageSummary): ImageRow[] {
	if (image.RepoTags.length === 0) {
		const repository = image.RepoDigests[0]?.split('@')[0] ?? '<none>';
		return [{key: image.Id, repository, tag: '<none>', image}];
	}
	return image.RepoTags.map((reference) => {
		const colon = reference.lastIndexOf(':');
		return {
			key: `${image.Id} ${reference}`,
			repository: reference.slice(0, colon),
			tag: reference.slice(colon + 1),
			image,
		};
	});
}

let memo: {images: readonly ImageSummary[]; rows: ImageRow[]} | undefined;

function rows({images}: State): ImageRow[] {
	if (memo?.images !== images) memo = {images, rows: images.flatMap(rowsOf)};
	return memo.rows;
}

export const imagesPane: ListPane<ImageRow> = {
	id: 'images',
	title: 'Images',
	columns: [
		{
			name: 'repository',
			title: 'REPOSITORY',
			min: 12,
			grow: 3,
			keep: 40,
			cell: (row) => ({text: row.repository}),
			order: (row) => row.repository,
		},
		{
			name: 'tag',
			title: 'TAG',
			min: 6,
			grow: 1,
			cell: (row) => ({text: row.tag, tone: 'info'}),
			order: (row) => row.tag,
		},
		{
			name: 'id',
			title: 'IMAGE ID',
			min: 12,
			max: 12,
			drop: 2,
			cell: (row) => ({text: shortId(row.image.Id), tone: 'muted'}),
		},
		{
			name: 'created',
			title: 'CREATED',
			min: 14,
			max: 16,
			drop: 1,
			cell: (row, state) => ({
				text:
					row.image.Created > 0 ? `${humanDuration(Math.max(0, state.now - row.image.Created))} ago` : 'N/A',
			}),
			order: (row) => -row.image.Created,
		},
		{
			name: 'size',
			title: 'SIZE',
			min: 7,
			max: 9,
			align: 'right',
			cell: (row) => ({text: humanSize(row.image.Size, 3)}),
			order: (row) => -row.image.Size,
		},
		{
			name: 'used',
			title: 'USED',
			min: 4,
			max: 5,
			align: 'right',
			drop: 3,
			cell: (row) => ({text: row.image.Containers > 0 ? String(row.image.Containers) : '–', tone: 'muted'}),
			order: (row) => -row.image.Containers,
		},
	],
	rows,
	key: (row) => row.key,
	searchText: (row) => `${row.repository}:${row.tag} ${shortId(row.image.Id)}`,
	counter: (state) => String(rows(state).length),
	empty: () => [
		'No images yet.',
		'',
		keyLine('image.pull', 'pulls one from a registry'),
		keyLine('app.base', 'makes wherry/base and runs it'),
	],
};
