/**
 * `docker commit`: an image of a container. Its layer is packed from what the container has written, beside what
 * the image has, never from the whole root.
 */
import {fstatSync} from 'node:fs';
import {native} from '../../kernel/native.ts';
import {request} from '../../runtime/monitor-protocol.ts';
import type {CommitOptions, ImageConfig} from '../api.ts';
import {isErrno, WherryError} from '../errors.ts';
import {wallClock} from '../events/record.ts';
import {timestamp} from '../files.ts';
import {applyConfigChanges, keepCommand} from '../images/config-changes.ts';
import {noSuchImage} from '../images/lookup.ts';
import {addImage, type NewLayer, packLayer} from '../images/new-image.ts';
import {familiar, parseReference, type Reference, withDefaultTag} from '../images/reference.ts';
import {exposedOf} from '../networks/port-ranges.ts';
import {openStore, type Store} from '../store/collect.ts';
import {acquireLease} from '../store/leases.ts';
import type {Configuration, Manifest} from '../store/manifest.ts';
import {openWritten, startMarks} from './changes.ts';
import {type EngineContext, emit} from './context.ts';
import {unpauseContainer} from './control.ts';
import {hold} from './monitor-client.ts';
import {reachMonitor} from './monitor-requests.ts';
import {type ContainerRecord, currentState, type StoredConfig} from './record.ts';
import {withLocked} from './root.ts';

function targetOf(text: string | undefined): Reference | undefined {
	if (!text) return undefined;
	const reference = withDefaultTag(parseReference(text));
	if (reference.digest !== undefined) {
		throw new WherryError('invalid', 'refusing to create a tag with a digest reference', {
			object: text,
			bare: true,
		});
	}
	return reference;
}

/** What of a container's configuration is an image's. */
function imageConfig(config: StoredConfig, onBuild: string[] | null | undefined): ImageConfig {
	const {User, ExposedPorts, Env, Entrypoint, Cmd, Volumes, WorkingDir, Labels} = config;
	const {StopSignal, Shell, Healthcheck} = config;
	return {
		User,
		...(ExposedPorts ? {ExposedPorts: exposedOf(ExposedPorts)} : {}),
		Env,
		Entrypoint,
		Cmd,
		...(Healthcheck ? {Healthcheck} : {}),
		Volumes,
		WorkingDir,
		Labels,
		...(onBuild?.length ? {OnBuild: onBuild} : {}),
		...(StopSignal ? {StopSignal} : {}),
		...(Shell ? {Shell} : {}),
	};
}

interface Parent {
	readonly manifest: Manifest;
	readonly configuration: Configuration;
	/** Members that the next image has, too. */
	readonly more: Record<string, unknown>;
}

async function parentOf(store: Store, {Image}: ContainerRecord): Promise<Parent> {
	const image = (await store.catalog.images()).find(({ids}) => ids.includes(Image));
	for (const digest of image?.manifests ?? []) {
		const loaded = await store.catalog.load(digest, {id: Image});
		const bytes = loaded && (await store.layout.readBlob(loaded.manifest.config.digest));
		if (!loaded || !bytes) continue;
		const members = JSON.parse(bytes.toString('utf8')) as Record<string, unknown>;
		const more = Object.fromEntries(
			['os.version', 'os.features'].flatMap((key) => (key in members ? [[key, members[key]]] : [])),
		);
		return {...loaded, more};
	}
	throw noSuchImage(Image);
}

/**
 * While the container stands still, if it is up and that is wanted. It is its monitor that lets it go on when this
 * process dies.
 */
async function whilePaused<T>(
	context: EngineContext,
	record: ContainerRecord,
	pause: boolean,
	work: () => Promise<T>,
): Promise<T> {
	if (!pause || currentState(context.paths, record.Id).status !== 'running') return await work();
	// It has ended, or somebody else has paused it.
	const isOther = (error: unknown) => error instanceof WherryError && error.code === 'conflict';
	let release: () => void;
	try {
		release = await reachMonitor(context, record, (socket) => hold(socket, request.hold));
	} catch (error) {
		if (!isOther(error)) throw error;
		return await work();
	}
	try {
		return await work();
	} finally {
		// Said, so that it goes on before this is told to be done.
		await unpauseContainer(context, record.Id).catch((error) => {
			if (!isOther(error)) throw error;
		});
		release();
	}
}

/** The folder itself is told only when the container has changed it. */
function differs(one: number, other: number): boolean {
	const [now, before] = [fstatSync(one), fstatSync(other)];
	return now.mode !== before.mode || now.uid !== before.uid || now.gid !== before.gid;
}

function packWritten(context: EngineContext, record: ContainerRecord, fd: number) {
	const tree = openWritten(context, record);
	const packed = native.packTree(tree.fd, fd, {
		name: '',
		withTop: record.layers.length > 0 && differs(tree.fd, tree.base),
		marks: {...startMarks, base: tree.base},
		...(tree.upper ? {upper: true} : {base: tree.base}),
		sparse: true,
		hash: true,
		sync: true,
	});
	return packed.finally(() => tree.close());
}

async function commit(
	context: EngineContext,
	record: ContainerRecord,
	options: CommitOptions,
): Promise<{id: string}> {
	const store = openStore(context.paths, context.locks);
	const reference = targetOf(options.reference);
	const {manifest, configuration, more} = await parentOf(store, record);
	const own = imageConfig(record.Config, configuration.config.OnBuild);
	const config = keepCommand(applyConfigChanges(own, options.changes ?? []), record.Config);
	const {paths, locks} = context;
	const lease = await acquireLease(paths, locks, []);
	const make = async (): Promise<string> => {
		const layer = await packLayer(lease, (fd) => packWritten(context, record, fd));
		const below = manifest.layers.map(
			(descriptor, at): NewLayer => ({descriptor, diffId: configuration.diffIds[at]!}),
		);
		const created = timestamp(wallClock());
		const {os, architecture, variant} = configuration;
		return await addImage(
			store,
			{
				platform: {os, architecture, ...(variant === undefined ? {} : {variant})},
				created,
				...(options.author ? {author: options.author} : {}),
				config,
				history: [
					...configuration.history,
					{
						created,
						...(options.author ? {author: options.author} : {}),
						created_by: (record.Config.Cmd ?? []).join(' '),
						...(options.comment ? {comment: options.comment} : {}),
						...(layer ? {} : {empty_layer: true}),
					},
				],
				layers: layer ? [...below, layer] : below,
				parent: record.Image,
				more,
			},
			reference,
		);
	};
	try {
		return await whilePaused(context, record, options.pause ?? true, async () => {
			const id = await make();
			const imageRef = reference ? familiar(reference) : '';
			// docker's order: the container goes on after all of it has been told.
			context.events.append('image', 'create', id, {...config.Labels, name: id});
			if (reference) context.events.append('image', 'tag', id, {...config.Labels, name: imageRef});
			emit(context, record, 'commit', {comment: options.comment ?? '', imageID: id, imageRef});
			return {id};
		});
	} finally {
		lease.release();
	}
}

/** Resolves to the image's id. */
export function commitContainer(
	context: EngineContext,
	container: string,
	options: CommitOptions = {},
): Promise<{id: string}> {
	targetOf(options.reference);
	return withLocked(context, container, async (record) => {
		try {
			return await commit(context, record, options);
		} catch (error) {
			// The end of a --rm container takes its files away.
			if (!isErrno(error, 'ENOENT')) throw error;
			throw new WherryError('conflict', `You cannot commit container ${record.Id} which is being removed`, {
				object: record.Id,
				cause: error,
			});
		}
	});
}
