/**
 * Splits a face into a few files that are loaded one by one: V8 takes a code cache into memory whole, and the
 * engine's would cost every command 5 ms more than the part that it needs. Each module is in one file only, and
 * within a file all modules share one scope, so that a call from one to another costs nothing. What another file
 * has is taken by `require('./core.cjs?engine/locks.ts')`, which the boot file serves:
 *
 *   - by a dynamic import when it runs;
 *   - by a static import of functions, when one of them is first called; numbers and strings are copied;
 *   - by any other static import when the file is loaded.
 */
import {readFileSync} from 'node:fs';
import {dirname, join, relative} from 'node:path';
import {build} from 'esbuild';

const isStatic = (kind) => kind !== 'dynamic-import';

/**
 * The modules below `source` that `entry` reaches, by their path there: their imports, their exports, which of
 * these are functions or literals, what each takes of others, and which it only has run.
 */
async function readModules(options, source, entry) {
	const {metafile} = await build({
		...options,
		entryPoints: [join(source, entry)],
		outdir: 'graph',
		write: false,
		metafile: true,
	});
	const idOf = (path) => relative(source, join(options.absWorkingDir, path));
	const isOwn = (path) => !idOf(path).startsWith('..');
	const modules = new Map();
	for (const [path, {imports}] of Object.entries(metafile.inputs)) {
		if (!isOwn(path)) continue;
		const own = imports.filter((each) => !each.external && isOwn(each.path));
		modules.set(idOf(path), {imports: own.map((each) => ({id: idOf(each.path), kind: each.kind}))});
	}
	const single = await build({
		target: options.target,
		bundle: false,
		format: 'esm',
		outdir: 'single',
		outbase: source,
		absWorkingDir: options.absWorkingDir,
		entryPoints: [...modules.keys()].map((id) => join(source, id)),
		write: false,
		metafile: true,
	});
	for (const [path, {entryPoint, exports}] of Object.entries(single.metafile.outputs)) {
		const id = idOf(entryPoint);
		const {text} = single.outputFiles.find((file) => file.path === join(options.absWorkingDir, path));
		const functions = new Set([
			...[...text.matchAll(/^(?:async )?function\*? ([\w$]+)/gm)].map(([, name]) => name),
			...[...text.matchAll(/^const ([\w$]+) = (?:async )?(?:\([^()]*\)|[\w$]+) =>/gm)].map(
				([, name]) => name,
			),
		]);
		const literals = new Map(
			[...text.matchAll(/^const ([\w$]+) = ("[^"\n]*"|\d+);$/gm)].map(([, name, value]) => [name, value]),
		);
		const taken = new Map();
		for (const [, names, from] of text.matchAll(/^(?:import|export)\s*\{([^}]*)\}\s*from\s*"(\.[^"]+)"/gm)) {
			const list = names.split(',').map((name) => name.trim().split(/\s+as\s+/)[0]);
			const other = join(dirname(id), from);
			taken.set(other, [...new Set([...(taken.get(other) ?? []), ...list])]);
		}
		// `import './types.ts'` is there for what that does when it is loaded.
		const run = [...text.matchAll(/^import\s*"(\.[^"]+)"/gm)].map(([, from]) => join(dirname(id), from));
		for (const other of run) taken.set(other, []);
		Object.assign(modules.get(id), {exports, functions, literals, taken, run: new Set(run)});
	}
	return modules;
}

/** What of `other` a static import in `module` takes; `import * as` may use all. */
const namesTaken = (modules, id, other) => modules.get(id).taken.get(other) ?? modules.get(other).exports;

/** Whether all of that can be taken later, when it is called. */
const isLazy = (modules, id, other) =>
	!modules.get(id).run.has(other) &&
	namesTaken(modules, id, other).every(
		(name) => modules.get(other).functions.has(name) || modules.get(other).literals.has(name),
	);

/**
 * Which group each module is in: the one that names it, else that of the first that needs it, or the last. A name
 * may be a folder, with a slash at its end. What a group needs when it is loaded is in it or in one before it:
 * files that need each other could not be loaded.
 */
function place(modules, groups) {
	const placed = new Map();
	const named = new Map();
	for (const [group, sources] of Object.entries(groups)) {
		for (const each of sources) {
			const found = [...modules.keys()].filter((id) =>
				each.endsWith('/') ? id.startsWith(each) : id === each,
			);
			if (found.length === 0)
				process.stderr.write(`wherry: ${each}, of the file ${group}, is not in the bundle\n`);
			for (const id of found) if (!named.has(id)) named.set(id, group);
		}
	}
	const put = (id, group) => {
		if (placed.has(id) || (named.get(id) ?? group) !== group) return;
		placed.set(id, group);
		for (const {id: other, kind} of modules.get(id).imports) if (isStatic(kind)) put(other, group);
	};
	for (const group of Object.keys(groups)) for (const [id, its] of named) if (its === group) put(id, group);
	const order = Object.keys(groups);
	for (const id of modules.keys()) put(id, order.at(-1));

	const isBehind = (group, other) => order.indexOf(group) > order.indexOf(other);
	for (let moved = true; moved; ) {
		moved = false;
		for (const [id, {imports}] of modules) {
			for (const {id: other, kind} of imports) {
				if (!isStatic(kind) || !isBehind(placed.get(other), placed.get(id))) continue;
				if (isLazy(modules, id, other)) continue;
				placed.set(other, placed.get(id));
				moved = true;
			}
		}
	}
	return placed;
}

/**
 * `groups`: file name to the modules, relative to `source`, that go there with all that these import; the last
 * gets the rest, of which nothing runs before it is asked for. `entry` is in the first. Its exports are the file's.
 */
export async function bundleGroups(options, source, entry, groups) {
	const modules = await readModules(options, source, entry);
	const placed = place(modules, groups);
	const last = Object.keys(groups).at(-1);
	const pathOf = (id) => `./${placed.get(id)}.cjs?${id}`;

	/** What of each module the other files, or dynamic imports, ask for. */
	const wanted = new Map();
	for (const [id, {imports}] of modules) {
		for (const {id: other, kind} of imports) {
			if (isStatic(kind) && placed.get(other) === placed.get(id)) continue;
			const names = isStatic(kind) ? namesTaken(modules, id, other) : modules.get(other).exports;
			wanted.set(other, new Set([...(wanted.get(other) ?? []), ...names]));
		}
	}

	/** A module that stands for one of another file. */
	const stub = (id, importer) => {
		const {functions, literals} = modules.get(id);
		const names = namesTaken(modules, importer, id);
		if (!isLazy(modules, importer, id))
			return `export const {${names.join(', ')}} = require('${pathOf(id)}');`;
		const lines = names.map((name) =>
			functions.has(name)
				? `export const ${name} = (...args) => load().${name}(...args);`
				: `export const ${name} = ${literals.get(name)};`,
		);
		return `let loaded;\nconst load = () => (loaded ??= require('${pathOf(id)}'));\n${lines.join('\n')}`;
	};

	const files = new Map();
	for (const group of Object.keys(groups)) {
		const offered = [...wanted.keys()].filter((id) => placed.get(id) === group);
		const imports = offered.map((id, at) => {
			const names = [...wanted.get(id)].map((name) => `${name} as ${name}_${at}`);
			if (group === last) return '';
			return names.length > 0 ? `import {${names.join(', ')}} from './${id}';` : `import './${id}';`;
		});
		const cases = offered.map((id, at) => {
			const names = [...wanted.get(id)].map((name) => `${name}: ${name}_${at}`);
			return `case '${id}': return ${group === last ? `require('./${id}')` : `{${names.join(', ')}}`};`;
		});
		const elsewhere = {
			name: 'elsewhere',
			setup(bundle) {
				bundle.onResolve({filter: /^\.\.?\//}, ({path, resolveDir, kind, importer}) => {
					const id = relative(source, join(resolveDir, path));
					if (!placed.has(id)) return undefined;
					// One that was not replaced below would put a second copy of the module into this file.
					if (!isStatic(kind)) return {errors: [{text: `the import of ${id} is not understood`}]};
					if (placed.get(id) === group) return undefined;
					const by = relative(source, importer);
					return {path: `${id} for ${by}`, namespace: 'elsewhere', pluginData: {id, by}};
				});
				bundle.onResolve({filter: /.*/, namespace: 'elsewhere'}, ({path}) => ({path, external: true}));
				bundle.onLoad({filter: /.*/, namespace: 'elsewhere'}, ({pluginData: {id, by}}) => ({
					contents: stub(id, by),
					loader: 'js',
				}));
				// esbuild would make a namespace object of getters for each, whether it is ever imported or not.
				bundle.onLoad({filter: /\.ts$/}, ({path}) => {
					if (!placed.has(relative(source, path))) return undefined;
					const contents = readFileSync(path, 'utf8').replace(
						/(?<!typeof )\bimport\(\s*'(\.[^']+)',?\s*\)/g,
						(whole, from) => {
							const id = relative(source, join(dirname(path), from));
							return placed.has(id) ? `Promise.resolve(require('${pathOf(id)}'))` : whole;
						},
					);
					return {contents, loader: 'ts'};
				});
				bundle.onResolve({filter: /\.cjs\?/}, ({path}) => ({path, external: true}));
			},
		};
		const {outputFiles} = await build({
			...options,
			plugins: [elsewhere, ...(options.plugins ?? [])],
			stdin: {
				contents: [
					...imports,
					placed.get(entry) === group ? `export * from './${entry}';` : '',
					'export function modules(id) {',
					`switch (id) {\n${cases.join('\n')}\n}`,
					'}',
				].join('\n'),
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
