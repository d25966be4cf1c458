import {Buffer} from 'node:buffer';
import {execFile, execFileSync, spawn} from 'node:child_process';
import {
	closeSync,
	constants,
	fstatSync,
	lstatSync,
	mkdirSync,
	openSync,
	readFileSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import test from 'ava';
import {native} from '../../src/kernel/native.ts';
import {privateFolder} from './layer.ts';

const run = promisify(execFile);

test('importing the binding does not load the addon', async (t) => {
	const script = `import '${new URL('../../src/kernel/native.ts', import.meta.url)}';
		console.log(process.report.getReport().sharedObjects.some((path) => path.endsWith('wherry.node')));`;
	const {stdout} = await run(process.execPath, ['--input-type=module', '--eval', script]);
	t.is(stdout.trim(), 'false');
});

test('openInRoot takes a folder for the root, also for absolute links and ..', (t) => {
	const root = privateFolder(t);
	mkdirSync(join(root, 'etc'));
	writeFileSync(join(root, 'etc/passwd'), 'mine');
	symlinkSync('/etc', join(root, 'absolute'));
	symlinkSync('../../../../../etc', join(root, 'upwards'));
	const folder = openSync(root, constants.O_RDONLY | constants.O_DIRECTORY);
	t.teardown(() => closeSync(folder));
	for (const path of [
		'/etc/passwd',
		'absolute/passwd',
		'upwards/passwd',
		'../../etc/passwd',
		'/absolute/../etc/passwd',
	]) {
		const fd = native.openInRoot(folder, path, constants.O_RDONLY, 0);
		t.is(readFileSync(fd, 'utf8'), 'mine', path);
		t.regex(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'), /flags:\s+02/, 'close-on-exec');
		closeSync(fd);
	}
	const made = native.openInRoot(
		folder,
		'/etc/new',
		constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL,
		0o640,
	);
	t.is(fstatSync(made).mode & 0o7777, 0o640);
	closeSync(made);
	symlinkSync('/proc/self/fd/0', join(root, 'magic'));
	t.throws(() => native.openInRoot(folder, 'magic', constants.O_RDONLY, 0), {code: 'ENOENT'});
	t.like(
		t.throws(() => native.openInRoot(folder, 'none', constants.O_RDONLY, 0)),
		{code: 'ENOENT', errno: 2, syscall: 'openat2', path: 'none'},
	);
});

test('openInRoot does not follow magic links of /proc', (t) => {
	const folder = openSync('/proc', constants.O_RDONLY | constants.O_DIRECTORY);
	t.teardown(() => closeSync(folder));
	t.throws(() => native.openInRoot(folder, 'self/root/etc/passwd', constants.O_RDONLY, 0), {code: 'ELOOP'});
});

test('extended attributes are read and written, of links too, and missing ones are undefined', (t) => {
	const root = privateFolder(t);
	const file = join(root, 'file');
	const link = join(root, 'link');
	writeFileSync(file, '');
	symlinkSync('file', link);
	native.setXattr(file, 'user.x', Buffer.from([0, 1, 255]));
	native.setXattr(link, 'trusted.y', Buffer.from('of the link'));
	t.deepEqual(native.getXattr(file, 'user.x'), Buffer.from([0, 1, 255]));
	t.is(native.getXattr(link, 'trusted.y')?.toString(), 'of the link');
	t.is(native.getXattr(file, 'trusted.y'), undefined);
	t.throws(() => native.getXattr(join(root, 'none'), 'user.x'), {code: 'ENOENT'});
	t.throws(() => native.setXattr(file, 'nonsense', Buffer.from('')), {code: 'ENOTSUP'});
});

test('mknod makes nodes with exactly the mode that is asked for', (t) => {
	const path = join(privateFolder(t), 'null');
	native.mknod(path, 0o020666, 0x103);
	const status = lstatSync(path);
	t.true(status.isCharacterDevice());
	t.is(status.mode & 0o7777, 0o666);
	t.is(status.rdev, 0x103);
	t.is(readFileSync(path).length, 0);
	t.throws(() => native.mknod(path, 0o020666, 0x103), {code: 'EEXIST'});
});

test('renameNoReplace moves, and refuses where something is', (t) => {
	const root = privateFolder(t);
	writeFileSync(join(root, 'a'), 'a');
	writeFileSync(join(root, 'b'), 'b');
	t.throws(() => native.renameNoReplace(join(root, 'a'), join(root, 'b')), {code: 'EEXIST'});
	native.renameNoReplace(join(root, 'a'), join(root, 'c'));
	t.is(readFileSync(join(root, 'c'), 'utf8'), 'a');
});

test('syncfs takes any descriptor of the file system, and tells of a bad one', async (t) => {
	const fd = openSync(privateFolder(t), 'r');
	await native.syncfs(fd);
	closeSync(fd);
	await t.throwsAsync(native.syncfs(1_000_000), {code: 'EBADF'});
});

test('wrong arguments are refused', (t) => {
	const unchecked = native as unknown as Record<string, (...values: unknown[]) => unknown>;
	t.throws(() => unchecked.flockNow?.('3', true), {instanceOf: TypeError, message: /argument 1/});
	t.throws(() => unchecked.openInRoot?.(3, 'a\0b', 0, 0), {instanceOf: TypeError});
	t.throws(() => unchecked.openInRoot?.(3.5, 'a', 0, 0), {instanceOf: TypeError});
	t.throws(() => unchecked.mountOverlay?.('a'), {instanceOf: TypeError});
	t.throws(() => unchecked.mountOverlay?.([]), {code: 'EINVAL'});
	t.throws(() => unchecked.unpackLayer?.(), {instanceOf: TypeError});
});

test('a lock that another process holds is waited for without blocking anything else', async (t) => {
	const path = join(privateFolder(t), 'lock');
	writeFileSync(path, '');
	const holder = spawn('flock', [path, 'sh', '-c', 'echo held; read line'], {
		stdio: ['pipe', 'pipe', 'inherit'],
	});
	await new Promise((resolve) => holder.stdout.once('data', resolve));
	const fd = openSync(path, 'r');
	t.teardown(() => closeSync(fd));
	t.false(native.flockNow(fd, true));
	t.false(await native.flock(fd, true, false));
	t.false(await native.flock(fd, false, false));
	// More waiters than libuv has threads: its files still work.
	let waiting = 8;
	const waiters = Array.from({length: 8}, async () => {
		const own = openSync(path, 'r');
		t.true(await native.flock(own, true, true));
		waiting--;
		closeSync(own);
	});
	const {readFile} = await import('node:fs/promises');
	t.is(await readFile(path, 'utf8'), '');
	t.is(waiting, 8);
	holder.stdin.end('\n');
	await Promise.all(waiters);
	t.true(native.flockNow(fd, true));
	t.throws(() => native.flockNow(1_000_000, true), {code: 'EBADF'});
	await t.throwsAsync(native.flock(1_000_000, true, true), {code: 'EBADF'});
});

test('shared locks go together, an exclusive one does not', async (t) => {
	const path = join(privateFolder(t), 'lock');
	writeFileSync(path, '');
	const fds = [openSync(path, 'r'), openSync(path, 'r')] as const;
	t.teardown(() => fds.forEach(closeSync));
	t.true(await native.flock(fds[0], false, true));
	t.true(native.flockNow(fds[1], false));
	t.false(native.flockNow(fds[1], true));
});

test('signalProcess reaches the process that it means, and only that', async (t) => {
	const child = spawn('sleep', ['60']);
	const pid = child.pid ?? 0;
	const start = Number(
		readFileSync(`/proc/${pid}/stat`, 'utf8')
			.replace(/^.*\) /s, '')
			.split(' ')[19],
	);
	const ended = new Promise<NodeJS.Signals | null>((resolve) =>
		child.once('exit', (_, signal) => resolve(signal)),
	);
	t.true(native.signalProcess(pid, start, 0));
	t.false(native.signalProcess(pid, start + 1, 15));
	t.true(native.signalProcess(pid, start, 15));
	t.is(await ended, 'SIGTERM');
	t.false(native.signalProcess(pid, start, 15));
	t.throws(() => native.signalProcess(process.pid, ownStart(), 1000), {code: 'EINVAL'});
	t.throws(() => native.signalProcess(-1, 0, 15), {code: 'EINVAL'});
});

test('a process that has ended but was not waited for is no process', async (t) => {
	const script = '$| = 1; $pid = fork; exit 0 if !$pid; print "$pid\\n"; sleep 60';
	const parent = spawn('perl', ['-e', script], {stdio: ['ignore', 'pipe', 'inherit']});
	t.teardown(() => parent.kill('SIGKILL'));
	const pid = Number(await new Promise<Buffer>((resolve) => parent.stdout.once('data', resolve)));
	const stat = () =>
		readFileSync(`/proc/${pid}/stat`, 'utf8')
			.replace(/^.*\) /s, '')
			.split(' ');
	while (stat()[0] !== 'Z') await new Promise((again) => setTimeout(again, 5));
	t.false(native.signalProcess(pid, Number(stat()[19]), 0));
});

const ownStart = (): number =>
	Number(
		execFileSync('cat', [`/proc/${process.pid}/stat`], {encoding: 'utf8'})
			.replace(/^.*\) /s, '')
			.split(' ')[19],
	);
