import {spawnSync} from 'node:child_process';

export interface Sample {
	readonly case: string;
	readonly engine: string;
	readonly milliseconds: number[];
}

export interface Summary {
	median: number;
	min: number;
	max: number;
}

export function summarise(values: readonly number[]): Summary {
	const sorted = [...values].sort((a, b) => a - b);
	const middle = sorted.length >> 1;
	const median = sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
	return {median, min: sorted[0]!, max: sorted.at(-1)!};
}

/** Runs a command to its end and returns how long it took, in milliseconds. A failure ends the benchmark: its time would mean nothing. */
export function time(argv: readonly string[], env: NodeJS.ProcessEnv): number {
	const start = process.hrtime.bigint();
	const result = spawnSync(argv[0]!, argv.slice(1), {
		env,
		stdio: ['ignore', 'pipe', 'pipe'],
		maxBuffer: 64 << 20,
	});
	const end = process.hrtime.bigint();
	if (result.error) throw result.error;
	if (result.status !== 0)
		throw new Error(`${argv.join(' ')} ended with ${result.status}: ${result.stderr.toString()}`);
	return Number(end - start) / 1e6;
}

/** Runs a command that must succeed, and returns what it printed, trimmed. */
export function output(argv: readonly string[], env: NodeJS.ProcessEnv): string {
	const result = spawnSync(argv[0]!, argv.slice(1), {
		env,
		stdio: ['ignore', 'pipe', 'pipe'],
		maxBuffer: 64 << 20,
	});
	if (result.error) throw result.error;
	if (result.status !== 0)
		throw new Error(`${argv.join(' ')} ended with ${result.status}: ${result.stderr.toString()}`);
	return result.stdout.toString().trim();
}

/** One table: a row per case and engine with its median, min, max and wherry's ratio to it. */
export function table(samples: readonly Sample[]): string {
	const rows: string[][] = [['CASE', 'ENGINE', 'MEDIAN', 'MIN', 'MAX', 'WHERRY/ENGINE']];
	for (const name of new Set(samples.map((sample) => sample.case))) {
		const group = samples.filter((sample) => sample.case === name);
		const own = group.find((sample) => sample.engine === 'wherry');
		const ownMedian = own ? summarise(own.milliseconds).median : Number.NaN;
		for (const {engine, milliseconds} of group) {
			const {median, min, max} = summarise(milliseconds);
			const ratio = engine === 'wherry' || Number.isNaN(ownMedian) ? '' : (ownMedian / median).toFixed(2);
			rows.push([name, engine, median.toFixed(1), min.toFixed(1), max.toFixed(1), ratio]);
		}
	}
	return columns(rows);
}

type RateRow = {case: string; engine: string; unit: string; values: number[]; rounds: number[]};

/**
 * The median of the ratios of rounds, which have the same state of the machine in both, and the interval that has the
 * median of all with a probability of 95 percent: between the ranks of a sign test.
 */
function pairedRatio(own: RateRow, other: RateRow): string {
	const ratios = own.rounds
		.flatMap((round, index) => {
			const at = other.rounds.indexOf(round);
			return at < 0 ? [] : [own.values[index]! / other.values[at]!];
		})
		.sort((a, b) => a - b);
	if (ratios.length === 0) return '';
	const text = summarise(ratios).median.toFixed(3);
	const low = Math.floor((ratios.length - 1.96 * Math.sqrt(ratios.length)) / 2);
	if (low < 1) return text;
	return `${text} (${ratios[low - 1]!.toFixed(3)} to ${ratios[ratios.length - low]!.toFixed(3)})`;
}

/** Rates: more is better, so wherry's ratio should be 1 or more. */
export function rateTable(rates: readonly RateRow[]): string {
	const rows: string[][] = [['CASE', 'ENGINE', 'MEDIAN', 'MIN', 'MAX', 'UNIT', 'WHERRY/ENGINE']];
	for (const name of new Set(rates.map((rate) => rate.case))) {
		const group = rates.filter((rate) => rate.case === name);
		const own = group.find((rate) => rate.engine === 'wherry');
		for (const rate of group) {
			const {median, min, max} = summarise(rate.values);
			const ratio = rate === own || !own ? '' : pairedRatio(own, rate);
			rows.push([name, rate.engine, median.toFixed(1), min.toFixed(1), max.toFixed(1), rate.unit, ratio]);
		}
	}
	return columns(rows);
}

function columns(rows: readonly (readonly string[])[]): string {
	const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
	return rows
		.map((row) =>
			row
				.map((cell, column) => cell.padEnd(widths[column]!))
				.join('   ')
				.trimEnd(),
		)
		.join('\n');
}
