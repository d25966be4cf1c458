import type {ContainerSummary} from '../../engine/api.ts';
import type {CommandAction} from '../face.ts';
import {humanDuration} from '../format/duration.ts';
import {ellipsis, labelHeading, labelList, labelOf, printable, shortId} from '../format/names.ts';
import {displayPorts} from '../format/ports.ts';
import {humanSize} from '../format/size.ts';
import {formatList, type ListView} from '../format/table.ts';
import {goQuote} from '../format/template/printf.ts';
import {formatGoTime} from '../format/time.ts';
import {writeOut} from '../output.ts';

const headings = {
	ID: 'CONTAINER ID',
	Image: 'IMAGE',
	Command: 'COMMAND',
	CreatedAt: 'CREATED AT',
	RunningFor: 'CREATED',
	Ports: 'PORTS',
	State: 'STATE',
	Status: 'STATUS',
	HealthStatus: 'HEALTH STATUS',
	Size: 'SIZE',
	Names: 'NAMES',
	Labels: 'LABELS',
	Label: labelHeading,
	Mounts: 'MOUNTS',
	LocalVolumes: 'LOCAL VOLUMES',
	Networks: 'NETWORKS',
};

const columns = '{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}';

export const containerView = (size: boolean): ListView => ({
	type: '*formatter.ContainerContext',
	headings,
	table: `${columns}${size ? '\t{{.Size}}' : ''}`,
	quietField: 'ID',
});

/** A container as docker's templates see it. */
export function containerRow(
	container: ContainerSummary,
	options: {trunc: boolean; now: number},
): Record<string, unknown> {
	const {trunc, now} = options;
	const id = trunc ? shortId(container.Id) : container.Id;
	const names = container.Names.map((name) => name.replace(/^\//, '')).filter(
		(name) => !(trunc && name.includes('/')),
	);
	const mounts = container.Mounts.map((mount) => {
		const name = mount.Name || mount.Source;
		return trunc ? ellipsis(name, 15) : name;
	});
	const health =
		/\((healthy|unhealthy|health: starting)\)/.exec(container.Status)?.[1]?.replace('health: ', '') ?? '';
	return {
		Command: goQuote(trunc ? ellipsis(container.Command, 20) : container.Command),
		CreatedAt: formatGoTime(container.Created),
		HealthStatus: health,
		ID: id,
		Image: imageName(container, trunc),
		Label: labelOf(container.Labels),
		Labels: printable(labelList(container.Labels)),
		LocalVolumes: String(container.Mounts.filter((mount) => mount.Driver === 'local').length),
		Mounts: mounts.join(','),
		Names: printable(names.join(',')),
		Networks: Object.keys(container.NetworkSettings.Networks).join(','),
		Ports: displayPorts(container.Ports),
		RunningFor: `${humanDuration(now - container.Created)} ago`,
		Size: size(container),
		State: container.State,
		Status: container.Status,
	};
}

function imageName({Image, ImageID}: ContainerSummary, trunc: boolean): string {
	if (Image === '') return '<no image>';
	if (!trunc) return printable(Image);
	if (shortId(ImageID) === shortId(Image)) return shortId(ImageID);
	const at = Image.indexOf('@');
	return printable((at > 0 ? Image.slice(0, at) : Image).replace(/^docker\.io\/(library\/)?/, ''));
}

function size({SizeRw = 0, SizeRootFs = 0}: ContainerSummary): string {
	const own = humanSize(SizeRw, 3);
	return SizeRootFs > 0 ? `${own} (virtual ${humanSize(SizeRootFs, 3)})` : own;
}

export const listContainers: CommandAction = async ({flags}, open) => {
	const format = flags.string('format');
	const quiet = flags.bool('quiet');
	const last = flags.bool('latest') ? 1 : flags.number('last');
	const withSize = flags.bool('size');
	const engine = await open();
	const containers = await engine.containers.list({
		all: flags.bool('all') || last > 0,
		...(last > 0 ? {limit: last} : {}),
		// A template that shows the size has it measured.
		size: withSize || /\.Size\b/.test(format),
		filters: flags.filters('filter'),
	});
	const now = Date.now() / 1000;
	const rows = containers.map((container) => containerRow(container, {trunc: !flags.bool('no-trunc'), now}));
	writeOut(formatList(containerView(withSize), rows, {format, quiet}));
	return 0;
};
