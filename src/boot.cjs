'use strict';
// The first file that Node reads: it compiles the faces through a V8 code cache. The cache made with the
// build is used when it fits this Node; otherwise one is kept in WHERRY_ROOT/cache/v8, which only root can
// write (V8 doesn't authenticate it). It is a file of its own to stay tiny: it has no cache itself.
const fs = require('node:fs');
const vm = require('node:vm');

const BUILD = '@BUILD@';
const env = process.env;
// The launcher's, for this process alone: `run -e MALLOC_ARENA_MAX` has the user's or none.
if (env.WHERRY_SET_MALLOC_ARENA_MAX) {
	delete env.WHERRY_SET_MALLOC_ARENA_MAX;
	delete env.MALLOC_ARENA_MAX;
}
for (const name of ['NODE_OPTIONS', 'NODE_COMPILE_CACHE']) {
	const kept = env[`WHERRY_KEPT_${name}`];
	if (kept === undefined) continue;
	env[name] = kept;
	delete env[`WHERRY_KEPT_${name}`];
}

const warm = env.WHERRY_WARM === '1';
// The build may be anybody's; what it rehearses is in folders of its own.
if (warm) process.geteuid = () => 0;
const shipped = `${__dirname}/v8`;
const own = `${env.WHERRY_ROOT || '/var/lib/wherry'}/cache/v8`;
// V8 takes a cache only with the flags that it was made with: see the launcher.
const variants = {'--no-opt': 'short', '--max-semi-space-size=16': 'ui', '--no-rehash-snapshot': 'local'};
const variant = variants[Object.keys(variants).find((flag) => process.execArgv.includes(flag))] ?? 'long';
const fileOf = (face) => `${face}-${variant}-${BUILD}-${process.versions.v8}-${process.arch}`;

function read(file) {
	try {
		return fs.readFileSync(file);
	} catch {
		return undefined;
	}
}

const loaded = new Map();
/** The faces whose cache is still to be written: [name, vm.Script]. */
const pending = [];
const boot = {build: BUILD, shipped, own, fileOf, warm, pending};

function load(face) {
	const known = loaded.get(face);
	if (known) return known.exports;
	const filename = `${__dirname}/${face}.cjs`;
	const module = {exports: {}};
	loaded.set(face, module);
	const code = `(function(exports,require,module,__filename,__dirname){${fs.readFileSync(filename, 'latin1')}\n})`;
	const cachedData = warm ? undefined : read(`${shipped}/${fileOf(face)}`);
	let script = cachedData && new vm.Script(code, {filename, cachedData});
	if (!script || script.cachedDataRejected)
		script = require('./own-cache.cjs').compile(boot, face, code, filename);
	script.runInThisContext()(module.exports, local, module, filename, __dirname);
	return module.exports;
}

/** What Node itself has loaded before the first line of this file: these cost nothing. */
const present = [
	'async_hooks',
	'buffer',
	'diagnostics_channel',
	'events',
	'fs',
	'path',
	'timers',
	'url',
	'util',
	'vm',
];

/** What is there without being loaded. */
const builtins = new Map([['node:process', process]]);

/**
 * Other built-in modules are loaded at the first use of one of their exports, not at import: node:crypto alone
 * takes 5 ms, and most commands need none of it.
 */
function builtin(id) {
	let module = builtins.get(id);
	if (module === undefined) {
		module = id.startsWith('node:') && !present.includes(id.slice(5)) ? lazy(id) : require(id);
		builtins.set(id, module);
	}
	return module;
}

const lazy = (id) =>
	new Proxy(
		{},
		{
			get: (_, name) => require(id)[name],
			// What `await import()` copies.
			ownKeys: () => Reflect.ownKeys(require(id)),
			getOwnPropertyDescriptor: (_, name) => ({
				...Reflect.getOwnPropertyDescriptor(require(id), name),
				configurable: true,
			}),
		},
	);

/** `node:os`, `./tui.cjs`, or a module of another face: `./core.cjs?engine/locks.ts`. */
function local(id) {
	if (!id.startsWith('./')) return builtin(id);
	const [face, module] = id.slice(2).split('.cjs?');
	return module === undefined ? load(face.slice(0, -4)) : load(face).modules(module);
}
local.resolve = require.resolve;
local.cache = require.cache;

function finish(code) {
	if (pending.length > 0) require('./own-cache.cjs').keep(boot);
	leave(code);
}

const [only] = process.argv.slice(2);
if (process.argv.length === 3 && (only === '--version' || only === '-v')) {
	try {
		fs.writeSync(1, 'wherry version @VERSION@\n');
		process.exit(0);
	} catch {
		// The command below knows what to say of such an output.
	}
}

const {main, warmUp, leave} = load('core');
if (warm) {
	warmUp().then(() => {
		require('./own-cache.cjs').ship(boot);
		process.exit(0);
	});
} else {
	main(process.argv.slice(2)).then(finish);
}
