/** Makes a container: its folder appears with everything in it, under a name that is its own. */
import {existsSync, mkdirSync, renameSync, writeFileSync} from 'node:fs';
import {hostname} from 'node:os';
import {dirname, join} from 'node:path';
import {native} from '../../kernel/native.ts';
import {randomHex} from '../../kernel/random.ts';
import {detectCgroups} from '../../runtime/cgroups/layout.ts';
import {checkResources, limitHost} from '../../runtime/cgroups/limits.ts';
import type {CreateOptions, HostConfig, ResolvedImage} from '../api.ts';
import {isErrno, WherryError} from '../errors.ts';
import {wallClock} from '../events/record.ts';
import {timestamp} from '../files.ts';
import {settleNetworks} from '../networks/wanted.ts';
import {startTime} from '../processes.ts';
import {selinuxEnabled} from '../security/selinux.ts';
import {digestHex, noImageId} from '../store/digest.ts';
import {collectLock} from '../store/leases.ts';
import {imageBlocks} from '../volumes/copy-up.ts';
import {checkConfig, mergeConfig} from './config.ts';
import {type EngineContext, emit, namesLock} from './context.ts';
import {inheritedMounts, makeMounts, releaseMounts} from './create-mounts.ts';
import {checkHostConfig, completeHostConfig} from './host-config.ts';
import {joinedContainer} from './joined.ts';
import {wantedMounts} from './mounts.ts';
import {checkName, lookUpName, nameConflict, randomName, releaseName, reserveName} from './names.ts';
import {limitFolders, rootSize} from './quota.ts';
import {
	type ContainerRecord,
	findContainer,
	type HostSettings,
	readRecord,
	storedConfig,
	storedHostConfig,
} from './record.ts';
import {makeRoot, storageDriver} from './storage.ts';
import {markTransient, unmarkTransient} from './transient.ts';

/** `container:NAME` to `container:ID`, so that a rename doesn't lead to another one. */
function resolveJoined(context: EngineContext, host: HostConfig, own: string): void {
	for (const key of ['NetworkMode', 'PidMode', 'IpcMode'] as const) {
		const name = joinedContainer(host[key]);
		if (key === 'NetworkMode' && name && name === own && !lookUpName(context.paths, own)) {
			throw new WherryError('invalid', 'cannot join own network namespace', {object: own});
		}
		if (name) host[key] = `container:${findContainer(context.paths, name).Id}`;
	}
}

function completeHostname(context: EngineContext, record: ContainerRecord): void {
	const {Config, HostConfig} = record;
	const joined = joinedContainer(HostConfig.NetworkMode);
	if (joined) {
		const {Hostname, Domainname} = findContainer(context.paths, joined).Config;
		Config.Hostname = Hostname;
		Config.Domainname = Domainname;
	} else if (Config.Hostname === '') {
		const ofHost = HostConfig.NetworkMode === 'host' || HostConfig.UTSMode === 'host';
		Config.Hostname = ofHost ? hostname() : record.Id.slice(0, 12);
	}
}

function checkPlatform(options: CreateOptions, image: {os: string; architecture: string}): void {
	const wanted = options.platform;
	if (!wanted || (wanted.os === image.os && wanted.architecture === image.architecture)) return;
	throw new WherryError(
		'not-found',
		`image with reference ${options.image} was found but does not provide the specified platform (${wanted.os}/${wanted.architecture}${wanted.variant ? `/${wanted.variant}` : ''})`,
		{object: options.image},
	);
}

const limitKeys = [
	'Memory',
	'MemorySwap',
	'MemoryReservation',
	'MemorySwappiness',
	'OomKillDisable',
	'OomScoreAdj',
	'NanoCpus',
	'CpuShares',
	'CpuPeriod',
	'CpuQuota',
	'CpusetCpus',
	'CpusetMems',
	'PidsLimit',
	'BlkioWeight',
	'BlkioWeightDevice',
	'BlkioDeviceReadBps',
	'BlkioDeviceWriteBps',
	'BlkioDeviceReadIOps',
	'BlkioDeviceWriteIOps',
	'CpuRealtimePeriod',
	'CpuRealtimeRuntime',
] as const satisfies (keyof HostConfig)[];

/** docker's rules for limits and what the host can limit; what it can't is taken out with a warning. */
function checkLimits(host: HostConfig): string[] {
	if ((host.PidsLimit ?? 0) <= 0) host.PidsLimit = null;
	const given = (value: unknown): boolean => (Array.isArray(value) ? value.length > 0 : Boolean(value));
	if (!limitKeys.some((key) => given(host[key]))) return [];
	try {
		const {limits, warnings} = checkResources(host, limitHost(detectCgroups()));
		Object.assign(host, limits);
		return warnings;
	} catch (error) {
		throw new WherryError('invalid', (error as Error).message, {cause: error});
	}
}

/** A pair of categories that no other container has, unless the user says which. */
async function settleLabels(
	context: EngineContext,
	host: HostSettings,
): Promise<Pick<ContainerRecord, 'ProcessLabel' | 'MountLabel'>> {
	const [selinux, {parseSecurityOptions}, {readRows}] = await Promise.all([
		import('../security/selinux.ts'),
		import('../security/options.ts'),
		import('./rows.ts'),
	]);
	const {labels} = parseSecurityOptions(host.SecurityOpt ?? []);
	const {process, mount} = selinux.containerLabels(labels, selinux.hostContexts(), () => {
		const taken = readRows(context.paths).map(({record}) => selinux.categoriesOf(record.MountLabel ?? ''));
		return selinux.freeCategories(new Set(taken.filter((pair) => pair !== undefined)));
	});
	return {ProcessLabel: process, MountLabel: mount};
}

/** The record of the container as it would be made, without its mounts; changes nothing. */
export async function planRecord(
	context: EngineContext,
	options: CreateOptions,
): Promise<{record: ContainerRecord; image: ResolvedImage; warnings: string[]}> {
	const user = options.config ?? {};
	const name = options.name === undefined || options.name === '' ? '' : checkName(options.name);
	const host = completeHostConfig(options.hostConfig ?? {}, {
		cgroupVersion: detectCgroups().version === 'v2' ? 2 : 1,
	});
	checkHostConfig(user, host);
	const warnings = checkLimits(host);
	rootSize(host);
	const wanted = options.platform ? {platform: options.platform} : {};
	const image = await (await context.images()).resolve(options.image, wanted);
	checkPlatform(options, image);
	const config = mergeConfig(user, image.config, options.image);
	resolveJoined(context, host, name);
	const stored = storedHostConfig(host);
	const settled = await settleNetworks(context, stored, options.networks);
	warnings.push(...settled.warnings);
	const record: ContainerRecord = {
		Id: randomHex(32),
		Name: name,
		Created: timestamp(wallClock()),
		Image: image.id,
		ImageName: image.name,
		Os: image.os,
		Architecture: image.architecture,
		layers: image.layers,
		Config: storedConfig(config),
		HostConfig: stored,
		Mounts: [],
		...(settled.networks ? {Networks: settled.networks} : {}),
		...(context.build ? {Build: context.build} : {}),
		...(stored.Links?.length ? {LinkIds: (await import('./links.ts')).settleLinks(context, stored)} : {}),
	};
	if (selinuxEnabled()) Object.assign(record, await settleLabels(context, stored));
	completeHostname(context, record);
	checkConfig(config);
	return {record, image, warnings};
}

/** Gives the folder its place, and the container its name. */
async function publish(context: EngineContext, record: ContainerRecord, folder: string): Promise<void> {
	const {paths} = context;
	// Images and layers that nobody uses may be deleted under this lock; from here on somebody does.
	const layers = await context.locks.acquire(collectLock);
	try {
		// An image goes with its configuration, under whatever name somebody else has kept its layers.
		if (
			record.Image !== noImageId &&
			!existsSync(join(paths.images, 'blobs', 'sha256', digestHex(record.Image)))
		)
			throw new WherryError('not-found', `No such image: ${record.Config.Image}`, {
				object: record.Config.Image,
			});
		const used = [
			{name: record.Config.Image, keys: record.layers},
			...record.Mounts.map(({Source, layers}) => ({name: Source, keys: layers ?? []})),
		];
		for (const {name, keys} of used) {
			if (keys.every((key) => existsSync(paths.layer(key)))) continue;
			throw new WherryError('not-found', `No such image: ${name}`, {object: name});
		}
		await nameAndPlace(context, record, folder);
	} finally {
		layers.release();
	}
}

async function nameAndPlace(context: EngineContext, record: ContainerRecord, folder: string): Promise<void> {
	const {paths} = context;
	await context.locks.with(namesLock, () => {
		if (record.Name) reserveName(paths, record.Name, record.Id);
		for (let attempt = 0; !record.Name; attempt++) {
			const name = randomName(attempt);
			try {
				reserveName(paths, name, record.Id);
				record.Name = name;
			} catch (error) {
				if (!(error instanceof WherryError) || error.code !== 'conflict') throw error;
			}
		}
		try {
			writeFileSync(join(folder, 'container.json'), JSON.stringify(record), {mode: 0o600, flag: 'wx'});
			renameSync(folder, paths.container(record.Id));
		} catch (error) {
			releaseName(paths, record.Name, record.Id);
			throw error;
		}
	});
}

function makeFolder(path: string): void {
	try {
		mkdirSync(path, {mode: 0o700});
	} catch (error) {
		if (!isErrno(error, 'ENOENT')) throw error;
		mkdirSync(dirname(path), {recursive: true, mode: 0o700});
		// Side by side, the files of a container would be made where those of others have just been removed, and
		// ext4 without a journal looks at each of these before it takes a free place: 3 ms for a container.
		native.spreadFolders(dirname(path));
		mkdirSync(path, {mode: 0o700});
	}
}

/** docker makes the working directory with the container, and says then what is in its way. The image's own is one. */
function checkFolder(
	{paths}: EngineContext,
	{config}: CreateOptions,
	{Config, layers}: ContainerRecord,
): void {
	const {WorkingDir} = Config;
	if (!config?.WorkingDir || WorkingDir === '/') return;
	const file = imageBlocks(paths, layers, WorkingDir);
	if (file === undefined) return;
	throw new WherryError(
		'invalid',
		file === WorkingDir ? `Cannot mkdir: ${file} is not a directory` : `mkdir ${file}: not a directory`,
		{object: WorkingDir},
	);
}

export async function createContainer(
	context: EngineContext,
	options: CreateOptions,
): Promise<{id: string; warnings: string[]}> {
	const {paths} = context;
	const {record, image, warnings} = await planRecord(context, options);
	if (record.Name) {
		// Early, so that a taken name costs nothing; what counts is the reservation.
		const holder = lookUpName(paths, record.Name);
		if (holder && readRecord(paths, holder)) throw nameConflict(record.Name, holder);
	}
	checkFolder(context, options, record);
	const inherited = inheritedMounts(context, record.HostConfig.VolumesFrom ?? []);
	const wanted = wantedMounts(
		record.Config,
		record.HostConfig,
		new Set(inherited.map((mount) => mount.Destination)),
	);
	const folder = join(paths.containers, `.new-${record.Id}-${process.pid}-${startTime(process.pid) ?? 0}`);
	try {
		makeFolder(folder);
		const size = rootSize(record.HostConfig);
		await makeRoot(paths, storageDriver(paths), folder, record.layers, (folders) => {
			if (size !== undefined) limitFolders(record.Id, folders, size);
		});
		if (options.transient) markTransient(paths, record.Id, {keep: !record.HostConfig.AutoRemove});
		record.Mounts = await makeMounts(context, record.Id, wanted, inherited, image);
		await publish(context, record, folder);
	} catch (error) {
		await releaseMounts(context, record.Id, record.Mounts, true);
		unmarkTransient(paths, record.Id);
		await native.removeTree(folder);
		throw error;
	}
	emit(context, record, 'create');
	return {id: record.Id, warnings};
}
