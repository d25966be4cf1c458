/** The subjects under which help shows the flags of commands that have many. */

const subjects: [title: string, names: string][] = [
	[
		'Container',
		'detach name rm cidfile pull platform quiet label label-file annotation restart stop-signal stop-timeout runtime',
	],
	[
		'Process',
		'entrypoint env env-file user group-add workdir init interactive tty ui attach detach-keys sig-proxy hostname domainname',
	],
	[
		'Network',
		'network network-alias ip ip6 link-local-ip mac-address publish publish-all expose dns dns-option dns-search add-host link publish-add publish-rm',
	],
	['Storage', 'volume mount tmpfs volumes-from volume-driver read-only storage-opt shm-size'],
	[
		'Resources',
		'memory memory-reservation memory-swap memory-swappiness oom-kill-disable oom-score-adj cpus cpu-shares cpu-period cpu-quota cpu-rt-period cpu-rt-runtime cpuset-cpus cpuset-mems pids-limit ulimit blkio-weight blkio-weight-device device-read-bps device-read-iops device-write-bps device-write-iops cgroup-parent',
	],
	['Devices', 'device device-cgroup-rule gpus'],
	[
		'Security and isolation',
		'privileged cap-add cap-drop security-opt sysctl pid ipc uts userns cgroupns isolation',
	],
	[
		'Health',
		'health-cmd health-interval health-timeout health-retries health-start-period health-start-interval health-on-failure no-healthcheck',
	],
	['Logging', 'log-driver log-opt'],
];

/** Commands whose flags don't fit on a screen. */
const grouped = new Set(['container run', 'container create', 'container update', 'debug plan']);

/** Title and flags of each group; what is in none comes last, under yargs' own title. */
export function flagGroups(command: string, flags: readonly string[]): [string, string[]][] {
	if (!grouped.has(command)) return [];
	return subjects
		.map(([title, names]): [string, string[]] => [
			title,
			names.split(' ').filter((name) => flags.includes(name)),
		])
		.filter(([, names]) => names.length > 0);
}

/** For the test that no flag of these commands is without a subject. */
export const withSubject: ReadonlySet<string> = new Set(subjects.flatMap(([, names]) => names.split(' ')));
