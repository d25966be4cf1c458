/**
 * Addresses of containers: `WHERRY_ROOT/networks/<network id>/leases/<address>` is a symbolic link to the
 * container's id: made exclusively and in one step, there is never one without a holder. A container's stop plan
 * gives its leases back; one whose holder neither runs nor starts is taken over by whoever needs the address.
 */
import {mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, unlinkSync} from 'node:fs';
import {isErrno, WherryError} from '../errors.ts';
import type {Paths} from '../paths.ts';
import {type Address, formatAddress, parseAddress} from './address.ts';
import {type AddressPool, isFree} from './ipam.ts';
import type {NetworkRecord} from './record.ts';

export const leaseFolder = (paths: Paths, network: string): string => `${paths.networks}/${network}/leases`;
/** Colons of IPv6 are fine in a name. */
export const leaseFile = (paths: Paths, network: string, address: string): string =>
	`${leaseFolder(paths, network)}/${address}`;

function readHolder(path: string): string {
	try {
		return readlinkSync(path, 'latin1');
	} catch (error) {
		// Leases were files once.
		if (isErrno(error, 'EINVAL')) return readFileSync(path, 'latin1');
		throw error;
	}
}

/** Addresses and their holders. */
export function listLeases(paths: Paths, network: string): Map<string, string> {
	const leases = new Map<string, string>();
	let names: string[];
	try {
		names = readdirSync(leaseFolder(paths, network));
	} catch (error) {
		if (isErrno(error, 'ENOENT')) return leases;
		throw error;
	}
	for (const name of names) {
		try {
			leases.set(name, readHolder(leaseFile(paths, network, name)));
		} catch (error) {
			if (!isErrno(error, 'ENOENT')) throw error;
		}
	}
	return leases;
}

/** The holder when it is taken by somebody else; undefined when it is ours now. */
function take(paths: Paths, network: string, address: string, container: string): string | undefined {
	const path = leaseFile(paths, network, address);
	for (;;) {
		try {
			symlinkSync(container, path);
			return undefined;
		} catch (error) {
			if (isErrno(error, 'ENOENT')) {
				mkdirSync(leaseFolder(paths, network), {recursive: true, mode: 0o700});
				continue;
			}
			if (!isErrno(error, 'EEXIST')) throw error;
		}
		try {
			const holder = readHolder(path);
			return holder === container ? undefined : holder;
		} catch (error) {
			if (!isErrno(error, 'ENOENT')) throw error;
		}
	}
}

export interface LeaseRequest {
	network: NetworkRecord;
	pools: readonly AddressPool[];
	container: string;
	/** What the user asked for: this one or none. */
	wanted?: Address | undefined;
	/** What the container had before. */
	before?: Address | undefined;
}

/** Whether a holder needs an address no more, and is not about to. It stays so while `work` runs. */
export type Abandoned = (holder: string, address: string, work: () => void) => Promise<boolean>;

export interface Lease {
	address: Address;
	pool: AddressPool;
}

/** Takes an address. Throws `conflict` when the wanted one is in use, `exhausted` when there is none. */
export async function takeLease(paths: Paths, request: LeaseRequest, abandoned: Abandoned): Promise<Lease> {
	const {network, pools, container, wanted, before} = request;
	const drop = (address: string) => () => {
		try {
			unlinkSync(leaseFile(paths, network.Id, address));
		} catch (error) {
			if (!isErrno(error, 'ENOENT')) throw error;
		}
	};
	if (wanted) {
		const text = formatAddress(wanted);
		const pool = pools.find((each) => isFree(each, wanted));
		if (!pool) throw unsuitable(network, pools, wanted);
		for (let attempt = 0; attempt < 3; attempt++) {
			const holder = take(paths, network.Id, text, container);
			if (holder === undefined) return {address: wanted, pool};
			if (!(await abandoned(holder, text, drop(text)))) break;
		}
		throw new WherryError('conflict', 'Address already in use', {object: text});
	}
	const old = before && pools.find((pool) => isFree(pool, before));
	if (before && old && take(paths, network.Id, formatAddress(before), container) === undefined) {
		return {address: before, pool: old};
	}
	const lease = takeFirst(paths, request);
	if (lease) return lease;
	// None is free: perhaps some are of containers that ended badly.
	for (const [address, holder] of listLeases(paths, network.Id))
		await abandoned(holder, address, drop(address));
	const again = takeFirst(paths, request);
	if (again) return again;
	throw new WherryError(
		'exhausted',
		`no available IPv${pools[0]?.subnet.address.version ?? 4} addresses on this network's address pools: ${network.Name} (${network.Id})`,
		{object: network.Name},
	);
}

function takeFirst(paths: Paths, {network, pools, container}: LeaseRequest): Lease | undefined {
	const names = takenNames(paths, network.Id);
	for (const pool of pools) {
		const {version} = pool.subnet.address;
		for (let value = pool.from; value <= pool.to; value++) {
			const address: Address = {version, value};
			const text = formatAddress(address);
			if (names.has(text) || !isFree(pool, address)) continue;
			if (take(paths, network.Id, text, container) === undefined) return {address, pool};
		}
	}
	return undefined;
}

function takenNames(paths: Paths, network: string): Set<string> {
	try {
		return new Set(readdirSync(leaseFolder(paths, network)));
	} catch (error) {
		if (isErrno(error, 'ENOENT')) return new Set();
		throw error;
	}
}

function unsuitable(network: NetworkRecord, pools: readonly AddressPool[], wanted: Address): WherryError {
	const text = formatAddress(wanted);
	const inside = pools.some(
		(pool) =>
			pool.subnet.address.version === wanted.version &&
			pool.reserved.some(({value}) => value === wanted.value),
	);
	if (inside) return new WherryError('conflict', 'Address already in use', {object: text});
	return new WherryError(
		'invalid',
		`invalid address ${text}: It does not belong to any of this network's subnets`,
		{object: network.Name},
	);
}

/** Gives back all that a container holds on a network. For one that is not running. */
export function dropLeases(paths: Paths, network: string, container: string): void {
	for (const [address, holder] of listLeases(paths, network)) {
		if (holder !== container) continue;
		try {
			unlinkSync(leaseFile(paths, network, address));
		} catch (error) {
			if (!isErrno(error, 'ENOENT')) throw error;
		}
	}
}

/** Lease files of a container on all networks, for a stop plan whose own has been lost. */
export function leasesOf(paths: Paths, networks: readonly string[], container: string): string[] {
	return networks.flatMap((network) =>
		[...listLeases(paths, network)]
			.filter(([address, holder]) => holder === container && parseAddress(address))
			.map(([address]) => leaseFile(paths, network, address)),
	);
}
