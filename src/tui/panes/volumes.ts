/** Volumes, and which containers use them: what the containers' own rows say. */
import {humanDuration} from '../../cli/format/duration.ts';
import type {ContainerSummary, MountPoint, VolumeSummary} from '../../engine/api.ts';
import {keyLine} from '../keys.ts';
import type {State} from '../store/state.ts';
import {containerName, isUp} from './containers.ts';
import type {ListPane} from './pane.ts';

export interface VolumeUser {
	container: ContainerSummary;
	mount: MountPoint;
}

let memo: {containers: State['containers']; users: Map<string, VolumeUser[]>} | undefined;

/** By the volume's name; those that are up first, then by name. */
function allUsers({containers}: State): Map<string, VolumeUser[]> {
	if (memo?.containers === containers) return memo.users;
	const users = new Map<string, VolumeUser[]>();
	for (const container of containers.values()) {
		for (const mount of container.Mounts) {
			if (mount.Type !== 'volume' || mount.Name === undefined) continue;
			const list = users.get(mount.Name) ?? [];
			users.set(mount.Name, list);
			list.push({container, mount});
		}
	}
	for (const list of users.values()) {
		list.sort(
			(a, b) =>
				Number(isUp(b.container)) - Number(isUp(a.container)) ||
				(containerName(a.container) < containerName(b.container) ? -1 : 1),
		);
	}
	memo = {containers, users};
	return users;
}

export function usersOf(state: State, volume: string): readonly VolumeUser[] {
	return allUsers(state).get(volume) ?? [];
}

/** Made for a container without a name of its own. */
export const isAnonymous = ({Labels}: VolumeSummary): boolean =>
	Labels?.['com.docker.volume.anonymous'] !== undefined;

/** Sixty-four digits tell nobody more than twelve. */
export const volumeName = (name: string): string => (/^[0-9a-f]{64}$/.test(name) ? name.slice(0, 12) : name);

const createdAt = ({CreatedAt}: VolumeSummary): number => Date.parse(CreatedAt) / 1000;

/** How it is mounted, where it isn't a folder of the engine's. */
export function optionsText({Options}: VolumeSummary): string {
	return Object.entries(Options ?? {})
		.map(([key, value]) => `${key}=${value}`)
		.join(' ');
}

export const volumesPane: ListPane<VolumeSummary> = {
	id: 'volumes',
	title: 'Volumes',
	columns: [
		{
			name: 'name',
			title: 'NAME',
			min: 8,
			grow: 3,
			keep: 16,
			cell: (row, state) => {
				const busy = state.busy.get(row.Name);
				if (busy !== undefined) return {text: `${volumeName(row.Name)} ${busy}…`, tone: 'warning'};
				return {text: volumeName(row.Name), tone: isAnonymous(row) ? 'muted' : 'normal'};
			},
			order: (row) => row.Name,
		},
		{
			name: 'created',
			title: 'CREATED',
			min: 12,
			max: 18,
			drop: 1,
			cell: (row, state) => {
				const created = createdAt(row);
				return {
					text: Number.isNaN(created) ? '–' : `${humanDuration(Math.max(0, state.now - created))} ago`,
				};
			},
			order: (row) => -createdAt(row) || 0,
		},
		{
			name: 'options',
			title: 'OPTIONS',
			min: 0,
			max: 40,
			grow: 1,
			keep: 8,
			drop: 2,
			cell: (row) => ({text: optionsText(row), tone: 'info'}),
		},
		{
			name: 'used',
			title: 'USED',
			min: 4,
			max: 5,
			align: 'right',
			cell: (row, state) => {
				const {length} = usersOf(state, row.Name);
				return {text: length > 0 ? String(length) : '–', tone: length > 0 ? 'normal' : 'muted'};
			},
			order: (row, state) => -usersOf(state, row.Name).length,
		},
	],
	rows: (state) => state.volumes,
	key: (row) => row.Name,
	searchText: (row) =>
		[
			row.Name,
			optionsText(row),
			...Object.entries(row.Labels ?? {}).map(([key, value]) => `${key}=${value}`),
		].join(' '),
	counter: (state) => String(state.volumes.length),
	empty: () => ['No volumes yet.', '', keyLine('volume.create', 'creates one')],
};
