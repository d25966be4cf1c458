/**
 * esbuild plugins for the terminal UI's bundle: they take out every top-level await, so that it can be one
 * CommonJS file, and what only costs time at the start. Each says what it expects to find and fails when a new
 * version of a package looks otherwise.
 */
import {readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {transform} from 'esbuild';

const source = dirname(fileURLToPath(import.meta.url));

function replaceOnce(text, from, to, file) {
	if (text.split(from).length !== 2)
		throw new Error(`${file}: expected exactly one ${JSON.stringify(from.slice(0, 60))}`);
	return text.replace(from, () => to);
}

const wasmText = /"data:application\/octet-stream;base64,([A-Za-z0-9+/=]+)"/;

/** The layout engine, for a file of its own: as base64 in a code cache it would be copied and decoded at each start. */
export function layoutWasm() {
	const path = join(source, '../node_modules/yoga-layout/dist/binaries/yoga-wasm-base64-esm.js');
	return Buffer.from(wasmText.exec(readFileSync(path, 'utf8'))[1], 'base64');
}

/** Layout is compiled when it is loaded, not awaited: the module is small and is needed for the first frame. */
const yogaSync = {
	name: 'yoga-sync',
	setup(bundle) {
		bundle.onLoad({filter: /yoga-layout\/dist\/src\/index\.js$/}, ({path}) => {
			const text = readFileSync(path, 'utf8');
			const contents = replaceOnce(
				text,
				'const Yoga = wrapAssembly(await loadYoga());',
				`let instance;
				loadYoga({
					instantiateWasm(imports, done) {
						const bytes = require('node:fs').readFileSync(__dirname + '/layout.wasm');
						done(new WebAssembly.Instance(new WebAssembly.Module(bytes), imports));
						return {};
					},
					onRuntimeInitialized() {
						instance = this;
					},
				});
				const Yoga = wrapAssembly(instance);`,
				path,
			);
			return {contents, loader: 'js'};
		});
		bundle.onLoad({filter: /yoga-layout\/dist\/binaries\/yoga-wasm-base64-esm\.js$/}, ({path}) => {
			const text = readFileSync(path, 'utf8');
			const [whole] = wasmText.exec(text) ?? [];
			if (!whole) throw new Error(`${path}: no WebAssembly found`);
			return {contents: replaceOnce(text, whole, '""', path), loader: 'js'};
		});
	},
};

/** Ink's developer tools are behind an await and a package that isn't installed. */
const noDevtools = {
	name: 'no-devtools',
	setup(bundle) {
		bundle.onLoad({filter: /ink\/build\/reconciler\.js$/}, ({path}) => {
			let contents = readFileSync(path, 'utf8');
			contents = replaceOnce(contents, "await import('./devtools.js');", '', path);
			contents = replaceOnce(contents, 'await loadPackageJson()', 'packageInfo', path);
			return {contents, loader: 'js'};
		});
	},
};

/** A third of what is loaded, and nobody's but React's to debug: short names make it half as long. */
const shortReact = {
	name: 'short-react',
	setup(bundle) {
		bundle.onLoad({filter: /react-reconciler\/cjs\/.*\.production\.js$/}, async ({path}) => {
			const {code} = await transform(readFileSync(path, 'utf8'), {minifyIdentifiers: true});
			return {contents: code, loader: 'js'};
		});
	},
};

/** Three packages bring their own copy of the same table, each made when it is loaded. */
const oneTableOfStyles = {
	name: 'one-table-of-styles',
	setup(bundle) {
		bundle.onResolve({filter: /^ansi-styles$/}, () => ({
			path: join(source, '../node_modules/ansi-styles/index.js'),
		}));
	},
};

/** Ink measures text in six places, with a package that runs regular expressions on each character. */
const ownStringWidth = {
	name: 'own-string-width',
	setup(bundle) {
		bundle.onResolve({filter: /^string-width$/}, () => ({path: join(source, 'tui/text/width.ts')}));
	},
};

/**
 * Ink remembers the sizes of the last thousands of texts, which keeps the texts: those here are as large as a pane,
 * and those of most frames are never seen again. A frame has some twenty.
 */
const smallCaches = {
	name: 'small-caches',
	setup(bundle) {
		bundle.onLoad({filter: /ink\/build\/(measure-text|wrap-text)\.js$/}, ({path}) => ({
			contents: replaceOnce(readFileSync(path, 'utf8'), 'maxSize: 4096', 'maxSize: 64', path),
			loader: 'js',
		}));
	},
};

/** Lines are put together without an object for each character, and styled text isn't taken apart to be checked. */
const ownOutput = {
	name: 'own-output',
	setup(bundle) {
		const own = {'./output.js': 'output.ts', './sanitize-ansi.js': 'sanitize-styled.ts'};
		bundle.onResolve({filter: /^\.\/(output|sanitize-ansi)\.js$/}, ({path, importer}) =>
			importer.includes('/ink/build/') ? {path: join(source, 'tui/render', own[path])} : undefined,
		);
	},
};

/** Text is split into characters by a segmenter that is made only for text that needs it. */
const lazySegmenter = {
	name: 'lazy-segmenter',
	setup(bundle) {
		const {initialOptions: options} = bundle;
		options.define = {...options.define, 'Intl.Segmenter': 'LazySegmenter'};
		options.inject = [...(options.inject ?? []), join(source, 'tui/text/segmenter.ts')];
	},
};

/**
 * React's scheduler and Ink ask for `performance` and `navigator`: Node loads ten modules of its own for them, and
 * all that is used is a clock.
 */
const ownClock = {
	name: 'own-clock',
	setup(bundle) {
		const {initialOptions: options} = bundle;
		options.define = {
			...options.define,
			performance: 'ownPerformance',
			'globalThis.navigator': 'undefined',
			navigator: 'undefined',
		};
		options.inject = [...(options.inject ?? []), join(source, 'tui/store/clock.ts')];
	},
};

/** In the bundle ink-table's `require('ink')` is served like any import; its row hash is never used. */
const plainInkTable = {
	name: 'plain-ink-table',
	setup(bundle) {
		bundle.onLoad({filter: /tui\/widgets\/ink-table\.ts$/}, ({path}) => ({
			contents: "import table from 'ink-table'; export const InkTable = table.default ?? table;",
			loader: 'js',
			resolveDir: dirname(path),
		}));
		bundle.onResolve({filter: /^object-hash$/}, () => ({path: 'object-hash', namespace: 'unused'}));
		bundle.onLoad({filter: /.*/, namespace: 'unused'}, () => ({
			contents: 'module.exports = {};',
			loader: 'js',
		}));
	},
};

/**
 * What Ink loads and never uses here: keys come from the input router; the exit guard gives the terminal back (60
 * listeners of another, and node:assert), and its report of an error while drawing is on a screen that is gone at once
 * (70 regular expressions made when it is loaded).
 */
const without = {
	name: 'without',
	setup(bundle) {
		const contents = {
			'signal-exit': 'export default () => () => {};',
			'error-overview': 'export default () => null;',
			'parse-keypress': 'export const nonAlphanumericKeys = []; export default () => ({});',
		};
		bundle.onResolve({filter: /^signal-exit$/}, () => ({path: 'signal-exit', namespace: 'without'}));
		bundle.onResolve({filter: /\/ErrorOverview\.js$/}, () => ({
			path: 'error-overview',
			namespace: 'without',
		}));
		bundle.onResolve({filter: /\/parse-keypress\.js$/}, () => ({
			path: 'parse-keypress',
			namespace: 'without',
		}));
		bundle.onLoad({filter: /.*/, namespace: 'without'}, ({path}) => ({
			contents: contents[path],
			loader: 'js',
		}));
	},
};

/**
 * Ink takes the process's own streams for what it isn't given, and as soon as it is loaded: with them Node loads
 * sockets, and with `instanceof Stream` all of its streams. Colours depend on whether the output is a terminal,
 * which the addon knows.
 */
const noStreams = {
	name: 'no-streams',
	setup(bundle) {
		bundle.onLoad({filter: /ink\/build\/components\/Std(in|out|err)Context\.js$/}, ({path}) => {
			const [, name] = /Std(in|out|err)Context/.exec(path);
			const text = readFileSync(path, 'utf8');
			return {
				contents: replaceOnce(text, `process.std${name}`, 'undefined', path),
				loader: 'js',
			};
		});
		bundle.onLoad({filter: /ink\/build\/render\.js$/}, ({path}) => ({
			contents: replaceOnce(readFileSync(path, 'utf8'), 'stdout instanceof Stream', 'false', path),
			loader: 'js',
		}));
		bundle.onResolve({filter: /^node:tty$/}, ({importer}) =>
			/\/supports-color\/index\.js$/.test(importer) ? {path: 'terminals', namespace: 'terminals'} : undefined,
		);
		bundle.onLoad({filter: /.*/, namespace: 'terminals'}, () => ({
			contents: "import {isTerminal} from './kernel/terminal.ts'; export default {isatty: isTerminal};",
			loader: 'js',
			resolveDir: source,
		}));
	},
};

export const tuiPlugins = [
	yogaSync,
	noDevtools,
	shortReact,
	oneTableOfStyles,
	ownStringWidth,
	smallCaches,
	ownOutput,
	lazySegmenter,
	ownClock,
	plainInkTable,
	noStreams,
	without,
];

/**
 * esbuild's own function copies each export of a module that is imported, and so has the boot file load each of
 * Node's modules that something imports and nothing uses. An object that inherits them asks for what is used.
 */
export function lazyNamespaces(text, file) {
	return replaceOnce(
		text,
		'__toESM=(mod,isNodeMode,target)=>(target=mod!=null?__create(__getProtoOf(mod)):{},__copyProps(isNodeMode||!mod||!mod.__esModule?__defProp(target,"default",{value:mod,enumerable:!0}):target,mod))',
		'__toESM=(mod,isNodeMode)=>{const target=__create(mod);return isNodeMode||!mod.__esModule?__defProp(target,"default",{value:mod,enumerable:!0}):target}',
		file,
	);
}
