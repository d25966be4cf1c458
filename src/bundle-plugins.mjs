/**
 * esbuild plugins for the terminal UI's bundle: they take out every top-level await, so that it can be one
 * CommonJS file, and what only costs time at the start. Each says what it expects to find and fails when a new
 * version of a package looks otherwise.
 */
import {readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const source = dirname(fileURLToPath(import.meta.url));

function replaceOnce(text, from, to, file) {
	if (text.split(from).length !== 2)
		throw new Error(`${file}: expected exactly one ${JSON.stringify(from.slice(0, 60))}`);
	return text.replace(from, () => to);
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
						const bytes = Buffer.from(loadYoga.wasm, 'base64');
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
			const prefix = 'data:application/octet-stream;base64,';
			const wasm = new RegExp(`"${prefix}([A-Za-z0-9+/=]+)"`).exec(text)?.[1];
			if (!wasm) throw new Error(`${path}: no WebAssembly found`);
			// Their own decoder isn't needed, and is slow.
			const rest = replaceOnce(text, wasm, '', path);
			return {contents: `${rest}\nloadYoga.wasm = ${JSON.stringify(wasm)};\n`, loader: 'js'};
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

/** Ink measures text in six places, with a package that runs regular expressions on each character. */
const ownStringWidth = {
	name: 'own-string-width',
	setup(bundle) {
		bundle.onResolve({filter: /^string-width$/}, () => ({path: join(source, 'tui/text/width.ts')}));
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

export const tuiPlugins = [yogaSync, noDevtools, ownStringWidth, lazySegmenter, plainInkTable];
