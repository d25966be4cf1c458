/**
 * A table of which only the rows in sight are made. It is an ink-table whose columns have fixed widths in cells
 * (its own count characters, which is wrong for wide ones and makes it throw), and which has no lines between rows.
 * It is one text with its frame: hundreds of cells as elements would take most of the time of a frame.
 */
import {Box, Text} from 'ink';
import type {ReactNode} from 'react';
import {inside} from '../layout.ts';
import {paint} from '../render/paint.ts';
import {sanitize} from '../text/sanitize.ts';
import {fitCells} from '../text/width.ts';
import {type TextStyle, type Tone, tone} from '../theme.ts';
import {type FrameProps, framedText} from './frame.tsx';
import {InkTable, type InkTableColumn, type InkTableProps} from './ink-table.ts';

export interface TableColumn {
	name: string;
	title: string;
	width: number;
	align?: 'right';
}

export interface TableCell {
	text: string;
	tone?: Tone;
}

export interface VirtualTableProps extends InkTableProps {
	frame: FrameProps;
	fixed: readonly TableColumn[];
	/** Rows there are; only those from `start` that fit are asked for. */
	count: number;
	start: number;
	selected: number;
	/** The column that the order goes by. */
	sorted?: {name: string; reverse: boolean} | undefined;
	row(index: number): {key: string; cells: readonly TableCell[]; marked?: boolean};
}

const SELECTED: TextStyle = {inverse: true};
const SELECTED_ELSEWHERE: TextStyle = {bold: true};

export class VirtualTable extends InkTable {
	declare readonly props: VirtualTableProps;

	override getColumns(): InkTableColumn[] {
		return this.props.fixed.map(({name, width}) => ({column: name, key: name, width}));
	}

	override render(): ReactNode {
		const {count, start, frame} = this.props;
		const {height} = inside(frame.rect);
		const end = Math.min(count, start + Math.max(0, height - 1));
		const lines = [this.#titles()];
		for (let index = start; index < end; index++) lines.push(this.#line(index));
		return (
			<Box width={frame.rect.width} height={frame.rect.height}>
				<Text wrap="truncate">{framedText(frame, lines)}</Text>
			</Box>
		);
	}

	get #width(): number {
		return inside(this.props.frame.rect).width;
	}

	#titles(): string {
		const {fixed, sorted} = this.props;
		const titles = fixed.map(({name, title, width, align}) => {
			const mark = sorted?.name === name && title !== '' ? (sorted.reverse ? '▲' : '▼') : '';
			return fitCells(title + mark, width, align);
		});
		return paint(fitCells(`  ${titles.join('  ')}`, this.#width), tone('muted'));
	}

	#line(index: number): string {
		const {fixed, selected, frame, row} = this.props;
		const width = this.#width;
		const {focused} = frame;
		const {cells, marked = false} = row(index);
		const texts = fixed.map((column, at) => {
			const text = fitCells(sanitize(cells[at]?.text ?? ''), column.width, column.align);
			return {text, tone: cells[at]?.tone};
		});
		if (index === selected) {
			// One style for the whole row: a selection in pieces is hard to see.
			const line = `${focused ? '❯' : '›'}${marked ? '*' : ' '}${texts.map(({text}) => text).join('  ')}`;
			return paint(fitCells(line, width), focused ? SELECTED : SELECTED_ELSEWHERE);
		}
		const used = fixed.reduce((sum, column) => sum + column.width, 2 * fixed.length);
		if (used > width)
			return fitCells(`${marked ? ' *' : '  '}${texts.map(({text}) => text).join('  ')}`, width);
		const left = marked ? paint(' *', tone('warning')) : '  ';
		const painted = texts.map(({text, tone: name}, at) =>
			paint(at > 0 ? `  ${text}` : text, tone(name ?? 'normal')),
		);
		return left + painted.join('') + ' '.repeat(Math.max(0, width - used));
	}
}
