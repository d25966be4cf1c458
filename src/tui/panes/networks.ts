/** Networks, and which containers are on them: what the containers' own rows say. */
import type {ContainerSummary, NetworkRecord} from '../../engine/api.ts';
import {predefined} from '../../engine/networks/record.ts';
import {keyLine} from '../keys.ts';
import type {State} from '../store/state.ts';
import {containerName, isUp} from './containers.ts';
import type {ListPane} from './pane.ts';

/** An endpoint as a container's row has it; without addresses while the container isn't up. */
export interface Endpoint {
	IPAddress: string;
	IPPrefixLen: number;
	GlobalIPv6Address: string;
	GlobalIPv6PrefixLen: number;
	MacAddress: string;
	Aliases: string[] | null;
	DNSNames: string[] | null;
}

export interface Member {
	container: ContainerSummary;
	endpoint: Endpoint;
}

export const isBuiltIn = ({Name}: NetworkRecord): boolean => (predefined as readonly string[]).includes(Name);

const byUpThenName = (a: Member, b: Member): number =>
	Number(isUp(b.container)) - Number(isUp(a.container)) ||
	(containerName(a.container) < containerName(b.container) ? -1 : 1);

interface Members {
	list: Member[];
	/** Most are only counted. */
	sorted: boolean;
}

let memo: {containers: State['containers']; members: Map<string, Members>} | undefined;

/** By the network's name. */
function allMembers({containers}: State): Map<string, Members> {
	if (memo?.containers === containers) return memo.members;
	const members = new Map<string, Members>();
	for (const container of containers.values()) {
		for (const [network, endpoint] of Object.entries(container.NetworkSettings.Networks)) {
			const all = members.get(network) ?? {list: [], sorted: false};
			members.set(network, all);
			all.list.push({container, endpoint: endpoint as Endpoint});
		}
	}
	memo = {containers, members};
	return members;
}

/** Those that are up first, then by name. */
export function membersOf(state: State, network: NetworkRecord): readonly Member[] {
	const members = allMembers(state).get(network.Name);
	if (!members) return [];
	if (!members.sorted) members.list.sort(byUpThenName);
	members.sorted = true;
	return members.list;
}

/** `3`, or `1/3` when not all of them are up. */
function countText(members: readonly Member[]): string {
	const up = members.filter(({container}) => isUp(container)).length;
	if (members.length === 0) return '–';
	return up === members.length ? String(up) : `${up}/${members.length}`;
}

function subnets({IPAM}: NetworkRecord, family: 4 | 6): string {
	return IPAM.Config.map(({Subnet}) => Subnet)
		.filter((subnet) => subnet.includes(':') === (family === 6))
		.join(' ');
}

const internalText = ({Internal}: NetworkRecord): string => (Internal ? 'internal' : '');

export const networksPane: ListPane<NetworkRecord> = {
	id: 'networks',
	title: 'Networks',
	columns: [
		{
			name: 'name',
			title: 'NAME',
			min: 8,
			grow: 2,
			keep: 10,
			cell: (row) => ({text: row.Name}),
			order: (row) => row.Name,
		},
		{
			name: 'driver',
			title: 'DRIVER',
			min: 6,
			max: 7,
			drop: 1,
			cell: (row) => ({text: row.Driver, tone: 'info'}),
			order: (row) => row.Driver,
		},
		{
			name: 'subnet',
			title: 'SUBNET',
			min: 14,
			max: 18,
			cell: (row, state) => {
				const busy = state.busy.get(row.Id);
				return busy === undefined ? {text: subnets(row, 4)} : {text: `${busy}…`, tone: 'warning'};
			},
			order: (row) => subnets(row, 4),
		},
		{name: 'ipv6', title: 'IPV6', min: 0, max: 24, drop: 3, cell: (row) => ({text: subnets(row, 6)})},
		{
			name: 'internal',
			title: '',
			min: 0,
			max: 8,
			drop: 2,
			cell: (row) => ({text: internalText(row), tone: 'muted'}),
		},
		{
			name: 'containers',
			title: 'USED',
			min: 4,
			max: 7,
			align: 'right',
			cell: (row, state) => {
				const members = allMembers(state).get(row.Name)?.list ?? [];
				return {text: countText(members), tone: members.length > 0 ? 'normal' : 'muted'};
			},
		},
	],
	rows: (state) => state.networks,
	key: (row) => row.Id,
	searchText: (row) =>
		`${row.Name} ${row.Driver} ${subnets(row, 4)} ${subnets(row, 6)} ${internalText(row)} ${row.Id.slice(0, 12)}`,
	counter: (state) => String(state.networks.length),
	empty: () => ['No networks yet.', '', keyLine('network.create', 'creates one')],
};
