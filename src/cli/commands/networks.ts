import type {NetworkRecord} from '../../engine/api.ts';
import {WherryError} from '../../engine/errors.ts';
import {listFormat} from '../config-file.ts';
import {CliError} from '../errors.ts';
import {type CommandAction, forEachObject} from '../face.ts';
import {labelHeading, labelList, labelOf, printable, shortId} from '../format/names.ts';
import {naturalOrder} from '../format/natural-order.ts';
import {formatList, type ListView} from '../format/table.ts';
import {printError, printLine, writeOut} from '../output.ts';
import {keyValues} from '../parse/flag-values.ts';
import {endpointSettings, parseDriverOption, plainAttachment} from '../parse/network.ts';
import {confirm} from '../terminal/confirm.ts';

export const networkView: ListView = {
	type: '*network.networkContext',
	headings: {
		CreatedAt: 'CREATED AT',
		Driver: 'DRIVER',
		ID: 'NETWORK ID',
		IPv4: 'IPV4',
		IPv6: 'IPV6',
		Internal: 'INTERNAL',
		Label: labelHeading,
		Labels: 'LABELS',
		Name: 'NAME',
		Scope: 'SCOPE',
	},
	table: '{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}',
	quietField: 'ID',
	raw: 'network_id: {{.ID}}\nname: {{.Name}}\ndriver: {{.Driver}}\nscope: {{.Scope}}\n',
	quietRaw: 'network_id: {{.ID}}',
};

/** Go's Time.String of an RFC 3339 time in UTC. */
const goTime = (time: string): string =>
	time
		.replace('T', ' ')
		.replace(/(\.\d*?)0*Z$/, '$1Z')
		.replace(/\.?Z$/, ' +0000 UTC');

/** A network as docker's templates see it. */
export function networkRow(network: NetworkRecord, trunc: boolean): Record<string, unknown> {
	return {
		CreatedAt: goTime(network.Created),
		Driver: network.Driver,
		ID: trunc ? shortId(network.Id) : network.Id,
		IPv4: String(network.EnableIPv4),
		IPv6: String(network.EnableIPv6),
		Internal: String(network.Internal),
		Label: labelOf(network.Labels),
		Labels: printable(labelList(network.Labels)),
		Name: network.Name,
		Scope: network.Scope,
	};
}

export const listNetworks: CommandAction = async ({flags}, open) => {
	const engine = await open();
	const networks = await engine.networks.list({filters: flags.filters('filter')});
	networks.sort((a, b) => naturalOrder(a.Name, b.Name));
	const rows = networks.map((network) => networkRow(network, !flags.bool('no-trunc')));
	const quiet = flags.bool('quiet');
	const format = listFormat('networksFormat', flags.string('format'), quiet);
	writeOut(formatList(networkView, rows, {format, quiet}));
	return 0;
};

export const createNetwork: CommandAction = async ({flags, args}, open) => {
	const engine = await open();
	const {id, warnings} = await engine.networks.create({
		name: args[0]!,
		driver: flags.string('driver'),
		internal: flags.bool('internal'),
		attachable: flags.bool('attachable'),
		...(flags.changed('ipv4') ? {ipv4: flags.bool('ipv4')} : {}),
		...(flags.changed('ipv6') ? {ipv6: flags.bool('ipv6')} : {}),
		labels: keyValues(flags.list('label')),
		options: flags.map('opt'),
		subnets: flags.list('subnet'),
		gateways: flags.list('gateway'),
		ipRanges: flags.list('ip-range'),
		auxAddresses: flags.map('aux-address'),
		ipamDriver: flags.string('ipam-driver'),
		ipamOptions: flags.map('ipam-opt'),
		scope: flags.string('scope'),
		ingress: flags.bool('ingress'),
		configOnly: flags.bool('config-only'),
		configFrom: flags.string('config-from'),
	});
	for (const warning of warnings) printError(`WARNING: ${warning}`);
	printLine(id);
	return 0;
};

export const removeNetworks: CommandAction = async ({flags, args}, open) => {
	const engine = await open();
	const force = flags.bool('force');
	return await forEachObject(
		args,
		async (name) => {
			try {
				await engine.networks.remove(name);
			} catch (error) {
				if (force && error instanceof WherryError && error.code === 'not-found') return undefined;
				throw error;
			}
			return name;
		},
		printLine,
	);
};

export const pruneNetworks: CommandAction = async ({flags}, open) => {
	if (!flags.bool('force')) {
		// docker: whoever says no is not told of it.
		const sure = await confirm(
			'WARNING! This will remove all custom networks not used by at least one container.\nAre you sure you want to continue?',
		);
		if (!sure) return 0;
	}
	const engine = await open();
	const {NetworksDeleted} = await engine.networks.prune({filters: flags.filters('filter')});
	if (NetworksDeleted.length > 0) writeOut(`Deleted Networks:\n${NetworksDeleted.join('\n')}\n\n`);
	return 0;
};

export const connectNetwork: CommandAction = async ({flags, args}, open) => {
	let settings: ReturnType<typeof endpointSettings>;
	try {
		settings = endpointSettings({
			// Which network it is, and so what it allows, is for the engine to say.
			...plainAttachment('a network'),
			aliases: flags.list('alias'),
			links: flags.list('link'),
			ipv4: flags.string('ip'),
			ipv6: flags.string('ip6'),
			linkLocalIps: flags.list('link-local-ip'),
			driverOptions: Object.fromEntries(flags.list('driver-opt').map(parseDriverOption)),
			gwPriority: flags.number('gw-priority'),
		});
	} catch (error) {
		throw new CliError((error as Error).message);
	}
	const engine = await open();
	await engine.networks.connect(args[0]!, args[1]!, settings);
	return 0;
};

export const disconnectNetwork: CommandAction = async ({flags, args}, open) => {
	const engine = await open();
	await engine.networks.disconnect(args[0]!, args[1]!, {force: flags.bool('force')});
	return 0;
};
