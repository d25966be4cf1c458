import type {ContainerSummary} from '../../engine/api.ts';
import {listFormat} from '../config-file.ts';
import type {CommandAction} from '../face.ts';
import {humanDuration} from '../format/duration.ts';
import {ellipsis, labelHeading, labelList, labelOf, printable, shortId} from '../format/names.ts';
import {displayPorts} from '../format/ports.ts';
import {humanSize} from '../format/size.ts';
import {formatList, type ListView} from '../format/table.ts';
import {goQuote} from '../format/template/print.ts';
import {formatGoTime} from '../format/time.ts';
import {listWording} from '../format/wording.ts';
import {printError, writeOut} from '../output.ts';

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
	Platform: 'PLATFORM',
};

const columns = '{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}';

export const containerView = (size: boolean): ListView => ({
	type: '*formatter.ContainerContext',
	headings,
	table: `${columns}${size ? '\t{{.Size}}' : ''}`,
	quietField: 'ID',
	raw: `container_id: {{.ID}}
image: {{.Image}}
command: {{.Command}}
created_at: {{.CreatedAt}}
state: {{- pad .State 1 0}}
status: {{- pad .Status 1 0}}
names: {{.Names}}
labels: {{- pad .Labels 1 0}}
ports: {{- pad .Ports 1 0}}
${size ? 'size: {{.Size}}\n' : ''}`,
	quietRaw: 'container_id: {{.ID}}',
	wording: listWording,
});

/** A container as docker's templates see it; what a template doesn't ask for isn't made. */
export function containerRow(
	container: ContainerSummary,
	options: {trunc: boolean; now: number},
): Record<string, unknown> {
	const {trunc, now} = options;
	return {
		get Command() {
			return quoted(trunc ? ellipsis(container.Command, 20) : container.Command);
		},
		get CreatedAt() {
			return formatGoTime(container.Created);
		},
		get HealthStatus() {
			const health = /\((healthy|unhealthy|health: starting)\)/.exec(container.Status)?.[1] ?? '';
			return health.replace('health: ', '');
		},
		ID: trunc ? shortId(container.Id) : container.Id,
		get Image() {
			return imageName(container, trunc);
		},
		Label: labelOf(container.Labels),
		get Labels() {
			return printable(labelList(container.Labels));
		},
		get LocalVolumes() {
			return String(container.Mounts.filter((mount) => mount.Driver === 'local').length);
		},
		get Mounts() {
			return mounts(container, trunc);
		},
		get Names() {
			return names(container, trunc);
		},
		get Networks() {
			return Object.keys(container.NetworkSettings.Networks).join(',');
		},
		// Only a daemon that keeps several of an image says it.
		Platform: null,
		get Ports() {
			return displayPorts(container.Ports);
		},
		get RunningFor() {
			return `${humanDuration(now - container.Created)} ago`;
		},
		get Size() {
			return size(container);
		},
		State: container.State,
		Status: container.Status,
	};
}

function mounts({Mounts}: ContainerSummary, trunc: boolean): string {
	return Mounts.map((mount) => {
		const name = mount.Name || mount.Source;
		return trunc ? ellipsis(name, 15) : name;
	}).join(',');
}

/** Names that others link to it by are only shown whole; docker has them in the order of the alphabet. */
function names({Names}: ContainerSummary, trunc: boolean): string {
	const plain = Names.map((name) => name.replace(/^\//, '')).sort();
	return printable(plain.filter((name) => !(trunc && name.includes('/'))).join(','));
}

/** As Go quotes it. Most commands need nothing but the marks. */
const quoted = (text: string): string => (/^[ !#-[\]-~]*$/.test(text) ? `"${text}"` : goQuote(text));

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
	const quiet = flags.bool('quiet');
	if (quiet && flags.string('format') !== '') {
		printError('WARNING: Ignoring custom format, because both --format and --quiet are set.');
	}
	const format = quiet ? '' : listFormat('psFormat', flags.string('format'), quiet);
	// A number counts more than --latest.
	const last = flags.changed('last') ? flags.number('last') : flags.bool('latest') ? 1 : -1;
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
