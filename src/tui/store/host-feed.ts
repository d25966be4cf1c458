/** What the machine does as a whole, for the upper line. */
import {readFileSync} from 'node:fs';
import type {HostState} from './state.ts';
import type {Store} from './store.ts';

/** Milliseconds between two looks: a number that changes makes a frame. */
const INTERVAL = 5000;
/** Percent of CPUs, and bytes, by which it must differ to be shown anew: an idle machine makes no frames. */
const CPU_STEP = 3;
const MEMORY_STEP = 100 << 20;

/** Jiffies. */
export interface CpuTimes {
	busy: number;
	total: number;
}

/** proc_stat(5): the first line has all CPUs together; the guest's time is in the user's. Pure. */
export function cpuTimes(stat: string): CpuTimes {
	const line = stat.slice(0, stat.indexOf('\n'));
	const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, soft = 0, steal = 0] = line
		.split(/\s+/)
		.slice(1)
		.map(Number);
	const busy = user + nice + system + irq + soft + steal;
	return {busy, total: busy + idle + wait};
}

/** proc_meminfo(5), in bytes; what could be had at once doesn't count as used. Pure. */
export function memoryInfo(text: string): {used: number; total: number} {
	const field = (name: string): number =>
		Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0) * 1024;
	const total = field('MemTotal');
	return {used: total - field('MemAvailable'), total};
}

export class HostFeed {
	readonly #store: Store;
	readonly #timer: NodeJS.Timeout;
	#before: CpuTimes | undefined;

	constructor(store: Store) {
		this.#store = store;
		this.#before = this.#look();
		this.#timer = setInterval(() => this.#look(), INTERVAL);
		this.#timer.unref();
	}

	close(): void {
		clearInterval(this.#timer);
	}

	#look(): CpuTimes | undefined {
		if (this.#store.state.attached) return undefined;
		let now: CpuTimes;
		let host: HostState;
		try {
			now = cpuTimes(readFileSync('/proc/stat', 'latin1'));
			const memory = memoryInfo(readFileSync('/proc/meminfo', 'latin1'));
			const load = readFileSync('/proc/loadavg', 'latin1').split(' ')[0]!;
			const before = this.#before ?? now;
			const passed = now.total - before.total;
			const cpu = passed > 0 ? Math.round(((now.busy - before.busy) / passed) * 100) : 0;
			host = {cpu, memory: memory.used, memoryTotal: memory.total, load};
		} catch {
			// Without /proc there is nothing to show, which is no reason to complain.
			return undefined;
		}
		const first = this.#before === undefined;
		this.#before = now;
		const shown = this.#store.state.host;
		const differs =
			!shown ||
			Math.abs(shown.cpu - host.cpu) >= CPU_STEP ||
			Math.abs(shown.memory - host.memory) >= MEMORY_STEP;
		if (!first && differs) this.#store.observe((state) => ({...state, host}));
		return now;
	}
}
