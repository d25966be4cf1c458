import {spawnSync} from 'node:child_process';
import {
	chmodSync,
	copyFileSync,
	cpSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';

const root = new URL('../../..', import.meta.url).pathname;

/** A copy of the program, as a package manager installs one. */
function installed(t: ExecutionContext): {folder: string; launcher: string; root: string} {
	const folder = mkdtempSync(join(tmpdir(), 'wherry-launcher-'));
	t.teardown(() => rmSync(folder, {recursive: true, force: true}));
	mkdirSync(join(folder, 'src'));
	copyFileSync(join(root, 'src/wherry.sh'), join(folder, 'src/wherry.sh'));
	cpSync(join(root, 'dist'), join(folder, 'dist'), {recursive: true});
	mkdirSync(join(folder, 'native/build'), {recursive: true});
	symlinkSync(join(root, 'native/build/Release'), join(folder, 'native/build/Release'));
	writeFileSync(join(folder, 'dist/node-path'), `${process.execPath}\n`);
	return {folder, launcher: join(folder, 'src/wherry.sh'), root: join(folder, 'root')};
}

function run(
	launcher: string,
	args: string[],
	env: NodeJS.ProcessEnv,
): {status: number | null; stdout: string; stderr: string} {
	const {status, stdout, stderr} = spawnSync(launcher, args, {env, encoding: 'utf8'});
	return {status, stdout, stderr};
}

/** A program that calls itself some Node. */
function fakeNode(folder: string, version: string): void {
	mkdirSync(folder, {recursive: true});
	const script = `#!/bin/sh\n[ "$1" = --version ] && echo ${version} || echo "run by ${version}"\n`;
	writeFileSync(join(folder, 'node'), script);
	chmodSync(join(folder, 'node'), 0o755);
}

test('it is found through links, from any folder', (t) => {
	const {folder, launcher} = installed(t);
	mkdirSync(join(folder, 'bin'));
	symlinkSync('../src/wherry.sh', join(folder, 'bin/relative'));
	symlinkSync(join(folder, 'bin/relative'), join(folder, 'bin/wherry'));
	for (const path of [launcher, join(folder, 'bin/wherry'), join(folder, 'bin/relative')]) {
		t.regex(run(path, ['--version'], {PATH: '/usr/bin:/bin'}).stdout, /^wherry version /, path);
	}
});

test('without the recorded Node the first new enough one in PATH runs it', (t) => {
	const {folder, launcher} = installed(t);
	writeFileSync(join(folder, 'dist/node-path'), '/no/such/node\n');
	fakeNode(join(folder, 'old'), 'v20.20.2');
	fakeNode(join(folder, 'odd'), 'v23.5.0');
	fakeNode(join(folder, 'almost'), 'v22.19.0');
	fakeNode(join(folder, 'good'), 'v22.20.0');
	fakeNode(join(folder, 'new'), 'v26.1.0');
	const path = (...names: string[]): string => [...names.map((name) => join(folder, name)), '/bin'].join(':');
	t.is(
		run(launcher, ['ps'], {PATH: path('old', 'odd', 'almost', 'good', 'new')}).stdout,
		'run by v22.20.0\n',
	);
	t.is(run(launcher, ['ps'], {PATH: path('odd', 'new')}).stdout, 'run by v26.1.0\n');
});

test('a package that was not built says what to do', (t) => {
	const {folder, launcher} = installed(t);
	rmSync(join(folder, 'dist'), {recursive: true});
	const {status, stderr} = run(launcher, ['ps'], {PATH: '/usr/bin:/bin'});
	t.is(status, 1);
	t.regex(stderr, /^wherry: not built yet; .*\n$/);
});

const caches = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);

test("the terminal UI's flags leave the build's code cache in use", (t) => {
	const {folder, launcher, root: state} = installed(t);
	const lines = readFileSync(join(root, 'dist/node-path'), 'utf8').split('\n');
	t.not(lines[3], '', 'the build has found them good');
	writeFileSync(join(folder, 'dist/node-path'), [process.execPath, ...lines.slice(1)].join('\n'));
	mkdirSync(state);
	const env = {PATH: '/usr/bin:/bin', WHERRY_ROOT: state, WHERRY_RUN: join(folder, 'run')};
	t.regex(run(launcher, ['ui', '--once'], env).stdout, /Containers/);
	t.deepEqual(caches(join(state, 'cache/v8')), []);
});

test("the build's code cache is only read; another Node's is root's own", (t) => {
	const {folder, launcher, root: state} = installed(t);
	const env = {PATH: '/usr/bin:/bin', WHERRY_ROOT: state, WHERRY_RUN: join(folder, 'run')};
	mkdirSync(state);
	const shipped = caches(join(folder, 'dist/v8'));
	// The one without flags, since the record of the Node has none here.
	const name = shipped.find((each) => each.startsWith('core-long-'));
	t.truthy(name);
	t.is(run(launcher, ['ps'], env).status, 0);
	t.deepEqual(caches(join(state, 'cache/v8')), []);

	// As if another Node had made it: V8 refuses it, and one is kept where only we can write.
	const file = join(folder, 'dist/v8', name!);
	const broken = readFileSync(file);
	broken.fill(0, 0, 16);
	writeFileSync(file, broken);
	t.is(run(launcher, ['ps'], env).status, 0);
	const own = join(state, 'cache/v8');
	t.deepEqual(caches(own), [name!]);
	t.is(statSync(own).mode & 0o777, 0o700);
	t.is(statSync(join(own, name!)).mode & 0o777, 0o600);
	t.deepEqual(readFileSync(file), broken);

	// It is read: one that is broken is noticed, and made again.
	const damaged = readFileSync(join(own, name!)).fill(0, 0, 16);
	writeFileSync(join(own, name!), damaged);
	t.is(run(launcher, ['ps'], env).status, 0);
	t.notDeepEqual(readFileSync(join(own, name!)), damaged);

	// One that others could have written is not trusted: it is replaced by a private one.
	const written = statSync(join(own, name!)).ino;
	chmodSync(join(own, name!), 0o666);
	t.is(run(launcher, ['ps'], env).status, 0);
	t.not(statSync(join(own, name!)).ino, written);
	t.is(statSync(join(own, name!)).mode & 0o777, 0o600);
	t.deepEqual(caches(own), [name!]);
});

test("Node's own cache variable makes no files", (t) => {
	const {folder, launcher, root: state} = installed(t);
	const cache = join(folder, 'node-cache');
	const env = {
		PATH: '/usr/bin:/bin',
		WHERRY_ROOT: state,
		WHERRY_RUN: join(folder, 'run'),
		NODE_COMPILE_CACHE: cache,
	};
	t.is(run(launcher, ['ps'], env).status, 0);
	t.false(existsSync(cache));
});

test('flags that Node has too are ours, wherever they are', (t) => {
	const {folder, launcher, root: state} = installed(t);
	const env = {PATH: '/usr/bin:/bin', WHERRY_ROOT: state, WHERRY_RUN: join(folder, 'run')};
	// Before there is a reference, so that nothing else can be wrong.
	const {status, stderr} = run(launcher, ['run', '--env-file', join(folder, 'none'), 'x'], env);
	t.is(status, 125);
	t.regex(stderr, /^wherry: open .*\/none: no such file or directory\n/);
});
