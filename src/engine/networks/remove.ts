/** Removes networks that no container uses, with what the kernel has of them. */
import {existsSync, renameSync} from 'node:fs';
import {join} from 'node:path';
import {native} from '../../kernel/native.ts';
import type {Filters} from '../api.ts';
import type {EngineContext} from '../containers/context.ts';
import {isId} from '../containers/names.ts';
import {readRecord} from '../containers/record.ts';
import {readRows} from '../containers/rows.ts';
import {isErrno, WherryError} from '../errors.ts';
import {pruneTest} from '../prune-filter.ts';
import {removeBridge} from './bridge.ts';
import {listLeases} from './leases.ts';
import {
	findNetwork,
	isPredefined,
	type NetworkRecord,
	networkPath,
	networksLock,
	storedNetworks,
} from './record.ts';
import {readNetworkState} from './state.ts';
import {zoneFolder} from './zone.ts';

/** Ends it: first the name, which is one step, then the rest. Under the networks' lock. */
async function take(context: EngineContext, network: NetworkRecord): Promise<void> {
	const {paths, events} = context;
	const going = join(paths.networks, `.rm-${network.Id}`);
	try {
		renameSync(networkPath(paths, network.Name), going);
	} catch (error) {
		// Somebody else was faster.
		if (isErrno(error, 'ENOENT')) return;
		throw error;
	}
	await finishRemoval(context, network);
	await native.removeTree(going);
	events.append('network', 'destroy', network.Id, {name: network.Name, type: network.Driver});
}

/** Also for a removal that broke off. */
export async function finishRemoval(context: EngineContext, network: NetworkRecord): Promise<void> {
	const {paths} = context;
	if (network.Driver === 'bridge') await removeBridge(context, network);
	await native.removeTree(join(paths.networks, network.Id));
	await native.removeTree(zoneFolder(paths, network.Id));
}

/** docker: a network goes when no container that runs, or is about to, has an address there. */
function checkUnused({paths}: EngineContext, network: NetworkRecord): void {
	if (network.ConfigOnly) {
		const user = storedNetworks(paths).find(({ConfigFrom}) => ConfigFrom.Network === network.Name);
		if (!user) return;
		throw new WherryError(
			'denied',
			`configuration network ${JSON.stringify(network.Name)} is in use by network ${user.Name}`,
			{object: network.Name},
		);
	}
	const holders = new Set(listLeases(paths, network.Id).values());
	const active = [...holders].filter((id) => isId(id) && existsSync(paths.runContainer(id)));
	if (active.length === 0) return;
	const names = active.map((id) => {
		const endpoint = readNetworkState(paths, id).endpoints.find(({networkId}) => networkId === network.Id);
		return `name:"${readRecord(paths, id)?.Name ?? ''}" id:"${(endpoint?.endpointId ?? id).slice(0, 12)}"`;
	});
	throw new WherryError(
		'denied',
		`error while removing network: network ${network.Name} has active endpoints (${names.join(', ')})`,
		{object: network.Name},
	);
}

export async function removeNetwork(
	context: EngineContext,
	name: string,
	options: {force?: boolean} = {},
): Promise<void> {
	const {paths, locks} = context;
	let network: NetworkRecord;
	try {
		if (isPredefined(name)) throw predefinedError(name);
		network = findNetwork(paths, name);
	} catch (error) {
		if (options.force && error instanceof WherryError && error.code === 'not-found') return;
		throw error;
	}
	if (isPredefined(network.Name)) throw predefinedError(network.Name);
	await locks.with(networksLock, async () => {
		checkUnused(context, network);
		await take(context, network);
	});
}

function predefinedError(name: string): WherryError {
	return new WherryError('denied', `${name} is a pre-defined network and cannot be removed`, {object: name});
}

/** docker: containers that are stopped count as users, too. */
export async function pruneNetworks(
	context: EngineContext,
	filters: Filters,
): Promise<{NetworksDeleted: string[]}> {
	const wanted = pruneTest(filters);
	const deleted: string[] = [];
	await context.locks.with(networksLock, async () => {
		const used = new Set(readRows(context.paths).flatMap(({record}) => Object.keys(record.Networks ?? {})));
		for (const network of storedNetworks(context.paths).toSorted((a, b) => (a.Name < b.Name ? -1 : 1))) {
			if (isPredefined(network.Name) || network.ConfigOnly || used.has(network.Name)) continue;
			if (!wanted(network.Labels, Date.parse(network.Created))) continue;
			await take(context, network);
			deleted.push(network.Name);
		}
	});
	// Networks take no space.
	context.events.append('network', 'prune', '', {reclaimed: '0'});
	return {NetworksDeleted: deleted};
}
