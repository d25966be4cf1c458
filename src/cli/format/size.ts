/** Sizes as docker's go-units writes and reads them. */
const decimalUnits = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'];
const binaryUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB'];
const prefixes = 'kmgtp';

/** C's `%.<digits>g` for the numbers that occur here: no exponent below 10^digits, no trailing zeros. */
export function significant(value: number, digits: number): string {
	if (value === 0) return '0';
	const exponent = Number(value.toExponential(digits - 1).split('e')[1]);
	if (exponent < -4 || exponent >= digits) {
		const [mantissa, power] = value.toExponential(digits - 1).split('e') as [string, string];
		const short = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa;
		return `${short}e${power.slice(0, 1)}${power.slice(1).padStart(2, '0')}`;
	}
	const fixed = value.toFixed(Math.max(0, digits - 1 - exponent));
	return fixed.includes('.') ? fixed.replace(/\.?0+$/, '') : fixed;
}

function scaled(size: number, base: number, units: readonly string[], digits: number): string {
	let unit = 0;
	let value = size;
	while (value >= base && unit < units.length - 1) {
		value /= base;
		unit++;
	}
	return `${significant(value, digits)}${units[unit]}`;
}

/** `44kB`, `1.234MB`: powers of 1000, four significant digits (docker uses three in tables). */
export const humanSize = (size: number, digits = 4): string => scaled(size, 1000, decimalUnits, digits);

/** `44.2KiB`: powers of 1024. */
export const bytesSize = (size: number): string => scaled(size, 1024, binaryUnits, 4);

function parse(text: string, base: number): number {
	// A number, perhaps spaces, perhaps a unit letter with `b` or `ib`.
	const separator = Math.max(...[...'01234567890. '].map((digit) => text.lastIndexOf(digit)));
	if (separator === -1) throw new Error(`invalid size: '${text}'`);
	const end = text[separator] === ' ' ? separator : separator + 1;
	const number = text.slice(0, end);
	const suffix = text.slice(separator + 1).toLowerCase();
	if (!/^[+-]?(\d+\.?\d*|\.\d+)$/.test(number)) {
		throw new Error(`strconv.ParseFloat: parsing ${JSON.stringify(number)}: invalid syntax`);
	}
	const value = Number(number);
	if (value < 0) throw new Error(`invalid size: '${text}'`);
	if (suffix === '' || suffix === 'b') return within(value, text);
	const power = prefixes.indexOf(suffix[0]!) + 1;
	if (power === 0 || !/^.(i?b)?$/.test(suffix)) throw new Error(`invalid suffix: '${suffix}'`);
	return within(value * base ** power, text);
}

/** `512m` in powers of 1024, as memory is given. Throws docker's `invalid size: 'x'`. */
export const parseRamSize = (text: string): number => parse(text, 1024);

/** `10k` in powers of 1000. */
export const parseHumanSize = (text: string): number => parse(text, 1000);

/** docker lets such a number wrap around; it is refused here. */
function within(value: number, text: string): number {
	if (value >= 2 ** 63) throw new Error(`invalid size: '${text}'`);
	return Math.trunc(value);
}
