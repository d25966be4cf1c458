import type {ImageSummary} from '../../engine/api.ts';
import {printable, shortId} from '../format/names.ts';
import {humanSize} from '../format/size.ts';
import {textWidth} from '../format/width.ts';

interface Row {
	name: string;
	id: string;
	disk: string;
	content: string;
	extra: string;
}

/** An image and below it what it has for every platform, as docker's `images --tree` shows it. */
export function imageTree(images: readonly ImageSummary[], whole: boolean): string {
	const short = (id: string): string => (id === '' ? '' : whole ? id : shortId(id));
	const rows: Row[] = [
		{name: 'IMAGE', id: 'ID', disk: 'DISK USAGE', content: 'CONTENT SIZE', extra: 'EXTRA'},
	];
	for (const image of images) {
		const {Platforms: platforms = []} = image;
		const size = platforms.reduce((sum, {Size}) => sum + Size, 0);
		const content = platforms.reduce((sum, {ContentSize}) => sum + ContentSize, 0);
		const tags = image.RepoTags.length > 0 ? image.RepoTags : image.RepoDigests;
		for (const [at, tag] of (tags.length > 0 ? tags : ['<untagged>']).entries()) {
			rows.push(
				at === 0
					? {
							name: printable(tag),
							id: short(image.Id),
							disk: humanSize(size + content, 3),
							content: humanSize(content, 3),
							extra: image.Containers > 0 ? 'U' : '',
						}
					: {name: printable(tag), id: '', disk: '', content: '', extra: ''},
			);
		}
		for (const [at, {Id, Platform, Size, ContentSize, InUse}] of platforms.entries()) {
			rows.push({
				name: `${at === platforms.length - 1 ? '└─' : '├─'} ${printable(Platform)}`,
				id: short(Id),
				disk: humanSize(Size + ContentSize, 3),
				content: humanSize(ContentSize, 3),
				extra: InUse ? 'U' : '',
			});
		}
	}
	const width = (key: keyof Row): number => Math.max(...rows.map((row) => textWidth(row[key])));
	const [name, id, disk, contentWidth] = [width('name'), width('id'), width('disk'), width('content')];
	const left = (text: string, columns: number) => text + ' '.repeat(Math.max(0, columns - textWidth(text)));
	return rows
		.map((row) =>
			[
				left(row.name, name),
				left(row.id, id),
				row.disk.padStart(disk),
				row.content.padStart(contentWidth),
				row.extra,
			]
				.join('   ')
				.trimEnd(),
		)
		.map((line) => `${line}\n`)
		.join('');
}
