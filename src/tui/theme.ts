/**
 * What a colour means, never what it is, is what widgets ask for. The sixteen named colours follow the
 * terminal's own palette, so light and dark both work. Selection and focus don't depend on colour alone.
 */

export type Tone = 'normal' | 'muted' | 'accent' | 'good' | 'warning' | 'bad' | 'info';

export interface TextStyle {
	color?: string;
	dimColor?: boolean;
	bold?: boolean;
	inverse?: boolean;
}

const COLOURED: Record<Tone, TextStyle> = {
	normal: {},
	muted: {dimColor: true},
	accent: {color: 'cyan'},
	good: {color: 'green'},
	warning: {color: 'yellow'},
	bad: {color: 'red'},
	info: {color: 'blue'},
};

const PLAIN: Record<Tone, TextStyle> = {
	normal: {},
	muted: {dimColor: true},
	accent: {bold: true},
	good: {},
	warning: {bold: true},
	bad: {bold: true},
	info: {},
};

/** NO_COLOR (https://no-color.org): present and not empty. */
export function usesColour(env: NodeJS.ProcessEnv = process.env): boolean {
	return !env.NO_COLOR;
}

const tones = usesColour() ? COLOURED : PLAIN;

export function tone(name: Tone): TextStyle {
	return tones[name];
}

/** The border of a pane. */
export function borderStyle(focused: boolean): TextStyle {
	return focused ? {...tone('accent'), bold: true} : tone('muted');
}
