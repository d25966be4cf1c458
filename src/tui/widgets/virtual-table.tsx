/**
 * A table of which only the rows in sight are made. It is an ink-table whose columns have fixed widths in cells
 * (its own count characters, which is wrong for wide ones and makes it throw), and which has no lines between rows.
 * It is one text: hundreds of cells as elements would take most of the time of a frame.
 */
import {Box, Text} from 'ink';
import type {ReactNode} from 'react';
import {paint} from '../render/paint.ts';
import {sanitize} from '../text/sanitize.ts';
import {fitCells} from '../text/width.ts';
import {type TextStyle, type Tone, tone} from '../theme.ts';
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
	fixed: readonly TableColumn[];
	/** Rows there are; only those from `start` that fit are asked for. */
	count: number;
	start: number;
	height: number;
	width: number;
	selected: number;
	focused: boolean;
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
		const {count, start, height, width} = this.props;
		const end = Math.min(count, start + Math.max(0, height - 1));
		const lines = [this.#titles()];
		for (let index = start; index < end; index++) lines.push(this.#line(index));
		return (
			<Box width={width} height={height}>
				<Text wrap="truncate">{lines.join('\n')}</Text>
			</Box>
		);
	}

	#titles(): string {
		const {fixed, sorted} = this.props;
		const titles = fixed.map(({name, title, width, align}) => {
			const mark = sorted?.name === name && title !== '' ? (sorted.reverse ? '▲' : '▼') : '';
			return fitCells(title + mark, width, align);
		});
		return paint(fitCells(`  ${titles.join('  ')}`, this.props.width), tone('muted'));
	}

	#line(index: number): string {
		const {fixed, selected, focused, width, row} = this.props;
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
		const left = marked ? paint(' *', tone('warning')) : '  ';
		const painted = texts.map(({text, tone: name}, at) =>
			paint(at > 0 ? `  ${text}` : text, tone(name ?? 'normal')),
		);
		return left + painted.join('');
	}
}
