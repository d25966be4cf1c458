/** Programs that tell a rate, and what is made of what they say. */
import {spawnSync} from 'node:child_process';

/** A rate; more is better. */
export interface Rate {
	readonly case: string;
	readonly engine: string;
	readonly unit: 'Gbit/s' | 'Gbit/CPU-s' | 'requests/s';
	readonly values: number[];
	/** The round of each value. */
	readonly rounds: number[];
	/** Of each value, how often the begin or end of a measurement had been marked when it began. */
	readonly marks?: number[];
}

/** How often a program may fail before its measurement is left out. */
const attempts = 3;

/** Each measures for a second; one that can't connect would otherwise wait for minutes. */
const milliseconds = 10_000;

interface IperfReport {
	error?: string;
	end?: {
		sum_received?: {bits_per_second?: number};
		cpu_utilization_percent?: {host_total?: number; remote_total?: number};
	};
}

type Reading = Pick<Rate, 'unit'> & {value: number; suffix?: string};

/** The second rate hardly depends on what else the machine does. */
function gigabits(stdout: string): Reading[] {
	const report = JSON.parse(stdout) as IperfReport;
	const rate = report.end?.sum_received?.bits_per_second;
	if (rate === undefined) throw new Error(report.error ?? 'it told no rate');
	const {host_total: own = 0, remote_total: other = 0} = report.end?.cpu_utilization_percent ?? {};
	const readings: Reading[] = [{unit: 'Gbit/s', value: rate / 1e9}];
	if (own + other > 0) {
		const value = rate / 1e9 / ((own + other) / 100);
		readings.push({unit: 'Gbit/CPU-s', value, suffix: ', by CPU time'});
	}
	return readings;
}

function requests(stdout: string): Reading[] {
	const match = /Requests\/sec:\s+([\d.]+)/.exec(stdout);
	if (!match) throw new Error('it told no rate');
	const errors = /Socket errors: .*/.exec(stdout)?.[0];
	if (Number(match[1]) === 0) throw new Error(errors ?? 'no request was answered');
	return [{unit: 'requests/s', value: Number(match[1])}];
}

const readers = {iperf3: gigabits, wrk: requests} as const;

export class Rates {
	readonly #rates = new Map<string, Rate>();
	readonly #say: (text: string) => void;
	readonly #markProgram: string | undefined;
	#marks = 0;

	/** `markProgram` is run before and after each measurement. */
	constructor(say: (text: string) => void, markProgram?: string) {
		this.#say = say;
		this.#markProgram = markProgram;
	}

	#mark(): void {
		if (this.#markProgram === undefined) return;
		spawnSync(this.#markProgram);
		this.#marks++;
	}

	/** Runs the program; one that goes on failing is told, and the rest is measured all the same. */
	measure(
		name: string,
		engine: string,
		round: number,
		program: keyof typeof readers,
		argv: readonly string[],
		env: NodeJS.ProcessEnv,
	): void {
		for (let attempt = 1; ; attempt++) {
			const mark = this.#marks;
			this.#mark();
			const result = spawnSync(argv[0]!, argv.slice(1), {
				...{env, encoding: 'utf8', maxBuffer: 64 << 20},
				...{timeout: milliseconds, killSignal: 'SIGKILL'},
			});
			this.#mark();
			try {
				if (result.error) throw result.error;
				for (const reading of readers[program](result.stdout)) this.#add(name, engine, round, mark, reading);
				return;
			} catch (error) {
				const reason = `${(error as Error).message} ${result.stderr ?? ''}`.trim();
				this.#say(`${name}, ${engine}: ${argv.join(' ')} failed: ${reason}`);
				if (attempt === attempts) return;
			}
		}
	}

	#add(name: string, engine: string, round: number, mark: number, {unit, value, suffix = ''}: Reading): void {
		const key = `${name}${suffix} ${engine}`;
		const rate = this.#rates.get(key) ?? {
			...{case: `${name}${suffix}`, engine, unit, values: [], rounds: []},
			...(this.#markProgram === undefined ? {} : {marks: []}),
		};
		rate.values.push(value);
		rate.marks?.push(mark);
		rate.rounds.push(round);
		this.#rates.set(key, rate);
	}

	all(): Rate[] {
		return [...this.#rates.values()];
	}
}
