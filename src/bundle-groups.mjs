/**
 * Splits a face into a few files that are loaded one by one: V8 takes a code cache into memory whole, and the
 * engine's would cost every command 5 ms more than the part that it needs. Each module is in one file only, and
 * within a file all modules share one scope, so that a call from one to another costs nothing:
 *
 *   exports.modules = {'engine/locks.ts': () => ({Locks}), ...}
 *
 * What another file has is taken by `require('./cli.cjs?engine/locks.ts')`, which the boot file serves: statically
 * imported names when the file is loaded, dynamically imported ones when they are asked for.
 */
import {dirname, join, relative} from 'node:path';
import {build} from 'esbuild';

const isStatic = (kind) => kind !== 'dynamic-import';

/** The modules below `source` that `entry` reaches: their imports, their exports, and what each takes of others. */
async function readModules(options, source, entry) {
	const {metafile} = await build({
		...options,
		entryPoints: [entry],
		outdir: 'graph',
		write: false,
		metafile: true,
	});
	const id = (path) => relative(source, join(options.absWorkingDir, path));
	const isOwn = (path) => !id(path).startsWith('..');
	const modules = new Map();
	for (const [path, {imports}] of Object.entries(metafile.inputs)) {
		if (!isOwn(path)) continue;
		const own = imports.filter((each) => !each.external && isOwn(each.path));
		modules.set(id(path), {imports: own.map((each) => ({id: id(each.path), kind: each.kind}))});
	}
	const single = await build({
		...options,
		bundle: false,
		plugins: [],
		banner: undefined,
		format: 'esm',
		outdir: 'single',
		entryPoints: [...modules.keys()].map((name) => join(source, name)),
		write: false,
		metafile: true,
		outbase: source,
	});
	for (const [path, {entryPoint, exports}] of Object.entries(single.metafile.outputs)) {
		const module = modules.get(id(entryPoint));
		module.exports = exports;
		const {text} = single.outputFiles.find((file) => file.path === join(options.absWorkingDir, path));
		module.taken = new Map();
		for (const [, names, from] of text.matchAll(/import\s*\{([^}]*)\}\s*from\s*"(\.[^"]+)"/g)) {
			const taken = names.split(',').map((name) => name.trim().split(/\s+as\s+/)[0]);
			module.taken.set(join(dirname(id(entryPoint)), from), taken);
		}
	}
	return modules;
}

/** Which group each module is in: that of the first whose sources need it, or the last. */
function place(modules, groups) {
	const placed = new Map();
	const put = (id, group) => {
		if (placed.has(id)) return;
		placed.set(id, group);
		for (const {id: other, kind} of modules.get(id).imports) if (isStatic(kind)) put(other, group);
	};
	for (const [group, sources] of Object.entries(groups)) {
		for (const each of sources) {
			if (!modules.has(each)) throw new Error(`group ${group}: there is no ${each}`);
			put(each, group);
		}
	}
	for (const id of modules.keys()) put(id, Object.keys(groups).at(-1));
	return placed;
}

/**
 * `groups`: file name to the modules, relative to `source`, that go there with all that these import; the last
 * gets the rest, of which nothing runs before it is asked for. `entry` is in the first. Its exports are the file's.
 */
export async function bundleGroups(options, source, entry, groups) {
	const modules = await readModules(options, source, join(source, entry));
	const placed = place(modules, groups);
	const names = Object.keys(groups);

	/** What of each module the other files, or dynamic imports, ask for. */
	const wanted = new Map();
	for (const [id, {imports, taken}] of modules) {
		for (const {id: other, kind} of imports) {
			const asked = wanted.get(other) ?? new Set();
			if (isStatic(kind) && placed.get(other) === placed.get(id)) continue;
			// `import * as` may use all of them.
			const names = (isStatic(kind) && taken.get(other)) || modules.get(other).exports;
			for (const name of names) asked.add(name);
			wanted.set(other, asked);
		}
	}

	const files = new Map();
	for (const group of names) {
		const last = group === names.at(-1);
		const offered = [...wanted.keys()].filter((id) => placed.get(id) === group);
		const lines = offered.flatMap((id, at) => {
			const list = [...wanted.get(id)];
			return last ? [] : [`import {${list.map((name) => `${name} as ${name}_${at}`)}} from './${id}';`];
		});
		const rows = offered.map((id, at) => {
			const list = [...wanted.get(id)].map((name) => `${name}: ${name}_${at}`);
			return `'${id}': () => ${last ? `require('./${id}')` : `({${list}})`},`;
		});
		if (placed.get(entry) === group) lines.push(`export * from './${entry}';`);
		const elsewhere = {
			name: 'elsewhere',
			setup(bundle) {
				bundle.onResolve({filter: /^\.\.?\//}, ({path, resolveDir, kind, importer}) => {
					const id = relative(source, join(resolveDir, path));
					if (kind === 'entry-point' || !placed.has(id)) return undefined;
					const external = `./${placed.get(id)}.cjs?${id}`;
					if (!isStatic(kind)) return {path: external, external: true};
					if (placed.get(id) === group) return undefined;
					return {path: external, namespace: 'elsewhere', pluginData: {id, importer}};
				});
				bundle.onLoad({filter: /.*/, namespace: 'elsewhere'}, ({path, pluginData: {id}}) => ({
					contents: `export const {${[...wanted.get(id)]}} = require('${path}');`,
					loader: 'js',
				}));
				bundle.onResolve({filter: /.*/, namespace: 'elsewhere'}, ({path}) => ({path, external: true}));
			},
		};
		const {outputFiles} = await build({
			...options,
			plugins: [elsewhere, ...(options.plugins ?? [])],
			stdin: {
				contents: `${lines.join('\n')}\nexport const modules = {\n${rows.join('\n')}\n};\n`,
				resolveDir: source,
				sourcefile: 'group.ts',
				loader: 'ts',
			},
			outfile: `${group}.cjs`,
			write: false,
		});
		files.set(group, outputFiles[0].text);
	}
	return files;
}
