/** How many colours the terminal has, and the nearest of them for those that programs inside ask for. */

/** `none`: attributes only. */
export type ColourDepth = 'true' | '256' | '16' | 'none';

const TRUE_TERMS = /-direct|truecolor|kitty|alacritty|ghostty|wezterm|foot|contour/;

/** COLORTERM says it, also over ssh where that is passed on; else the terminal's name. */
export function colourDepth(env: NodeJS.ProcessEnv = process.env): ColourDepth {
	const {COLORTERM = '', TERM = ''} = env;
	if (/truecolor|24bit/.test(COLORTERM) || TRUE_TERMS.test(TERM)) return 'true';
	return TERM.includes('256') ? '256' : '16';
}

/** xterm's steps of the colour cube. */
const STEPS = [0, 95, 135, 175, 215, 255];
/** xterm's sixteen. */
const SIXTEEN = [
	0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd, 0x00cdcd, 0xe5e5e5, 0x7f7f7f, 0xff0000,
	0x00ff00, 0xffff00, 0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff,
];

const split = (rgb: number): [number, number, number] => [(rgb >> 16) & 255, (rgb >> 8) & 255, rgb & 255];

function distance(a: number, b: number): number {
	const [red, green, blue] = split(a);
	const [otherRed, otherGreen, otherBlue] = split(b);
	return (red - otherRed) ** 2 + (green - otherGreen) ** 2 + (blue - otherBlue) ** 2;
}

/** `0xRRGGBB` to a number of the 256. */
export function nearest256(rgb: number): number {
	const [red, green, blue] = split(rgb).map((part) => {
		let best = 0;
		for (let step = 1; step < 6; step++) {
			if (Math.abs(STEPS[step]! - part) < Math.abs(STEPS[best]! - part)) best = step;
		}
		return best;
	}) as [number, number, number];
	const cube = 16 + 36 * red + 6 * green + blue;
	const average = split(rgb).reduce((sum, part) => sum + part, 0) / 3;
	const grey = 232 + Math.max(0, Math.min(23, Math.round((average - 8) / 10)));
	return distance(rgb, paletteColour(grey)) < distance(rgb, paletteColour(cube)) ? grey : cube;
}

/** A number of the 256 as `0xRRGGBB`. */
export function paletteColour(index: number): number {
	if (index < 16) return SIXTEEN[index]!;
	if (index >= 232) return (8 + (index - 232) * 10) * 0x010101;
	const at = index - 16;
	return (STEPS[Math.floor(at / 36)]! << 16) | (STEPS[Math.floor(at / 6) % 6]! << 8) | STEPS[at % 6]!;
}

/** `0xRRGGBB` to a number of the sixteen. */
export function nearest16(rgb: number): number {
	let best = 0;
	for (let index = 1; index < 16; index++) {
		if (distance(SIXTEEN[index]!, rgb) < distance(SIXTEEN[best]!, rgb)) best = index;
	}
	return best;
}
