/**
 * How many bytes a layer may unpack to. A few kilobytes of gzip can stand for gigabytes, and of zstd for terabytes:
 * what grows a hundredfold and beyond what a small image has is refused unless the user allows more.
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

/** What the message about a layer that is too large says more. */
export const limitAdvice = (error: unknown): string =>
	(error as NodeJS.ErrnoException).code === 'EFBIG' && /unpacks to more/.test((error as Error).message)
		? '; when you trust the image, allow it with the environment variable WHERRY_MAX_LAYER=SIZE (100g)'
		: '';
