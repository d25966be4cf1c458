/** Makes networks: a file on disk. What the kernel must have comes with the first container. */
import {protocol} from '../../kernel/netlink/message.ts';
import {getLink} from '../../kernel/netlink/rtnetlink.ts';
import {exchange} from '../../kernel/netlink/socket.ts';
import {randomHex} from '../../kernel/random.ts';
import type {NetworkCreateOptions} from '../api.ts';
import type {EngineContext} from '../containers/context.ts';
import {isErrno, WherryError} from '../errors.ts';
import {wallClock} from '../events/record.ts';
import {readIfThere, timestamp} from '../files.ts';
import {formatSubnet, overlaps, parseAddress, parseSubnet, type Subnet, usableRange} from './address.ts';
import {completeGateway, ipamConfigs} from './ipam.ts';
import {checkOptions, childOptions, networkOption} from './options.ts';
import {chooseSubnet, chooseSubnet6} from './pools.ts';
import {
	checkNetworkName,
	emptyNetwork,
	type IpamConfig,
	isPredefined,
	type NetworkDriver,
	type NetworkRecord,
	networksLock,
	publishNetwork,
	readNetwork,
} from './record.ts';
import {networkSubnets, takenSubnets} from './taken.ts';

const invalid = (message: string): never => {
	throw new WherryError('invalid', message);
};

function driverOf(name: string | undefined): NetworkDriver {
	const driver = name || 'bridge';
	if (driver === 'bridge' || driver === 'macvlan' || driver === 'ipvlan') return driver;
	if (driver === 'host' || driver === 'null') {
		return invalid(`only one instance of "${driver}" network is allowed`);
	}
	if (driver === 'overlay') {
		throw new WherryError(
			'denied',
			'This node is not a swarm manager: networks of the driver overlay need one',
		);
	}
	throw new WherryError('not-found', `plugin "${driver}" not found`, {object: driver});
}

/** WHERRY_SUBNET_POOL: from where subnets are taken instead of the usual pools. */
function ownPool(): Subnet | undefined {
	const text = process.env.WHERRY_SUBNET_POOL;
	if (!text) return undefined;
	const pool = parseSubnet(text);
	if (pool?.address.version !== 4) return invalid(`WHERRY_SUBNET_POOL is no IPv4 subnet: ${text}`);
	return pool;
}

const machineSeed = (): string => (readIfThere('/etc/machine-id')?.trim() ?? '').padEnd(32, '0');

/** Subnets for the families that the user named none of. */
async function completeSubnets(
	context: EngineContext,
	configs: readonly IpamConfig[],
	families: readonly (4 | 6)[],
): Promise<IpamConfig[]> {
	const parsed = configs.map(({Subnet}) => parseSubnet(Subnet)!);
	const missing = families.filter((version) => !parsed.some(({address}) => address.version === version));
	if (missing.length === 0) return [...configs];
	const taken = [...(await takenSubnets(context.paths)), ...parsed];
	const chosen = missing.map((version) => {
		const subnet = version === 4 ? chooseSubnet(taken, ownPool()) : chooseSubnet6(machineSeed(), taken);
		if (subnet) return {Subnet: formatSubnet(subnet)};
		throw new WherryError(
			'exhausted',
			version === 4
				? 'could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network: all predefined address pools have been fully subnetted'
				: 'could not find an available, non-overlapping IPv6 address pool among the defaults to assign to the network: all predefined address pools have been fully subnetted',
		);
	});
	return [...configs, ...chosen];
}

function checkOverlaps(context: EngineContext, configs: readonly IpamConfig[]): void {
	const others = networkSubnets(context.paths);
	for (const {Subnet} of configs) {
		const subnet = parseSubnet(Subnet)!;
		const other = others.find((each) => overlaps(each.subnet, subnet));
		if (other) {
			throw new WherryError(
				'denied',
				`invalid pool request: Pool overlaps with other one on this address space: ${Subnet} overlaps ${formatSubnet(other.subnet)} of network ${other.name}`,
				{object: Subnet},
			);
		}
	}
}

function checkGateways(configs: readonly IpamConfig[]): void {
	for (const {Subnet, Gateway} of configs) {
		const subnet = parseSubnet(Subnet)!;
		const {from, to} = usableRange(subnet);
		if (subnet.address.version === 4 && subnet.prefix === 32) {
			invalid(`invalid subnet ${Subnet}: it has no address for a container`);
		}
		const gateway = Gateway === undefined ? undefined : parseAddress(Gateway);
		if (gateway && (gateway.value < from || gateway.value > to)) {
			throw new WherryError('conflict', `failed to allocate gateway (${Gateway}): Address already in use`, {
				object: Gateway,
			});
		}
	}
}

/** With gateways, IPv4 first. */
const complete = (configs: readonly IpamConfig[]): IpamConfig[] =>
	configs
		.toSorted((a, b) => Number(a.Subnet.includes(':')) - Number(b.Subnet.includes(':')))
		.map(completeGateway);

/** docker's `bridge`, with a subnet that is free now. */
export async function createDefaultNetwork(context: EngineContext): Promise<NetworkRecord> {
	return context.locks.with(networksLock, async () => {
		const meanwhile = readNetwork(context.paths, 'bridge');
		if (meanwhile) return meanwhile;
		const record: NetworkRecord = {
			...emptyNetwork('bridge', randomHex(32)),
			Created: timestamp(wallClock()),
			IPAM: {
				Driver: 'default',
				Options: null,
				Config: complete(await completeSubnets(context, [], [4])),
			},
			Options: {
				[networkOption.defaultBridge]: 'true',
				[networkOption.icc]: 'true',
				[networkOption.masquerade]: 'true',
				[networkOption.hostBinding]: '0.0.0.0',
				[networkOption.bridgeName]: 'wherry0',
				[networkOption.mtu]: '1500',
			},
		};
		publishNetwork(context.paths, record);
		return readNetwork(context.paths, 'bridge') ?? record;
	});
}

async function checkParent(record: NetworkRecord): Promise<void> {
	const {parent} = childOptions(record);
	try {
		await exchange(protocol.route, [getLink(parent)]);
	} catch (error) {
		if (!isErrno(error, 'ENODEV')) throw error;
		invalid(`the parent interface ${parent} is not there`);
	}
}

const predefinedError = (name: string): WherryError =>
	new WherryError('denied', `operation is not permitted on predefined ${name} network`, {object: name});

/** A network that only holds what others take over (`--config-only`). */
function configurationNetwork(
	{paths}: EngineContext,
	{configFrom = '', configOnly, ...options}: NetworkCreateOptions,
): NetworkRecord | undefined {
	if (configOnly) {
		if (options.internal || options.attachable || options.ingress || options.scope) {
			throw new WherryError(
				'denied',
				'configuration network can only contain network specific fields. Network operator fields like [ ingress | internal | attachable | scope ] are not supported.',
			);
		}
		if (configFrom) {
			throw new WherryError(
				'denied',
				'a configuration network cannot depend on another configuration network',
			);
		}
	}
	if (!configFrom) return undefined;
	const source = readNetwork(paths, configFrom);
	if (!source) {
		throw new WherryError('not-found', `configuration network ${JSON.stringify(configFrom)} does not exist`, {
			object: configFrom,
		});
	}
	if (!source.ConfigOnly) {
		throw new WherryError('invalid', `${JSON.stringify(configFrom)} is not a configuration network`, {
			object: configFrom,
		});
	}
	const {ipv6, subnets = [], labels = {}, options: driverOptions = {}, ipamOptions = {}} = options;
	if ([subnets, Object.keys({...labels, ...driverOptions, ...ipamOptions})].flat().length > 0 || ipv6) {
		throw new WherryError(
			'denied',
			'user specified configurations are not supported if the network depends on a configuration network',
		);
	}
	return source;
}

function checkScope({scope = '', ingress}: NetworkCreateOptions): void {
	if (ingress) throw new WherryError('invalid', 'ingress network can only be global scope network');
	if (scope === 'swarm') {
		throw new WherryError('denied', 'cannot create a swarm scoped network when swarm is not active');
	}
	if (scope !== '' && scope !== 'local') invalid(`invalid scope: ${scope}`);
}

/** What the user asks for, checked as far as it can be without looking at other networks. */
function draftNetwork(
	context: EngineContext,
	options: NetworkCreateOptions,
): {record: NetworkRecord; given: IpamConfig[]; families: (4 | 6)[]} {
	const {name} = options;
	checkNetworkName(name);
	if (isPredefined(name) || name === 'default') throw predefinedError(name);
	checkScope(options);
	const source = configurationNetwork(context, options);
	const driver = options.configOnly ? 'null' : driverOf(options.driver);
	const given = source ? source.IPAM.Config : ipamConfigs(options);
	const has = (version: 4 | 6): boolean => given.some(({Subnet}) => Subnet.includes(':') === (version === 6));
	const ipv4 = source ? source.EnableIPv4 : (options.ipv4 ?? true);
	const ipv6 = source ? source.EnableIPv6 : (options.ipv6 ?? has(6));
	if (!ipv4 && !ipv6) invalid('IPv4 or IPv6 must be enabled');
	if (!ipv4 && has(4)) invalid('an IPv4 subnet needs --ipv4');
	if (!ipv6 && has(6)) invalid('an IPv6 subnet needs --ipv6');
	if (options.ipamDriver && options.ipamDriver !== 'default') {
		throw new WherryError('not-found', `plugin "${options.ipamDriver}" not found`, {object: name});
	}
	checkGateways(given);
	const record: NetworkRecord = {
		...emptyNetwork(name, randomHex(32)),
		Created: timestamp(wallClock()),
		Driver: driver,
		EnableIPv4: ipv4,
		EnableIPv6: ipv6,
		IPAM: {Driver: 'default', Options: source?.IPAM.Options ?? {...options.ipamOptions}, Config: given},
		Internal: options.internal ?? false,
		Attachable: options.attachable ?? false,
		ConfigFrom: {Network: options.configFrom ?? ''},
		ConfigOnly: options.configOnly ?? false,
		Options: {...(source?.Options ?? options.options)},
		Labels: {...(source?.Labels ?? options.labels)},
	};
	if (!record.ConfigOnly) checkOptions(record);
	const wanted: [4 | 6, boolean][] = [
		[4, ipv4],
		[6, ipv6],
	];
	return {record, given, families: wanted.filter(([, on]) => on).map(([version]) => version)};
}

export async function createNetwork(
	context: EngineContext,
	options: NetworkCreateOptions,
): Promise<{id: string; warnings: string[]}> {
	const {paths, locks, events} = context;
	const {record, given, families} = draftNetwork(context, options);
	const {Name: name, Driver: driver} = record;
	const exists = () =>
		new WherryError('conflict', `network with name ${name} already exists`, {object: name});
	if (driver === 'macvlan' || driver === 'ipvlan') await checkParent(record);
	if (readNetwork(paths, name)) throw exists();
	if (driver === 'bridge' && !record.ConfigOnly) {
		const six = given.filter(({Subnet}) => Subnet.includes(':')).length;
		if (six > 1 || given.length - six > 1)
			throw new WherryError('invalid', "bridge driver doesn't support multiple subnets", {object: name});
	}
	await locks.with(networksLock, async () => {
		if (driver === 'bridge' && given.length > 0) checkOverlaps(context, given);
		if (!record.ConfigOnly) {
			record.IPAM.Config = complete(await completeSubnets(context, given, families));
			record.Chosen = families.filter(
				(version) => !given.some(({Subnet}) => Subnet.includes(':') === (version === 6)),
			);
		}
		if (!publishNetwork(paths, record)) throw exists();
	});
	events.append('network', 'create', record.Id, {name, type: driver});
	return {id: record.Id, warnings: []};
}
