import {rangeError, syntaxError} from '../errors.ts';

/** Values of single flags, with the words of Go's strconv when they are wrong. */
export function parseBool(text: string): boolean {
	switch (text) {
		case '1':
		case 't':
		case 'T':
		case 'true':
		case 'TRUE':
		case 'True':
			return true;
		case '0':
		case 'f':
		case 'F':
		case 'false':
		case 'FALSE':
		case 'False':
			return false;
		default:
			throw new Error(syntaxError('ParseBool', text));
	}
}

const bits: Record<string, number> = {int: 64, int64: 64, uint: 64, uint64: 64, uint16: 16, uint32: 32};

/** Go's ParseInt or ParseUint with base 0: `10`, `0x1f`, `0o17`, `017`, `0b1`, `1_000`. */
export function parseInteger(text: string, type: string): number {
	const unsigned = type.startsWith('u');
	const parser = unsigned ? 'ParseUint' : 'ParseInt';
	const match = /^([+-]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9]\d*)$/.exec(
		text.replace(/(?<=.)_(?=\d)/g, ''),
	);
	if (!match || (unsigned && match[1])) throw new Error(syntaxError(parser, text));
	const digits = match[2]!;
	const magnitude = BigInt(/^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits);
	const value = match[1] === '-' ? -magnitude : magnitude;
	const size = BigInt(bits[type] ?? 64);
	const [low, high] = unsigned ? [0n, 2n ** size - 1n] : [-(2n ** (size - 1n)), 2n ** (size - 1n) - 1n];
	if (value < low || value > high) throw new Error(rangeError(parser, text));
	return Number(value);
}

/** `--cpus`: a decimal or fraction, in billionths. */
export function parseNanoCpus(text: string): number {
	const match = /^([+-]?)(?:(\d+)\/(\d+)|(\d*)(?:\.(\d*))?)$/.exec(text);
	if (!match || text.replace(/[+-]/, '') === '' || text === '.') {
		throw new Error(`failed to parse ${text} as a rational number`);
	}
	const sign = match[1] === '-' ? -1n : 1n;
	if (match[2] !== undefined) {
		const [numerator, denominator] = [BigInt(match[2]), BigInt(match[3]!)];
		if (denominator === 0n) throw new Error(`failed to parse ${text} as a rational number`);
		if ((numerator * 1_000_000_000n) % denominator !== 0n) throw new Error('value is too precise');
		return Number((sign * numerator * 1_000_000_000n) / denominator);
	}
	const fraction = (match[5] ?? '').replace(/0+$/, '');
	if (fraction.length > 9) throw new Error('value is too precise');
	return Number(sign * (BigInt(match[4] || '0') * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'))));
}
