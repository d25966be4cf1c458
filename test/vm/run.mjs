/**
 * `npm run test:vm`: boots Debian's cloud kernel (6.1, all cgroup v2 controllers) in qemu's software
 * emulation and runs guest.ts there. What it shows that the tests on the host can't: cgroup v2 limits, the
 * eBPF device filter before the kernel's verifier, and the fall-backs for an older kernel.
 */
import {spawn, spawnSync} from 'node:child_process';
import {
	chmodSync,
	copyFileSync,
	cpSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {ensurePackages} from '../setup/packages.mjs';

const root = new URL('../..', import.meta.url).pathname;

if (process.arch !== 'x64') {
	process.stderr.write('The virtual machine of the tests is an x86-64 one.\n');
	process.exit(1);
}
const needed = [
	['qemu-system-x86_64', 'qemu-system-x86'],
	['cpio', 'cpio'],
	['busybox', 'busybox-static'],
	['mke2fs', 'e2fsprogs'],
];
if (!ensurePackages(needed)) process.exit(1);

const work = mkdtempSync(join(tmpdir(), 'wherry-vm-'));
process.on('exit', () => rmSync(work, {recursive: true, force: true}));

function run(command, args, options = {}) {
	const result = spawnSync(command, args, {encoding: 'utf8', maxBuffer: 64 << 20, ...options});
	if (result.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${result.stderr || result.error}`);
	return result.stdout;
}

/** The kernel's package, fetched with apt and unpacked without being installed. */
function fetchKernel() {
	const depends = run('apt-cache', ['depends', 'linux-image-cloud-amd64']);
	const name = /Depends: (linux-image-\S+)/.exec(depends)?.[1];
	if (!name) throw new Error('apt knows no linux-image-cloud-amd64');
	run('apt-get', ['download', name], {cwd: work});
	const file = readdirSync(work).find((entry) => entry.endsWith('.deb'));
	run('dpkg', ['-x', join(work, file), join(work, 'kernel')]);
	return name.replace('linux-image-', '');
}

/** The program that loads profiles of AppArmor. */
function fetchParser() {
	const folder = join(work, 'apparmor');
	mkdirSync(folder);
	run('apt-get', ['download', 'apparmor'], {cwd: folder});
	const file = readdirSync(folder).find((entry) => entry.endsWith('.deb'));
	run('dpkg', ['-x', join(folder, file), folder]);
	return ['sbin', 'usr/sbin']
		.map((bin) => join(folder, bin, 'apparmor_parser'))
		.find((path) => existsSync(path));
}

const version = fetchKernel();
const modules = join(work, 'kernel/lib/modules', version, 'kernel');

/** What the disk and the engine need; some are built into some kernels. */
const bootModules = [
	'drivers/virtio/virtio.ko',
	'drivers/virtio/virtio_ring.ko',
	'drivers/virtio/virtio_pci_modern_dev.ko',
	'drivers/virtio/virtio_pci_legacy_dev.ko',
	'drivers/virtio/virtio_pci.ko',
	'drivers/block/virtio_blk.ko',
	'lib/crc16.ko',
	'crypto/crc32c_generic.ko',
	'lib/libcrc32c.ko',
	'fs/mbcache.ko',
	'fs/jbd2/jbd2.ko',
	'fs/ext4/ext4.ko',
	'fs/overlayfs/overlay.ko',
	'fs/quota/quota_tree.ko',
	'fs/quota/quota_v2.ko',
	'block/bfq.ko',
	'drivers/net/veth.ko',
	'net/llc/llc.ko',
	'net/802/stp.ko',
	'net/bridge/bridge.ko',
	'net/netfilter/nfnetlink.ko',
	'net/netfilter/nf_conntrack.ko',
	'net/netfilter/nf_conntrack_netlink.ko',
	'net/netfilter/nf_nat.ko',
	'net/netfilter/nf_tables.ko',
	'net/netfilter/nft_chain_nat.ko',
	'net/netfilter/nft_ct.ko',
	'net/netfilter/nft_fib.ko',
	'net/netfilter/nft_masq.ko',
	'net/netfilter/nft_nat.ko',
	'net/ipv4/netfilter/nf_defrag_ipv4.ko',
	'net/ipv4/netfilter/nft_fib_ipv4.ko',
	'net/ipv6/netfilter/nf_defrag_ipv6.ko',
	'net/ipv6/netfilter/nft_fib_ipv6.ko',
];

function makeInitramfs() {
	const tree = join(work, 'initramfs');
	for (const folder of ['bin', 'modules', 'proc', 'sys', 'dev', 'root'])
		mkdirSync(join(tree, folder), {recursive: true});
	copyFileSync('/bin/busybox', join(tree, 'bin/busybox'));
	chmodSync(join(tree, 'bin/busybox'), 0o755);
	symlinkSync('busybox', join(tree, 'bin/sh'));
	for (const path of bootModules) {
		if (!existsSync(join(modules, path))) continue;
		const name = path.split('/').at(-1);
		copyFileSync(join(modules, path), join(tree, 'modules', name));
	}
	writeFileSync(
		join(tree, 'init'),
		[
			'#!/bin/sh',
			'/bin/busybox --install -s /bin',
			'mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev',
			// Without modules.dep the order is found by trying: each pass loads what the one before made possible.
			'for pass in 1 2 3 4 5; do for module in /modules/*; do insmod $module 2>/dev/null; done; done',
			'for wait in 1 2 3 4 5; do [ -b /dev/vda ] && break; sleep 1; done',
			'mount -t ext4 /dev/vda /root || { echo "guest: no root"; poweroff -f; }',
			'mount -o move /proc /root/proc; mount -o move /sys /root/sys; mount -o move /dev /root/dev',
			'exec switch_root /root /init',
			'',
		].join('\n'),
	);
	chmodSync(join(tree, 'init'), 0o755);
	run('sh', ['-c', `find . | cpio -o -H newc --quiet > ${work}/initramfs.img`], {cwd: tree});
}

/** Copies a program and the libraries that it links to. */
function copyProgram(source, tree, destination) {
	mkdirSync(dirname(join(tree, destination)), {recursive: true});
	copyFileSync(source, join(tree, destination));
	chmodSync(join(tree, destination), 0o755);
	const linked = spawnSync('ldd', [source], {encoding: 'utf8'}).stdout ?? '';
	for (const [, library] of linked.matchAll(/(\/\S+\.so\S*)/g)) {
		mkdirSync(dirname(join(tree, library)), {recursive: true});
		copyFileSync(library, join(tree, library));
	}
}

function makeDisk() {
	const tree = join(work, 'tree');
	for (const folder of [
		'bin',
		'sbin',
		'etc',
		'proc',
		'sys',
		'dev',
		'run',
		'tmp',
		'mnt',
		'root',
		'var/lib',
		'wherry/native/build',
		'wherry/test/vm',
	]) {
		mkdirSync(join(tree, folder), {recursive: true});
	}
	copyProgram('/bin/busybox', tree, 'bin/busybox');
	const applets = run('/bin/busybox', ['--list']).split('\n').filter(Boolean);
	for (const applet of applets) if (applet !== 'busybox') symlinkSync('busybox', join(tree, 'bin', applet));
	copyProgram(process.execPath, tree, 'bin/node');
	cpSync(join(root, 'dist'), join(tree, 'wherry/dist'), {recursive: true});
	cpSync(join(root, 'native/build/Release'), join(tree, 'wherry/native/build/Release'), {
		recursive: true,
		filter: (source) => !/obj\.target|\.deps|\/obj/.test(source),
	});
	cpSync(join(root, 'package.json'), join(tree, 'wherry/package.json'));
	cpSync(join(root, 'test/vm'), join(tree, 'wherry/test/vm'), {recursive: true});
	copyProgram(fetchParser(), tree, 'sbin/apparmor_parser');
	writeFileSync(
		join(tree, 'etc/passwd'),
		'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n',
	);
	writeFileSync(join(tree, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n');
	writeFileSync(
		join(tree, 'init'),
		[
			'#!/bin/sh',
			'export PATH=/bin:/sbin HOME=/root',
			'mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /tmp; mkdir -p /dev/pts /dev/shm; mount -t devpts devpts /dev/pts',
			'mount -t cgroup2 cgroup2 /sys/fs/cgroup; mount -t securityfs securityfs /sys/kernel/security',
			'ip link set lo up',
			'cd /wherry && node --disable-warning=ExperimentalWarning test/vm/guest.ts; echo "guest: ended with $?"',
			'poweroff -f',
			'',
		].join('\n'),
	);
	chmodSync(join(tree, 'init'), 0o755);
	run('mke2fs', ['-q', '-t', 'ext4', '-d', tree, join(work, 'disk.img'), '1200M']);
	rmSync(tree, {recursive: true, force: true});
	// The quotas of its projects are on, unlike those of the first disk.
	const quotas = ['-O', 'quota,project', '-E', 'quotatype=prjquota'];
	run('mke2fs', ['-q', '-t', 'ext4', ...quotas, join(work, 'quota.img'), '200M']);
}

makeInitramfs();
makeDisk();
const qemu = spawn(
	'qemu-system-x86_64',
	[
		...[
			'-accel',
			'tcg,thread=multi',
			'-cpu',
			'max',
			'-smp',
			'2',
			'-m',
			'2048',
			'-nodefaults',
			'-no-reboot',
			'-display',
			'none',
		],
		...[
			'-serial',
			'stdio',
			'-kernel',
			join(work, `kernel/boot/vmlinuz-${version}`),
			'-initrd',
			join(work, 'initramfs.img'),
		],
		...['-drive', `file=${join(work, 'disk.img')},if=virtio,format=raw,cache=unsafe`],
		...['-drive', `file=${join(work, 'quota.img')},if=virtio,format=raw,cache=unsafe`],
		...['-append', 'console=ttyS0 quiet panic=-1 systemd.unified_cgroup_hierarchy=1'],
	],
	{stdio: ['ignore', 'pipe', 'inherit']},
);
const limit = setTimeout(() => qemu.kill('SIGKILL'), 8 * 60_000);
let tail = '';
qemu.stdout.setEncoding('utf8');
qemu.stdout.on('data', (text) => {
	process.stdout.write(text);
	tail = (tail + text).slice(-10_000);
});
qemu.on('close', () => {
	clearTimeout(limit);
	const result = /guest: (\d+) passed, (\d+) failed/.exec(tail);
	const [passed, failed] = result ? [Number(result[1]), Number(result[2])] : [0, 1];
	if (!result) process.stdout.write('The virtual machine ended without a result.\n');
	process.stdout.write(`${passed} passed, ${failed} failed\n`);
	process.exitCode = failed === 0 ? 0 : 1;
});
