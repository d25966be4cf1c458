/**
 * What a colour means, never what it is, is what widgets ask for. The sixteen named colours follow the
 * terminal's own palette. Selection and focus don't depend on colour alone.
 */

export type Tone = 'normal' | 'muted' | 'accent' | 'good' | 'warning' | 'bad' | 'info';

export interface TextStyle {
	color?: string;
	backgroundColor?: string;
	dimColor?: boolean;
	bold?: boolean;
	italic?: boolean;
	underline?: boolean;
	strikethrough?: boolean;
	inverse?: boolean;
}

export type ThemeName = 'terminal' | 'dark' | 'light' | '16' | 'mono';
export type Tones = Readonly<Record<Tone, TextStyle>>;

interface Theme {
	tones: Tones;
	/** Things beside each other that have no meaning, only a difference: names of several containers. */
	series: readonly TextStyle[];
	/** Whether the colours that programs give to their output are shown. */
	colours: boolean;
}

const styles = (...colours: string[]): TextStyle[] => colours.map((color) => ({color}));

export const THEMES: Readonly<Record<ThemeName, Theme>> = {
	terminal: {
		tones: {
			normal: {},
			muted: {dimColor: true},
			accent: {color: 'cyan'},
			good: {color: 'green'},
			warning: {color: 'yellow'},
			bad: {color: 'red'},
			info: {color: 'blue'},
		},
		series: styles('cyan', 'green', 'magenta', 'yellow', 'blue', 'red'),
		colours: true,
	},
	dark: {
		tones: {
			normal: {color: '#d0d0d0'},
			muted: {color: '#878787'},
			accent: {color: '#5fd7ff'},
			good: {color: '#87d75f'},
			warning: {color: '#ffd75f'},
			bad: {color: '#ff8787'},
			info: {color: '#87afff'},
		},
		series: styles('#5fd7ff', '#87d75f', '#d7afff', '#ffd75f', '#87afff', '#ffaf87'),
		colours: true,
	},
	light: {
		tones: {
			normal: {color: '#1c1c1c'},
			muted: {color: '#6c6c6c'},
			accent: {color: '#005f87'},
			good: {color: '#005f00'},
			warning: {color: '#875f00'},
			bad: {color: '#af0000'},
			info: {color: '#0000af'},
		},
		series: styles('#005f87', '#005f00', '#870087', '#875f00', '#0000af', '#af0000'),
		colours: true,
	},
	/** For terminals that know no faint letters. */
	'16': {
		tones: {
			normal: {},
			muted: {color: 'gray'},
			accent: {color: 'cyanBright'},
			good: {color: 'greenBright'},
			warning: {color: 'yellowBright'},
			bad: {color: 'redBright'},
			info: {color: 'blueBright'},
		},
		series: styles('cyan', 'green', 'magenta', 'yellow', 'blue', 'red'),
		colours: true,
	},
	mono: {
		tones: {
			normal: {},
			muted: {dimColor: true},
			accent: {bold: true},
			good: {},
			warning: {bold: true},
			bad: {bold: true},
			info: {},
		},
		series: [{bold: true}, {}, {underline: true}],
		colours: false,
	},
};

/** NO_COLOR (https://no-color.org): present and not empty. */
export function usesColour(env: NodeJS.ProcessEnv = process.env): boolean {
	return !env.NO_COLOR;
}

/** What fits the terminal when nothing was chosen: some say in COLORFGBG (`0;15`) that their background is light. */
export function defaultTheme(env: NodeJS.ProcessEnv = process.env): ThemeName {
	if (!usesColour(env)) return 'mono';
	return /;(?:7|15)$/.test(env.COLORFGBG ?? '') ? 'light' : 'terminal';
}

const withColours = (theme: Theme, colours: Partial<Record<Tone, string>>): Theme => ({
	...theme,
	tones: {
		...theme.tones,
		...Object.fromEntries(Object.entries(colours).map(([name, color]) => [name, {color}])),
	},
});

let current: Theme = THEMES[defaultTheme()];

/** From the next frame on. NO_COLOR is stronger than what is chosen. */
export function setTheme(
	name: ThemeName | undefined,
	colours: Partial<Record<Tone, string>> = {},
	env: NodeJS.ProcessEnv = process.env,
): void {
	const theme = THEMES[usesColour(env) ? (name ?? defaultTheme(env)) : 'mono'];
	current = theme.colours ? withColours(theme, colours) : theme;
}

export function tone(name: Tone): TextStyle {
	return current.tones[name];
}

/** The style of one among others. */
export function series(index: number): TextStyle {
	return current.series[index % current.series.length]!;
}

/** Whether programs' own colours are shown. */
export function foreignColours(): boolean {
	return current.colours;
}

/** What a program wanted its text to look like, as far as the theme has it. */
export function foreignStyle(style: TextStyle): TextStyle {
	if (current.colours) return style;
	const {color: _, backgroundColor: __, ...rest} = style;
	return rest;
}

/** The border of a pane. */
export function borderStyle(focused: boolean): TextStyle {
	return focused ? {...tone('accent'), bold: true} : tone('muted');
}
