/** What a program needs to run, read from its ELF headers (System V ABI, chapters 4 and 5; elf(5)). */

export interface Elf {
	/** 32 or 64 bits, byte order and machine: what a library has to have in common with its user. */
	readonly kind: string;
	/** The dynamic loader; absent for static programs and libraries. */
	readonly interpreter?: string;
	/** DT_NEEDED, in order. */
	readonly needed: readonly string[];
	/** DT_RUNPATH, or else DT_RPATH, with `$ORIGIN` as written. */
	readonly searchPath: readonly string[];
}

const segment = {load: 1, dynamic: 2, interpreter: 3} as const;
const tag = {needed: 1n, stringTable: 5n, rpath: 15n, runpath: 29n} as const;
const mostEntries = 4096;

interface Segment {
	readonly type: number;
	readonly offset: number;
	readonly address: bigint;
	readonly size: number;
}

/** Undefined for what is no ELF file, or not a whole one. */
export function parseElf(bytes: Buffer): Elf | undefined {
	if (bytes.length < 64 || bytes.readUInt32BE(0) !== 0x7f454c46) return undefined;
	try {
		return readElf(bytes);
	} catch (error) {
		if (error instanceof RangeError) return undefined;
		throw error;
	}
}

function readElf(bytes: Buffer): Elf {
	const wide = bytes[4] === 2;
	const little = bytes[5] !== 2;
	const half = (at: number) => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));
	const word = (at: number) => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
	const long = (at: number): bigint =>
		wide ? (little ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at)) : BigInt(word(at));
	const segments = readSegments({half, word, long}, wide);
	const kind = `${bytes[4]} ${bytes[5]} ${half(18)}`;

	const interpreter = segments.find(({type}) => type === segment.interpreter);
	const dynamic = segments.find(({type}) => type === segment.dynamic);
	const result = {
		kind,
		...(interpreter ? {interpreter: text(bytes, interpreter.offset)} : {}),
	};
	if (!dynamic) return {...result, needed: [], searchPath: []};
	const step = wide ? 16 : 8;
	const entries: [bigint, bigint][] = [];
	for (
		let at = dynamic.offset;
		at < dynamic.offset + dynamic.size && entries.length < mostEntries;
		at += step
	) {
		const entry: [bigint, bigint] = [long(at), long(at + step / 2)];
		if (entry[0] === 0n) break;
		entries.push(entry);
	}
	const address = entries.find(([name]) => name === tag.stringTable)?.[1];
	const table = address === undefined ? undefined : fileOffset(segments, address);
	if (table === undefined) return {...result, needed: [], searchPath: []};
	const strings = (name: bigint) =>
		entries.filter(([found]) => found === name).map(([, offset]) => text(bytes, table + Number(offset)));
	const path = strings(tag.runpath)[0] ?? strings(tag.rpath)[0] ?? '';
	return {...result, needed: strings(tag.needed), searchPath: path.split(':').filter(Boolean)};
}

interface Reader {
	half(at: number): number;
	word(at: number): number;
	long(at: number): bigint;
}

function readSegments({half, word, long}: Reader, wide: boolean): Segment[] {
	const start = Number(long(wide ? 32 : 28));
	const size = half(wide ? 54 : 42);
	const count = half(wide ? 56 : 44);
	return Array.from({length: count}, (_, index) => {
		const at = start + index * size;
		return {
			type: word(at),
			offset: Number(long(at + (wide ? 8 : 4))),
			address: long(at + (wide ? 16 : 8)),
			size: Number(long(at + (wide ? 32 : 16))),
		};
	});
}

function fileOffset(segments: readonly Segment[], address: bigint): number | undefined {
	const loaded = segments.find(
		(each) =>
			each.type === segment.load && address >= each.address && address < each.address + BigInt(each.size),
	);
	return loaded && loaded.offset + Number(address - loaded.address);
}

function text(bytes: Buffer, start: number): string {
	const end = bytes.indexOf(0, start);
	if (start >= bytes.length || end < 0) throw new RangeError('a string lies outside of the file');
	return bytes.toString('latin1', start, end);
}
