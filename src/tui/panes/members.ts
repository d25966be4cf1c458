/** The containers of the selected network, with what others reach them by. */
import {keyLine} from '../keys.ts';
import type {State} from '../store/state.ts';
import {containerName, containerSymbol, portsText} from './containers.ts';
import {type Member, membersOf, networksPane} from './networks.ts';
import {type ListPane, selectedRow} from './pane.ts';

const withPrefix = (address: string, prefix: number): string =>
	address === '' ? '' : `${address}/${prefix}`;

/** Names on the network besides its own: those that were asked for, and the short id's is known anyway. */
export function aliasesText({container, endpoint}: Member): string {
	const own = new Set([containerName(container), container.Id.slice(0, 12)]);
	const names = [...(endpoint.Aliases ?? []), ...(endpoint.DNSNames ?? [])];
	return [...new Set(names)].filter((name) => !own.has(name)).join(' ');
}

function rows(state: State): readonly Member[] {
	const network = selectedRow(networksPane, state);
	return network ? membersOf(state, network) : [];
}

export const membersPane: ListPane<Member> = {
	id: 'members',
	title: 'Members',
	columns: [
		{name: 'state', title: '', min: 1, cell: ({container}) => containerSymbol(container)},
		{
			name: 'name',
			title: 'NAME',
			min: 6,
			grow: 2,
			keep: 10,
			cell: ({container}, state) => {
				const busy = state.busy.get(container.Id);
				return busy === undefined
					? {text: containerName(container)}
					: {text: `${containerName(container)} ${busy}…`, tone: 'warning'};
			},
			order: ({container}) => containerName(container),
		},
		{
			name: 'ipv4',
			title: 'IPV4',
			min: 4,
			max: 18,
			cell: ({endpoint}) =>
				endpoint.IPAddress === ''
					? {text: '–', tone: 'muted'}
					: {text: withPrefix(endpoint.IPAddress, endpoint.IPPrefixLen)},
		},
		{
			name: 'ports',
			title: 'PORTS',
			min: 0,
			max: 40,
			grow: 1,
			keep: 7,
			drop: 1,
			cell: ({container}) => ({
				text: portsText(container.Ports.filter(({PublicPort}) => PublicPort)),
				tone: 'accent',
			}),
		},
		{
			name: 'aliases',
			title: 'ALIASES',
			min: 0,
			max: 40,
			grow: 1,
			keep: 7,
			drop: 2,
			cell: (member) => ({text: aliasesText(member), tone: 'info'}),
		},
		{
			name: 'ipv6',
			title: 'IPV6',
			min: 0,
			max: 43,
			drop: 3,
			cell: ({endpoint}) => ({text: withPrefix(endpoint.GlobalIPv6Address, endpoint.GlobalIPv6PrefixLen)}),
		},
		{
			name: 'mac',
			title: 'MAC',
			min: 0,
			max: 17,
			drop: 4,
			cell: ({endpoint}) => ({text: endpoint.MacAddress, tone: 'muted'}),
		},
	],
	rows,
	key: ({container}) => container.Id,
	searchText: (member) =>
		`${containerName(member.container)} ${member.endpoint.IPAddress} ${member.endpoint.GlobalIPv6Address} ${aliasesText(member)} ${portsText(member.container.Ports)}`,
	counter: (state) => selectedRow(networksPane, state)?.Name ?? '',
	empty: (state) => {
		const network = selectedRow(networksPane, state);
		if (!network) return ['No network is selected.'];
		if (network.Driver === 'host' || network.Driver === 'null') return ['No containers use it.'];
		return ['No containers are on it.', '', keyLine('member.connect', 'connects one')];
	},
};
