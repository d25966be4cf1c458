/** Subnets, gateways and ranges as the user gives them, in docker's rules and words. Pure. */
import {WherryError} from '../errors.ts';
import {
	type Address,
	contains,
	formatAddress,
	formatSubnet,
	overlaps,
	parseAddress,
	parseSubnet,
	type Subnet,
	sameAddress,
	usableRange,
} from './address.ts';
import type {IpamConfig, NetworkRecord} from './record.ts';

export interface IpamInput {
	subnets?: readonly string[];
	gateways?: readonly string[];
	ipRanges?: readonly string[];
	/** Name to address. */
	auxAddresses?: Readonly<Record<string, string>>;
}

const fail = (message: string): never => {
	throw new WherryError('invalid', message);
};

/** docker's client puts these together, and says what does not fit by itself. */
const refuse = (message: string): never => {
	throw new WherryError('invalid', message, {bare: true});
};

/** `what`: `subnet` or `ip-range`. */
function subnetOf(text: string, what = 'subnet'): Subnet {
	const parsed = parseSubnet(text);
	if (!parsed) return fail(`invalid network config:\ninvalid ${what} ${text}: invalid CIDR block notation`);
	if (!sameAddress(parsed.given, parsed.address)) {
		fail(`invalid network config:\ninvalid ${what} ${text}: it should be ${formatSubnet(parsed)}`);
	}
	return parsed;
}

function addressOf(text: string, what: string): Address {
	return parseAddress(text) ?? fail(`invalid ${what}: ${text}`);
}

interface Draft {
	subnet: Subnet;
	range?: Subnet;
	gateway?: Address;
	aux: [name: string, address: Address][];
}

/** Each range, gateway and auxiliary address finds its subnet; at most one of each kind for a subnet. */
export function ipamConfigs(input: IpamInput): IpamConfig[] {
	const {subnets = [], gateways = [], ipRanges = [], auxAddresses = {}} = input;
	if (subnets.length < ipRanges.length || subnets.length < gateways.length) {
		refuse('every ip-range or gateway must have a corresponding subnet');
	}
	const drafts: Draft[] = [];
	for (const text of subnets) {
		const subnet = subnetOf(text);
		if (drafts.some((draft) => overlaps(draft.subnet, subnet))) {
			refuse('multiple overlapping subnet configuration is not supported');
		}
		drafts.push({subnet, aux: []});
	}
	for (const text of ipRanges) {
		const range = subnetOf(text, 'ip-range');
		const draft = drafts.find(({subnet}) => contains(subnet, range.address) && range.prefix >= subnet.prefix);
		if (!draft) return refuse(`no matching subnet for range ${text}`);
		if (draft.range) {
			refuse(
				`cannot configure multiple ranges (${text}, ${formatSubnet(draft.range)}) on the same subnet (${formatSubnet(draft.subnet)})`,
			);
		}
		draft.range = range;
	}
	for (const text of gateways) {
		const gateway = addressOf(text, 'gateway');
		const draft = drafts.find(({subnet}) => contains(subnet, gateway));
		if (!draft) return refuse(`no matching subnet for gateway ${text}`);
		if (draft.gateway) {
			refuse(
				`cannot configure multiple gateways (${text}, ${formatAddress(draft.gateway)}) for the same subnet (${formatSubnet(draft.subnet)})`,
			);
		}
		draft.gateway = gateway;
	}
	for (const [name, text] of Object.entries(auxAddresses)) {
		const address = addressOf(text, 'auxiliary address');
		const draft = drafts.find(({subnet}) => contains(subnet, address));
		if (!draft) return refuse(`no matching subnet for aux-address ${text}`);
		draft.aux.push([name, address]);
	}
	return drafts.map(({subnet, range, gateway, aux}) => ({
		Subnet: formatSubnet(subnet),
		...(range ? {IPRange: formatSubnet(range)} : {}),
		...(gateway ? {Gateway: formatAddress(gateway)} : {}),
		...(aux.length > 0
			? {AuxiliaryAddresses: Object.fromEntries(aux.map(([name, address]) => [name, formatAddress(address)]))}
			: {}),
	}));
}

/** The first address of the range, or of the subnet, unless the user named another. */
export function completeGateway(config: IpamConfig): IpamConfig {
	if (config.Gateway !== undefined) return config;
	const pool = poolOf(config);
	const taken = Object.values(config.AuxiliaryAddresses ?? {});
	for (let value = pool.from; value <= pool.to; value++) {
		const gateway = formatAddress({version: pool.subnet.address.version, value});
		if (!taken.includes(gateway)) return {...config, Gateway: gateway};
	}
	return fail(
		`no available IPv${pool.subnet.address.version} addresses on this network's address pools: ${config.Subnet}`,
	);
}

export interface AddressPool {
	subnet: Subnet;
	/** The first and last address that are given out by themselves. */
	from: bigint;
	to: bigint;
	/** Never given out: the gateway and the auxiliary addresses. */
	reserved: Address[];
	gateway: Address | undefined;
}

export function poolOf(config: IpamConfig): AddressPool {
	const subnet = subnetOf(config.Subnet);
	const usable = usableRange(subnet);
	const range = config.IPRange ? subnetOf(config.IPRange) : undefined;
	const low = range ? range.address.value : usable.from;
	const high = range
		? range.address.value | ((1n << BigInt((subnet.address.version === 4 ? 32 : 128) - range.prefix)) - 1n)
		: usable.to;
	const gateway = config.Gateway === undefined ? undefined : parseAddress(config.Gateway);
	const aux = Object.values(config.AuxiliaryAddresses ?? {}).map((text) => parseAddress(text));
	return {
		subnet,
		// biome-ignore lint/complexity/useMathMinMax: these are bigints
		from: low < usable.from ? usable.from : low,
		to: high > usable.to ? usable.to : high,
		reserved: [gateway, ...aux].filter((address) => address !== undefined),
		gateway,
	};
}

/** docker's internal bridge networks have no gateway in the containers, but the bridge has the address. */
export const poolsOf = (network: Pick<NetworkRecord, 'IPAM'>, version: 4 | 6): AddressPool[] =>
	network.IPAM.Config.map(poolOf).filter((pool) => pool.subnet.address.version === version);

/** Whether a container may have this address: inside, and not network, broadcast, gateway or auxiliary. */
export function isFree(pool: AddressPool, address: Address): boolean {
	const {from, to} = usableRange(pool.subnet);
	return (
		contains(pool.subnet, address) &&
		address.value >= from &&
		address.value <= to &&
		!pool.reserved.some((other) => sameAddress(other, address))
	);
}
