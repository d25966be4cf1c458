/** What takes space on the disk, who owns it, and what each prune would free. */
import {humanSize} from '../../cli/format/size.ts';
import type {ContainerSummary, DiskUsage} from '../../engine/api.ts';
import {textField} from '../input/text-field.ts';
import {containerName, isUp} from '../panes/containers.ts';
import {shortId} from '../panes/images.ts';
import {focusPane, setList} from '../store/reducers.ts';
import type {ListPaneId, MainListId, PickItem, State, TextLine} from '../store/state.ts';
import {fitCells} from '../text/width.ts';
import {type ActionContext, openDialog, remember, showError, showMessage} from './context.ts';
import {containerLines, imageLines} from './disk-owner.ts';
import {pruneImages} from './images.ts';
import {pruneVolumes} from './volumes.ts';

/** What the engine says that prunes of images would free. */
export interface Reclaimable {
	untagged: number;
	unused: number;
}

interface Owner extends PickItem {
	size: number;
}

const owner = (id: string, kind: string, name: string, size: number, note: string): Owner => ({
	id,
	size,
	label: `${fitCells(kind, 10)} ${fitCells(humanSize(size, 3), 7, 'right')}  ${name}`,
	note,
});

const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);
const freed = (bytes: number, more = ''): string => `prune frees ${humanSize(bytes, 3)}${more}`;
const stopped = (container: ContainerSummary): boolean => !isUp(container);

/** The kinds with what a prune of each would free, then everything that takes space, the largest first. */
export function diskItems(usage: DiskUsage, reclaimable: Reclaimable): PickItem[] {
	const {Images, Containers, Volumes, BuildCache, LayersSize, ContainerLogs} = usage;
	const own = (container: ContainerSummary): number => container.SizeRw ?? 0;
	const logs = (container: ContainerSummary): number => ContainerLogs[container.Id] ?? 0;
	const cache = BuildCache.filter(({Shared}) => !Shared);
	const kinds = [
		owner(
			'images',
			'Images',
			`${Images.length}`,
			LayersSize,
			`${freed(reclaimable.untagged)}, all unused ${humanSize(reclaimable.unused, 3)}`,
		),
		owner(
			'containers',
			'Containers',
			`${Containers.length}`,
			sum(Containers.map(own)),
			freed(sum(Containers.filter(stopped).map((one) => own(one) + logs(one))), ' with their logs'),
		),
		owner('logs', 'Logs', '', sum(Containers.map(logs)), 'go with their containers'),
		owner(
			'volumes',
			'Volumes',
			`${Volumes.length}`,
			sum(Volumes.map(({UsageData}) => UsageData.Size)),
			freed(
				sum(Volumes.filter(({UsageData}) => UsageData.RefCount === 0).map(({UsageData}) => UsageData.Size)),
				' at most',
			),
		),
		owner(
			'cache',
			'Builds',
			`${BuildCache.length}`,
			sum(BuildCache.map(({Size}) => Size)),
			freed(sum(cache.map(({Size}) => Size))),
		),
	];
	const owners = [
		...Images.map((image) =>
			owner(
				`image ${image.Id}`,
				'image',
				image.RepoTags[0] ?? shortId(image.Id),
				image.Size,
				[
					image.SharedSize > 0 ? `${humanSize(image.SharedSize, 3)} shared` : 'nothing shared',
					image.Containers > 0 ? `${image.Containers} in use` : 'unused',
				].join(', '),
			),
		),
		...Containers.flatMap((one) => [
			owner(
				`container ${one.Id}`,
				'container',
				containerName(one),
				own(one),
				stopped(one) ? 'stopped' : 'up',
			),
			owner(`container ${one.Id} log`, 'log', containerName(one), logs(one), stopped(one) ? 'stopped' : 'up'),
		]),
		...Volumes.map(({Name, UsageData: {Size, RefCount}}) =>
			owner(`volume ${Name}`, 'volume', Name, Size, RefCount > 0 ? `${RefCount} use it` : 'unused'),
		),
		...BuildCache.map(({Id, Description, Size, Shared}) =>
			owner(
				`cache ${Id}`,
				'cache',
				Description || shortId(Id),
				Size,
				Shared ? 'an image has it' : 'of builds only',
			),
		),
	];
	return [
		...kinds,
		...owners.filter(({size}) => size > 0).sort((a, b) => b.size - a.size || (a.label < b.label ? -1 : 1)),
	];
}

export async function showDisk(context: ActionContext): Promise<void> {
	const {engine} = context;
	showMessage(context, {tone: 'info', text: 'Measuring…'});
	const [usage, untagged, unused] = await Promise.all([
		engine.diskUsage(),
		engine.images.prune({preview: true}),
		engine.images.prune({filters: {dangling: ['false']}, preview: true}),
	]);
	remember(context, 'system', 'df', '-v');
	openDialog(context, {
		kind: 'pick',
		title: 'Disk',
		items: diskItems(usage, {untagged: untagged.SpaceReclaimed, unused: unused.SpaceReclaimed}),
		filter: textField(),
		index: 0,
		submit: 'prunes, or looks closer',
		onPick: (id) => void openOwner(context, usage, id).catch((error) => showError(context, error)),
	});
}

async function openOwner(context: ActionContext, usage: DiskUsage, id: string): Promise<void> {
	const [kind, name] = id.split(' ');
	if (kind === 'images') await pruneImages(context);
	else if (kind === 'containers' || kind === 'logs') pruneContainers(context, usage);
	else if (kind === 'volumes') pruneVolumes(context);
	else if (kind === 'cache') pruneCache(context, usage);
	else if (kind === 'image') await showImage(context, usage, name!);
	else if (kind === 'container') showOwner(context, usage, name!, containerLines(usage, name!));
	else context.store.update((state) => goTo(state, kind!, name!));
}

async function showImage(context: ActionContext, usage: DiskUsage, id: string): Promise<void> {
	const {images} = context.engine;
	const [{layers}, ...inspected] = await Promise.all([
		images.layers(id),
		...usage.Images.map(async ({Id}) => [Id, await images.inspect(Id)] as const),
	]);
	const layersOf = (image: unknown): readonly string[] =>
		(image as {RootFS?: {Layers?: string[]}}).RootFS?.Layers ?? [];
	const owners = new Map(inspected.map(([one, image]) => [one, layersOf(image)] as const));
	showOwner(context, usage, id, imageLines(usage, id, layers, owners));
}

function showOwner(context: ActionContext, usage: DiskUsage, id: string, lines: readonly TextLine[]): void {
	const image = usage.Images.find(({Id}) => Id === id);
	const container = usage.Containers.find(({Id}) => Id === id);
	const name = image ? (image.RepoTags[0] ?? shortId(id)) : container ? containerName(container) : id;
	remember(context, ...(image ? ['history', name] : ['ps', '-as', '--filter', `id=${id.slice(0, 12)}`]));
	// One look at it, and there one is.
	context.store.update((state) => goTo(state, image ? 'image' : 'container', id));
	openDialog(context, {kind: 'text', title: `Disk: ${name}`, lines, top: 0});
}

/** To the row, also when a filter has hidden it. */
function goTo(state: State, kind: string, name: string): State {
	const list = `${kind}s` as MainListId;
	const image = state.images.find(({Id}) => Id === name);
	const key = kind === 'image' && image?.RepoTags[0] ? `${name} ${image.RepoTags[0]}` : name;
	const there = setList(state, list as ListPaneId, {selected: key, filter: ''});
	return focusPane({...there, hideStopped: false}, list);
}

function pruneContainers(context: ActionContext, {Containers}: DiskUsage): void {
	const gone = Containers.filter(stopped);
	askPrune(context, {
		title: 'Remove containers that don’t run',
		lines: [
			`${gone.length} of ${Containers.length} don’t run; what they wrote and their logs will be lost.`,
			...gone.slice(0, 8).map((one) => `  ${containerName(one)}`),
			...(gone.length > 8 ? [`  and ${gone.length - 8} more`] : []),
		],
		command: ['container', 'prune', '-f'],
		prune: () => context.engine.containers.prune(),
	});
}

function pruneCache(context: ActionContext, {BuildCache}: DiskUsage): void {
	askPrune(context, {
		title: 'Remove what builds have kept',
		lines: [`${BuildCache.length} steps; the next builds make them again.`],
		command: ['builder', 'prune', '-f'],
		prune: async () => ({SpaceReclaimed: (await context.engine.pruneBuildCache()).reclaimed}),
	});
}

interface Question {
	title: string;
	lines: string[];
	command: string[];
	prune(): Promise<{SpaceReclaimed: number}>;
}

function askPrune(context: ActionContext, {title, lines, command, prune}: Question): void {
	openDialog(context, {
		kind: 'confirm',
		title,
		lines,
		choices: [
			{id: 'no', label: 'No', key: 'n'},
			{id: 'remove', label: 'Remove', key: 'y'},
		],
		index: 0,
		onChoice: (choice) => {
			if (choice === 'no') return;
			remember(context, ...command);
			prune()
				.then(({SpaceReclaimed}) =>
					showMessage(context, {tone: 'good', text: `${humanSize(SpaceReclaimed, 3)} freed.`}),
				)
				.catch((error) => showError(context, error));
		},
	});
}
