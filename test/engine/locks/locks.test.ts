import {spawn} from 'node:child_process';
import {existsSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {Locks, lockPath} from '../../../src/engine/locks.ts';
import {Paths} from '../../../src/engine/paths.ts';

function paths(t: ExecutionContext): Paths {
	const folder = mkdtempSync(join(tmpdir(), 'wherry-locks-'));
	t.teardown(() => rmSync(folder, {recursive: true, force: true}));
	return new Paths(join(folder, 'root'), join(folder, 'run'));
}

/** Another process that takes a lock, says so, and holds it until it is told to let go. */
async function holder(t: ExecutionContext, path: string) {
	const source = `
		import {lockPath} from ${JSON.stringify(new URL('../../../src/engine/locks.ts', import.meta.url).href)};
		const lock = await lockPath(${JSON.stringify(path)}, {makeFolder: true});
		process.stdout.write('held');
		process.stdin.once('data', () => { lock.release(); process.exit(0); });
	`;
	const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
		stdio: ['pipe', 'pipe', 'inherit'],
	});
	t.teardown(() => child.kill('SIGKILL'));
	await new Promise((resolve) => child.stdout.once('data', resolve));
	return child;
}

test('waiters in one process get a lock one after the other, in their order', async (t) => {
	const locks = new Locks(paths(t));
	const order: string[] = [];
	await Promise.all(
		[1, 2, 3].map((number) =>
			locks.with('name', async () => {
				order.push(`in ${number}`);
				await new Promise((resolve) => setTimeout(resolve, 5));
				order.push(`out ${number}`);
			}),
		),
	);
	t.deepEqual(order, ['in 1', 'out 1', 'in 2', 'out 2', 'in 3', 'out 3']);
});

test('a lock that somebody holds is not to be had at once', async (t) => {
	const locks = new Locks(paths(t));
	const lock = await locks.acquire('name');
	t.is(await locks.tryAcquire('name'), undefined);
	lock.release();
	lock.release();
	const again = await locks.tryAcquire('name');
	t.truthy(again);
	again!.release();
});

test('another process waits for the lock, and gets it when its holder is killed', async (t) => {
	const where = paths(t);
	const locks = new Locks(where);
	const child = await holder(t, where.lock('name'));
	t.is(await locks.tryAcquire('name'), undefined);
	const waiting = locks.acquire('name');
	child.kill('SIGKILL');
	(await waiting).release();
	t.pass();
});

test('a lock whose file its holder removed is taken anew', async (t) => {
	const where = paths(t);
	const locks = new Locks(where);
	const first = await locks.acquire('name');
	const second = locks.acquire('name');
	first.release({remove: true});
	const lock = await second;
	t.true(existsSync(where.lock('name')), 'whoever comes next locks the same file');
	t.is(await locks.tryAcquire('name'), undefined);
	lock.release();
});

test('a failure of the work frees the lock', async (t) => {
	const locks = new Locks(paths(t));
	await t.throwsAsync(
		locks.with('name', () => {
			throw new Error('no');
		}),
		{message: 'no'},
	);
	t.is(await locks.with('name', () => 5), 5);
});

test('a lock in a folder that is gone is an error', async (t) => {
	await t.throwsAsync(lockPath(join(paths(t).volume('gone'), 'lock')), {code: 'ENOENT'});
});
