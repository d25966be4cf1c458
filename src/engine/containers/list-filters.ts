/** docker's filters of `ps`. Of one filter's values one has to hold, of labels all. */
import type {Filters} from '../api.ts';
import {WherryError} from '../errors.ts';
import {labelsMatch} from '../events/filter.ts';
import {checkFilters, goNumberError, patternsOf, truthOf} from '../filters.ts';
import {bindingsOf, eachPort, exposedKeys} from '../networks/port-ranges.ts';
import {allNetworks} from '../networks/record.ts';
import {readNetworkState} from '../networks/state.ts';
import type {Paths} from '../paths.ts';
import type {EngineContext} from './context.ts';
import {type ContainerRecord, findContainer, isUp, listIds} from './record.ts';
import type {Row} from './rows.ts';

const known = [
	...['ancestor', 'before', 'exited', 'expose', 'health', 'id', 'is-task', 'isolation', 'label', 'name'],
	...['network', 'publish', 'since', 'status', 'volume'],
];
const statuses = ['created', 'restarting', 'running', 'removing', 'paused', 'exited', 'dead'];
const healths = ['starting', 'healthy', 'unhealthy', 'none'];

export type Test = (row: Row) => boolean;

const invalid = (message: string): WherryError => new WherryError('invalid', message);

function nameTest(patterns: readonly string[]): Test {
	const expressions = patternsOf(patterns);
	return ({record}) =>
		expressions.some((expression) => expression.test(record.Name) || expression.test(`/${record.Name}`));
}

/** Images that were made from one of these count, too; one that isn't there has no containers. */
async function ancestorTest(context: EngineContext, images: readonly string[]): Promise<Test> {
	const store = await context.images();
	const ids = new Set((await Promise.all(images.map((image) => store.descendants(image)))).flat());
	return ({record}) => ids.has(record.Image);
}

/** `80`, `80/udp`, `8000-8010/tcp` as single ports with their protocol. */
function portRange(key: 'expose' | 'publish', text: string): string[] {
	if (text.includes(':')) throw invalid(`filter for '${key}' should not contain ':': ${text}`);
	const fail = (problem: string): never => {
		throw invalid(`error while looking up for ${key} ${text}: ${problem}`);
	};
	const [range = '', protocol = ''] = text.split('/');
	if (range === '') fail('empty string specified for ports');
	const [first, last] = range.split('-').map((part) => {
		const problem = goNumberError('ParseUint', part, 65_535);
		return problem === undefined ? Number(part) : fail(problem);
	}) as [number, number?];
	const to = last ?? first;
	if (to < first) fail(`invalid range specified for port: ${range}`);
	return Array.from({length: to - first + 1}, (_, index) => `${first + index}/${protocol || 'tcp'}`);
}

const publishedPorts = (paths: Paths, {record}: Row): string[] =>
	eachPort(readNetworkState(paths, record.Id).ports).map(({hostPort, protocol}) => `${hostPort}/${protocol}`);

const exposedOrPublished = ({Config, HostConfig}: ContainerRecord): string[] =>
	[...exposedKeys(Config.ExposedPorts ?? []), ...Object.keys(bindingsOf(HostConfig.PortBindings))].map(
		(key) => (key.includes('/') ? key : `${key}/tcp`),
	);

/** A container that fits one of the ports of either filter is shown. */
function portTest(paths: Paths, filters: Filters): Test | undefined {
	const exposed = new Set((filters.expose ?? []).flatMap((text) => portRange('expose', text)));
	const published = new Set((filters.publish ?? []).flatMap((text) => portRange('publish', text)));
	if (exposed.size + published.size === 0) return undefined;
	// One that doesn't run has no ports.
	return (row) =>
		isUp(row.state) &&
		(exposedOrPublished(row.record).some((port) => exposed.has(port)) ||
			(published.size > 0 && publishedPorts(paths, row).some((port) => published.has(port))));
}

function networkTest(paths: Paths, networks: readonly string[]): Test {
	// By name or by the beginning of an id.
	const names = new Set(networks);
	for (const {Id, Name} of allNetworks(paths)) if (networks.some((id) => Id.startsWith(id))) names.add(Name);
	return ({record}) =>
		[record.HostConfig.NetworkMode, ...Object.keys(record.Networks ?? {})].some((name) => names.has(name));
}

function exitedTest(codes: readonly string[]): Test {
	const wanted = codes.map((text) => {
		const problem = goNumberError('Atoi', text, Number.MAX_SAFE_INTEGER);
		if (problem !== undefined) throw invalid(problem);
		return Number(text);
	});
	return ({state}) => state.status === 'exited' && wanted.includes(state.exitCode);
}

function checkValues(values: readonly string[], allowed: readonly string[], says: string): void {
	const bad = values.find((value) => !allowed.includes(value));
	if (bad !== undefined) throw invalid(says.replace('%', bad));
}

/** One test for each filter. Throws `invalid` in docker's words, `not-found` for `before` and `since`. */
export async function makeTests(context: EngineContext, filters: Filters): Promise<Test[]> {
	const {paths} = context;
	checkFilters(filters, known);
	const tests: Test[] = [];
	const on = (key: string, make: (values: readonly string[]) => Test | undefined): void => {
		const values = filters[key];
		const test = values?.length ? make(values) : undefined;
		if (test) tests.push(test);
	};
	const task = truthOf(filters, 'is-task');
	if (task === true) tests.push(() => false);
	on('exited', exitedTest);
	on('status', (values) => {
		checkValues(values, statuses, "invalid filter 'status=%'");
		return ({state}) => values.includes(state.status);
	});
	on('health', (values) => {
		checkValues(values, healths, 'Unrecognised filter value for health: %');
		return ({state}) => values.includes(state.health ?? 'none');
	});
	on('id', (values) => {
		// docker: what an id begins with, no pattern; what two begin with is none's, and so is an empty one, so that
		// `rm $(ps -aqf id=$NOTHING)` takes none.
		const ids = listIds(paths);
		const found = values.map((value) => (value === '' ? [] : ids.filter((id) => id.startsWith(value))));
		const wanted = new Set(found.flatMap((matches) => (matches.length === 1 ? matches : [])));
		return ({record}) => wanted.has(record.Id);
	});
	on('name', nameTest);
	on(
		'label',
		(values) =>
			({record}) =>
				labelsMatch(values, record.Config.Labels),
	);
	on('network', (values) => networkTest(paths, values));
	on(
		'volume',
		(values) =>
			({record}) =>
				record.Mounts.some(
					(mount) => values.includes(mount.Name ?? mount.Source) || values.includes(mount.Destination),
				),
	);
	const named = (name: string): ContainerRecord => {
		try {
			return findContainer(paths, name);
		} catch (error) {
			if (!(error instanceof WherryError) || error.code !== 'not-found') throw error;
			throw new WherryError('not-found', `no such container ${name}`, {object: name});
		}
	};
	on('before', (values) => {
		const {Created} = named(values.at(-1)!);
		return ({record}) => record.Created < Created;
	});
	on('since', (values) => {
		const {Created} = named(values.at(-1)!);
		return ({record}) => record.Created > Created;
	});
	const ports = portTest(paths, filters);
	if (ports) tests.push(ports);
	if (filters.ancestor?.length) tests.push(await ancestorTest(context, filters.ancestor));
	return tests;
}
