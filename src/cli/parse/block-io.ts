/** Limits of block devices on a command line, in docker's words. */
import {parseRamSize} from '../format/size.ts';

export interface WeightDevice {
	Path: string;
	Weight: number;
}

export interface ThrottleDevice {
	Path: string;
	Rate: number;
}

function split(text: string): [path: string, value: string] {
	const colon = text.indexOf(':');
	if (colon < 0) throw new Error(`bad format: ${text}`);
	const path = text.slice(0, colon);
	if (!path.startsWith('/dev/')) throw new Error(`bad format for device path: ${text}`);
	return [path, text.slice(colon + 1)];
}

/** `/dev/sda:500`; 0 is none. */
export function parseWeightDevice(text: string): WeightDevice {
	const [Path, value] = split(text);
	const Weight = Number(value);
	if (!/^\d+$/.test(value) || (Weight !== 0 && (Weight < 10 || Weight > 1000))) {
		throw new Error(`invalid weight for device: ${text}`);
	}
	return {Path, Weight};
}

/** `/dev/sda:1mb`. */
export function parseRateDevice(text: string): ThrottleDevice {
	const [Path, value] = split(text);
	try {
		return {Path, Rate: parseRamSize(value)};
	} catch {
		throw new Error(
			`invalid rate for device: ${text}. The correct format is <device-path>:<number>[<unit>]. Number must be a positive integer. Unit is optional and can be kb, mb, or gb`,
		);
	}
}

/** `/dev/sda:1000`. */
export function parseOperationsDevice(text: string): ThrottleDevice {
	const [Path, value] = split(text);
	const Rate = Number(value);
	if (!/^\d+$/.test(value) || !Number.isSafeInteger(Rate)) {
		throw new Error(
			`invalid rate for device: ${text}. The correct format is <device-path>:<number>. Number must be a positive integer`,
		);
	}
	return {Path, Rate};
}
