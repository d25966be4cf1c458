/** What can be done to networks and to who is on them. Each has the command line that does the same. */
import type {
	ContainerSummary,
	EndpointSettings,
	NetworkCreateOptions,
	NetworkRecord,
} from '../../engine/api.ts';
import {textField} from '../input/text-field.ts';
import {containerName, isUp} from '../panes/containers.ts';
import {aliasesText} from '../panes/members.ts';
import {isBuiltIn, type Member, membersOf} from '../panes/networks.ts';
import {setList, setNetworks} from '../store/reducers.ts';
import type {Choice, TextLine} from '../store/state.ts';
import {type ActionContext, openDialog, remember, showError, showMessage, whileBusy} from './context.ts';
import {splitWords} from './run.ts';

const NO: Choice = {id: 'no', label: 'No', key: 'n'};

export function askCreateNetwork(context: ActionContext): void {
	openDialog(context, {
		kind: 'form',
		title: 'Create a network',
		fields: [
			{id: 'name', label: 'Name', value: textField()},
			{id: 'driver', label: 'Driver', hint: 'bridge, macvlan, ipvlan', value: textField('bridge')},
			{id: 'subnet', label: 'Subnet', hint: 'chosen when empty; 10.5.0.0/16', value: textField()},
			{id: 'gateway', label: 'Gateway', hint: 'the subnet’s first address when empty', value: textField()},
			{
				id: 'options',
				label: 'Options',
				hint: 'parent=eth0 com.docker.network.driver.mtu=1400',
				value: textField(),
			},
			{id: 'internal', label: 'Internal', value: false},
			{id: 'ipv6', label: 'IPv6', value: false},
		],
		index: 0,
		submit: 'create',
		onSubmit: (values) => {
			const request = readNetworkForm(values);
			if (typeof request === 'string') return request;
			void createNetwork(context, request);
			return undefined;
		},
	});
}

/** What the form says, or why it can't be done. */
export function readNetworkForm(values: Record<string, string | boolean>): NetworkCreateOptions | string {
	const words = (id: string): string[] | undefined => splitWords(String(values[id]));
	const name = String(values.name).trim();
	if (name === '') return 'The name is empty.';
	const driver = String(values.driver).trim();
	const subnets = words('subnet');
	const gateways = words('gateway');
	const options = words('options');
	if (!subnets || !gateways || !options) return 'A quote is not closed.';
	if (gateways.length > 0 && subnets.length === 0) return 'A gateway needs its subnet.';
	const wrong = options.find((option) => option.indexOf('=') < 1);
	if (wrong !== undefined) return `${wrong}: options are KEY=value.`;
	return {
		name,
		...(driver === '' || driver === 'bridge' ? {} : {driver}),
		...(subnets.length > 0 ? {subnets} : {}),
		...(gateways.length > 0 ? {gateways} : {}),
		...(options.length > 0
			? {
					options: Object.fromEntries(
						options.map((option) => [
							option.slice(0, option.indexOf('=')),
							option.slice(option.indexOf('=') + 1),
						]),
					),
				}
			: {}),
		...(values.internal === true ? {internal: true} : {}),
		...(values.ipv6 === true ? {ipv6: true} : {}),
	};
}

export function createCommand(request: NetworkCreateOptions): string[] {
	const {name, driver, subnets = [], gateways = [], options = {}, internal, ipv6} = request;
	return [
		...['network', 'create'],
		...(driver === undefined ? [] : ['-d', driver]),
		...subnets.flatMap((subnet) => ['--subnet', subnet]),
		...gateways.flatMap((gateway) => ['--gateway', gateway]),
		...Object.entries(options).flatMap(([key, value]) => ['-o', `${key}=${value}`]),
		...(internal ? ['--internal'] : []),
		...(ipv6 ? ['--ipv6'] : []),
		name,
	];
}

async function createNetwork(context: ActionContext, request: NetworkCreateOptions): Promise<void> {
	const {engine, store} = context;
	remember(context, ...createCommand(request));
	try {
		const {id, warnings} = await engine.networks.create(request);
		for (const warning of warnings) showMessage(context, {tone: 'info', text: `WARNING: ${warning}`});
		// Its row is read at once, so that it is there to be selected before its event comes.
		const networks = await engine.networks.list();
		store.update((state) => setList(setNetworks(state, networks), 'networks', {selected: id}));
	} catch (error) {
		showError(context, error);
	}
}

/** `web, db and 3 more`. */
function someNames(members: readonly Member[]): string {
	const names = members.map(({container}) => containerName(container));
	const shown = names.slice(0, 3).join(', ');
	return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

export function removeNetwork(context: ActionContext, row: NetworkRecord): void {
	if (isBuiltIn(row)) {
		showMessage(context, {
			tone: 'bad',
			text: `Error: ${row.Name} is a pre-defined network and cannot be removed`,
		});
		return;
	}
	const members = membersOf(context.store.state, row);
	const up = members.filter(({container}) => isUp(container));
	openDialog(context, {
		kind: 'confirm',
		title: 'Remove network',
		lines: [
			`Remove ${row.Name} (${row.Driver})?`,
			...(up.length > 0 ? [`In use by ${someNames(up)}.`] : []),
			...(up.length === 0 && members.length > 0
				? [`${someNames(members)}: not up, and could not start without it.`]
				: []),
		],
		choices: [NO, {id: 'remove', label: 'Remove', key: 'y'}],
		index: 0,
		onChoice: (choice) => {
			if (choice === 'no') return;
			remember(context, 'network', 'rm', row.Name);
			void whileBusy(context, row, 'removing', async () => {
				try {
					await context.engine.networks.remove(row.Name);
				} catch (error) {
					throw inUse(context, row, error) ?? error;
				}
			});
		},
	});
}

/** The engine's refusal lists endpoint ids; who uses it and which key helps is what one wants to know. */
function inUse({store}: ActionContext, row: NetworkRecord, error: unknown): Error | undefined {
	const up = membersOf(store.state, row).filter(({container}) => isUp(container));
	if ((error as {code?: string}).code !== 'denied' || up.length === 0) return undefined;
	return new Error(`network ${row.Name} is in use by ${someNames(up)}; U disconnects`);
}

export async function pruneNetworks(context: ActionContext): Promise<void> {
	const {engine} = context;
	const unused = await engine.networks.list({filters: {dangling: ['true']}});
	if (unused.length === 0) {
		showMessage(context, {tone: 'info', text: 'Every network is in use.'});
		return;
	}
	const names = unused.map(({Name}) => Name);
	openDialog(context, {
		kind: 'confirm',
		title: 'Remove unused networks',
		lines: [
			'No container, running or not, is on these:',
			...names.slice(0, 8).map((name) => `  ${name}`),
			...(names.length > 8 ? [`  and ${names.length - 8} more`] : []),
		],
		choices: [
			NO,
			{id: 'prune', label: names.length === 1 ? 'Remove it' : `Remove ${names.length}`, key: 'y'},
		],
		index: 0,
		onChoice: (choice) => {
			if (choice === 'no') return;
			remember(context, 'network', 'prune', '-f');
			engine.networks
				.prune()
				.then(({NetworksDeleted}) => {
					const count = NetworksDeleted.length;
					showMessage(context, {tone: 'good', text: `Removed ${count} network${count === 1 ? '' : 's'}.`});
				})
				.catch((error) => showError(context, error));
		},
	});
}

/** Containers that could be on it and aren't. */
function candidates({store}: ActionContext, row: NetworkRecord): ContainerSummary[] {
	const there = new Set(membersOf(store.state, row).map(({container}) => container.Id));
	return [...store.state.containers.values()]
		.filter(({Id, HostConfig: {NetworkMode}}) => {
			return !there.has(Id) && NetworkMode !== 'host' && !NetworkMode.startsWith('container:');
		})
		.sort((a, b) => Number(isUp(b)) - Number(isUp(a)) || (containerName(a) < containerName(b) ? -1 : 1));
}

export function askConnect(context: ActionContext, row: NetworkRecord): void {
	if (row.Driver === 'host' || row.Driver === 'null') {
		showMessage(context, {tone: 'bad', text: `Error: containers can't be connected to ${row.Name}`});
		return;
	}
	const containers = candidates(context, row);
	if (containers.length === 0) {
		showMessage(context, {tone: 'info', text: `No container is left to connect to ${row.Name}.`});
		return;
	}
	openDialog(context, {
		kind: 'pick',
		title: `Connect to ${row.Name}`,
		items: containers.map((container) => ({
			id: container.Id,
			label: containerName(container),
			note: `${container.Image} · ${container.State}`,
		})),
		filter: textField(),
		index: 0,
		submit: 'connect…',
		onPick: (id) => {
			const container = containers.find(({Id}) => Id === id);
			if (container) askEndpoint(context, row, container);
		},
	});
}

function askEndpoint(context: ActionContext, row: NetworkRecord, container: ContainerSummary): void {
	const name = containerName(container);
	openDialog(context, {
		kind: 'form',
		title: `Connect ${name} to ${row.Name}`,
		fields: [
			{id: 'aliases', label: 'Aliases', hint: 'other names on this network', value: textField()},
			{id: 'ip', label: 'IPv4', hint: 'chosen when empty', value: textField()},
			...(row.EnableIPv6 ? [{id: 'ip6', label: 'IPv6', hint: 'chosen when empty', value: textField()}] : []),
		],
		index: 0,
		submit: 'connect',
		onSubmit: ({aliases, ip, ip6 = ''}) => {
			const endpoint = {
				aliases: String(aliases)
					.split(/[\s,]+/)
					.filter(Boolean),
				ip: String(ip).trim(),
				ip6: String(ip6).trim(),
			};
			remember(
				context,
				...['network', 'connect'],
				...endpoint.aliases.flatMap((alias) => ['--alias', alias]),
				...(endpoint.ip === '' ? [] : ['--ip', endpoint.ip]),
				...(endpoint.ip6 === '' ? [] : ['--ip6', endpoint.ip6]),
				row.Name,
				name,
			);
			void whileBusy(context, container, 'connecting', () =>
				context.engine.networks.connect(row.Name, container.Id, settingsOf(endpoint)),
			);
			return undefined;
		},
	});
}

function settingsOf({aliases, ip, ip6}: {aliases: string[]; ip: string; ip6: string}): EndpointSettings {
	return {
		...(aliases.length > 0 ? {Aliases: aliases} : {}),
		...(ip === '' && ip6 === ''
			? {}
			: {IPAMConfig: {...(ip === '' ? {} : {IPv4Address: ip}), ...(ip6 === '' ? {} : {IPv6Address: ip6})}}),
	};
}

/** Asks for a member first where there are several. */
export function askDisconnect(context: ActionContext, row: NetworkRecord): void {
	const members = membersOf(context.store.state, row);
	if (members.length === 0) {
		showMessage(context, {tone: 'info', text: `No container is on ${row.Name}.`});
		return;
	}
	if (members.length === 1) {
		disconnectMember(context, row, members[0]!);
		return;
	}
	openDialog(context, {
		kind: 'pick',
		title: `Disconnect from ${row.Name}`,
		items: members.map(({container, endpoint}) => ({
			id: container.Id,
			label: containerName(container),
			note: endpoint.IPAddress || container.State,
		})),
		filter: textField(),
		index: 0,
		submit: 'disconnect…',
		onPick: (id) => {
			const member = members.find(({container}) => container.Id === id);
			if (member) disconnectMember(context, row, member);
		},
	});
}

export function disconnectMember(
	context: ActionContext,
	row: NetworkRecord,
	{container, endpoint}: Member,
): void {
	const name = containerName(container);
	openDialog(context, {
		kind: 'confirm',
		title: 'Disconnect',
		lines: [
			`Disconnect ${name} from ${row.Name}?`,
			...(endpoint.IPAddress === '' ? [] : [`It gives ${endpoint.IPAddress} back.`]),
		],
		choices: [NO, {id: 'disconnect', label: 'Disconnect', key: 'y'}],
		index: 0,
		onChoice: (choice) => {
			if (choice === 'no') return;
			remember(context, 'network', 'disconnect', row.Name, name);
			void whileBusy(context, container, 'disconnecting', () =>
				context.engine.networks.disconnect(row.Name, container.Id),
			);
		},
	});
}

export async function showNetwork(context: ActionContext, row: NetworkRecord): Promise<void> {
	remember(context, 'network', 'inspect', row.Name);
	// The record as it is now; the containers as their rows have them.
	const network = await context.engine.networks.inspect(row.Name);
	openDialog(context, {
		kind: 'text',
		title: `Network ${row.Name}`,
		lines: networkLines(network, membersOf(context.store.state, row)),
		top: 0,
	});
}

const yes = (value: boolean): string => (value ? 'yes' : 'no');

function pairLines(heading: string, pairs: Record<string, string> | null): TextLine[] {
	const entries = Object.entries(pairs ?? {});
	if (entries.length === 0) return [];
	return [
		{name: '', text: heading, heading: true},
		...entries.map(([key, value]) => ({name: '', text: `${key}=${value}`})),
	];
}

export function networkLines(network: NetworkRecord, members: readonly Member[]): TextLine[] {
	const optional = (name: string, text: string | undefined): TextLine[] => (text ? [{name, text}] : []);
	return [
		{name: 'Id', text: network.Id},
		{name: 'Created', text: network.Created},
		{name: 'Driver', text: network.Driver},
		{name: 'Scope', text: network.Scope},
		...network.IPAM.Config.flatMap((config) => [
			{name: 'Subnet', text: config.Subnet},
			...optional('Gateway', config.Gateway),
			...optional('Range', config.IPRange),
			...Object.entries(config.AuxiliaryAddresses ?? {}).map(([host, address]) => ({
				name: 'Reserved',
				text: `${address} ${host}`,
			})),
		]),
		{name: 'Internal', text: yes(network.Internal)},
		{name: 'IPv6', text: yes(network.EnableIPv6)},
		...pairLines('Options', network.Options),
		...pairLines('Labels', network.Labels),
		...(members.length > 0 ? [{name: '', text: 'Containers', heading: true}] : []),
		...members.map((member) => ({
			name: containerName(member.container),
			text: [
				member.endpoint.IPAddress || 'not up',
				member.endpoint.GlobalIPv6Address,
				member.endpoint.MacAddress,
				aliasesText(member),
			]
				.filter(Boolean)
				.join('  '),
		})),
	];
}
