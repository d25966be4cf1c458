import {isatty} from 'node:tty';
import type {ContainerStats, Engine} from '../../engine/api.ts';
import {
	blockTotals,
	cpuPercent,
	memoryPercent,
	memoryUsed,
	networkTotals,
} from '../../engine/containers/usage.ts';
import {CliError} from '../errors.ts';
import {type CommandAction, describe} from '../face.ts';
import {printable, shortId} from '../format/names.ts';
import {bytesSize, humanSize} from '../format/size.ts';
import {formatList, type ListView} from '../format/table.ts';
import {writeOut} from '../output.ts';

const view: ListView = {
	type: '*container.statsContext',
	headings: {
		BlockIO: 'BLOCK I/O',
		CPUPerc: 'CPU %',
		Container: 'CONTAINER',
		ID: 'CONTAINER ID',
		MemPerc: 'MEM %',
		MemUsage: 'MEM USAGE / LIMIT',
		Name: 'NAME',
		NetIO: 'NET I/O',
		PIDs: 'PIDS',
	},
	table: '{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}',
	quietField: 'ID',
};

const percentage = (value: number): string => `${value.toFixed(2)}%`;

/** A sample as docker's templates see it. `container` is what the user called it. */
export function statsRow(
	stats: ContainerStats,
	options: {container: string; trunc: boolean},
): Record<string, unknown> {
	const {received, sent} = networkTotals(stats);
	const {read, written} = blockTotals(stats);
	return {
		BlockIO: `${humanSize(read, 3)} / ${humanSize(written, 3)}`,
		CPUPerc: percentage(cpuPercent(stats)),
		Container: options.container,
		ID: options.trunc ? shortId(stats.id) : stats.id,
		MemPerc: percentage(memoryPercent(stats)),
		MemUsage: `${bytesSize(memoryUsed(stats))} / ${bytesSize(stats.memory_stats.limit ?? 0)}`,
		Name: printable(stats.name.slice(1)) || '--',
		NetIO: `${humanSize(received, 3)} / ${humanSize(sent, 3)}`,
		PIDs: String(stats.pids_stats.current ?? 0),
	};
}

/** A container that was named and has been removed since. */
function goneRow(row: Record<string, unknown>): Record<string, unknown> {
	const unknown = {BlockIO: '--', CPUPerc: '--', MemPerc: '--', MemUsage: '-- / --', NetIO: '--', PIDs: '--'};
	return {...row, ...unknown};
}

/** The ids of the named containers, by name; says of all that aren't there that they aren't. */
async function resolveAll(engine: Engine, names: readonly string[]): Promise<Map<string, string>> {
	const ids = new Map<string, string>();
	const problems: string[] = [];
	for (const name of names) {
		try {
			ids.set(name, await engine.containers.resolve(name));
		} catch (error) {
			problems.push(describe(error));
		}
	}
	if (problems.length > 0) throw new CliError(problems.join('\n'));
	return ids;
}

/** Over what stands there: each line clears its rest, and the last one what is below. */
const redrawn = (text: string): string => `\x1b[H${text.replaceAll('\n', '\x1b[K\n')}\x1b[J`;

export const stats: CommandAction = async ({flags, args}, open) => {
	const format = flags.string('format');
	const trunc = !flags.bool('no-trunc');
	const stream = !flags.bool('no-stream');
	// Before anything is asked: a wrong template is said once, and at once.
	formatList(view, [], {format});
	const engine = await open();
	const ids = args.length > 0 ? await resolveAll(engine, args) : undefined;
	const onTerminal = stream && isatty(1);
	const known = new Map<string, Record<string, unknown>>();
	for await (const batch of engine.containers.stats(ids && [...ids.values()], {
		stream,
		all: flags.bool('all'),
	})) {
		let rows: Record<string, unknown>[];
		if (ids) {
			const found = new Map(batch.map((sample) => [sample.id, sample]));
			rows = [...ids].map(([container, id]) => {
				const sample = found.get(id);
				const empty = {Container: container, ID: trunc ? shortId(id) : id, Name: '--'};
				const row = sample ? statsRow(sample, {container, trunc}) : goneRow(known.get(container) ?? empty);
				known.set(container, row);
				return row;
			});
		} else rows = batch.map((sample) => statsRow(sample, {container: shortId(sample.id), trunc}));
		const text = formatList(view, rows, {format});
		writeOut(onTerminal ? redrawn(text) : text);
	}
	return 0;
};
