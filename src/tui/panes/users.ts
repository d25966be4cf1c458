/** The containers that use the selected volume or image. */
import type {ContainerSummary, MountPoint} from '../../engine/api.ts';
import {keyLine, keyOf} from '../keys.ts';
import type {State} from '../store/state.ts';
import {containerName, containerSymbol, statusText} from './containers.ts';
import {imagesPane} from './images.ts';
import {type ListPane, selectedRow} from './pane.ts';
import {emptyDetail, subjectName} from './subject.ts';
import {usersOf, volumesPane} from './volumes.ts';

export interface User {
	container: ContainerSummary;
	/** Where a volume is in it. */
	mount?: MountPoint;
}

function rows(state: State): readonly User[] {
	if (state.lastList === 'volumes') {
		const volume = selectedRow(volumesPane, state);
		return volume ? usersOf(state, volume.Name) : [];
	}
	const image = state.lastList === 'images' ? selectedRow(imagesPane, state)?.image.Id : undefined;
	if (image === undefined) return [];
	return [...state.containers.values()]
		.filter(({ImageID}) => ImageID === image)
		.map((container) => ({container}));
}

export const usersPane: ListPane<User> = {
	id: 'users',
	title: 'Used by',
	columns: [
		{name: 'state', title: '', min: 1, cell: ({container}) => containerSymbol(container)},
		{
			name: 'name',
			title: 'NAME',
			min: 8,
			grow: 2,
			keep: 12,
			cell: ({container}) => ({text: containerName(container)}),
			order: ({container}) => containerName(container),
		},
		{
			name: 'destination',
			title: 'AT',
			min: 0,
			max: 60,
			grow: 2,
			keep: 12,
			cell: ({mount}) => ({text: mount?.Destination ?? '', tone: 'info'}),
			order: ({mount}) => mount?.Destination ?? '',
		},
		{
			name: 'mode',
			title: '',
			min: 0,
			max: 2,
			cell: ({mount}) => ({
				text: mount ? (mount.RW ? 'rw' : 'ro') : '',
				tone: mount?.RW ? 'normal' : 'muted',
			}),
		},
		{
			name: 'status',
			title: 'STATUS',
			min: 8,
			keep: 12,
			grow: 1,
			drop: 1,
			cell: ({container}, state) => ({text: statusText(container, state.now), tone: 'muted'}),
		},
	],
	rows,
	key: ({container, mount}) => `${container.Id} ${mount?.Destination ?? ''}`,
	searchText: ({container, mount}) =>
		`${containerName(container)} ${container.Image} ${container.State} ${mount?.Destination ?? ''}`,
	counter: subjectName,
	empty: (state) =>
		emptyDetail(
			state,
			'users',
			state.lastList === 'volumes'
				? [
						'No container uses it.',
						'',
						keyLine('pane.containers', `then ${keyOf('container.run')} runs one with it: -v NAME:/path`),
					]
				: ['No container uses it.', '', keyLine('image.run', 'runs one')],
		),
};
