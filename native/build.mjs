/**
 * Builds the native part with node-gyp: the addon `wherry.node` and the executables `wherry-monitor` and
 * `wherry-init`, into `native/build/Release`, with `build-info.json` beside them (`wherry info` shows it).
 *
 * Run by `npm install` with whatever Node there is, so nothing here needs a new one. Nothing is done when
 * the sources, the compiler and this script are those of the last build.
 *
 *   node native/build.mjs [--asan] [--force] [TARGET...]
 *
 * --asan builds with the address and undefined behaviour sanitizers, into `native/build-asan/build/Release`.
 */
import {spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {
	cpSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import {createRequire} from 'node:module';
import {availableParallelism, tmpdir} from 'node:os';
import {basename, dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const nativeFolder = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
const keptHeaders = join(nativeFolder, 'build/headers');
const sourceFolders = ['addon', 'monitor', 'init', 'kernel'];

const asan = process.argv.includes('--asan');
const force = process.argv.includes('--force');
const targets = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));

function fail(message) {
	process.stderr.write(`wherry: ${message}\n`);
	process.exit(1);
}

function version(command, argument = '--version') {
	const result = spawnSync(command, [argument], {encoding: 'utf8'});
	return result.status === 0 ? `${result.stdout}${result.stderr}`.split('\n')[0].trim() : undefined;
}

/** node-gyp's make files run `$CXX`, by default g++. */
function findCompiler() {
	const candidates = process.env.CXX ? [process.env.CXX] : ['g++', 'c++', 'clang++'];
	for (const command of candidates) {
		const found = version(command.split(' ')[0]);
		if (found) return {command, version: found};
	}
	return fail('a C++17 compiler is needed to build the native part (Debian: apt install g++ make)');
}

function requirePython() {
	const named = process.env.npm_config_python ?? process.env.PYTHON;
	if (!(named && version(named)) && !version('python3') && !version('python')) {
		fail('Python 3 is needed by node-gyp to build the native part (Debian: apt install python3)');
	}
	if (!version('make')) fail('make is needed to build the native part (Debian: apt install make)');
}

const hasHeaders = (folder) => existsSync(join(folder, 'include/node/node_api.h'));

/** The folder above `include/` of the headers in the npm package `node`, when that is installed. */
function bundledHeaders() {
	const roots = [];
	let folder = dirname(nativeFolder);
	for (;;) {
		roots.push(join(folder, 'node_modules'), join(folder, 'node_modules/node/node_modules'));
		if (dirname(folder) === folder) break;
		folder = dirname(folder);
	}
	for (const root of roots) {
		if (!existsSync(root)) continue;
		for (const name of readdirSync(root)) {
			const candidate = join(root, name);
			if (name.startsWith('node-linux-') && hasHeaders(candidate)) return candidate;
		}
	}
	return undefined;
}

/**
 * Where node-gyp finds headers without a download. npm takes away the ones inside the package `node` when it
 * installs for the second time, so a build keeps a copy.
 */
function findHeaders() {
	const bundled = bundledHeaders();
	if (bundled) return bundled;
	return [keptHeaders, dirname(dirname(process.execPath)), '/usr'].find(hasHeaders);
}

/** All but OpenSSL's, which are 66 of 68 MB and of no use here. */
function keepHeaders(headers) {
	rmSync(keptHeaders, {recursive: true, force: true});
	cpSync(join(headers, 'include/node'), join(keptHeaders, 'include/node'), {
		recursive: true,
		filter: (path) => basename(path) !== 'openssl',
	});
}

/** As `process.version` of the Node that the headers are of. */
function headersVersion(headers) {
	const text = readFileSync(join(headers, 'include/node/node_version.h'), 'utf8');
	return `v${['MAJOR', 'MINOR', 'PATCH'].map((part) => new RegExp(`NODE_${part}_VERSION (\\d+)`).exec(text)?.[1]).join('.')}`;
}

/** How a static executable can be linked here: a program with a thread is tried, since that needs more of libc.a. */
function probeStatic(compiler) {
	const folder = mkdtempSync(join(tmpdir(), 'wherry-probe-'));
	try {
		const source = join(folder, 'probe.cc');
		writeFileSync(
			source,
			'#include <string>\nint main(int c, char **v) { return std::string(v[0]).size() == 0 && c; }\n',
		);
		const [program, ...rest] = compiler.split(' ');
		for (const mode of ['static-pie', 'static']) {
			const output = join(folder, mode);
			const pie = mode === 'static-pie' ? '-fPIE' : '-fno-pie';
			const linked = spawnSync(program, [...rest, '-O1', pie, `-${mode}`, '-o', output, source], {
				stdio: 'ignore',
			});
			if (linked.status === 0 && spawnSync(output).status === 0) return mode;
		}
		return 'dynamic';
	} finally {
		rmSync(folder, {recursive: true, force: true});
	}
}

function listSources() {
	const files = ['binding.gyp', 'executable.gypi', 'build.mjs'];
	for (const folder of sourceFolders) {
		if (!existsSync(join(nativeFolder, folder))) continue;
		for (const name of readdirSync(join(nativeFolder, folder)).sort()) {
			if (/\.(cc|h|inc)$/.test(name)) files.push(`${folder}/${name}`);
		}
	}
	return files;
}

function fingerprint(parts) {
	const hash = createHash('sha256');
	for (const part of parts) hash.update(`${part}\0`);
	for (const file of listSources()) hash.update(`${file}\0`).update(readFileSync(join(nativeFolder, file)));
	return hash.digest('hex');
}

/** node-gyp always writes to `build` in its folder, so the sanitizer build has a folder of links. */
function buildFolder() {
	if (!asan) return nativeFolder;
	const folder = join(nativeFolder, 'build-asan');
	mkdirSync(folder, {recursive: true});
	for (const name of ['binding.gyp', 'executable.gypi', ...sourceFolders]) {
		if (existsSync(join(nativeFolder, name)) && !existsSync(join(folder, name))) {
			symlinkSync(join('..', name), join(folder, name));
		}
	}
	return folder;
}

/** Two builds in one folder spoil each other: the second waits for the first, unless that one is dead. */
function lock(folder) {
	const path = join(folder, '.build-lock');
	for (;;) {
		try {
			writeFileSync(path, String(process.pid), {flag: 'wx'});
			process.on('exit', () => rmSync(path, {force: true}));
			return;
		} catch (error) {
			if (error.code !== 'EEXIST') throw error;
		}
		try {
			process.kill(Number(readFileSync(path, 'utf8')) || 2 ** 22, 0);
			Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
		} catch {
			rmSync(path, {force: true});
		}
	}
}

function nodeGyp(folder, compiler, headers, staticMode, steps) {
	const environment = {
		...process.env,
		GYP_DEFINES: `asan=${asan ? 1 : 0} static_mode=${staticMode}`,
		CXX: compiler,
	};
	// The binding file asks `node` where node-addon-api is: let it be this one.
	environment.PATH = `${dirname(process.execPath)}:${environment.PATH ?? '/usr/bin:/bin'}`;
	if (headers) {
		for (const name of Object.keys(environment)) {
			if (/^npm_.*nodedir$/i.test(name)) delete environment[name];
		}
	}
	const program = join(dirname(require.resolve('node-gyp/package.json')), 'bin/node-gyp.js');
	const common = ['-C', folder, '--loglevel=error', '--release'];
	if (headers) common.push(`--nodedir=${headers}`);
	for (const step of steps) {
		const result = spawnSync(process.execPath, [program, ...step, ...common], {
			encoding: 'utf8',
			env: environment,
			maxBuffer: 64 << 20,
		});
		if (result.status === 0) continue;
		process.stderr.write(`${result.stdout}${result.stderr}`);
		fail(`the native part could not be built (node-gyp ${step[0]} failed)`);
	}
}

function main() {
	const compiler = findCompiler();
	const headers = findHeaders();
	const target = headers ? headersVersion(headers) : process.version;
	const folder = buildFolder();
	const release = join(folder, 'build/Release');
	const infoPath = join(release, 'build-info.json');
	const sources = fingerprint([compiler.command, compiler.version, target, process.arch]);
	const current = () => {
		try {
			const info = JSON.parse(readFileSync(infoPath, 'utf8'));
			return info.sources === sources && info.built.every((name) => existsSync(join(release, name)));
		} catch {
			return false;
		}
	};
	if (!force && targets.length === 0 && current()) return;
	requirePython();
	lock(folder);
	if (!force && targets.length === 0 && current()) return;

	const staticMode = asan ? 'dynamic' : probeStatic(compiler.command);
	const jobs = `--jobs=${Math.min(availableParallelism?.() ?? 2, 8)}`;
	nodeGyp(folder, compiler.command, headers, staticMode, [['configure'], ['build', ...targets, jobs]]);
	if (headers && headers !== keptHeaders) keepHeaders(headers);
	if (targets.length > 0) return;
	const info = {
		sources,
		compiler: compiler.version,
		linking: staticMode,
		sanitizers: asan,
		architecture: process.arch,
		headers: target,
		built: readdirSync(release).filter((name) => /^wherry(\.node|-monitor|-init)$/.test(name)),
	};
	writeFileSync(`${infoPath}.new`, `${JSON.stringify(info, undefined, '\t')}\n`);
	renameSync(`${infoPath}.new`, infoPath);
}

main();
