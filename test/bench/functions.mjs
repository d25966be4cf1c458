/**
 * Which functions of the kernel the instructions of a measurement are in: counted by functions.c in the emulation, set
 * beside each other for the engines. What one engine does more than another is then seen by name, however little.
 */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {run} from '../vm/machine.mjs';

const source = (name) => new URL(name, import.meta.url).pathname;

/** Where the program that marks is linked to, and no other one. */
const markAddress = '0x7ead0000';

/** Compiles the plugin and the program that marks begins and ends of measurements; their paths. */
export function compile(folder) {
	const [plugin, mark] = [join(folder, 'functions.so'), join(folder, 'mark')];
	const options = ['-O2', '-Wall', '-Wextra', '-fPIC', '-shared', `-DMARK_ADDRESS=${markAddress}`];
	run('cc', [...options, source('functions.c'), '-o', plugin]);
	const link = ['-nostdlib', '-static', '-no-pie', `-Wl,-Ttext=${markAddress}`, '-Wl,--build-id=none'];
	run('cc', [...link, source('mark.S'), '-o', mark]);
	return {plugin, mark};
}

/** From an address in the kernel to the function with it; `text` is /proc/kallsyms. */
function functionNames(text) {
	const symbols = [...text.matchAll(/^([0-9a-f]{16}) [tTwW] (\S+)/gm)]
		.map(([, address, name]) => ({address: BigInt(`0x${address}`), name}))
		.sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
	return (address) => {
		let [low, high] = [0, symbols.length];
		while (low < high) {
			const middle = (low + high) >> 1;
			if (symbols[middle].address <= address) low = middle + 1;
			else high = middle;
		}
		return symbols[low - 1]?.name ?? '?';
	};
}

/** What functions.c has written: for each mark, instructions by function since the one before. */
function readCounts(file, nameOf) {
	const marks = [];
	for (const line of readFileSync(file, 'latin1').split('\n')) {
		if (line === 'mark') marks.push(new Map());
		const [address, count] = line.split(' ');
		if (count === undefined) continue;
		const name = address === '1' ? 'programs' : nameOf(BigInt(`0x${address}`));
		const counts = marks.at(-1);
		counts.set(name, (counts.get(name) ?? 0) + Number(count));
	}
	return marks;
}

/** A second's measurement in these many parts of which each costs some instructions. */
const units = {
	'requests/s': {name: 'request', parts: (value) => value},
	'Gbit/s': {name: 'KiB', parts: (value) => (value * 1e9) / 8 / 1024},
};

/** Instructions for one part, by function, of all rounds but the first, whose caches are cold. */
function perPart({values, marks, unit}, counts) {
	const sums = new Map();
	let parts = 0;
	const first = values.length > 1 ? 1 : 0;
	for (let index = first; index < values.length; index++) {
		parts += units[unit].parts(values[index]);
		for (const [name, count] of counts[marks[index] + 1]) sums.set(name, (sums.get(name) ?? 0) + count);
	}
	return new Map([...sums].map(([name, count]) => [name, count / parts]));
}

const format = (number, digits) => number.toFixed(digits).padStart(11);

/** The functions with the greatest differences of each case; `rates` as traffic.ts tells them with --json --mark. */
export function functionTable(rates, countsFile, symbolsFile, rows = 40) {
	const counts = readCounts(countsFile, functionNames(readFileSync(symbolsFile, 'latin1')));
	const lines = [];
	for (const name of new Set(rates.map((rate) => rate.case))) {
		const group = rates.filter((rate) => rate.case === name && rate.unit in units);
		if (group.length === 0) continue;
		const engines = group.map((rate) => perPart(rate, counts));
		const at = (index, key) => engines[index].get(key) ?? 0;
		const digits = group[0].unit === 'requests/s' ? 1 : 3;
		const row = (label, numbers) =>
			lines.push(`${label.padEnd(40)}${numbers.map((number) => format(number, digits)).join('')}`);
		lines.push(
			'',
			`${name}: instructions for a ${units[group[0].unit].name}`,
			`${''.padEnd(40)}${group.map(({engine}) => engine.padStart(11)).join('')}`,
		);
		row(
			'all',
			engines.map((each) => [...each.values()].reduce((sum, count) => sum + count, 0)),
		);
		const distance = (key) => Math.max(...engines.map((_, index) => Math.abs(at(0, key) - at(index, key))));
		const keys = [...new Set(engines.flatMap((each) => [...each.keys()]))];
		for (const key of keys.sort((a, b) => distance(b) - distance(a)).slice(0, rows)) {
			row(
				key,
				engines.map((_, index) => at(index, key)),
			);
		}
	}
	return lines.join('\n');
}
