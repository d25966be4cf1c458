/** What a pane says while it has nothing to show, in its middle. */
import {Box, Text} from 'ink';
import {paint} from '../render/paint.ts';
import {sanitize} from '../text/sanitize.ts';
import {displayWidth, fitCells, wrapWords} from '../text/width.ts';
import {tone} from '../theme.ts';

interface EmptyProps {
	lines: readonly string[];
	width: number;
	height: number;
}

/** For a frame of anything. */
export function Empty({width, ...rest}: EmptyProps) {
	return (
		<Box width={width}>
			<Text wrap="truncate">{emptyRows({width, ...rest}).join('\n')}</Text>
		</Box>
	);
}

/** For a frame of lines, each exactly as wide. */
export function emptyRows({lines: long, width, height}: EmptyProps): string[] {
	const lines = long.flatMap((line) => wrapWords(sanitize(line), Math.max(1, width - 2)));
	const block = Math.max(...lines.map((line) => displayWidth(line)));
	const left = ' '.repeat(Math.max(1, Math.floor((width - block) / 2)));
	const top = Math.max(0, Math.floor((height - lines.length) / 2));
	const rows = lines
		.slice(0, height)
		.map((line, index) => paint(fitCells(left + line, width), index === 0 ? {bold: true} : tone('normal')));
	return [...new Array<string>(top).fill(' '.repeat(width)), ...rows];
}
