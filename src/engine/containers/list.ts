/** `ps`: one pass over small files, without any lock; a container that goes meanwhile is left out. */
import type {ContainerSummary, Filters} from '../api.ts';
import {WherryError} from '../errors.ts';
import {labelsMatch} from '../events/filter.ts';
import {networksInspect} from '../networks/inspect.ts';
import {portSummaries} from '../networks/ports.ts';
import {allNetworks} from '../networks/record.ts';
import {readNetworkState} from '../networks/state.ts';
import type {Paths} from '../paths.ts';
import type {EngineContext} from './context.ts';
import {networkInput, publicMounts} from './inspect.ts';
import {type ContainerRecord, currentState, findContainer, isUp, listIds, readRecord} from './record.ts';
import {milliseconds, statusText} from './status.ts';

type State = ReturnType<typeof currentState>;

export interface Row {
	record: ContainerRecord;
	state: State;
	/** Milliseconds since the epoch. */
	created: number;
}

/** All containers, newest first. */
export function readRows(paths: Paths): Row[] {
	const rows: Row[] = [];
	for (const id of listIds(paths)) {
		let record: ContainerRecord | undefined;
		try {
			record = readRecord(paths, id);
		} catch {
			// A damaged record must not hide the others.
			continue;
		}
		if (record) rows.push({record, state: currentState(paths, id), created: milliseconds(record.Created)});
	}
	return rows.sort((a, b) => (a.record.Created < b.record.Created ? 1 : -1));
}

/** The images that containers were made from, for those who count or remove images. */
export function imageUsers(paths: Paths): {id: string; image: string; running: boolean}[] {
	return readRows(paths).map(({record, state}) => ({
		id: record.Id,
		image: record.Image,
		running: isUp(state),
	}));
}

const known = new Set([
	'ancestor',
	'before',
	'since',
	'exited',
	'expose',
	'health',
	'id',
	'is-task',
	'isolation',
	'label',
	'name',
	'network',
	'publish',
	'status',
	'volume',
]);
const statuses = ['created', 'restarting', 'running', 'removing', 'paused', 'exited', 'dead'];

const healths = ['starting', 'healthy', 'unhealthy', 'none'];

type Test = (row: Row) => boolean;

function nameTest(patterns: readonly string[]): Test {
	const expressions = patterns.map((pattern) => {
		try {
			return new RegExp(pattern);
		} catch {
			throw new WherryError('invalid', `invalid filter 'name=${pattern}'`);
		}
	});
	return ({record}) =>
		expressions.some((expression) => expression.test(record.Name) || expression.test(`/${record.Name}`));
}

async function ancestorTest(context: EngineContext, images: readonly string[]): Promise<Test> {
	const ids = new Set<string>();
	const store = await context.images();
	for (const image of images) {
		try {
			ids.add((await store.inspect(image)).Id);
		} catch {
			// docker: an image that isn't there has no containers.
		}
	}
	return ({record}) => ids.has(record.Image) || images.includes(record.Config.Image);
}

function createdOf(paths: Paths, container: string): {created: string; id: string} {
	const record = findContainer(paths, container);
	return {created: record.Created, id: record.Id};
}

/** `80`, `80/udp`, `8000-8010/tcp` as single ports with their protocol. */
function portRange(text: string): string[] {
	const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/.exec(text);
	const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
	if (!match || last < first || last > 65_535) throw new WherryError('invalid', `invalid port: ${text}`);
	return Array.from({length: last - first + 1}, (_, index) => `${first + index}/${match[3] ?? 'tcp'}`);
}

/** One test for each filter; of a filter's values one has to hold, of labels all. */
async function makeTests(context: EngineContext, filters: Filters): Promise<Test[]> {
	const {paths} = context;
	for (const key of Object.keys(filters)) {
		if (!known.has(key)) throw new WherryError('invalid', `invalid filter '${key}'`);
	}
	const given = (key: string) => (filters[key]?.length ? filters[key] : undefined);
	const tests: Test[] = [];
	const status = given('status');
	if (status) {
		for (const value of status) {
			if (!statuses.includes(value)) {
				throw new WherryError('invalid', `invalid filter 'status=${value}'`);
			}
		}
		tests.push(({state}) => status.includes(state.status));
	}
	const exited = given('exited');
	if (exited) {
		const codes = exited.map(Number);
		const bad = exited.find((_, index) => !Number.isInteger(codes[index]));
		if (bad !== undefined) throw new WherryError('invalid', `invalid filter 'exited=${bad}'`);
		tests.push(({state}) => state.status === 'exited' && codes.includes(state.exitCode));
	}
	const id = given('id');
	if (id) tests.push(({record}) => id.some((prefix) => record.Id.startsWith(prefix)));
	const name = given('name');
	if (name) tests.push(nameTest(name));
	const labels = given('label');
	if (labels) tests.push(({record}) => labelsMatch(labels, record.Config.Labels));
	const network = given('network');
	if (network) {
		// By name or by id.
		const names = new Set(network);
		for (const {Id, Name} of allNetworks(paths)) if (network.some((id) => Id.startsWith(id))) names.add(Name);
		tests.push(({record}) =>
			[record.HostConfig.NetworkMode, ...Object.keys(record.Networks ?? {})].some((name) => names.has(name)),
		);
	}
	const volume = given('volume');
	if (volume) {
		tests.push(({record}) =>
			record.Mounts.some(
				(mount) => volume.includes(mount.Name ?? mount.Source) || volume.includes(mount.Destination),
			),
		);
	}
	const ancestor = given('ancestor');
	if (ancestor) tests.push(await ancestorTest(context, ancestor));
	const before = given('before')?.at(-1);
	if (before) {
		const {created} = createdOf(paths, before);
		tests.push(({record}) => record.Created < created);
	}
	const since = given('since')?.at(-1);
	if (since) {
		const {created} = createdOf(paths, since);
		tests.push(({record}) => record.Created > created);
	}
	const health = given('health');
	if (health) {
		const bad = health.find((value) => !healths.includes(value));
		if (bad !== undefined) {
			throw new WherryError('invalid', `Unrecognised filter value for health: ${bad}`);
		}
		tests.push(({state}) => health.includes(state.health ?? 'none'));
	}
	const task = given('is-task');
	if (task) tests.push(() => task.some((value) => value === 'false' || value === '0'));
	const exposed = given('expose');
	if (exposed) {
		const wanted = exposed.flatMap(portRange);
		tests.push(({record}) =>
			[
				...Object.keys(record.Config.ExposedPorts ?? {}),
				...Object.keys(record.HostConfig.PortBindings ?? {}),
			].some((entry) => wanted.includes(entry)),
		);
	}
	const published = given('publish');
	if (published) {
		const wanted = published.flatMap(portRange);
		tests.push(({record, state}) =>
			isUp(state)
				? readNetworkState(paths, record.Id).ports.some(({hostPort, protocol}) =>
						wanted.includes(`${hostPort}/${protocol}`),
					)
				: Object.entries(record.HostConfig.PortBindings ?? {}).some(([key, bindings]) =>
						bindings?.some(({HostPort}) => wanted.includes(`${HostPort}/${key.split('/')[1] ?? 'tcp'}`)),
					),
		);
	}
	return tests;
}

/** docker's form of a command: the arguments as they are, in one line. */
export function commandText(record: ContainerRecord): string {
	const words = [...(record.Config.Entrypoint ?? []), ...(record.Config.Cmd ?? [])];
	return words
		.map((word, index) => (index > 0 && (word === '' || /[\s"']/.test(word)) ? `'${word}'` : word))
		.join(' ');
}

const seconds = (time: string): number => Math.trunc(milliseconds(time) / 1000);

/** docker: a container also has the names that others link to it by, `/web/db`. By its id. */
function linkedNames(rows: readonly Row[]): Map<string, string[]> {
	const names = new Map<string, string[]>();
	for (const {record} of rows) {
		for (const [alias, id] of Object.entries(record.LinkIds ?? {})) {
			names.set(id, [...(names.get(id) ?? []), `/${record.Name}/${alias}`]);
		}
	}
	return names;
}

function summary(
	paths: Paths,
	{record, state, created}: Row,
	now: number,
	linked: readonly string[],
): ContainerSummary {
	const mode = record.HostConfig.NetworkMode;
	const input = networkInput(paths, record, state);
	return {
		Id: record.Id,
		Names: [`/${record.Name}`, ...linked],
		Image: record.Config.Image,
		ImageID: record.Image,
		Command: commandText(record),
		Created: Math.trunc(created / 1000),
		Ports: input.sandbox ? portSummaries(input.state.ports, record.Config.ExposedPorts) : [],
		Labels: record.Config.Labels,
		State: state.status,
		Status: statusText(state, now),
		HostConfig: {NetworkMode: mode},
		NetworkSettings: {Networks: networksInspect(input)},
		Mounts: publicMounts(record),
		...(seconds(state.startedAt) ? {StartedAt: seconds(state.startedAt)} : {}),
		...(seconds(state.finishedAt) ? {FinishedAt: seconds(state.finishedAt)} : {}),
	};
}

export async function listContainers(
	context: EngineContext,
	options: {all?: boolean; limit?: number; size?: boolean; filters?: Filters} = {},
): Promise<ContainerSummary[]> {
	const {paths} = context;
	const filters = options.filters ?? {};
	const tests = await makeTests(context, filters);
	const limit = options.limit !== undefined && options.limit > 0 ? options.limit : undefined;
	// docker: a number of last ones, or a wanted status, is asked of all containers.
	const all = options.all || limit !== undefined || (filters.status?.length ?? 0) > 0;
	const known = readRows(paths);
	const linked = linkedNames(known);
	let rows = known.filter((row) => (all || isUp(row.state)) && tests.every((test) => test(row)));
	if (limit !== undefined) rows = rows.slice(0, limit);
	const now = Date.now();
	const summaries = rows.map((row) => summary(paths, row, now, linked.get(row.record.Id) ?? []));
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
