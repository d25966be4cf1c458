/** What takes space of one image or of one container, down to its layers, its log and its volumes. */
import {humanSize} from '../../cli/format/size.ts';
import type {DiskUsage, ImageLayer} from '../../engine/api.ts';
import {containerName} from '../panes/containers.ts';
import type {TextLine} from '../store/state.ts';

const bytes = (size: number): string => humanSize(size, 3).padStart(7);
const heading = (text: string): TextLine => ({name: '', text, heading: true});

/** Diff ids of every image's layers, by image. */
export type LayerOwners = ReadonlyMap<string, readonly string[]>;

/** An image's layers with who else has each. Pure. */
export function imageLines(
	usage: DiskUsage,
	id: string,
	layers: readonly Pick<ImageLayer, 'size' | 'command'>[],
	owners: LayerOwners,
): TextLine[] {
	const image = usage.Images.find(({Id}) => Id === id);
	if (!image) return [];
	const name = (other: string): string =>
		usage.Images.find(({Id}) => Id === other)?.RepoTags[0] ?? other.slice(7, 19);
	const own = owners.get(id) ?? [];
	const users = usage.Containers.filter(({ImageID}) => ImageID === id);
	return [
		{name: bytes(image.Size), text: 'all layers'},
		{name: bytes(image.Size - image.SharedSize), text: 'of this image alone: what its removal frees'},
		{name: bytes(image.SharedSize), text: 'shared with other images'},
		{name: '', text: ''},
		heading('Layers, the lowest first'),
		...layers.map(({size, command}, at) => {
			const others = [...owners]
				.filter(([other, list]) => other !== id && list[at] === own[at])
				.map(([other]) => other);
			const with_ =
				others.length === 0
					? ''
					: `  · also ${others.slice(0, 3).map(name).join(', ')}${others.length > 3 ? ` and ${others.length - 3} more` : ''}`;
			return {name: bytes(size), text: `${command}${with_}`};
		}),
		{name: '', text: ''},
		heading('Containers that use it'),
		...(users.length === 0 ? [{name: '', text: 'none'}] : []),
		...users.map((one) => ({name: bytes(one.SizeRw ?? 0), text: `${containerName(one)}, beyond the image`})),
	];
}

/** A container's own files, its log and its volumes. Pure. */
export function containerLines(usage: DiskUsage, id: string): TextLine[] {
	const container = usage.Containers.find(({Id}) => Id === id);
	if (!container) return [];
	const image = usage.Images.find(({Id}) => Id === container.ImageID);
	const log = usage.ContainerLogs[id] ?? 0;
	const volumes = container.Mounts.filter(({Type}) => Type === 'volume');
	return [
		{name: bytes((container.SizeRw ?? 0) + log), text: 'its own: what its removal frees'},
		{name: bytes(container.SizeRw ?? 0), text: 'files that it wrote or changed'},
		{name: bytes(log), text: 'its log'},
		{name: '', text: ''},
		heading('What others have, too'),
		{name: bytes(image?.Size ?? 0), text: `its image ${image?.RepoTags[0] ?? container.Image}`},
		...volumes.map(({Name = '', Destination}) => {
			const volume = usage.Volumes.find((one) => one.Name === Name);
			const {Size = 0, RefCount = 0} = volume?.UsageData ?? {};
			const anonymous = volume?.Labels?.['com.docker.volume.anonymous'] !== undefined;
			const others = RefCount > 1 ? `, ${RefCount - 1} more have it` : '';
			return {
				name: bytes(Size),
				text: `volume ${Name.slice(0, 24)} at ${Destination}${others}${anonymous ? '; goes with rm -v' : ''}`,
			};
		}),
	];
}
