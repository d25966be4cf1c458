/**
 * How many bytes and entries a layer may unpack to. A few kilobytes of gzip can stand for gigabytes, and of zstd for terabytes:
 * what grows a hundredfold and beyond what a small image has is refused unless the user allows more. Entries are also
 * inodes, which many file systems have a fixed number of, and empty files take none of the bytes.
 */
import {WherryError} from '../errors.ts';

const leastLimit = 8 * 2 ** 30;
const mostGrowth = 100;
const units: Readonly<Record<string, number>> = {'': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40};

/** Bytes. `WHERRY_MAX_LAYER` raises or lowers it, as docker writes sizes: `100g`. */
export function layerLimit(blobSize: number, env: NodeJS.ProcessEnv = process.env): number {
	const text = env.WHERRY_MAX_LAYER?.trim() ?? '';
	if (text === '') return Math.max(leastLimit, mostGrowth * blobSize);
	const [, number = '', unit = ''] = /^(\d{1,12})([kmgt]?)i?b?$/i.exec(text) ?? [];
	const limit = Number(number) * units[unit.toLowerCase()]!;
	if (number === '' || !Number.isSafeInteger(limit))
		throw new WherryError('invalid', `invalid WHERRY_MAX_LAYER: '${text}' is not a size, as 100g is one`);
	return limit;
}

const mostEntries = 5_000_000;

/** `WHERRY_MAX_LAYER_ENTRIES` raises or lowers it. */
export function entryLimit(env: NodeJS.ProcessEnv = process.env): number {
	const text = env.WHERRY_MAX_LAYER_ENTRIES?.trim() ?? '';
	if (text === '') return mostEntries;
	if (!/^\d{1,15}$/.test(text))
		throw new WherryError('invalid', `invalid WHERRY_MAX_LAYER_ENTRIES: '${text}' is not a number`);
	return Number(text);
}

export const isEntryLimit = (error: unknown): boolean =>
	(error as NodeJS.ErrnoException | undefined)?.code === 'EFBIG' &&
	/more than \d+ entries/.test((error as Error).message);

/** What the message about a layer that is too large says more. */
export function limitAdvice(error: unknown): string {
	const {code, message} = error as NodeJS.ErrnoException;
	if (code !== 'EFBIG') return '';
	const setting = /unpacks to more/.test(message)
		? 'WHERRY_MAX_LAYER=SIZE (100g)'
		: isEntryLimit(error)
			? 'WHERRY_MAX_LAYER_ENTRIES=NUMBER'
			: undefined;
	return setting === undefined
		? ''
		: `; when you trust the image, allow it with the environment variable ${setting}`;
}
