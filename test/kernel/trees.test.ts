import {Buffer} from 'node:buffer';
import {execFileSync} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {
	chmodSync,
	closeSync,
	existsSync,
	linkSync,
	lstatSync,
	mkdirSync,
	openSync,
	readdirSync,
	readFileSync,
	statfsSync,
	symlinkSync,
	truncateSync,
	utimesSync,
	writeFileSync,
	writeSync,
} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {native} from '../../src/kernel/native.ts';
import {describe, privateFolder} from './layer.ts';

async function copy(from: string, to: string): Promise<void> {
	const fds = [openSync(from, 'r'), openSync(to, 'r')] as const;
	try {
		await native.copyTree(...fds);
	} finally {
		fds.forEach(closeSync);
	}
}

function makeTree(root: string): void {
	const path = (name: string) => join(root, name);
	mkdirSync(path('a/b/c'), {recursive: true});
	writeFileSync(path('a/file'), 'x'.repeat(100_000));
	writeFileSync(path('a/b/suid'), '#!');
	execFileSync('chown', ['7:8', path('a/b/suid')]);
	chmodSync(path('a/b/suid'), 0o6755);
	native.setXattr(
		path('a/b/suid'),
		'security.capability',
		Buffer.from('0100000200040000000000000000000000000000', 'hex'),
	);
	linkSync(path('a/b/suid'), path('same'));
	linkSync(path('a/b/suid'), path('a/b/c/same'));
	symlinkSync('nowhere', path('link'));
	execFileSync('chown', ['-h', '5:6', path('link')]);
	native.setXattr(path('link'), 'trusted.link', Buffer.from('yes'));
	native.setXattr(path('a'), 'user.folder', Buffer.from([0, 1]));
	native.mknod(path('fifo'), 0o010600, 0);
	native.mknod(path('null'), 0o020666, 0x103);
	native.mknod(path('socket'), 0o140755, 0);
	const sparse = openSync(path('sparse'), 'w');
	writeSync(sparse, 'start', 0);
	writeSync(sparse, 'middle', 20_000_000);
	closeSync(sparse);
	truncateSync(path('sparse'), 50_000_000);
	utimesSync(path('a/b/c'), 1, 2.5);
	utimesSync(path('a'), 3, 4);
	chmodSync(path('a'), 0o1571);
}

for (const target of ['on the same file system', 'on another one']) {
	test(`copyTree copies everything that a tree may hold, ${target}`, async (t) => {
		const root = privateFolder(t);
		const from = join(root, 'from');
		const to = join(root, 'to');
		mkdirSync(from);
		mkdirSync(to);
		if (target === 'on another one') {
			execFileSync('mount', ['-t', 'tmpfs', 'wherry-test', to]);
			t.teardown(() => execFileSync('umount', [to]));
		}
		makeTree(from);
		execFileSync('chown', ['3:4', from]);
		utimesSync(from, 5, 6);
		await copy(from, to);
		t.deepEqual(describe(to), describe(from));
		t.like(lstatSync(to), {uid: 3, gid: 4, mtimeMs: 6000});
		t.true(lstatSync(join(to, 'sparse')).blocks < 100);
		t.deepEqual(
			native.getXattr(join(to, 'same'), 'security.capability'),
			native.getXattr(join(from, 'same'), 'security.capability'),
		);
		t.is(native.getXattr(join(to, 'link'), 'trusted.link')?.toString(), 'yes');
	});
}

test('copyTree does not replace files', async (t) => {
	const root = privateFolder(t);
	for (const name of ['from', 'to']) {
		mkdirSync(join(root, name, 'folder'), {recursive: true});
		writeFileSync(join(root, name, 'folder/file'), name);
	}
	await t.throwsAsync(copy(join(root, 'from'), join(root, 'to')), {code: 'EEXIST'});
	t.is(readFileSync(join(root, 'to/folder/file'), 'utf8'), 'to');
});

test('removeTree removes a tree of every kind of object, and a missing one is fine', async (t) => {
	const root = privateFolder(t);
	mkdirSync(join(root, 'tree'));
	mkdirSync(join(root, 'outside'));
	makeTree(join(root, 'tree'));
	writeFileSync(join(root, 'outside/file'), '');
	symlinkSync('../outside', join(root, 'tree/out'));
	symlinkSync('outside', join(root, 'direct'));
	await native.removeTree(join(root, 'tree'));
	await native.removeTree(join(root, 'direct/'));
	await native.removeTree(join(root, 'tree'));
	await native.removeTree(join(root, 'no/such/folder'));
	t.deepEqual(readdirSync(root), ['outside']);
	t.deepEqual(readdirSync(join(root, 'outside')), ['file']);
	await t.throwsAsync(native.removeTree('/'), {code: 'EINVAL'});
	await t.throwsAsync(native.removeTree(`${root}/..`), {code: 'EINVAL'});
});

test('removeTree enters no other file system', async (t) => {
	const root = privateFolder(t);
	const mounted = join(root, 'tree/deep/mount');
	mkdirSync(mounted, {recursive: true});
	mkdirSync(join(root, 'source'));
	writeFileSync(join(root, 'source/file'), '');
	execFileSync('mount', ['--bind', join(root, 'source'), mounted]);
	t.teardown(() => execFileSync('umount', [mounted]));
	const error = await t.throwsAsync(native.removeTree(join(root, 'tree')));
	t.regex((error as NodeJS.ErrnoException).code ?? '', /EXDEV|EBUSY/);
	t.true(existsSync(join(root, 'source/file')));
});

test('removeTree removes trees that are deeper than any path and wider than any buffer', async (t) => {
	const root = privateFolder(t);
	const script = `
		mkdir "$0" && cd -P "$0" && i=0
		while [ $i -lt 3000 ]; do mkdir d && cd -P d && : > f || exit 1; i=$((i + 1)); done`;
	execFileSync('busybox', ['sh', '-c', script, join(root, 'deep')]);
	mkdirSync(join(root, 'wide'));
	for (let index = 0; index < 5000; index++)
		writeFileSync(join(root, 'wide', `${index}-${'n'.repeat(100)}`), '');
	await native.removeTree(join(root, 'deep'));
	await native.removeTree(join(root, 'wide'));
	t.deepEqual(readdirSync(root), []);
});

/** That this kernel knows. */
const filesystems = readFileSync('/proc/filesystems', 'utf8').split(/\s+/);

for (const [kind, make] of [
	['xfs', 'mkfs.xfs -q -m reflink=1'],
	['btrfs', 'mkfs.btrfs -q'],
] as const) {
	(filesystems.includes(kind) ? test : test.skip)(
		`a copy on ${kind} shares the blocks of what it was copied from`,
		async (t) => {
			const folder = privateFolder(t);
			const [disk, mountpoint] = [join(folder, 'disk'), join(folder, 'mount')];
			mkdirSync(mountpoint);
			writeFileSync(disk, '');
			truncateSync(disk, 512 << 20);
			execFileSync('sh', ['-c', `${make} ${disk} && mount -o loop ${disk} ${mountpoint}`], {stdio: 'pipe'});
			try {
				const [from, to] = [join(mountpoint, 'from'), join(mountpoint, 'to')];
				mkdirSync(from);
				mkdirSync(to);
				const bytes = randomBytes(16 << 20);
				writeFileSync(join(from, 'file'), bytes);
				execFileSync('sync', ['-f', mountpoint]);
				const before = statfsSync(mountpoint);
				await copy(from, to);
				execFileSync('sync', ['-f', mountpoint]);
				const after = statfsSync(mountpoint);
				t.true((before.bfree - after.bfree) * after.bsize < bytes.length / 2);
				t.true(readFileSync(join(to, 'file')).equals(bytes));
				// What is written to one is not seen in the other.
				writeFileSync(join(to, 'file'), 'other', {flag: 'r+'});
				t.true(readFileSync(join(from, 'file')).equals(bytes));
			} finally {
				execFileSync('umount', [mountpoint]);
			}
		},
	);
}
