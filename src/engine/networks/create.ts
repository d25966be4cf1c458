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
import {type Address, formatSubnet, overlaps, parseSubnet, type Subnet} from './address.ts';
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
				? 'all predefined address pools have been fully subnetted'
				: 'all predefined IPv6 address pools have been fully subnetted',
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
		const bits = (subnet.address.version === 4 ? 32 : 128) - subnet.prefix;
		if (bits < 2 && subnet.address.version === 4 && bits === 0) {
			invalid(`invalid subnet ${Subnet}: it has no address for a container`);
		}
		const edge: Address | undefined =
			Gateway === undefined ? undefined : parseSubnet(`${Gateway}/${subnet.prefix}`)?.given;
		if (edge && bits >= 2 && edge.value === subnet.address.value) {
			invalid(`invalid gateway ${Gateway}: it is the address of the network ${Subnet}`);
		}
	}
}

const sourceOf = async (configs: readonly IpamConfig[]): Promise<IpamConfig[]> =>
	configs.map(completeGateway);

/** docker's `bridge`, made when it is first needed, with a subnet that is free then. */
export async function ensureDefaultNetwork(context: EngineContext): Promise<NetworkRecord> {
	const there = readNetwork(context.paths, 'bridge');
	if (there) return there;
	return context.locks.with(networksLock, async () => {
		const meanwhile = readNetwork(context.paths, 'bridge');
		if (meanwhile) return meanwhile;
		const record: NetworkRecord = {
			...emptyNetwork('bridge', randomHex(32)),
			Created: timestamp(wallClock()),
			IPAM: {
				Driver: 'default',
				Options: null,
				Config: await sourceOf(await completeSubnets(context, [], [4])),
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

export async function createNetwork(
	context: EngineContext,
	options: NetworkCreateOptions,
): Promise<{id: string; warnings: string[]}> {
	const {paths, locks, events} = context;
	const {name} = options;
	checkNetworkName(name);
	const exists = () =>
		new WherryError('conflict', `network with name ${name} already exists`, {object: name});
	if (isPredefined(name)) throw exists();
	if (name === 'default' || name === 'container') {
		throw new WherryError('denied', `operation is not permitted on predefined ${name} network`, {
			object: name,
		});
	}
	const driver = driverOf(options.driver);
	const given = ipamConfigs(options);
	const ipv6 = options.ipv6 ?? given.some(({Subnet}) => Subnet.includes(':'));
	const ipv4 = options.ipv4 ?? true;
	if (!ipv4)
		throw new WherryError('unsupported', 'networks without IPv4 (--ipv4=false) are not supported yet');
	if (!ipv6 && given.some(({Subnet}) => Subnet.includes(':'))) {
		invalid('an IPv6 subnet needs --ipv6');
	}
	if (options.ipamDriver && options.ipamDriver !== 'default') {
		throw new WherryError('not-found', `IPAM driver "${options.ipamDriver}" not found`, {object: name});
	}
	checkGateways(given);
	const record: NetworkRecord = {
		...emptyNetwork(name, randomHex(32)),
		Created: timestamp(wallClock()),
		Driver: driver,
		EnableIPv6: ipv6,
		Internal: options.internal ?? false,
		Attachable: options.attachable ?? false,
		Options: {...options.options},
		Labels: {...options.labels},
	};
	checkOptions(record);
	if (driver !== 'bridge') await checkParent(record);
	if (readNetwork(paths, name)) throw exists();
	await locks.with(networksLock, async () => {
		if (driver === 'bridge' && given.length > 0) checkOverlaps(context, given);
		const configs = await completeSubnets(context, given, ipv6 ? [4, 6] : [4]);
		record.IPAM = {
			Driver: 'default',
			Options: Object.keys(options.ipamOptions ?? {}).length > 0 ? {...options.ipamOptions} : {},
			Config: await sourceOf(configs),
		};
		if (!publishNetwork(paths, record)) throw exists();
	});
	events.append('network', 'create', record.Id, {name, type: driver});
	return {id: record.Id, warnings: []};
}
