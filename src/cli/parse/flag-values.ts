import {ipVersion} from '../../engine/networks/address.ts';
import type {FlagSpec} from '../commands/table/rows.ts';
import {parseDuration} from '../format/duration.ts';
import {parseRamSize} from '../format/size.ts';
import {parseOperationsDevice, parseRateDevice, parseWeightDevice} from './block-io.ts';
import {parseCsvLine} from './csv.ts';
import {parseGpus} from './gpus.ts';
import {checkAddress, checkLink, checkSearchDomain, parseExtraHost} from './host-names.ts';
import {parseNetwork} from './network.ts';
import {parseBool, parseInteger, parseNanoCpus} from './scalars.ts';
import {parseUlimit} from './ulimit.ts';

/** A value that is looked at now and read later. */
function checked(parse: (text: string) => unknown): (text: string) => string {
	return (text) => {
		parse(text);
		return text;
	};
}

/** Lists whose values docker checks one by one while it reads the command line. */
const checks: Record<string, (value: string) => string> = {
	env(value) {
		if (value === '' || value.startsWith('=')) throw new Error(`invalid environment variable: ${value}`);
		return value;
	},
	label(value) {
		const name = value.split('=', 1)[0]!.trimStart();
		if (name === '') throw new Error(`invalid label '${value}': empty name`);
		if (name.includes(' ') || name.includes('\t')) throw new Error(`label '${name}' contains whitespaces`);
		return value;
	},
	attach(value) {
		const stream = value.toLowerCase();
		if (!['stdin', 'stdout', 'stderr'].includes(stream))
			throw new Error('valid streams are STDIN, STDOUT and STDERR');
		return stream;
	},
	'device-cgroup-rule'(value) {
		if (!/^[acb] ([0-9]+|\*):([0-9]+|\*) [rwm]{1,3}$/.test(value))
			throw new Error(`invalid device cgroup format '${value}'`);
		return value;
	},
	'blkio-weight-device': checked(parseWeightDevice),
	'device-read-bps': checked(parseRateDevice),
	'device-write-bps': checked(parseRateDevice),
	'device-read-iops': checked(parseOperationsDevice),
	'device-write-iops': checked(parseOperationsDevice),
	dns: checkAddress,
	'dns-search': checkSearchDomain,
	link: checkLink,
	'add-host': parseExtraHost,
};

const sysctls = new Set([
	...['kernel.msgmax', 'kernel.msgmnb', 'kernel.msgmni', 'kernel.sem', 'kernel.shmall', 'kernel.shmmax'],
	...['kernel.shmmni', 'kernel.shm_rmid_forced'],
]);

function checkSysctl(value: string): string {
	const name = value.split('=', 1)[0]!;
	const allowed =
		value.includes('=') && (sysctls.has(name) || name.startsWith('net.') || name.startsWith('fs.mqueue.'));
	if (!allowed) throw new Error(`sysctl '${value}' is not allowed`);
	return value;
}

function checkAddressItem(item: string, type: 'ipSlice' | 'ipNetSlice'): string {
	const [address = '', prefix] = type === 'ipNetSlice' ? item.split('/', 2) : [item];
	const family = ipVersion(address);
	const length = prefix !== undefined && /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1;
	const fits = type === 'ipSlice' || (length >= 0 && length <= (family === 4 ? 32 : 128));
	if (family === 0 || !fits) {
		const what = type === 'ipSlice' ? 'IP address' : 'CIDR';
		throw new Error(`invalid string being converted to ${what}: ${item}`);
	}
	return item;
}

/** What the flags of one command line say. A value is converted when it is set, so an error names its flag. */
export class FlagValues {
	readonly #values = new Map<string, unknown>();
	readonly #specs: readonly FlagSpec[];

	constructor(specs: readonly FlagSpec[]) {
		this.#specs = specs;
	}

	/** Throws what docker says about the value. */
	set(spec: FlagSpec, text: string): void {
		const {name, type} = spec;
		switch (type) {
			case 'bool':
				this.#values.set(name, parseBool(text));
				break;
			case 'int':
			case 'int64':
			case 'uint':
			case 'uint16':
			case 'uint32':
			case 'uint64':
				this.#values.set(name, parseInteger(text, type));
				break;
			case 'bytes':
				this.#values.set(name, name === 'memory-swap' && text === '-1' ? -1 : parseRamSize(text));
				break;
			case 'decimal':
				this.#values.set(name, parseNanoCpus(text));
				break;
			case 'duration':
				this.#values.set(name, parseDuration(text));
				break;
			case 'ulimit':
				this.#push(name, parseUlimit(text));
				break;
			case 'filter': {
				if (text === '') break;
				const equals = text.indexOf('=');
				if (equals < 0) throw new Error('bad format of filter (expected name=value)');
				this.#push(name, [text.slice(0, equals).trim().toLowerCase(), text.slice(equals + 1).trim()]);
				break;
			}
			case 'stringSlice':
				for (const item of parseCsvLine(text)) this.#push(name, item);
				break;
			case 'list':
			case 'stringArray':
				this.#push(name, Object.hasOwn(checks, name) ? checks[name]!(text) : text);
				break;
			case 'map':
				this.#push(name, name === 'sysctl' ? checkSysctl(text) : text);
				break;
			case 'mount':
				this.#push(name, text);
				break;
			case 'gpu-request':
				this.#push(name, parseGpus(text));
				break;
			case 'network':
				this.#push(name, parseNetwork(text));
				break;
			case 'ip':
				// Whether it is one, and of which kind, is said with its network.
				this.#values.set(name, text.trim());
				break;
			case 'ipSlice':
			case 'ipNetSlice':
				for (const item of parseCsvLine(text)) this.#push(name, checkAddressItem(item.trim(), type));
				break;
			default:
				this.#values.set(name, text);
		}
	}

	#push(name: string, value: unknown): void {
		const list = this.#values.get(name);
		if (Array.isArray(list)) list.push(value);
		else this.#values.set(name, [value]);
	}

	/** Whether anything was set. */
	get any(): boolean {
		return this.#values.size > 0;
	}

	changed(name: string): boolean {
		return this.#values.has(name);
	}

	bool(name: string): boolean {
		const value = this.#values.get(name) as boolean | undefined;
		return value ?? this.#default(name) === 'true';
	}

	string(name: string): string {
		return (this.#values.get(name) as string | undefined) ?? this.#default(name) ?? '';
	}

	number(name: string): number {
		return (this.#values.get(name) as number | undefined) ?? Number(this.#default(name) ?? 0);
	}

	/** Nanoseconds. */
	duration(name: string): bigint {
		return (this.#values.get(name) as bigint | undefined) ?? 0n;
	}

	list<T = string>(name: string): T[] {
		return (this.#values.get(name) as T[] | undefined) ?? [];
	}

	/** `key=value` items; the last one of a key counts, and no `=` is an empty value. */
	map(name: string): Record<string, string> {
		return keyValues(this.list(name));
	}

	filters(name: string): Record<string, string[]> {
		const filters: Record<string, string[]> = {};
		for (const [key, value] of this.list<[string, string]>(name)) {
			const values = filters[key] ?? [];
			if (!values.includes(value)) values.push(value);
			filters[key] = values;
		}
		return filters;
	}

	#default(name: string): string | undefined {
		const text = this.#specs.find((spec) => spec.name === name)?.default;
		// Go's word for no value.
		return text === '<nil>' ? undefined : text;
	}
}

export function keyValues(items: readonly string[]): Record<string, string> {
	// fromEntries defines properties: `__proto__` is a key like any other.
	return Object.fromEntries(
		items.map((item) => {
			const equals = item.indexOf('=');
			return equals < 0 ? [item, ''] : [item.slice(0, equals), item.slice(equals + 1)];
		}),
	);
}
