/**
 * A virtual machine with Debian's cloud kernel (6.1, all cgroup v2 controllers) in qemu's software emulation: its
 * kernel, its initramfs, disks made of folders, and the boot. Needs apt, and cpio, e2fsprogs, busybox and qemu.
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
	realpathSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';

/** For ensurePackages. */
export const machineNeeds = [
	['qemu-system-x86_64', 'qemu-system-x86'],
	['cpio', 'cpio'],
	['busybox', 'busybox-static'],
	['mke2fs', 'e2fsprogs'],
];

const project = new URL('../..', import.meta.url).pathname;

/** Runs a program to its end, and gives what it printed. */
export function run(command, args, options = {}) {
	const result = spawnSync(command, args, {encoding: 'utf8', maxBuffer: 64 << 20, ...options});
	if (result.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${result.stderr || result.error}`);
	return result.stdout;
}

/** A folder for all of it, which goes with the process. */
export function workFolder() {
	const work = mkdtempSync(join(tmpdir(), 'wherry-vm-'));
	process.on('exit', () => rmSync(work, {recursive: true, force: true}));
	return work;
}

/** Fetches a package with apt and unpacks it, without installing it, into `folder`. */
export function fetchPackage(name, folder) {
	mkdirSync(folder, {recursive: true});
	run('apt-get', ['download', name], {cwd: folder});
	const file = readdirSync(folder).find((entry) => entry.endsWith('.deb'));
	run('dpkg', ['-x', join(folder, file), folder]);
}

/** The kernel, unpacked: its version and the folder with `boot` and `lib`. */
export function fetchKernel(work) {
	const depends = run('apt-cache', ['depends', 'linux-image-cloud-amd64']);
	const name = /Depends: (linux-image-\S+)/.exec(depends)?.[1];
	if (!name) throw new Error('apt knows no linux-image-cloud-amd64');
	const folder = join(work, 'kernel');
	fetchPackage(name, folder);
	return {version: name.replace('linux-image-', ''), folder};
}

/** What the disk needs; some are built into some kernels. */
const diskModules = [
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
];

/** An initramfs that loads modules (paths below the kernel's folder of them) and hands over to /init of the disk. */
export function makeInitramfs(work, kernel, moreModules = []) {
	const tree = join(work, 'initramfs');
	const modules = join(kernel.folder, 'lib/modules', kernel.version, 'kernel');
	for (const folder of ['bin', 'modules', 'proc', 'sys', 'dev', 'root'])
		mkdirSync(join(tree, folder), {recursive: true});
	copyFileSync('/bin/busybox', join(tree, 'bin/busybox'));
	chmodSync(join(tree, 'bin/busybox'), 0o755);
	symlinkSync('busybox', join(tree, 'bin/sh'));
	for (const path of [...diskModules, ...moreModules]) {
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
	return join(work, 'initramfs.img');
}

/** Copies a program and the libraries that it links to. */
export function copyProgram(source, tree, destination = source) {
	const copy = (from, to) => {
		mkdirSync(dirname(join(tree, to)), {recursive: true});
		copyFileSync(realpathSync(from), join(tree, to));
	};
	copy(source, destination);
	chmodSync(join(tree, destination), 0o755);
	const linked = spawnSync('ldd', [source], {encoding: 'utf8'}).stdout ?? '';
	for (const [, library] of linked.matchAll(/(\/\S+\.so\S*)/g)) copy(library, library);
}

/** The folders of a root, busybox with its applets in `bin`, Node in `nodePath`, and the package in /wherry. */
export function makeTree(tree, {bin, nodePath}) {
	const folders = [
		...['etc', 'proc', 'sys', 'dev', 'run', 'tmp', 'mnt', 'root', 'var/lib'],
		...['wherry/native/build', 'wherry/test', 'wherry/src'],
	];
	for (const folder of folders) mkdirSync(join(tree, folder), {recursive: true});
	copyProgram('/bin/busybox', tree, join(bin, 'busybox'));
	const applets = run('/bin/busybox', ['--list']).split('\n').filter(Boolean);
	for (const applet of applets) if (applet !== 'busybox') symlinkSync('busybox', join(tree, bin, applet));
	copyProgram(process.execPath, tree, nodePath);
	cpSync(join(project, 'dist'), join(tree, 'wherry/dist'), {recursive: true});
	cpSync(join(project, 'native/build/Release'), join(tree, 'wherry/native/build/Release'), {
		recursive: true,
		filter: (source) => !/obj\.target|\.deps|\/obj/.test(source),
	});
	for (const path of ['package.json', 'src/wherry.sh'])
		cpSync(join(project, path), join(tree, 'wherry', path));
	writeFileSync(
		join(tree, 'etc/passwd'),
		'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n',
	);
	writeFileSync(join(tree, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n');
}

/** The first program of the disk: lines of shell; the machine ends with them. */
export function writeInit(tree, lines) {
	const text = ['#!/bin/sh', ...lines, 'poweroff -f', ''].join('\n');
	writeFileSync(join(tree, 'init'), text);
	chmodSync(join(tree, 'init'), 0o755);
}

/** A disk with what is in a folder. */
export function makeDisk(file, size, tree, options = []) {
	run('mke2fs', ['-q', '-t', 'ext4', ...options, ...(tree ? ['-d', tree] : []), file, size]);
}

/** Boots it, with its console on standard output. `each` gets what it prints. Ends when the machine does. */
export async function boot({kernel, initramfs, disks, cpu, append = '', minutes, each = () => {}}) {
	const drives = disks.flatMap((file) => ['-drive', `file=${file},if=virtio,format=raw,cache=unsafe`]);
	const qemu = spawn(
		'qemu-system-x86_64',
		[
			...cpu,
			...['-nodefaults', '-no-reboot', '-display', 'none', '-serial', 'stdio'],
			...['-kernel', join(kernel.folder, `boot/vmlinuz-${kernel.version}`), '-initrd', initramfs],
			...drives,
			...['-append', `console=ttyS0 quiet panic=-1 systemd.unified_cgroup_hierarchy=1 ${append}`],
		],
		{stdio: ['ignore', 'pipe', 'inherit']},
	);
	const limit = setTimeout(() => qemu.kill('SIGKILL'), minutes * 60_000);
	for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => qemu.kill('SIGKILL'));
	qemu.stdout.setEncoding('utf8');
	qemu.stdout.on('data', (text) => each(text));
	await new Promise((resolve) => qemu.on('close', resolve));
	clearTimeout(limit);
}
