/**
 * `npm run bench:instructions [-- --runs N] [--only TEXT]... [--functions]`: `traffic.ts` in a virtual machine whose
 * clock counts the instructions of its one processor, two nanoseconds each (qemu's -icount). A rate is then how much
 * goes through for so many instructions, of the kernel and of all processes: the length of the way, the same in every
 * run, whatever else this machine does. What a real processor makes of them, caches and all, is what
 * `npm run bench:traffic` shows. With --functions it is told, too, in which functions of the kernel the engines differ.
 */
import {cpSync, existsSync, readdirSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {delimiter, join} from 'node:path';
import {ensurePackages} from '../setup/packages.mjs';
import {
	boot,
	copyProgram,
	fetchKernel,
	fetchPackage,
	machineNeeds,
	makeDisk,
	makeInitramfs,
	makeTree,
	run,
	workFolder,
	writeInit,
} from '../vm/machine.mjs';
import {compile, functionTable} from './functions.mjs';
import {rateTable} from './measure.ts';

if (!ensurePackages(machineNeeds)) process.exit(1);

/** Debian's own; a folder of node_modules may have others of the same name. */
const folders = ['/usr/bin', '/usr/sbin', '/bin', '/sbin'];
const find = (name) => folders.map((folder) => join(folder, name)).find((path) => existsSync(path));

const tools = [
	...['dash', 'bash', 'ldd', 'ip', 'nsenter', 'unshare', 'setpriv', 'sleep', 'tar', 'mount', 'umount'],
	...[
		'iptables',
		'ip6tables',
		'iptables-save',
		'iptables-restore',
		'ip6tables-save',
		'ip6tables-restore',
		'nft',
	],
	...['iperf3', 'nginx', 'wrk'],
	...['docker', 'dockerd', 'docker-proxy', 'docker-init', 'containerd', 'containerd-shim-runc-v2', 'runc'],
	...['podman', 'crun', 'conmon'],
];

const work = workFolder();
const tree = join(work, 'tree');

/** As on Debian, where /bin is /usr/bin. */
function makeRoot() {
	makeTree(tree, {bin: 'usr/bin', nodePath: 'usr/bin/node'});
	for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
		// Libraries were copied by the paths that the linker gives.
		if (existsSync(join(tree, name))) {
			cpSync(join(tree, name), join(tree, 'usr', name), {recursive: true});
			rmSync(join(tree, name), {recursive: true});
		}
		symlinkSync(join('usr', name), join(tree, name));
	}
	for (const name of tools) {
		const source = find(name);
		if (source === undefined) {
			process.stderr.write(`${name} is not there: what needs it is left out\n`);
			continue;
		}
		const destination = source.startsWith('/usr') ? source : join('/usr', source);
		rmSync(join(tree, destination), {force: true});
		rmSync(join(tree, 'usr/bin', name), {force: true});
		copyProgram(source, tree, destination);
	}
	rmSync(join(tree, 'usr/bin/sh'), {force: true});
	symlinkSync('dash', join(tree, 'usr/bin/sh'));
	if (existsSync('/usr/lib/podman')) {
		for (const name of readdirSync('/usr/lib/podman')) copyProgram(join('/usr/lib/podman', name), tree);
	}
	for (const path of ['/usr/lib/x86_64-linux-gnu/xtables', '/etc/containers', '/usr/share/containers']) {
		if (existsSync(path)) cpSync(path, join(tree, path), {recursive: true, verbatimSymlinks: true});
	}
	for (const [name, text] of [
		['resolv.conf', ''],
		['hosts', '127.0.0.1 localhost\n'],
		['protocols', 'tcp 6 TCP\nudp 17 UDP\n'],
	]) {
		writeFileSync(join(tree, 'etc', name), text);
	}
	cpSync(new URL('.', import.meta.url).pathname, join(tree, 'wherry/test/bench'), {recursive: true});
	const layout = 'src/runtime/cgroups/layout.ts';
	cpSync(new URL(`../../${layout}`, import.meta.url).pathname, join(tree, 'wherry', layout));
}

/** All modules, and the program by which the kernel asks for them. */
function addModules(kernel) {
	const folder = join(work, 'kmod');
	fetchPackage('kmod', folder);
	for (const name of ['modprobe', 'depmod', 'insmod', 'lsmod']) {
		rmSync(join(tree, 'usr/bin', name), {force: true});
		rmSync(join(tree, 'usr/sbin', name), {force: true});
		copyProgram(join(folder, 'bin/kmod'), tree, join('/usr/sbin', name));
	}
	cpSync(join(kernel.folder, 'lib/modules'), join(tree, 'usr/lib/modules'), {recursive: true});
	run('chroot', [tree, '/usr/sbin/depmod', kernel.version]);
}

const kernel = fetchKernel(work);
makeRoot();
addModules(kernel);
const byFunction = process.argv.includes('--functions');
const [counts, symbols] = [join(work, 'counts'), join(work, 'symbols')];
const given = process.argv.slice(2).filter((word) => word !== '--functions');
let plugin = [];
if (byFunction) {
	const compiled = compile(work);
	plugin = ['-plugin', `${compiled.plugin},out=${counts}`];
	copyProgram(compiled.mark, tree, '/usr/bin/mark');
	given.push('--json', '--mark', '/usr/bin/mark');
	writeFileSync(symbols, Buffer.alloc(32 << 20));
}
const words = given.map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
writeInit(tree, [
	`export PATH=${folders.slice(0, 2).join(delimiter)} HOME=/root TMPDIR=/var/tmp`,
	'mkdir -p /var/tmp; mount -t tmpfs tmpfs /run; mkdir -p /dev/pts /dev/shm; mount -t devpts devpts /dev/pts',
	'mount -t tmpfs tmpfs /dev/shm; mount -t cgroup2 cgroup2 /sys/fs/cgroup; ip link set lo up',
	// As it is on a host on which docker or Kubernetes has wanted it.
	'modprobe br_netfilter; modprobe overlay; echo 1 > /proc/sys/net/ipv4/ip_forward',
	`cd /wherry && node --disable-warning=ExperimentalWarning test/bench/traffic.ts ${words.join(' ')}`,
	...(byFunction ? ['cat /proc/kallsyms > /dev/vdb; sync'] : []),
]);
const disk = join(work, 'disk.img');
makeDisk(disk, '4G', tree);
rmSync(tree, {recursive: true, force: true});

let text = '';
await boot({
	kernel,
	initramfs: makeInitramfs(work, kernel),
	disks: byFunction ? [disk, symbols] : [disk],
	cpu: [
		...plugin,
		...['-accel', 'tcg,thread=single', '-icount', 'shift=1,sleep=off,align=off'],
		// Without these two the kernel copies eight bytes with an instruction, not one.
		...['-cpu', 'max,-erms,-fsrm', '-smp', '1', '-m', '4096'],
	],
	append: `mitigations=off ${byFunction ? 'nokaslr' : ''}`,
	minutes: 180,
	each: (part) => {
		text += part;
		process[byFunction ? 'stderr' : 'stdout'].write(part);
	},
});
if (byFunction) {
	const json = /^\[$.*?^\]$/ms.exec(text.replaceAll('\r', ''))?.[0];
	if (json === undefined) process.exit(1);
	const rates = JSON.parse(json);
	process.stdout.write(`${rateTable(rates)}\n${functionTable(rates, counts, symbols)}\n`);
}
