/**
 * `npm test`: sees to what the tests need, builds, runs them, and ends with `N passed, N failed`.
 * Arguments are passed on to AVA: `npm test -- test/cli/format`.
 *
 * AVA runs in a network namespace of its own, so that networks of containers come and go without a trace; what has
 * to be fetched from elsewhere is fetched through the namespace that WHERRY_TEST_NET names. On a hybrid host all of it
 * has a v2 hierarchy of its own, too.
 *
 * Files named *.serial.test.ts change things that the whole host shares (or measure it) and run alone, after
 * the others.
 */
import {spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {globSync} from 'node:fs';
import {join} from 'node:path';
import {difference, traces} from './leftovers.mjs';
import {ensurePackages} from './packages.mjs';

const root = new URL('../..', import.meta.url).pathname;
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 20) || major === 23) {
	process.stderr.write(
		`The tests need Node 22.20 or 24 and up; this is ${process.versions.node}. "npm test" brings its own.\n`,
	);
	process.exit(1);
}
// What the engines attach to the root of cgroup v2 concerns the tests alone.
if (process.env.WHERRY_TEST_CGROUP === undefined) {
	const inside = spawn(
		join(root, 'test/setup/own-cgroup.sh'),
		['/sys/fs/cgroup/unified', process.execPath, ...process.argv.slice(1)],
		{env: {...process.env, WHERRY_TEST_CGROUP: 'own'}, stdio: 'inherit', detached: true},
	);
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
		process.on(signal, () => process.kill(-inside.pid, signal));
	}
	const [status] = await once(inside, 'exit');
	process.exit(status ?? 1);
}
delete process.env.WHERRY_TEST_CGROUP;
if (!ensurePackages()) process.exit(1);
for (const script of ['native/build.mjs', 'src/bundle.mjs']) {
	const built = spawnSync(process.execPath, [script], {cwd: root, stdio: 'inherit'});
	if (built.status !== 0) process.exit(1);
}

const env = {...process.env, FORCE_COLOR: '0', WHERRY_TEST_NET: `/proc/${process.pid}/ns/net`};
// Ink and some test tools change their behaviour when they see it; the programs under test run on a user's machine.
delete env.CI;
delete env.NODE_OPTIONS;

/** Runs AVA, shows its output, and returns how many tests passed and failed. */
function ava(args) {
	return new Promise((resolve) => {
		const inside = ['--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh', process.execPath];
		const child = spawn('unshare', [...inside, 'node_modules/ava/entrypoints/cli.js', ...args], {
			cwd: root,
			env,
			stdio: ['ignore', 'pipe', 'inherit'],
			// A signal that a test sends to its process group by mistake doesn't end who counts and cleans up.
			detached: true,
		});
		const stop = (signal) => {
			process.kill(-child.pid, signal);
			process.exit(1);
		};
		const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
		for (const signal of signals) process.on(signal, stop);
		// AVA's summary leaves out what passed when something failed, so its lines are counted.
		let passed = 0;
		let broken = 0;
		const count = (line) => {
			if (/^\s+✔ /.test(line)) passed++;
			// Failed tests, and what goes wrong outside of one; a test that is skipped is not run, so it counts too.
			else if (/^\s+✘ |^\s+- \[skip\]|^\s+Uncaught exception in|^\s+Unhandled rejection in/.test(line))
				broken++;
		};
		let rest = '';
		child.stdout.setEncoding('utf8');
		child.stdout.on('data', (text) => {
			process.stdout.write(text);
			const lines = (rest + text).split('\n');
			rest = lines.pop();
			lines.forEach(count);
		});
		child.on('close', (status) => {
			for (const signal of signals) process.off(signal, stop);
			count(rest);
			resolve({passed, failed: status !== 0 && broken === 0 ? 1 : broken});
		});
	});
}

const before = traces();
const chosen = process.argv.slice(2);
const files = globSync('test/**/*.test.{ts,tsx}', {cwd: root}).sort();
const alone = files.filter((file) => file.includes('.serial.test.'));
const runs =
	chosen.length > 0
		? [['--concurrency=1', ...chosen]]
		: [files.filter((file) => !alone.includes(file)), ['--concurrency=1', '--serial', ...alone]];
let passed = 0;
let failed = 0;
for (const args of runs) {
	const result = await ava(args);
	passed += result.passed;
	failed += result.failed;
}

// A monitor that has just been told to end may need a moment.
let left = difference(before, traces());
for (let attempt = 0; left.length > 0 && attempt < 20; attempt++) {
	await new Promise((resolve) => setTimeout(resolve, 250));
	left = difference(before, traces());
}
if (left.length === 0) passed++;
else {
	failed++;
	process.stdout.write(`Left behind by the tests:\n${left.map((trace) => `  ${trace}\n`).join('')}`);
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exit(failed > 0 ? 1 : 0);
