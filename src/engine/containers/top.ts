/** `top`: the processes of a container, in the words of ps(1), read from /proc: no program of the host is run. */
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {cgroupPath, controllerDir, detectCgroups} from '../../runtime/cgroups/layout.ts';
import type {ContainerProcesses} from '../api.ts';
import {WherryError} from '../errors.ts';
import {containerCgroup} from './cgroup.ts';
import {type EngineContext, emit} from './context.ts';
import {PsError} from './ps/options.ts';
import {Process, type PsHost, psHost} from './ps/process.ts';
import {type PsRequest, parsePsArguments} from './ps/request.ts';
import {currentState, findContainer} from './record.ts';

/** The process ids in a cgroup and those below it. */
function pidsBelow(folder: string): number[] {
	const pids: number[] = [];
	try {
		pids.push(
			...readFileSync(join(folder, 'cgroup.procs'), 'latin1').split('\n').filter(Boolean).map(Number),
		);
		for (const entry of readdirSync(folder, {withFileTypes: true})) {
			if (entry.isDirectory()) pids.push(...pidsBelow(join(folder, entry.name)));
		}
	} catch {
		// It is gone, or (in a threaded one of v2) has no list.
	}
	return pids;
}

/** All that run in the container, also what was started there with exec. In a paused one they are there, too. */
export function containerPids(cgroup: string): number[] {
	const layout = detectCgroups();
	const unified = layout.unified && join(layout.unified.mount, cgroupPath(cgroup));
	const folder = ['pids', 'memory', 'devices', 'freezer']
		.map((controller) => controllerDir(layout, controller, cgroup)?.dir)
		.concat(unified)
		.find((dir) => dir !== undefined);
	return [...new Set(folder === undefined ? [] : pidsBelow(folder))].sort((a, b) => a - b);
}

/** Parents before their children, which `drawn` marks as such. */
function asForest(processes: readonly Process[], drawn: boolean): Process[] {
	const pids = new Set(processes.map(({pid}) => pid));
	const ordered: Process[] = [];
	const place = (process: Process, depth: number): void => {
		process.branch = drawn && depth > 0 ? `${' '.repeat(depth * 4 - 3)}\\_ ` : '';
		ordered.push(process);
		for (const child of processes) if (child.stat('ppid') === process.pid) place(child, depth + 1);
	};
	for (const process of processes) if (!pids.has(process.stat('ppid'))) place(process, 0);
	return ordered;
}

function compare(a: string, b: string): number {
	const [left, right] = [Number(a), Number(b)];
	if (Number.isNaN(left) || Number.isNaN(right)) return a < b ? -1 : a > b ? 1 : 0;
	return left - right;
}

function inOrder(processes: readonly Process[], {sort, forest}: PsRequest, host: PsHost): Process[] {
	const sorted = [...processes].sort((a, b) => {
		for (const {format, descending} of sort) {
			const order = compare(format.value(a, host), format.value(b, host));
			if (order !== 0) return descending ? -order : order;
		}
		return 0;
	});
	return forest === 'none' ? sorted : asForest(sorted, forest === 'drawn');
}

const commands = new Set(['COMMAND', 'CMD']);

/** The line of a process, as ps prints it with one space between its columns. */
function lineOf(process: Process, request: PsRequest, host: PsHost): string {
	return request.columns
		.map(({format, width}, index) => {
			let value = format.value(process, host);
			if (commands.has(format.heading)) {
				if (request.nameOnly) value = process.branch + process.name;
				else if (request.environment && format.width === 27) value = `${value} ${process.environment}`;
			}
			const last = index === request.columns.length - 1;
			return format.text && !last && width > 0 ? value.slice(0, width) : value;
		})
		.join(' ');
}

/** With `m` the process has a line of its own, on which its threads' share is a dash, and so the other way. */
const ofProcess = new Set([
	'PID',
	'PPID',
	'UID',
	'USER',
	'TTY',
	'TT',
	'VSZ',
	'RSS',
	'COMMAND',
	'CMD',
	'%MEM',
]);
const ofThread = new Set(['STAT', 'S', 'LWP', 'SPID', 'TID', 'WCHAN']);

function withThreads(process: Process, request: PsRequest, host: PsHost): string[] {
	if (request.threads === 'none') return [lineOf(process, request, host)];
	const tasks = process.threads();
	if (request.threads === 'each') return tasks.map((task) => lineOf(task, request, host));
	const half = (hidden: ReadonlySet<string>): PsRequest => ({
		...request,
		columns: request.columns.map((column) =>
			hidden.has(column.format.heading) ? {...column, format: {...column.format, value: () => '-'}} : column,
		),
	});
	return [lineOf(process, half(ofThread), host), ...tasks.map((task) => lineOf(task, half(ofProcess), host))];
}

const fields = (line: string): string[] => line.split(/[\t\n\f\r ]+/).filter((field) => field !== '');

/**
 * docker takes ps's output apart at its spaces and gives what is over to the last column. It finds processes by
 * their PID column.
 */
function table(lines: readonly string[]): ContainerProcesses {
	const [heading = '', ...rest] = lines;
	const Titles = fields(heading);
	if (!Titles.includes('PID')) throw new WherryError('internal', "Couldn't find PID field in ps output");
	const most = Titles.length - 1;
	return {
		Titles,
		Processes: rest.map(fields).map((row) => [...row.slice(0, most), row.slice(most).join(' ')]),
	};
}

/** Whether ps, which looks at the whole host, finds a process; docker leaves out the container's only afterwards. */
const selectsAny = (request: PsRequest): boolean =>
	readdirSync('/proc').some((name) => {
		if (!/^\d+$/.test(name)) return false;
		const process = new Process(Number(name));
		return process.exists && request.selects(process);
	});

/** `options` as ps takes them, split at spaces; none is `-ef`. */
export function containerProcesses(
	context: EngineContext,
	container: string,
	options: readonly string[],
	{quiet = false}: {quiet?: boolean} = {},
): ContainerProcesses {
	const record = findContainer(context.paths, container);
	const {status} = currentState(context.paths, record.Id);
	if (status === 'restarting') {
		throw new WherryError(
			'conflict',
			`Container ${record.Id} is restarting, wait until the container is running`,
			{object: record.Id},
		);
	}
	if (status !== 'running' && status !== 'paused') {
		throw new WherryError('conflict', `container ${record.Id} is not running`, {object: record.Id});
	}
	const text = options.join(' ');
	const host = psHost();
	let request: PsRequest;
	try {
		request = parsePsArguments((text === '' ? '-ef' : text).split(' '), host);
	} catch (error) {
		if (!(error instanceof PsError)) throw error;
		throw new WherryError('invalid', `ps: error: ${error.message}`, {cause: error});
	}
	const processes = containerPids(containerCgroup(record))
		.map((pid) => new Process(pid))
		.filter((process) => process.exists && request.selects(process));
	if (processes.length === 0 && !selectsAny(request)) {
		// So it ends when it has found none; docker has nothing else to say then.
		throw new WherryError('internal', 'ps: exit status 1');
	}
	const lines = inOrder(processes, request, host).flatMap((process) => withThreads(process, request, host));
	const headings = request.columns.map(({heading}) => heading).join(' ');
	// Without any heading ps has no line for them.
	const found = table(request.header && headings.trim() !== '' ? [headings, ...lines] : lines);
	if (!quiet) emit(context, record, 'top');
	return found;
}
