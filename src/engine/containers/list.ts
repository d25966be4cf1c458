/** `ps`. */
import {statSync} from 'node:fs';
import {join} from 'node:path';
import type {ContainerSummary, Filters} from '../api.ts';
import {networksInspect} from '../networks/inspect.ts';
import {portSummaries} from '../networks/ports.ts';
import type {Paths} from '../paths.ts';
import type {EngineContext} from './context.ts';
import {networkInput, publicMounts} from './inspect.ts';
import {type ContainerRecord, isUp} from './record.ts';
import {joinRows, loadRows, type Row, readRows} from './rows.ts';
import {milliseconds, statusText} from './status.ts';

export {type Row, readRows} from './rows.ts';

/** The images that containers were made from or have mounted, for those who count or remove images. */
export const imageUsers = (paths: Paths): ImageUser[] => usersIn(readRows(paths));

/** The same to be shown: what another list is just reading will do. */
export const shownImageUsers = async (paths: Paths): Promise<ImageUser[]> => usersIn(await joinRows(paths));

interface ImageUser {
	id: string;
	image: string;
	running: boolean;
}

function usersIn(rows: readonly Row[]): ImageUser[] {
	const users: ImageUser[] = [];
	for (const {record, state} of rows) {
		const {Id: id, Image: image, Mounts} = record;
		const running = isUp(state);
		users.push({id, image, running});
		// Of hundreds of containers nearly none has any.
		if (Mounts.length === 0) continue;
		const mounted = new Set(Mounts.map((mount) => mount.image).filter((each) => each !== undefined));
		mounted.delete(image);
		for (const other of mounted) users.push({id, image: other, running});
	}
	return users;
}

/** docker's form of a command: the arguments as they are, in one line; those with a space in quotes. */
export function commandText({Config}: ContainerRecord): string {
	const words = [...(Config.Entrypoint ?? []), ...(Config.Cmd ?? [])];
	return words.map((word, index) => (index > 0 && word.includes(' ') ? `'${word}'` : word)).join(' ');
}

const seconds = (time: string): number => Math.trunc(milliseconds(time) / 1000);

/** docker: a container also has the names that others link to it by, `/web/db`. By its id. */
function linkedNames(rows: readonly Row[]): Map<string, string[]> {
	const names = new Map<string, string[]>();
	for (const {record} of rows) {
		if (!record.LinkIds) continue;
		for (const [alias, id] of Object.entries(record.LinkIds)) {
			names.set(id, [...(names.get(id) ?? []), `/${record.Name}/${alias}`]);
		}
	}
	return names;
}

/**
 * What was typed as a container's image may be another image's name by now: then docker shows the id. Names can't
 * have moved while the store's index is older than the container, and so most lists don't need the store.
 */
async function movedImages(context: EngineContext, rows: readonly Row[]): Promise<ReadonlySet<Row>> {
	const index = statSync(join(context.paths.images, 'index.json'), {throwIfNoEntry: false})?.mtimeMs ?? 0;
	const suspects = rows.filter(({created}) => created <= index);
	if (suspects.length === 0) return new Set();
	const names = [...new Set(suspects.map(({record}) => record.Config.Image))];
	const ids = await (await context.images()).ids(names);
	const idOf = new Map(names.map((name, at) => [name, ids[at]]));
	return new Set(suspects.filter(({record}) => idOf.get(record.Config.Image) !== record.Image));
}

/** What a summary's late properties are made of. */
interface Source extends Row {
	paths: Paths;
	/** Milliseconds since the epoch. */
	now: number;
	input?: ReturnType<typeof networkInput>;
	networks?: Record<string, object>;
}

const sources = new WeakMap<object, Source>();

function inputOf(source: Source): ReturnType<typeof networkInput> {
	source.input ??= networkInput(source.paths, source.record, source.state);
	return source.input;
}

const late = (value: (source: Source) => unknown): PropertyDescriptor => ({
	configurable: true,
	enumerable: true,
	get(this: object) {
		return value(sources.get(this)!);
	},
});

/**
 * Found when they are looked at: of hundreds of containers it takes time, and few are seen. The same functions for
 * all: with functions of its own each summary would be of a kind of its own for V8, which takes more time than all else.
 */
const LATE = {
	Command: late(({record}) => commandText(record)),
	Status: late(({state, now}) => statusText(state, now)),
	NetworkSettings: late((source) => {
		source.networks ??= networksInspect(inputOf(source)) as Record<string, object>;
		return {Networks: source.networks};
	}),
};

function summary(source: Source, linked: readonly string[], moved: boolean): ContainerSummary {
	const {record, state, created} = source;
	const started = seconds(state.startedAt);
	const finished = seconds(state.finishedAt);
	const ports = isUp(state) && inputOf(source).sandbox ? inputOf(source).state.ports : undefined;
	const early = {
		Id: record.Id,
		Names: [`/${record.Name}`, ...linked],
		Image: moved ? record.Image : record.Config.Image,
		ImageID: record.Image,
		Created: Math.trunc(created / 1000),
		Ports: ports ? portSummaries(ports, record.Config.ExposedPorts) : [],
		Labels: record.Config.Labels,
		State: state.status,
		HostConfig: {NetworkMode: record.HostConfig.NetworkMode},
		Mounts: publicMounts(record),
		...(started ? {StartedAt: started} : {}),
		...(finished ? {FinishedAt: finished} : {}),
	};
	Object.defineProperties(early, LATE);
	sources.set(early, source);
	return early as unknown as ContainerSummary;
}

export async function listContainers(
	context: EngineContext,
	options: {all?: boolean; limit?: number; size?: boolean; filters?: Filters} = {},
): Promise<ContainerSummary[]> {
	const {paths} = context;
	const filters = options.filters ?? {};
	const filtered = Object.keys(filters).length > 0;
	const tests = filtered ? await (await import('./list-filters.ts')).makeTests(context, filters) : [];
	const limit = options.limit !== undefined && options.limit > 0 ? options.limit : undefined;
	// docker: a number of last ones, or a wanted status, is asked of all containers.
	const all = options.all || limit !== undefined || (filters.status?.length ?? 0) > 0;
	const known = await loadRows(paths);
	const linked = linkedNames(known);
	let rows = known.filter((row) => (all || isUp(row.state)) && tests.every((test) => test(row)));
	if (limit !== undefined) rows = rows.slice(0, limit);
	const moved = await movedImages(context, rows);
	const now = Date.now();
	const summaries = rows.map((row) =>
		summary({...row, paths, now}, linked.get(row.record.Id) ?? [], moved.has(row)),
	);
	if (options.size) {
		const {containerSize} = await import('./size.ts');
		await Promise.all(
			rows.map(async ({record}, index) =>
				Object.assign(summaries[index]!, await containerSize(paths, record)),
			),
		);
	}
	return summaries;
}
