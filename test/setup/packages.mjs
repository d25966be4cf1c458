/**
 * What the tests need from the system: a command or a file that shows it is there, and Debian's package.
 * As root on Debian what is missing is installed; elsewhere it is listed and the run ends.
 */
import {spawnSync} from 'node:child_process';
import {accessSync, constants, existsSync} from 'node:fs';

const needs = [
	['busybox', 'busybox-static'],
	['docker-registry', 'docker-registry'],
	['skopeo', 'skopeo'],
	['umoci', 'umoci'],
	['podman', 'podman'],
	['tmux', 'tmux'],
	['vim', 'vim'],
	['debootstrap', 'debootstrap'],
	['zstd', 'zstd'],
	['ip', 'iproute2'],
	['/usr/sbin/nft', 'nftables'],
	['iptables-restore', 'iptables'],
	['conntrack', 'conntrack'],
	['getcap', 'libcap2-bin'],
	['g++', 'g++'],
	['/usr/include/seccomp.h', 'libseccomp-dev'],
	['htpasswd', 'apache2-utils'],
	['openssl', 'openssl'],
	['strace', 'strace'],
	['mkfs.xfs', 'xfsprogs'],
	['mkfs.btrfs', 'btrfs-progs'],
	['curl', 'curl'],
	['redis-cli', 'redis-tools'],
	['stty', 'coreutils'],
	['ps', 'procps'],
	['python3', 'python3'],
	['bash', 'bash'],
	['zsh', 'zsh'],
	['fish', 'fish'],
];

const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'];

function present(probe) {
	if (probe.startsWith('/')) return existsSync(probe);
	return folders.some((folder) => {
		try {
			accessSync(`${folder}/${probe}`, constants.X_OK);
			return true;
		} catch {
			return false;
		}
	});
}

/** Installs or lists. Returns whether everything is there. */
export function ensurePackages(list = needs) {
	const missing = list.filter(([probe]) => !present(probe)).map(([, name]) => name);
	if (missing.length === 0) return true;
	const debian = existsSync('/etc/debian_version') && present('apt-get');
	if (process.getuid?.() !== 0 || !debian) {
		process.stderr.write(
			`The tests need: ${missing.join(' ')} (names of Debian packages). Install them and run again.\n`,
		);
		return false;
	}
	process.stderr.write(`Installing for the tests: ${missing.join(' ')}\n`);
	const env = {...process.env, DEBIAN_FRONTEND: 'noninteractive'};
	const install = () =>
		spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], {
			stdio: ['ignore', 'ignore', 'inherit'],
			env,
		}).status === 0;
	for (let attempt = 0; attempt < 3; attempt++) {
		spawnSync('apt-get', ['update', '-qq'], {stdio: ['ignore', 'ignore', 'inherit'], env});
		if (install()) break;
	}
	const still = list.filter(([probe]) => !present(probe)).map(([, name]) => name);
	if (still.length > 0) process.stderr.write(`Could not install: ${still.join(' ')}\n`);
	return still.length === 0;
}
