/**
 * `npm run test:vm`: runs guest.ts in the virtual machine. What it shows that the tests on the host can't: cgroup v2
 * limits, the eBPF device filter before the kernel's verifier, and the fall-backs for an older kernel.
 */
import {cpSync, existsSync, rmSync} from 'node:fs';
import {join} from 'node:path';
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
	workFolder,
	writeInit,
} from './machine.mjs';

if (process.arch !== 'x64') {
	process.stderr.write('The virtual machine of the tests is an x86-64 one.\n');
	process.exit(1);
}
if (!ensurePackages(machineNeeds)) process.exit(1);

const work = workFolder();

/** The program that loads profiles of AppArmor. */
function fetchParser() {
	const folder = join(work, 'apparmor');
	fetchPackage('apparmor', folder);
	return ['sbin', 'usr/sbin']
		.map((bin) => join(folder, bin, 'apparmor_parser'))
		.find((path) => existsSync(path));
}

/** What the engine needs. */
const engineModules = [
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

const kernel = fetchKernel(work);
const initramfs = makeInitramfs(work, kernel, engineModules);
const [disk, quotas] = [join(work, 'disk.img'), join(work, 'quota.img')];
const tree = join(work, 'tree');
makeTree(tree, {bin: 'bin', nodePath: 'bin/node'});
cpSync(new URL('.', import.meta.url).pathname, join(tree, 'wherry/test/vm'), {recursive: true});
copyProgram(fetchParser(), tree, 'sbin/apparmor_parser');
writeInit(tree, [
	'export PATH=/bin:/sbin HOME=/root',
	'mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /tmp; mkdir -p /dev/pts /dev/shm; mount -t devpts devpts /dev/pts',
	'mount -t cgroup2 cgroup2 /sys/fs/cgroup; mount -t securityfs securityfs /sys/kernel/security',
	'ip link set lo up',
	'cd /wherry && node --disable-warning=ExperimentalWarning test/vm/guest.ts; echo "guest: ended with $?"',
]);
makeDisk(disk, '1200M', tree);
rmSync(tree, {recursive: true, force: true});
// The quotas of its projects are on, unlike those of the first disk.
makeDisk(quotas, '200M', undefined, ['-O', 'quota,project', '-E', 'quotatype=prjquota']);

let tail = '';
await boot({
	kernel,
	initramfs,
	disks: [disk, quotas],
	cpu: ['-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '2', '-m', '2048'],
	minutes: 8,
	each(text) {
		process.stdout.write(text);
		tail = (tail + text).slice(-10_000);
	},
});
const result = /guest: (\d+) passed, (\d+) failed/.exec(tail);
const [passed, failed] = result ? [Number(result[1]), Number(result[2])] : [0, 1];
if (!result) process.stdout.write('The virtual machine ended without a result.\n');
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
