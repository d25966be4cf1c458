/** A pane's border with its title, tabs and counters in the upper line. */
import {Box, Text} from 'ink';
import type {ReactNode} from 'react';
import type {Rect} from '../layout.ts';
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
	return (
		<Box flexDirection="column" width={rect.width} height={rect.height}>
			<Text wrap="truncate">
				<Text {...style}>{edge.left + edge.line}</Text>
				{parts.map(({text, strong}, index) => (
					<Text
						// biome-ignore lint/suspicious/noArrayIndexKey: parts have no other name and keep their order
						key={index}
						{...(strong ? (focused ? {...tone('accent'), bold: true} : {bold: true}) : tone('muted'))}
					>
						{text}
					</Text>
				))}
				<Text {...style}>{line}</Text>
				<Text {...tone('muted')}>{right}</Text>
				<Text {...style}>{edge.line + edge.right}</Text>
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
