/**
 * ink-table is CommonJS and says `require('ink')`; ink is an ES module with top-level await, which can't be
 * required. So the ink that is loaded already is put where `require` looks first. In the bundle neither is so:
 * bundle-plugins.mjs puts a plain import in this module's place.
 */
import {createRequire, Module} from 'node:module';
import * as ink from 'ink';
import type {Component} from 'react';

export interface InkTableColumn {
	column: string;
	key: string;
	width: number;
}

export interface InkTableProps {
	data: Record<string, string>[];
}

/** What we use of ink-table's class; its own declarations need React types of old. */
declare class Table extends Component<InkTableProps> {
	getColumns(): InkTableColumn[];
}

const require = createRequire(import.meta.url);
const path = require.resolve('ink');
require.cache[path] = Object.assign(new Module(path), {exports: ink, filename: path, loaded: true});

export const InkTable: typeof Table = require('ink-table').default;
