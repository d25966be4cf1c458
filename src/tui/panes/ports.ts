/** The ports of the selected container, and from where each is reached. */
import type {ContainerSummary, PortSummary} from '../../engine/api.ts';
import type {State} from '../store/state.ts';
import type {Tone} from '../theme.ts';
import type {ListPane} from './pane.ts';
import {emptyDetail, subjectContainer, subjectName} from './subject.ts';

export interface PortRow {
	port: PortSummary;
	reach: {text: string; tone: Tone};
}

/** From where it can be reached, in words. Pure. */
export function reachOf({IP, PublicPort}: PortSummary, container: ContainerSummary): PortRow['reach'] {
	if (!PublicPort) {
		const networks = Object.keys(container.NetworkSettings.Networks);
		if (networks.length === 0) return {text: 'from itself only', tone: 'muted'};
		return {text: `from ${networks.join(', ')} and this machine`, tone: 'muted'};
	}
	if (!IP || IP === '0.0.0.0' || IP === '::') return {text: 'from everywhere', tone: 'warning'};
	if (IP.startsWith('127.') || IP === '::1') return {text: 'from this machine', tone: 'good'};
	return {text: `from who reaches ${IP}`, tone: 'warning'};
}

let memo: {container: ContainerSummary; rows: readonly PortRow[]} | undefined;

function rows(state: State): readonly PortRow[] {
	const container = subjectContainer(state);
	if (!container) return [];
	if (memo?.container !== container) {
		const sorted = container.Ports.toSorted(
			(a, b) =>
				Number(!a.PublicPort) - Number(!b.PublicPort) ||
				a.PrivatePort - b.PrivatePort ||
				(a.PublicPort ?? 0) - (b.PublicPort ?? 0),
		);
		memo = {container, rows: sorted.map((port) => ({port, reach: reachOf(port, container)}))};
	}
	return memo.rows;
}

const address = ({IP = '', PublicPort}: PortSummary): string =>
	PublicPort ? `${IP.includes(':') ? `[${IP}]` : IP}:${PublicPort}` : '–';

export const portsPane: ListPane<PortRow> = {
	id: 'ports',
	title: 'Ports',
	columns: [
		{
			name: 'inside',
			title: 'INSIDE',
			min: 7,
			max: 10,
			cell: ({port}) => ({text: `${port.PrivatePort}/${port.Type}`}),
			order: ({port}) => port.PrivatePort,
		},
		{
			name: 'address',
			title: 'PUBLISHED AT',
			min: 12,
			max: 47,
			cell: ({port}) => ({text: address(port), tone: port.PublicPort ? 'accent' : 'muted'}),
			order: ({port}) => port.PublicPort ?? 0,
		},
		{
			name: 'reach',
			title: 'REACHED',
			min: 10,
			grow: 1,
			drop: 1,
			cell: ({reach}) => reach,
			order: ({reach}) => reach.text,
		},
	],
	rows,
	key: ({port}) => `${port.PrivatePort}/${port.Type} ${address(port)}`,
	searchText: ({port, reach}) => `${port.PrivatePort}/${port.Type} ${address(port)} ${reach.text}`,
	counter: subjectName,
	empty: (state) => {
		const mode = subjectContainer(state)?.HostConfig.NetworkMode;
		return emptyDetail(
			state,
			'ports',
			mode === 'host'
				? ['It has this machine’s network:', 'every port that it opens is one of the machine.']
				: ['No port is exposed or published.'],
		);
	},
};
