/** `buildx history`: builds that run and those that have ended, of all processes. */
import type {BuildRecord, BuildRecordStep, Engine} from '../../engine/api.ts';
import {CliError} from '../errors.ts';
import {type CommandAction, forEachObject} from '../face.ts';
import {humanDuration, parseDuration} from '../format/duration.ts';
import {printable} from '../format/names.ts';
import {formatList, type ListRow, type ListView} from '../format/table.ts';
import {clock, day} from '../format/time.ts';
import {printLine, writeErr, writeOut} from '../output.ts';
import {checkBuilder} from './builders.ts';

/** What buildx calls a build: the context's last part, or that of its Dockerfile, and the target. */
export function buildName({context, dockerfile = '', target = ''}: BuildRecord): string {
	const last = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
	const local = context === '-' ? '' : context.replace(/\/$/, '');
	const file = dockerfile === 'Dockerfile' ? '' : dockerfile.replace(/\/Dockerfile$/, '');
	const above = local.slice(0, local.lastIndexOf('/') + 1);
	let name = last(local);
	if (file.startsWith(`${local}/`)) name = file.slice(above.length);
	else if (file !== '') name = file.split('/').slice(-2).join('/');
	if (target === '') return name;
	return name === '' ? target : `${name} (${target})`;
}

/** Words of buildx's filter; what has broken off is an error. */
const statusWord = ({state}: BuildRecord): string =>
	({running: 'running', done: 'completed', cancelled: 'canceled', failed: 'error', broken: 'error'})[state];

/** `12.3s`, `2m  5s`. */
function durationText(milliseconds: number): string {
	if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(1)}s`;
	const seconds = Math.trunc(milliseconds / 1000);
	return `${Math.trunc(seconds / 60)}m ${String(seconds % 60).padStart(2)}s`;
}

const lasted = ({started, ended}: BuildRecord): number => Math.max(0, (ended ?? Date.now()) - started);

const counts = ({steps}: BuildRecord) => {
	const real = steps.filter(({id}) => id > 0);
	return {
		total: real.length,
		completed: real.filter(({state}) => state === 'done' || state === 'cached').length,
		cached: real.filter(({state}) => state === 'cached').length,
	};
};

type Match = (record: BuildRecord) => boolean;

function timeFilter(key: string, value: string, separator: string): Match {
	const compare = (a: number, b: number): boolean =>
		({'>=': a >= b, '<=': a <= b, '>': a > b, '<': a < b})[separator] ?? false;
	let limit: number;
	try {
		const milliseconds = Number(parseDuration(value)) / 1e6;
		limit = key === 'duration' ? milliseconds : Date.now() - milliseconds;
	} catch {
		limit = key === 'duration' ? Number.NaN : Date.parse(value);
		if (Number.isNaN(limit))
			throw new CliError(`ERROR: invalid ${key === 'duration' ? 'duration' : 'time'} ${value}`);
	}
	const measured = (record: BuildRecord): number => {
		if (key === 'startedAt') return record.started;
		if (key === 'completedAt') return record.ended ?? 0;
		return record.ended === undefined ? 0 : lasted(record);
	};
	return (record) => compare(measured(record), limit);
}

function filterOf(text: string): Match {
	const found = /^(.*?)(!=|<=|>=|=|<|>)(.*)$/s.exec(text);
	if (!found) throw new CliError(`ERROR: invalid filter ${JSON.stringify(text)}`);
	const [, key = '', separator = '', value = ''] = found;
	if (key === 'startedAt' || key === 'completedAt' || key === 'duration') {
		if (separator === '=' || separator === '!=')
			throw new CliError(`ERROR: invalid separator for ${JSON.stringify(text)}, expected <=, <, >= or >`);
		return timeFilter(key, value, separator);
	}
	if (key !== 'ref' && key !== 'repository' && key !== 'status')
		throw new CliError(`ERROR: unsupported filter ${JSON.stringify(text)}`);
	if (separator !== '=' && separator !== '!=')
		throw new CliError(`ERROR: invalid separator for ${JSON.stringify(text)}, expected = or !=`);
	return (record) => {
		const own =
			key === 'ref'
				? record.id
				: key === 'status'
					? statusWord(record)
					: /^[a-z+]+:\/\//.test(record.context)
						? record.context
						: '';
		if (separator === '!=') return own !== value;
		return key === 'status' ? own === value : own.includes(value);
	};
}

const listView: ListView = {
	type: '*history.lsContext',
	headings: {
		Ref: 'BUILD ID',
		Name: 'NAME',
		Status: 'STATUS',
		CreatedAt: 'CREATED AT',
		Duration: 'DURATION',
		Link: '',
	},
	table: '{{.Ref}}\t{{.Name}}\t{{.Status}}\t{{.CreatedAt}}\t{{.Duration}}\t{{.Link}}',
	quietField: 'Ref',
};

const longestName = 36;
/** Of a step that failed. */
const shownLines = 20;

/** As buildx marshals it, by name. */
function jsonOf(record: BuildRecord): string {
	const {total, completed, cached} = counts(record);
	return JSON.stringify({
		cached_steps: cached,
		...(record.ended === undefined ? {} : {completed_at: new Date(record.ended).toISOString()}),
		completed_steps: completed,
		created_at: new Date(record.started).toISOString(),
		name: buildName(record),
		ref: `default/default/${record.id}`,
		status: listedStatus(record),
		total_steps: total,
	});
}

const listedStatus = ({state}: BuildRecord): string =>
	state === 'running' ? 'Running' : state === 'done' ? 'Completed' : 'Error';

export const listBuilds: CommandAction = async ({flags}, open) => {
	checkBuilder(flags.string('builder'));
	const filters = flags.list('filter').map(filterOf);
	const format = flags.string('format');
	const engine = await open();
	const running = ({state}: BuildRecord): number => Number(state === 'running');
	const records = (await engine.builds.list())
		.filter((record) => filters.every((matches) => matches(record)))
		.sort((a, b) => running(b) - running(a) || b.started - a.started);
	if (format === 'json' || format === '{{json .}}') {
		for (const record of records) printLine(jsonOf(record));
		return 0;
	}
	const whole = flags.bool('no-trunc') || !(format === '' || format.startsWith('table'));
	const rows = records.map((record): ListRow => {
		const name = printable(buildName(record));
		return {
			Ref: record.id,
			Name: whole || name.length <= longestName ? name : `..${name.slice(2 - longestName)}`,
			Status: listedStatus(record),
			CreatedAt: `${humanDuration((Date.now() - record.started) / 1000)} ago`,
			Duration: durationText(lasted(record)) + (record.state === 'running' ? '+' : ''),
			Link: '',
		};
	});
	writeOut(formatList(listView, rows, {format}));
	return 0;
};

/** The last one without a name; `^1` is the one before it. */
async function findBuild(engine: Engine, ref: string): Promise<BuildRecord> {
	const records = await engine.builds.list();
	if (ref === '' || ref.startsWith('^')) {
		const offset = ref === '' ? 0 : Number(ref.slice(1) || Number.NaN);
		if (!Number.isInteger(offset) || offset < 0)
			throw new CliError(`ERROR: invalid offset ${JSON.stringify(ref)}`);
		const record = records[offset];
		if (record) return record;
		throw new CliError(
			offset === 0 ? 'ERROR: no records found' : `ERROR: no completed build found with offset ${offset}`,
		);
	}
	const record = records.find(({id}) => id === idOf(ref));
	if (!record) throw new CliError(`ERROR: no record found for ref ${JSON.stringify(ref)}`);
	return record;
}

/** As it is, or as `--format json` has it: `default/default/ID`. */
const idOf = (ref: string): string => ref.slice(ref.lastIndexOf('/') + 1);

const inspectView: ListView = {type: 'history.inspectOutput', headings: {}, table: '', quietField: 'Ref'};

function inspectOutput(record: BuildRecord): Record<string, unknown> {
	const {total, completed, cached} = counts(record);
	const failed = record.steps.find(({state}) => state === 'failed');
	const Status = {
		running: 'running',
		done: 'completed',
		cancelled: 'canceled',
		failed: 'failed',
		broken: 'failed',
	};
	return {
		Name: buildName(record),
		Ref: record.id,
		Context: record.context,
		...(record.dockerfile === undefined ? {} : {Dockerfile: record.dockerfile}),
		...(record.target === undefined ? {} : {Target: record.target}),
		StartedAt: new Date(record.started).toISOString(),
		...(record.ended === undefined ? {} : {CompletedAt: new Date(record.ended).toISOString()}),
		Duration: Math.round(lasted(record) * 1e6),
		Status: Status[record.state],
		...(record.state === 'failed' || record.state === 'broken'
			? {Error: {Message: errorText(record), ...(failed ? {Name: failed.name, Logs: written(failed)} : {})}}
			: {}),
		NumCompletedSteps: completed,
		NumTotalSteps: total,
		NumCachedSteps: cached,
		...(record.tags.length > 0 ? {Tags: record.tags} : {}),
		...(record.image === undefined ? {} : {Image: record.image}),
		Config: {},
	};
}

const errorText = ({state, error, pid}: BuildRecord): string =>
	state === 'broken' ? `process ${pid} has ended without a word` : (error ?? '');

/** Two columns as Go's tabwriter aligns them: width 1, padding 1, tabs of 8. */
function aligned(lines: readonly (readonly [string, string])[]): string {
	const width = Math.ceil((Math.max(...lines.map(([name]) => name.length + 1)) + 1) / 8) * 8;
	return lines
		.map(([name, value]) => {
			const tabs = Math.ceil((width - name.length - 1) / 8);
			return `${name}:${'\t'.repeat(tabs)}${value}\n`;
		})
		.join('');
}

export const inspectBuild: CommandAction = async ({args, flags}, open) => {
	checkBuilder(flags.string('builder'));
	const format = flags.string('format');
	const record = await findBuild(await open(), args[0] ?? '');
	const output = inspectOutput(record);
	if (format === 'json') {
		printLine(JSON.stringify(output, undefined, 2));
		return 0;
	}
	if (format !== 'pretty' && format !== '') {
		writeOut(formatList(inspectView, [output], {format}));
		return 0;
	}
	const {total, completed, cached} = counts(record);
	const {dockerfile, target, tags, image, state} = record;
	const date = new Date(record.started);
	const share = total === 0 ? 0 : Math.round((cached / total) * 100);
	const about: [string, string][] = [
		['Name', buildName(record)],
		...(args[0] === undefined ? ([['Ref', record.id]] as [string, string][]) : []),
		['Context', record.context],
		...(dockerfile === undefined ? [] : ([['Dockerfile', dockerfile]] as [string, string][])),
		...(target === undefined ? [] : ([['Target', target]] as [string, string][])),
		...(tags.length > 0 ? ([['Tags', tags.join(', ')]] as [string, string][]) : []),
		...(image === undefined ? [] : ([['Image', image]] as [string, string][])),
	];
	const how: [string, string][] = [
		['Started', `${day(date)} ${clock(date)}`],
		['Duration', durationText(lasted(record)) + (state === 'running' ? ' (running)' : '')],
		...(state === 'failed' || state === 'broken'
			? ([['Error', errorText(record)]] as [string, string][])
			: []),
		...(state === 'cancelled' ? ([['Status', 'Canceled']] as [string, string][]) : []),
		['Build Steps', `${completed}/${total} (${share}% cached)`],
	];
	const shown = (lines: [string, string][]) =>
		aligned(lines.map(([name, value]) => [name, printable(value)]));
	writeOut(`${shown(about)}\n${shown(how)}`);
	const failed = state === 'failed' ? record.steps.find((step) => step.state === 'failed') : undefined;
	if (failed) {
		const lines = written(failed)
			.slice(-shownLines)
			.map((line) => `${printable(line)}\n`)
			.join('');
		writeOut(`\n------\n > ${printable(failed.name)}:\n${lines}------\n`);
	}
	return 0;
};

/** Without the error, which comes after what the step wrote. */
const written = ({state, lines}: BuildRecordStep): readonly string[] =>
	state === 'failed' ? lines.slice(0, -1) : lines;

/** What is new of a step, as the plain display has it; `told` is how many of its lines have been printed, and its state. */
function news(
	step: BuildRecordStep,
	told: {lines: number; state: string} | undefined,
	number: number,
): string {
	const line = (text: string): string => `#${number} ${text}\n`;
	const from = Math.max(0, (told?.lines ?? 0) - step.dropped);
	const lost = step.dropped - (told?.lines ?? 0);
	const seconds = `${(((step.ended ?? step.started) - step.started) / 1000).toFixed(1)}s`;
	const last = step.lines.at(-1) ?? '';
	return [
		told === undefined ? line(printable(step.name)) : '',
		lost > 0 ? line(`[${lost} lines are not kept]`) : '',
		...written(step)
			.slice(from)
			.map((text) => line(printable(text))),
		told?.state === step.state || step.state === 'running' ? '' : step.note ? line(printable(step.note)) : '',
		told?.state === step.state || step.state === 'running'
			? ''
			: line({cached: 'CACHED', done: `DONE ${seconds}`, failed: `ERROR: ${printable(last)}`}[step.state]),
	].join('');
}

/** Prints a build's output, and follows it while it runs. */
export const buildLogs: CommandAction = async ({args, flags}, open) => {
	checkBuilder(flags.string('builder'));
	const progress = flags.string('progress');
	if (!['auto', 'plain', 'tty', 'rawjson'].includes(progress))
		throw new CliError(`ERROR: invalid progress mode ${progress}`);
	const engine = await open();
	const {id} = await findBuild(engine, args[0] ?? '');
	const told = new Map<number, {lines: number; state: string}>();
	const stop = new AbortController();
	let printed = 0;
	for await (const records of engine.builds.follow({signal: stop.signal})) {
		const record = records.find((one) => one.id === id);
		for (const [at, step] of (record?.steps ?? []).entries()) {
			const before = told.get(step.id);
			// The last line of a step that writes may not be at its end yet.
			const whole = step.state === 'running' ? {...step, lines: step.lines.slice(0, -1)} : step;
			const text =
				progress === 'rawjson'
					? before?.state === step.state
						? ''
						: `${JSON.stringify(step)}\n`
					: news(whole, before, at + 1);
			if (text !== '' && before === undefined && printed++ > 0 && progress !== 'rawjson') writeErr('\n');
			if (text !== '') writeErr(text);
			told.set(step.id, {lines: whole.dropped + whole.lines.length, state: step.state});
		}
		if (record?.state !== 'running') break;
	}
	stop.abort();
	return 0;
};

export const removeBuilds: CommandAction = async ({args, flags}, open) => {
	checkBuilder(flags.string('builder'));
	const all = flags.bool('all');
	if (args.length === 0 && !all) throw new CliError('ERROR: rm requires at least one argument');
	if (args.length > 0 && all) throw new CliError('ERROR: rm requires either --all or at least one argument');
	const engine = await open();
	const records = all ? (await engine.builds.list()).filter(({state}) => state !== 'running') : [];
	return forEachObject(
		all ? records.map(({id}) => id) : args,
		async (ref) => {
			await engine.builds.remove(idOf(ref));
			return undefined;
		},
		printLine,
	);
};
