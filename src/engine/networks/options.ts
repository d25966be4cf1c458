/** Options of drivers (`-o`), docker's names. Pure. */

import {ipvlanMode, macvlanMode} from '../../kernel/netlink/rtnetlink.ts';
import {WherryError} from '../errors.ts';
import type {NetworkDriver, NetworkRecord} from './record.ts';

const option = {
	bridgeName: 'com.docker.network.bridge.name',
	masquerade: 'com.docker.network.bridge.enable_ip_masquerade',
	icc: 'com.docker.network.bridge.enable_icc',
	hostBinding: 'com.docker.network.bridge.host_binding_ipv4',
	defaultBridge: 'com.docker.network.bridge.default_bridge',
	mtu: 'com.docker.network.driver.mtu',
	containerPrefix: 'com.docker.network.container_iface_prefix',
	parent: 'parent',
	macvlanMode: 'macvlan_mode',
	ipvlanMode: 'ipvlan_mode',
} as const;

export {option as networkOption};

const known: Record<NetworkDriver, readonly string[]> = {
	bridge: [
		option.bridgeName,
		option.masquerade,
		option.icc,
		option.hostBinding,
		option.defaultBridge,
		option.mtu,
		option.containerPrefix,
	],
	macvlan: [option.parent, option.macvlanMode, option.mtu, option.containerPrefix],
	ipvlan: [option.parent, option.ipvlanMode, option.mtu, option.containerPrefix],
	host: [],
	null: [],
};

const fail = (message: string): never => {
	throw new WherryError('invalid', message);
};

/** Go's strconv.ParseBool. */
function flagValue(key: string, text: string): boolean {
	if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true;
	if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false;
	return fail(`failed to parse ${key} value: ${text} (strconv.ParseBool: parsing "${text}": invalid syntax)`);
}

export interface BridgeOptions {
	/** What the user asks for; undefined: derived from the id. */
	name: string | undefined;
	masquerade: boolean;
	icc: boolean;
	/** Where published ports without an address are bound; empty: everywhere. */
	hostBinding: string;
	/** 0: the kernel's default. */
	mtu: number;
}

/** Names of interfaces (dev_valid_name): no slash, no blank, at most 15 bytes. */
export const isInterfaceName = (name: string): boolean =>
	/^[^\s/:]{1,15}$/.test(name) && name !== '.' && name !== '..' && Buffer.byteLength(name) <= 15;

export function mtuOf(options: Record<string, string>): number {
	const text = options[option.mtu];
	if (text === undefined || text === '') return 0;
	const mtu = Number(text);
	if (!/^[+-]?\d+$/.test(text)) {
		fail(`failed to parse ${option.mtu} value: ${text} (strconv.Atoi: parsing "${text}": invalid syntax)`);
	}
	if (mtu < 68 || mtu > 65_535) fail(`invalid MTU number: ${text}`);
	return mtu;
}

export function bridgeOptions({Options}: Pick<NetworkRecord, 'Options'>): BridgeOptions {
	const flagOption = (key: string): boolean =>
		Options[key] === undefined ? true : flagValue(key, Options[key]);
	const name = Options[option.bridgeName];
	return {
		name: name || undefined,
		masquerade: flagOption(option.masquerade),
		icc: flagOption(option.icc),
		hostBinding: Options[option.hostBinding] ?? '',
		mtu: mtuOf(Options),
	};
}

export interface ChildOptions {
	parent: string;
	/** The kernel's number of the mode. */
	mode: number;
	/** ipvlan in l3 modes has no gateway: all goes out by the device. */
	routed: boolean;
	mtu: number;
}

export function childOptions({Driver, Options}: Pick<NetworkRecord, 'Driver' | 'Options'>): ChildOptions {
	const parent = Options[option.parent] ?? '';
	const table: Record<string, number> = Driver === 'macvlan' ? macvlanMode : ipvlanMode;
	const name = (Driver === 'macvlan' ? Options[option.macvlanMode] : Options[option.ipvlanMode]) || '';
	const fallback = Driver === 'macvlan' ? 'bridge' : 'l2';
	const mode = table[name || fallback];
	if (mode === undefined)
		return fail(
			`requested ${Driver} mode '${name}' is not valid, '${fallback}' mode is the ${Driver} driver default`,
		);
	return {parent, mode, routed: Driver === 'ipvlan' && name.startsWith('l3'), mtu: mtuOf(Options)};
}

/** Everything that a driver can say about its options before anything is made. */
export function checkOptions(record: Pick<NetworkRecord, 'Driver' | 'Options'>): void {
	const {Driver, Options} = record;
	for (const key of Object.keys(Options)) {
		// docker takes and ignores labels of others; a misspelt option of docker's own would be ignored silently.
		if (!known[Driver].includes(key) && (key.startsWith('com.docker.network.') || Driver !== 'bridge')) {
			fail(`invalid option "${key}" for the ${Driver} driver; it has: ${known[Driver].join(', ')}`);
		}
	}
	if (Driver === 'bridge') {
		const {name} = bridgeOptions(record);
		if (name !== undefined && !isInterfaceName(name)) fail(`invalid bridge name: "${name}"`);
	}
	if (Driver === 'macvlan' || Driver === 'ipvlan') {
		const {parent} = childOptions(record);
		if (parent === '') {
			fail(`the ${Driver} driver needs the host's interface: -o parent=INTERFACE`);
		}
		if (!isInterfaceName(parent)) fail(`invalid parent interface: "${parent}"`);
	}
}
