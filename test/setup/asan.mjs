/**
 * `npm run test:asan`: the tests that exercise native code, on a build with the address and undefined behaviour
 * sanitizers. Arguments are passed on to AVA; by default all of test/kernel and test/native, but for the init: it runs
 * inside containers, which don't have the sanitizers' libraries.
 */
import {spawnSync} from 'node:child_process';
import {globSync} from 'node:fs';
import {ensurePackages} from './packages.mjs';

const root = new URL('../..', import.meta.url).pathname;
if (!ensurePackages()) process.exit(1);
const built = spawnSync(process.execPath, ['native/build.mjs', '--asan'], {cwd: root, stdio: 'inherit'});
if (built.status !== 0) process.exit(1);

/** The sanitizer's library must be there before Node starts, since Node itself is not built with it. */
const library = spawnSync(process.env.CXX ?? 'g++', ['-print-file-name=libasan.so'], {
	encoding: 'utf8',
}).stdout.trim();
const args = process.argv.slice(2);
const files = globSync('test/{kernel,native}/**/*.test.ts', {cwd: root, exclude: ['**/init.test.ts']});
const ava = ['node_modules/ava/entrypoints/cli.js', '--timeout=10m', ...(args.length > 0 ? args : files)];
const result = spawnSync(
	`${root}test/setup/own-cgroup.sh`,
	['/sys/fs/cgroup/unified', process.execPath, ...ava],
	{
		cwd: root,
		stdio: 'inherit',
		env: {
			...process.env,
			FORCE_COLOR: '0',
			LD_PRELOAD: library,
			WHERRY_NATIVE: `${root}native/build-asan/build/Release`,
			// Node never frees all that it has at its end, and maps much more than it uses.
			ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=1:allocator_may_return_null=0',
			UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
		},
	},
);
process.exit(result.status ?? 1);
