import type {ImageSummary} from '../../engine/api.ts';
import {listFormat} from '../config-file.ts';
import {CliError} from '../errors.ts';
import type {CommandAction} from '../face.ts';
import {humanDuration} from '../format/duration.ts';
import {printable, shortId} from '../format/names.ts';
import {humanSize} from '../format/size.ts';
import {formatList, type ListView} from '../format/table.ts';
import {formatGoTime} from '../format/time.ts';
import {writeOut} from '../output.ts';

const headings = {
	ID: 'IMAGE ID',
	Repository: 'REPOSITORY',
	Tag: 'TAG',
	Digest: 'DIGEST',
	CreatedSince: 'CREATED',
	CreatedAt: 'CREATED AT',
	Size: 'SIZE',
	Containers: 'CONTAINERS',
	SharedSize: 'SHARED SIZE',
	UniqueSize: 'UNIQUE SIZE',
	VirtualSize: 'SIZE',
};

const none = '<none>';

export const imageView = (digests: boolean): ListView => ({
	type: '*formatter.imageContext',
	headings,
	table: `{{.Repository}}\t{{.Tag}}\t${digests ? '{{.Digest}}\t' : ''}{{.ID}}\t{{.CreatedSince}}\t{{.Size}}`,
	quietField: 'ID',
	raw: `repository: {{.Repository}}
tag: {{.Tag}}
${digests ? 'digest: {{.Digest}}\n' : ''}image_id: {{.ID}}
created_at: {{.CreatedAt}}
virtual_size: {{.Size}}
`,
	quietRaw: 'image_id: {{.ID}}',
});

interface Named {
	repository: string;
	tag: string;
	digest: string;
}

/** One row for each name of an image; with digests one for each pair of tag and digest. */
export function namesOf(image: ImageSummary, digests: boolean): Named[] {
	const splitTag = (name: string): [string, string] => {
		const colon = name.lastIndexOf(':');
		return colon > name.lastIndexOf('/') ? [name.slice(0, colon), name.slice(colon + 1)] : [name, none];
	};
	const known = new Map<string, {tags: string[]; digests: string[]}>();
	const entry = (repository: string): {tags: string[]; digests: string[]} => {
		const found = known.get(repository) ?? {tags: [], digests: []};
		known.set(repository, found);
		return found;
	};
	for (const name of image.RepoTags) {
		if (name === '<none>:<none>') continue;
		const [repository, tag] = splitTag(name);
		entry(repository).tags.push(tag);
	}
	for (const name of image.RepoDigests) {
		const at = name.indexOf('@');
		if (at > 0 && name !== '<none>@<none>') entry(name.slice(0, at)).digests.push(name.slice(at + 1));
	}
	const rows: Named[] = [];
	for (const [repository, names] of known) {
		if (!digests) {
			if (names.tags.length > 0) for (const tag of names.tags) rows.push({repository, tag, digest: none});
			else rows.push({repository, tag: none, digest: ''});
			continue;
		}
		for (const tag of names.tags.length > 0 ? names.tags : [none]) {
			for (const digest of names.digests.length > 0 ? names.digests : [none])
				rows.push({repository, tag, digest});
		}
	}
	return rows.length > 0 ? rows : [{repository: none, tag: none, digest: none}];
}

/** A name of an image as docker's templates see it. */
export function imageRow(
	image: ImageSummary,
	named: Named,
	options: {trunc: boolean; now: number},
): Record<string, unknown> {
	return {
		Containers: image.Containers >= 0 ? String(image.Containers) : 'N/A',
		// Only where it is asked for: the local zone takes a millisecond to find.
		get CreatedAt() {
			return formatGoTime(image.Created);
		},
		CreatedSince: `${humanDuration(options.now - image.Created)} ago`,
		Digest: named.digest,
		ID: options.trunc ? shortId(image.Id) : image.Id,
		Repository: printable(named.repository),
		SharedSize: 'N/A',
		Size: humanSize(image.Size, 3),
		Tag: printable(named.tag),
		UniqueSize: 'N/A',
		VirtualSize: humanSize(image.Size, 3),
	};
}

export const listImages: CommandAction = async ({flags, args}, open) => {
	const filters = flags.filters('filter');
	if (args[0] !== undefined) filters.reference = [...(filters.reference ?? []), args[0]];
	const quiet = flags.bool('quiet');
	// docker's words: a tree has a form of its own.
	if (flags.bool('tree'))
		for (const other of ['quiet', 'digests', 'format'])
			if (flags.changed(other)) throw new CliError(`--${other} is not yet supported with --tree`);
	const format = listFormat('imagesFormat', flags.string('format'), quiet);
	const digests = flags.bool('digests') || /\.Digest\b/.test(format);
	const engine = await open();
	const tree = flags.bool('tree');
	const images = await engine.images.list({
		all: flags.bool('all'),
		filters,
		platforms: tree,
		containers: tree,
	});
	if (tree) {
		const {imageTree} = await import('./image-tree.ts');
		writeOut(imageTree(images, flags.bool('no-trunc')));
		return 0;
	}
	const options = {trunc: !flags.bool('no-trunc'), now: Date.now() / 1000};
	const rows = images.flatMap((image) =>
		namesOf(image, digests).map((named) => imageRow(image, named, options)),
	);
	const asked = flags.bool('digests');
	// docker adds the column to a table of one's own that doesn't have it.
	const lacks = asked && format.startsWith('table') && format !== 'table' && !format.includes('{{.Digest}}');
	writeOut(formatList(imageView(asked), rows, {format: lacks ? `${format}\t{{.Digest}}` : format, quiet}));
	return 0;
};
