/**
 * A pane's border with its title, tabs and counters in the upper line. A pane of lines is one text, borders and all:
 * boxes for each of them took a third of the time of a first frame.
 */
import {Box, Text} from 'ink';
import type {ReactNode} from 'react';
import {inside, type Rect} from '../layout.ts';
import {paint} from '../render/paint.ts';
import {displayWidth, truncate} from '../text/width.ts';
import {borderStyle, tone} from '../theme.ts';

export interface TitlePart {
	text: string;
	strong?: boolean;
}

export interface FrameProps {
	rect: Rect;
	focused: boolean;
	title: readonly TitlePart[];
	/** At the right end of the upper line. */
	note?: string;
}

/** A border around what isn't lines. */
export function Frame({children, ...frame}: FrameProps & {children?: ReactNode}) {
	const {rect, focused} = frame;
	const style = borderStyle(focused);
	return (
		<Box flexDirection="column" width={rect.width} height={rect.height}>
			<Text wrap="truncate">{upperLine(frame)}</Text>
			<Box
				width={rect.width}
				height={rect.height - 1}
				borderStyle={focused ? 'bold' : 'round'}
				borderTop={false}
				borderColor={style.color}
				borderDimColor={style.dimColor}
				overflow="hidden"
			>
				{children}
			</Box>
		</Box>
	);
}

/** A border around lines that are exactly as wide as there is room. */
export function LinesFrame({lines, ...frame}: FrameProps & {lines: readonly string[]}) {
	const {width, height} = frame.rect;
	return (
		<Box width={width} height={height}>
			<Text wrap="truncate">{framedText(frame, lines)}</Text>
		</Box>
	);
}

/** The whole rectangle: lines that there is no room for are left out, and empty ones put in their place. */
export function framedText(frame: FrameProps, lines: readonly string[]): string {
	const {focused, rect} = frame;
	const {width, height} = inside(rect);
	const {side, line, lower} = borderOf(focused);
	const style = borderStyle(focused);
	const edge = paint(side, style);
	const rows = [upperLine(frame)];
	for (let row = 0; row < height; row++) rows.push(edge + (lines[row] ?? ' '.repeat(width)) + edge);
	rows.push(paint(lower.left + line.repeat(width) + lower.right, style));
	return rows.join('\n');
}

const borderOf = (focused: boolean) =>
	focused
		? {line: '━', side: '┃', upper: {left: '┏', right: '┓'}, lower: {left: '┗', right: '┛'}}
		: {line: '─', side: '│', upper: {left: '╭', right: '╮'}, lower: {left: '╰', right: '╯'}};

function upperLine({rect, focused, title, note = ''}: FrameProps): string {
	const style = borderStyle(focused);
	const {line, upper} = borderOf(focused);
	const room = rect.width - 4;
	const parts: TitlePart[] = [];
	let used = 0;
	for (const part of title) {
		const text = truncate(part.text, room - used);
		if (text === '') break;
		parts.push({...part, text});
		used += displayWidth(text);
	}
	const right = note !== '' && used + displayWidth(note) + 3 <= room ? ` ${note} ` : '';
	const rule = line.repeat(Math.max(0, room - used - displayWidth(right)));
	const heading = focused ? {...tone('accent'), bold: true} : {bold: true};
	return (
		paint(upper.left + line, style) +
		parts.map(({text, strong}) => paint(text, strong ? heading : tone('muted'))).join('') +
		paint(rule, style) +
		paint(right, tone('muted')) +
		paint(line + upper.right, style)
	);
}
