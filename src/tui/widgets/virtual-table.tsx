/**
 * A table of which only the rows in sight are made. It is an ink-table whose columns have fixed widths in cells
 * (its own count characters, which is wrong for wide ones and makes it throw), whose rows are one line of text
 * each, and which has no lines between rows.
 */
import {Box, Text} from 'ink';
import type {ReactNode} from 'react';
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
		const lines: ReactNode[] = [];
		for (let index = start; index < end; index++) lines.push(this.#line(index));
		return (
			<Box flexDirection="column" width={width} height={height}>
				{this.#titles()}
				{lines}
			</Box>
		);
	}

	#titles(): ReactNode {
		const {fixed, sorted} = this.props;
		const titles = fixed.map(({name, title, width, align}) => {
			const mark = sorted?.name === name && title !== '' ? (sorted.reverse ? '▲' : '▼') : '';
			return fitCells(title + mark, width, align);
		});
		return (
			<Text {...tone('muted')} wrap="truncate">
				{fitCells(`  ${titles.join('  ')}`, this.props.width)}
			</Text>
		);
	}

	#line(index: number): ReactNode {
		const {fixed, selected, focused, width, row} = this.props;
		const {key, cells, marked = false} = row(index);
		const texts = this.getColumns().map((column, at) => {
			const text = fitCells(sanitize(cells[at]?.text ?? ''), column.width, fixed[at]?.align);
			return {text, tone: cells[at]?.tone};
		});
		if (index === selected) {
			// One style for the whole row: a selection in pieces is hard to see.
			const line = `${focused ? '❯' : '›'}${marked ? '*' : ' '}${texts.map(({text}) => text).join('  ')}`;
			return (
				<Text key={key} {...(focused ? SELECTED : SELECTED_ELSEWHERE)} wrap="truncate">
					{fitCells(line, width)}
				</Text>
			);
		}
		return (
			<Text key={key} wrap="truncate">
				{marked ? <Text {...tone('warning')}>{' *'}</Text> : '  '}
				{texts.map(({text, tone: name}, at) => (
					<Text key={fixed[at]!.name} {...tone(name ?? 'normal')}>
						{at > 0 ? `  ${text}` : text}
					</Text>
				))}
			</Text>
		);
	}
}
