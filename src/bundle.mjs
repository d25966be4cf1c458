/**
 * Builds dist/: one bundle per face, the boot file that loads them through a V8 code cache, and that cache.
 *
 *   wherry.cjs    boot: finds a fitting code cache, loads a face
 *   own-cache.cjs makes code caches, here and where those of the build don't fit
 *   core.cjs      the command line, and what every command needs of the engine
 *   list.cjs      lists and inspect
 *   watch.cjs     networks, and what goes on, for the terminal UI
 *   template.cjs  Go's templates
 *   session.cjs   what talks to containers that run
 *   plan.cjs      from a specification to plans
 *   files.cjs     what copies, compares and exports files of containers
 *   images.cjs    what lists and finds images
 *   start.cjs     what makes and starts containers
 *   network.cjs   what attaches them to networks
 *   bridge.cjs    what makes the default network
 *   seccomp.cjs   filters of system calls
 *   oci.cjs       the command line of OCI runtimes
 *   more.cjs      the rest of both
 *   help.cjs      yargs, for help and completion only
 *   execa.cjs     for credential helpers
 *   tui.cjs       the terminal UI
 *   xterm.cjs     the emulator of terminals in its panes
 *   layout.wasm   its layout engine
 *   index.mjs     the library
 *   node-path     the Node that the launcher starts, its flags for short commands, for local ones and for the UI
 *   v8/           code caches of that Node
 */
import {spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join, relative} from 'node:path';
import {fileURLToPath} from 'node:url';
import {build, transform} from 'esbuild';
import {bundleGroups} from './bundle-groups.mjs';
import {layoutWasm, lazyNamespaces, tuiPlugins} from './bundle-plugins.mjs';

const source = dirname(fileURLToPath(import.meta.url));
const root = dirname(source);
const dist = join(root, 'dist');
// Built beside and renamed: a command that runs meanwhile sees the old build or the new one.
const target = join(root, `.dist-${process.pid}`);
const {version} = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Programs of others that only some commands need: bundles of their own, loaded through the boot file. */
const apart = ['execa'];

/** Faces load each other through the boot file's `require`, and nothing of another face is bundled twice. */
const faces = {
	name: 'faces',
	setup(bundle) {
		const external = [
			[/\/tui\/main\.tsx$/, './tui.cjs'],
			[/\/help\/main\.ts$/, './help.cjs'],
			...apart.map((name) => [new RegExp(`^${name}$`), `./${name}.cjs`]),
		];
		for (const [filter, path] of external) {
			bundle.onResolve({filter}, (args) =>
				args.kind === 'entry-point' ? undefined : {path, external: true},
			);
		}
		// A part that isn't there yet fails when it is used, not when everything else is built.
		bundle.onResolve({filter: /^\.\.?\//}, (args) => {
			if (args.kind !== 'dynamic-import') return undefined;
			return existsSync(join(args.resolveDir, args.path)) ? undefined : {path: args.path, external: true};
		});
	},
};

/** The terminal UI loads the emulator when a session opens, as a bundle of its own. */
const emulatorApart = {
	name: 'emulator-apart',
	setup(bundle) {
		bundle.onResolve({filter: /^@xterm\/headless$/}, () => ({path: './xterm.cjs', external: true}));
	},
};

/** The engine's errors are one class in all faces, so that `instanceof` holds; and the addon is opened once. */
const sharedModules = {
	name: 'shared-modules',
	setup(bundle) {
		bundle.onResolve({filter: /\/engine\/errors\.ts$/}, () => ({path: './core.cjs', external: true}));
		bundle.onResolve({filter: /\/native\.ts$/}, () => ({
			path: './core.cjs?kernel/native.ts',
			external: true,
		}));
	},
};

const shared = {
	bundle: true,
	platform: 'node',
	target: 'node22',
	charset: 'ascii',
	logLevel: 'warning',
	define: {'process.env.NODE_ENV': '"production"', 'process.env.WHERRY_VERSION': JSON.stringify(version)},
};
const commonjs = {
	...shared,
	format: 'cjs',
	minifySyntax: true,
	minifyWhitespace: true,
	// `import()` of a built-in module would need a callback in vm.Script; as `require` it doesn't.
	supported: {'dynamic-import': false},
	define: {...shared.define, 'import.meta.url': '__wherry.url', 'import.meta.dirname': '__dirname'},
	banner: {js: 'const __wherry={get url(){return require("node:url").pathToFileURL(__filename).href}};'},
};

/**
 * What every command needs; what ends containers, and is needed by starts and sessions too; lists and what prints
 * them; what talks to a container; what compiles a plan, also one
 * of an exec; a container's start, its networks, and filters of system calls; images; the rest.
 */
const groups = {
	core: [
		...[
			'main.ts',
			'cli/face.ts',
			'cli/parse/command-line.ts',
			'cli/commands/actions.ts',
			'cli/config-file.ts',
		],
		...['cli/format/table.ts', 'cli/format/duration.ts', 'cli/format/names.ts'],
		...[
			'engine/engine.ts',
			'engine/repair.ts',
			'engine/containers/record.ts',
			'engine/containers/storage.ts',
			'engine/containers/root-kind.ts',
			'engine/containers/host-file-paths.ts',
		],
		...['engine/networks/state.ts', 'engine/networks/networks.ts', 'engine/networks/ports.ts'],
		...['engine/networks/record.ts', 'engine/networks/default-network.ts'],
		...['engine/networks/address.ts', 'engine/containers/masked-paths.ts', 'engine/containers/health.ts'],
		'engine/security/apparmor-enabled.ts',
	],
	control: [
		...['cli/commands/lifecycle.ts', 'engine/containers/control.ts', 'engine/containers/remove.ts'],
		...['engine/containers/settle.ts', 'engine/containers/signals.ts', 'engine/containers/monitor-client.ts'],
		...['cli/terminal/detach-keys.ts', 'cli/commands/env-file.ts'],
	],
	list: [
		...['cli/commands/container-list.ts', 'cli/commands/inspect.ts'],
		...['engine/containers/list.ts', 'engine/containers/inspect.ts'],
	],
	watch: ['ui.ts', 'ui-session.ts', 'engine/networks/list.ts', 'engine/events/stream.ts'],
	template: ['cli/format/template/', 'cli/format/value.ts', 'cli/format/inspect-value.ts'],
	session: [
		...['cli/commands/exec.ts', 'cli/commands/attach.ts', 'cli/commands/logs.ts'],
		...['engine/containers/attach.ts', 'engine/containers/container-logs.ts'],
	],
	plan: [
		...[
			'runtime/compile.ts',
			'runtime/mounts.ts',
			'runtime/namespaces.ts',
			'runtime/plan/',
			'engine/containers/exec-plan.ts',
			'engine/containers/seccomp.ts',
		],
		...['runtime/cgroups/ops.ts', 'runtime/cgroups/layout.ts', 'runtime/oci-json.ts'],
		...['runtime/seccomp/cache.ts', 'runtime/seccomp/flags.ts'],
	],
	images: [...['cli/commands/image-list.ts', 'engine/images/images.ts', 'engine/store/']],
	start: [
		...[
			'cli/commands/run.ts',
			'cli/commands/start.ts',
			'engine/containers/create.ts',
			'engine/containers/start.ts',
		],
		...['engine/containers/bundle.ts', 'engine/containers/mounts.ts', 'engine/containers/network.ts'],
		...['runtime/cgroups/limits.ts', 'runtime/cgroups/resources.ts', 'runtime/cgroups/device-filter.ts'],
		...['cli/parse/mount.ts', 'cli/parse/network.ts', 'cli/parse/ulimit.ts', 'cli/parse/host-names.ts'],
		...['engine/networks/wanted.ts', 'engine/security/options.ts', 'engine/security/apparmor.ts'],
	],
	network: [
		...['engine/networks/allocate.ts', 'engine/networks/names.ts', 'engine/networks/endpoint.ts'],
		...['engine/networks/ipam.ts', 'engine/networks/leases.ts', 'engine/networks/resolv-conf.ts'],
		...['engine/networks/options.ts', 'kernel/netlink/'],
	],
	bridge: [
		...['engine/networks/bridge.ts', 'engine/networks/taken.ts', 'engine/networks/ruleset.ts'],
		...['engine/networks/pools.ts', 'engine/networks/host-filter.ts', 'engine/networks/host-warnings.ts'],
	],
	files: [
		...['cli/commands/copy.ts', 'cli/commands/container-files.ts', 'engine/containers/system-words.ts'],
		...['engine/containers/copy.ts', 'engine/containers/copy-paths.ts', 'engine/containers/host-paths.ts'],
		...['engine/containers/root.ts', 'engine/containers/changes.ts', 'engine/containers/export.ts'],
	],
	seccomp: ['runtime/seccomp/'],
	oci: ['oci/main.ts'],
	more: [],
};

/** Node for the launcher: the one that this package pins, else the one that builds, when it is new enough. */
function recordedNode() {
	const pinned = join(root, 'node_modules/node/bin/node');
	if (existsSync(pinned)) return pinned;
	const [major, minor] = process.versions.node.split('.').map(Number);
	return major >= 24 || (major === 22 && minor >= 20) ? process.execPath : undefined;
}

/** The command line and the engine, in the files that `groups` says. */
async function buildCommandLine() {
	const options = {...commonjs, plugins: [faces], absWorkingDir: root};
	for (const [group, text] of await bundleGroups(options, source, 'main.ts', groups)) {
		writeFileSync(join(target, `${group}.cjs`), text);
	}
}

async function buildTui() {
	const {outputFiles} = await build({
		...commonjs,
		jsx: 'automatic',
		plugins: [sharedModules, emulatorApart, ...tuiPlugins],
		entryPoints: [join(source, 'tui/main.tsx')],
		outfile: 'tui.cjs',
		write: false,
	});
	writeFileSync(join(target, 'tui.cjs'), lazyNamespaces(outputFiles[0].text, 'tui.cjs'));
	writeFileSync(join(target, 'layout.wasm'), layoutWasm());
}

/**
 * For commands that don't talk to registries. Node's snapshot brings its strings with the hash seed of its own
 * build; to hash them all again with a random one takes 5 of the 25 ms that Node needs to start. The price is
 * that hashes can be foreseen, so a stranger could write names that all collide: what images bring is therefore
 * limited in number (see engine/store/manifest.ts), and lines of logs don't get into V8's table of strings.
 */
const localFlags = ['--no-rehash-snapshot'];

/** For commands that end before an optimizing compiler would be of use; see the launcher. */
const shortFlags = [
	...localFlags,
	'--no-opt',
	'--no-maglev',
	'--no-sparkplug',
	'--single-threaded-gc',
	'--v8-pool-size=1',
	'--min-semi-space-size=8',
];

/**
 * For the terminal UI: room for all that a first frame makes, so that nothing of it is collected or copied. And no
 * more room than that: floods in logs and terminals make a lot that is garbage at once, for which V8 would take 50 MB
 * more.
 */
const uiFlags = [
	...localFlags,
	'--min-semi-space-size=16',
	'--max-semi-space-size=16',
	'--single-threaded-gc',
];

/**
 * Runs commands that read only, in private roots, and has the boot file write what V8 compiled for them.
 * Whether that worked with these flags.
 */
function makeCodeCache(node, flags) {
	const scratch = mkdtempSync(join(tmpdir(), 'wherry-build-'));
	try {
		const {NODE_OPTIONS: _, NODE_COMPILE_CACHE: __, ...env} = process.env;
		// Twice: what the first run puts into caches, the second only reads, as nearly all commands do.
		for (let run = 0; run < 2; run++) {
			const result = spawnSync(node, [...flags, join(target, 'wherry.cjs')], {
				env: {
					...env,
					WHERRY_ROOT: join(scratch, 'root'),
					WHERRY_RUN: join(scratch, 'run'),
					WHERRY_WARM: '1',
					FORCE_COLOR: '1',
				},
				stdio: ['ignore', 'ignore', 'pipe'],
				encoding: 'utf8',
				timeout: 60_000,
			});
			if (result.status === 0) continue;
			process.stderr.write(
				`wherry: no code cache was made; commands start a little slower\n${result.stderr.slice(-2000)}`,
			);
			return false;
		}
		return true;
	} finally {
		rmSync(scratch, {recursive: true, force: true});
	}
}

mkdirSync(target, {recursive: true});
try {
	await Promise.all([
		buildCommandLine(),
		build({
			...commonjs,
			plugins: [faces],
			entryPoints: [join(source, 'cli/help/main.ts')],
			outfile: join(target, 'help.cjs'),
		}),
		...apart.map((name) =>
			build({
				...commonjs,
				stdin: {contents: `module.exports = require('${name}');`, resolveDir: root},
				outfile: join(target, `${name}.cjs`),
			}),
		),
		build({
			...commonjs,
			stdin: {contents: "module.exports = require('@xterm/headless');", resolveDir: root},
			outfile: join(target, 'xterm.cjs'),
		}),
		build({
			...shared,
			format: 'esm',
			entryPoints: [join(source, 'index.ts')],
			outfile: join(target, 'index.mjs'),
		}),
		buildTui(),
	]);
	const plain = async (name) =>
		(await transform(readFileSync(join(source, name), 'utf8'), {minifySyntax: true, minifyWhitespace: true}))
			.code;
	writeFileSync(join(target, 'own-cache.cjs'), await plain('own-cache.cjs'));
	const digest = createHash('sha256');
	for (const file of readdirSync(target).sort()) {
		if (file.endsWith('.cjs')) digest.update(readFileSync(join(target, file)));
	}
	// The caches' names hold the build's digest: V8 itself compares nothing but the length of the source.
	const boot = (await plain('boot.cjs'))
		.replace('@BUILD@', digest.digest('hex').slice(0, 16))
		.replace('@VERSION@', version);
	writeFileSync(join(target, 'wherry.cjs'), boot);
	const node = recordedNode();
	if (node) {
		const inside = relative(root, node);
		makeCodeCache(node, []);
		// A Node that doesn't know one of the flags would not start.
		const lines = [shortFlags, localFlags, uiFlags].map((flags) =>
			makeCodeCache(node, flags) ? flags.join(' ') : '',
		);
		writeFileSync(
			join(target, 'node-path'),
			`${[inside.startsWith('..') ? node : inside, ...lines].join('\n')}\n`,
		);
	}
	const old = join(root, `.dist-old-${process.pid}`);
	if (existsSync(dist)) renameSync(dist, old);
	renameSync(target, dist);
	rmSync(old, {recursive: true, force: true});
} finally {
	rmSync(target, {recursive: true, force: true});
}
