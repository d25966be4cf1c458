import {spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {monitorPath} from '../../src/kernel/locate.ts';
import type {Op} from '../../src/runtime/plan/ops.ts';
import {allCapabilities, Bench, ms} from './plan-runner.ts';

function bench(t: ExecutionContext): Bench {
	const made = new Bench();
	t.teardown(() => made.remove());
	return made;
}

const bind = (source: string, target: string, flags = 0, propagation = 0): Op => ({
	op: 'bind',
	source,
	target,
	flags,
	propagation,
});

/** Without the network namespaces that other tests make meanwhile. */
const hostMounts = (): string[] =>
	readFileSync('/proc/self/mountinfo', 'utf8')
		.split('\n')
		.filter((line) => !line.includes(' /run/netns'));

test('a container sees its own root, host name and processes, and nothing of them is on the host', (t) => {
	const box = bench(t);
	const mounts = hostMounts();
	const result = box.sh('cat /proc/sys/kernel/hostname; echo $$; ls /; echo new > /file; exit 7', {
		after: [{op: 'hostname', name: 'boat'}],
	});
	t.is(result.stderr, '');
	t.is(result.stdout, 'boat\n1\nbin\ndev\netc\nproc\nsys\n');
	t.is(result.code, 7);
	t.is(readFileSync(join(box.path('upper'), 'file'), 'utf8'), 'new\n');
	t.deepEqual(hostMounts(), mounts);
	t.deepEqual(readdirSync(box.path('mountpoint')), []);
});

test('an image whose /dev is a link out of the root reaches nothing outside', (t) => {
	const box = bench(t);
	symlinkSync(box.path('outside'), join(box.lower, 'dev'));
	const result = box.sh('readlink /dev; ls /dev/; stat -c %t:%T /dev/null');
	t.is(result.stdout, `${box.path('outside')}\nfd\nnull\npts\ntty\n1:3\n`);
	t.deepEqual(readdirSync(box.path('outside')), []);
});

test('a /dev that climbs with .. stays in the root', (t) => {
	const box = bench(t);
	symlinkSync(`../../../../../..${box.path('outside')}`, join(box.lower, 'dev'));
	t.is(box.sh('stat -c %t:%T /dev/null').stdout, '1:3\n');
	t.deepEqual(readdirSync(box.path('outside')), []);
});

test('an image whose /proc or /sys is a link is refused', (t) => {
	for (const name of ['proc', 'sys']) {
		const box = bench(t);
		mkdirSync(join(box.lower, 'etc/x'));
		symlinkSync('/etc/x', join(box.lower, name));
		const result = box.sh('true');
		t.is(result.code, 125);
		t.regex(result.stderr, new RegExp(`/${name} of the image is a symbolic link`));
	}
});

test('a volume whose target goes through a link is mounted inside the root', (t) => {
	const box = bench(t);
	const volume = box.path('volume');
	mkdirSync(volume);
	writeFileSync(join(volume, 'seen'), 'yes');
	symlinkSync(box.path('outside'), join(box.lower, 'data'));
	const result = box.sh('cat /data/sub/seen', {mounts: [bind(volume, '/data/sub', ms.recursive)]});
	t.is(result.stdout, 'yes');
	t.deepEqual(readdirSync(box.path('outside')), []);
});

test('a link of the image leads no mount onto procfs', (t) => {
	const box = bench(t);
	symlinkSync('/proc', join(box.lower, 'p'));
	const data = box.path('outside');
	const tmpfs: Op = {op: 'mount', fstype: 'tmpfs', source: 'tmpfs', target: '/p/sys', flags: 0, data: ''};
	for (const op of [bind(data, '/p'), bind(data, '/p/fs'), tmpfs]) {
		const {code, stderr} = box.sh('true', {mounts: [op]});
		t.is(code, 125);
		t.regex(stderr, /"\/p[a-z/]*" cannot be mounted because it is inside \/proc/);
	}
	t.is(box.sh('echo fine', {mounts: [bind('/dev/null', '/proc/uptime')]}).stdout, 'fine\n');
});

test('a file is bound on a link that leads nowhere: its target is made, in the root', (t) => {
	const box = bench(t);
	writeFileSync(box.path('resolv'), 'nameserver 127.0.0.11\n');
	symlinkSync('../run/stub/resolv.conf', join(box.lower, 'etc/resolv.conf'));
	symlinkSync(join(box.path('outside'), 'made'), join(box.lower, 'etc/hosts'));
	const result = box.sh('cat /etc/resolv.conf /etc/hosts; readlink /etc/resolv.conf', {
		mounts: [bind(box.path('resolv'), '/etc/resolv.conf'), bind(box.path('resolv'), '/etc/hosts')],
	});
	t.is(result.stdout, 'nameserver 127.0.0.11\nnameserver 127.0.0.11\n../run/stub/resolv.conf\n');
	t.deepEqual(readdirSync(box.path('outside')), []);
});

test('a loop of links is an error and no hang', (t) => {
	const box = bench(t);
	symlinkSync('b', join(box.lower, 'a'));
	symlinkSync('a', join(box.lower, 'b'));
	const result = box.sh('true', {mounts: [bind(box.path('outside'), '/a/b/c')]});
	t.is(result.code, 125);
	t.regex(result.stderr, /too many levels of symbolic links/);
});

test('a read-only bind can not be written, a plain one can', (t) => {
	for (const without of [[], ['mount_setattr']]) {
		const box = bench(t);
		mkdirSync(box.path('volume'));
		const result = box.sh(
			'echo x > /rw/file; echo x > /ro/other',
			{
				mounts: [
					bind(box.path('volume'), '/rw', ms.recursive),
					bind(box.path('volume'), '/ro', ms.recursive | ms.readOnly | ms.noSuid),
				],
			},
			{without},
		);
		t.regex(result.stderr, /\/ro\/other: Read-only file system/);
		t.deepEqual(readdirSync(box.path('volume')), ['file']);
	}
});

test("a missing source and a source of another kind are told in docker's words", (t) => {
	const box = bench(t);
	const missing = box.sh('true', {mounts: [bind('/nowhere/at/all', '/x')]});
	t.is(missing.code, 125);
	t.regex(missing.stderr, /bind source path does not exist: \/nowhere\/at\/all/);
	const kinds = box.sh('true', {mounts: [bind(box.path('outside'), '/etc/passwd')]});
	t.regex(kinds.stderr, /not a directory: Are you trying to mount a directory onto a file/);
});

test('nothing is mounted over the root itself', (t) => {
	const box = bench(t);
	symlinkSync('/', join(box.lower, 'self'));
	t.regex(box.sh('true', {mounts: [bind(box.path('outside'), '/self')]}).stderr, /is the root itself/);
	t.regex(box.sh('true', {mounts: [bind(box.path('outside'), '/../..')]}).stderr, /is the root itself/);
});

test('masked files read as empty, masked folders are empty and read-only', (t) => {
	const box = bench(t);
	mkdirSync(join(box.lower, 'secret'));
	box.write('secret/key', 'k');
	box.write('secret-file', 'k');
	const result = box.sh('cat /secret-file /proc/version; ls -A /secret /proc/tty; touch /secret/x', {
		after: ['/secret', '/secret-file', '/proc/tty', '/proc/version', '/missing/path'].map((path) => ({
			op: 'mask',
			path,
		})),
	});
	t.is(result.stdout, '/proc/tty:\n\n/secret:\n');
	t.regex(result.stderr, /Read-only file system/);
});

test('a mask below /proc that would land elsewhere fails instead of protecting nothing', (t) => {
	const box = bench(t);
	mkdirSync(box.path('fake'));
	writeFileSync(join(box.path('fake'), 'version'), '');
	const result = box.sh('true', {
		mounts: [bind(box.path('fake'), '/proc/tty')],
		after: [{op: 'mask', path: '/proc/tty/version'}],
	});
	t.is(result.code, 125);
	t.regex(result.stderr, /is not on procfs/);
});

test('masks need the real null device', (t) => {
	const box = bench(t);
	writeFileSync(box.path('file'), 'not null');
	const result = box.sh('true', {
		mounts: [bind(box.path('file'), '/dev/null')],
		after: [{op: 'mask', path: '/etc/passwd'}],
	});
	t.is(result.code, 125);
	t.regex(result.stderr, /\/dev\/null is not the null device/);
});

test('read-only paths and a read-only root refuse writes, sysctls are written all the same', (t) => {
	for (const without of [[], ['mount_setattr']]) {
		const box = bench(t);
		const result = box.sh(
			'cat /proc/sys/kernel/shm_rmid_forced; echo 0 > /proc/sys/kernel/shm_rmid_forced; touch /x; touch /dev/ok && echo ok',
			{
				after: [
					{op: 'readonly', path: '/proc/sys'},
					{op: 'readonlyRoot'},
					{op: 'sysctl', path: 'kernel/shm_rmid_forced', value: '1'},
				],
			},
			{without},
		);
		t.is(result.stdout, '1\nok\n');
		t.regex(result.stderr, /shm_rmid_forced: Read-only file system/);
		t.regex(result.stderr, /\/x: Read-only file system/);
	}
});

test('a sysctl can not leave /proc/sys', (t) => {
	const box = bench(t);
	for (const path of ['../sysrq-trigger', '/kernel/x', 'kernel/../../self/oom_score_adj']) {
		const result = box.sh('true', {after: [{op: 'sysctl', path, value: '1'}]});
		t.is(result.code, 125, path);
	}
});

test('130 layers make a root, on new kernels and on old ones', (t) => {
	for (const without of [[], ['lowerdir+']]) {
		const box = bench(t);
		const lowers = Array.from({length: 129}, (_, index) => {
			const path = box.path(`layers/${'deep/'.repeat(12)}${index}`);
			mkdirSync(join(path, 'layer'), {recursive: true});
			writeFileSync(join(path, 'layer', String(index)), '');
			writeFileSync(join(path, 'layer', 'topmost'), String(index));
			return path;
		});
		const result = box.sh(
			'set -- /layer/*; echo $#; cat /layer/topmost; touch /made',
			{
				root: [box.overlay([...lowers, box.lower])],
			},
			{without},
		);
		t.is(result.stderr, '');
		t.is(result.stdout, '130\n0');
		t.true(existsSync(join(box.path('upper'), 'made')));
	}
});

test('long and strange paths of layers are taken', (t) => {
	const box = bench(t);
	const strange = box.path(`a,b:c\\d${'/long'.repeat(60)}`);
	for (const name of ['l', 'u', 'w']) mkdirSync(join(strange, name), {recursive: true});
	writeFileSync(join(strange, 'l/seen'), 'yes');
	for (const without of [[], ['lowerdir+']]) {
		const result = box.sh(
			'cat /seen; echo x > /written',
			{
				root: [
					{
						op: 'overlayRoot',
						lowers: [join(strange, 'l'), box.lower],
						upper: join(strange, 'u'),
						work: join(strange, 'w'),
						options: ['redirect_dir=nofollow', 'metacopy=off', 'index=off'],
					},
				],
			},
			{without},
		);
		t.is(result.stderr, '');
		t.is(result.stdout, 'yes');
	}
	t.true(existsSync(join(strange, 'u/written')));
});

test('without an upper folder the root is read-only, with one layer as with two', (t) => {
	const box = bench(t);
	mkdirSync(box.path('second/dev'), {recursive: true});
	for (const name of ['proc', 'sys', 'dev']) mkdirSync(join(box.lower, name));
	for (const lowers of [[box.lower], [box.path('second'), box.lower]]) {
		const result = box.sh('touch /x', {
			root: [{op: 'overlayRoot', lowers, upper: '', work: '', options: []}],
		});
		t.regex(result.stderr, /Read-only file system/);
	}
});

test('a folder can be the root', (t) => {
	const box = bench(t);
	t.is(box.sh('touch /made; echo ok', {root: [{op: 'bindRoot', source: box.lower}]}).stdout, 'ok\n');
	t.true(existsSync(join(box.lower, 'made')));
});

test('without a mount namespace of its own a plan mounts nothing', (t) => {
	const box = bench(t);
	const before = hostMounts();
	const result = box.sh('true', {settings: {'clone-flags': '0'}});
	t.is(result.code, 125);
	t.regex(result.stderr, /mount namespace of its own/);
	t.deepEqual(hostMounts(), before);
});

test('device nodes have the mode, owner and numbers asked for', (t) => {
	const box = bench(t);
	const result = box.sh("stat -c '%F %a %u %g %t:%T' /dev/fuse /dev/net/tun /dev/pipe", {
		capabilities: allCapabilities,
		mounts: [
			{op: 'mknod', path: '/dev/fuse', mode: 0o20666, major: 10, minor: 229, uid: 7, gid: 8},
			{op: 'mknod', path: '/dev/net/tun', mode: 0o20600, major: 10, minor: 200, uid: 0, gid: 0},
			{op: 'mknod', path: '/dev/pipe', mode: 0o10620, major: 0, minor: 0, uid: 1, gid: 2},
		],
	});
	t.is(
		result.stdout,
		'character special file 666 7 8 a:e5\ncharacter special file 600 0 0 a:c8\nfifo 620 1 2 0:0\n',
	);
});

test('a host device is bound where it can not be made', (t) => {
	const box = bench(t);
	const result = box.sh('stat -c %t:%T /dev/zero', {
		mounts: [{op: 'bindFromHostDevice', source: '/dev/zero', target: '/dev/zero'}],
	});
	t.is(result.stdout, '1:5\n');
	t.regex(
		box.sh('true', {mounts: [{op: 'bindFromHostDevice', source: '/etc/passwd', target: '/dev/x'}]}).stderr,
		/is not a device/,
	);
});

test('a failed operation is told with its section and index, and the init has ended', (t) => {
	const box = bench(t);
	const plan = box.plan({
		argv: ['true'],
		mounts: [{op: 'mount', fstype: 'nosuchfs', source: '', target: '/x', flags: 0, data: ''}],
	});
	const index = plan.init!.findIndex((op) => op.op === 'mount' && op.fstype === 'nosuchfs');
	const result = box.runPlan(plan);
	t.is(result.code, 125);
	t.regex(result.stderr, new RegExp(`mount nosuchfs.*\\(section 4, operation ${index}\\)`));
});

test('a tmpfs takes its options', (t) => {
	const box = bench(t);
	const result = box.sh('stat -f -c %s:%b /tmpfs; stat -c %a /tmpfs; echo x > /tmpfs/f && echo written', {
		mounts: [
			{
				op: 'mount',
				fstype: 'tmpfs',
				source: 'tmpfs',
				target: '/tmpfs',
				flags: ms.noExec,
				data: 'size=64k,mode=1777',
			},
		],
	});
	t.is(result.stdout, '4096:16\n1777\nwritten\n');
	t.true(statSync(box.folder).isDirectory());
});

test('a shared bind carries mounts to the host, a private one does not', (t) => {
	for (const [propagation, expected] of [
		[ms.shared | ms.recursive, 'mounted\n'],
		[ms.private | ms.recursive, ''],
	] as const) {
		const box = bench(t);
		mkdirSync(box.path('volume/inner'), {recursive: true});
		const plan = box.save(
			box.plan({
				argv: ['sh', '-c', 'mount -t tmpfs tmpfs /volume/inner && touch /volume/inner/mounted'],
				capabilities: allCapabilities,
				mounts: [bind(box.path('volume'), '/volume', ms.recursive, propagation)],
			}),
		);
		// The host, here, is a mount namespace whose volume is a shared mount.
		const script =
			'mount -t tmpfs tmpfs "$1" && mkdir "$1/inner" && mount --make-shared "$1" && "$2" run-plan "$3"; ls "$1/inner"';
		const args = ['-m', '--propagation', 'private', 'sh', '-c', script, 'sh'];
		const result = spawnSync('unshare', [...args, box.path('volume'), monitorPath(), plan], {
			encoding: 'utf8',
		});
		t.is(result.stderr, '');
		t.is(result.stdout, expected);
	}
});

test('a volume that changes while it is mounted leads nowhere else', async (t) => {
	const box = bench(t);
	const volume = box.path('volume');
	mkdirSync(join(volume, 'sub'), {recursive: true});
	symlinkSync(box.path('outside'), join(volume, 'link'));
	// Swaps the folder and the link for as long as it lives.
	const script = `import ctypes, sys
c = ctypes.CDLL(None)
a, b = (sys.argv[1] + n for n in ('/sub', '/link'))
print('ready', flush=True)
while True: c.renameat2(-100, a.encode(), -100, b.encode(), 2)`;
	const swapper = spawn('python3', ['-c', script, volume], {stdio: ['ignore', 'pipe', 'inherit']});
	t.teardown(() => swapper.kill('SIGKILL'));
	await once(swapper.stdout, 'data');
	for (let round = 0; round < 40; round++) {
		box.sh('echo x > /volume/sub/deep/file', {
			mounts: [
				bind(volume, '/volume', ms.recursive),
				{op: 'mount', fstype: 'tmpfs', source: 'tmpfs', target: '/volume/sub/deep', flags: 0, data: ''},
				{op: 'mkdir', path: '/volume/sub/made', mode: 0o755},
				{op: 'symlink', target: 'x', path: '/volume/sub/symlink'},
			],
			workdir: '/volume/sub/work',
		});
	}
	t.deepEqual(readdirSync(box.path('outside')), []);
});
