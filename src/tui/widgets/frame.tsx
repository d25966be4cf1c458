/** A pane's border with its title, tabs and counters in the upper line. */
import {Box, Text} from 'ink';
import type {ReactNode} from 'react';
import type {Rect} from '../layout.ts';
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
	children?: ReactNode;
}

export function Frame({rect, focused, title, note = '', children}: FrameProps) {
	const style = borderStyle(focused);
	const edge = focused ? {left: '┏', right: '┓', line: '━'} : {left: '╭', right: '╮', line: '─'};
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
	const line = edge.line.repeat(Math.max(0, room - used - displayWidth(right)));
	const heading = focused ? {...tone('accent'), bold: true} : {bold: true};
	return (
		<Box flexDirection="column" width={rect.width} height={rect.height}>
			<Text wrap="truncate">
				{paint(edge.left + edge.line, style) +
					parts.map(({text, strong}) => paint(text, strong ? heading : tone('muted'))).join('') +
					paint(line, style) +
					paint(right, tone('muted')) +
					paint(edge.line + edge.right, style)}
			</Text>
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
