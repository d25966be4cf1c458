/**
 * The primitive operations that plans are made of: the one table from which the encoder, the printer and
 * the native header (`native/monitor/ops.h`, written by `header.ts`) come.
 *
 * Argument kinds: `i` a signed 64-bit integer, `s` a byte string (a path, a name, or raw bytes), `l` a list
 * of byte strings. Codes are never reused: a plan file on disk may outlive the build that wrote it.
 */
export type ArgKind = 'i' | 's' | 'l';

export interface OpSchema {
	readonly code: number;
	readonly args: readonly (readonly [name: string, kind: ArgKind])[];
	/** Where the operation may run: `host` in the monitor, `init` in the new container, `exec` in an exec child. */
	readonly phases: readonly ('settings' | 'host' | 'init' | 'exec')[];
	readonly doc: string;
}

const op = (code: number, phases: OpSchema['phases'], args: OpSchema['args'], doc: string): OpSchema => ({
	code,
	phases,
	args,
	doc,
});

export const opSchemas = {
	set: op(
		1,
		['settings'],
		[
			['key', 's'],
			['value', 's'],
		],
		'A setting of the monitor; the keys are in settings.ts.',
	),

	mkdirHost: op(
		10,
		['host'],
		[
			['path', 's'],
			['mode', 'i'],
		],
		'Makes a folder and its parents; one that exists is fine.',
	),
	writeHost: op(
		11,
		['host'],
		[
			['path', 's'],
			['content', 's'],
			['flags', 'i'],
		],
		'Writes a file with one write(2). Flag 1: any error is ignored. Flag 2: ENOENT is ignored.',
	),
	attachDeviceFilter: op(
		12,
		['host'],
		[
			['cgroup', 's'],
			['program', 's'],
		],
		'Attaches an eBPF cgroup-device program to a v2 cgroup.',
	),
	netlink: op(
		13,
		['host'],
		[
			['where', 'i'],
			['protocol', 'i'],
			['messages', 's'],
			['flags', 'i'],
		],
		'Sends a netlink batch and reads every ack. where 0: host, 1: container namespace. Flag 1: errors are ignored. While it is sent, descriptor 100 is the namespace of the host and 101 that of the container, for IFLA_NET_NS_FD.',
	),
	pinAddress: op(
		89,
		['host'],
		[
			['port', 's'],
			['mac', 's'],
		],
		'The bridge looks for this MAC address (six bytes) behind this port of it, and nowhere else.',
	),
	removeFile: op(14, ['host'], [['path', 's']], 'Unlinks; a file that is gone is fine.'),
	removeTree: op(
		15,
		['host'],
		[['path', 's']],
		'Removes a folder and all below it, without following links or crossing mounts.',
	),
	removeCgroup: op(
		16,
		['host'],
		[['path', 's']],
		'Kills what is left in a cgroup, waits for it to empty, removes it and its children.',
	),
	rename: op(
		17,
		['host'],
		[
			['from', 's'],
			['to', 's'],
		],
		'rename(2); a source that is gone is fine.',
	),
	releaseVolume: op(
		18,
		['host'],
		[
			['lock', 's'],
			['reference', 's'],
			['volume', 's'],
			['references', 's'],
		],
		'Under flock(lock): unlinks the reference file, and when no reference is left in the folder `references`, removes the tree `volume` (empty: never removes).',
	),
	releaseMount: op(
		24,
		['host'],
		[
			['lock', 's'],
			['reference', 's'],
			['references', 's'],
			['mountpoint', 's'],
		],
		'Under flock(lock): unlinks the reference file, and when no reference is left in the folder `references`, unmounts what is mounted at the mount point and removes the folder.',
	),

	reservePorts: op(
		80,
		['host'],
		[
			['protocol', 'i'],
			['address', 's'],
			['ports', 's'],
		],
		'Only in `network`. Binds a socket for each port (protocol 6 tcp, 17 udp, 132 sctp; address 4 or 16 bytes; ports as src/engine/networks/port-ranges.ts writes them) and keeps it until the end, so that no other program takes a published port. It never receives: TCP does not listen, UDP has a filter that drops all.',
	),
	proxyPorts: op(
		81,
		['host'],
		[
			['protocol', 'i'],
			['address', 's'],
			['ports', 's'],
			['toAddress', 's'],
		],
		'Only in `network`. Binds as reservePorts does, but accepts and forwards to an address reachable from the host.',
	),
	proxyLoopback: op(
		93,
		['host'],
		[
			['protocol', 'i'],
			['address', 's'],
			['ports', 's'],
			['toAddress', 's'],
		],
		'Only in `network`. As proxyPorts for TCP, but whoever comes to another address than one of 127.0.0.0/8 is turned away: for clients that leadPorts does not lead.',
	),
	publishPorts: op(
		82,
		['host'],
		[
			['family', 'i'],
			['table', 's'],
			['map', 's'],
			['protocol', 'i'],
			['address', 's'],
			['toAddress', 's'],
			['ports', 's'],
		],
		'Adds elements to a map of nf_tables: protocol . port (empty address) or protocol . address . port to address . port. Those that follow one another are one transaction. Sent again by healFirewall.',
	),
	unpublishPorts: op(
		83,
		['host'],
		[
			['family', 'i'],
			['table', 's'],
			['map', 's'],
			['protocol', 'i'],
			['address', 's'],
			['toAddress', 's'],
			['ports', 's'],
		],
		'Deletes what publishPorts has added; what is gone already is fine.',
	),
	leadPorts: op(
		91,
		['host'],
		[
			['name', 's'],
			['address', 's'],
			['toAddress', 's'],
			['ports', 's'],
			['lock', 's'],
		],
		"Only in `network`. Leads TCP connections that processes in the monitor's network namespace make to an IPv4 address (empty: each that is local) to another one, by BPF programs at the top of cgroup v2. They are shared by all monitors that give the same name (15 characters at most), made under flock(lock), and stay for as long as one of these runs. Where the kernel refuses nothing happens, which is no error.",
	),
	unleadPorts: op(
		92,
		['host'],
		[
			['name', 's'],
			['address', 's'],
			['toAddress', 's'],
			['ports', 's'],
		],
		'Undoes leadPorts; what is gone already, or leads elsewhere, is fine.',
	),
	forgetPorts: op(
		84,
		['host'],
		[
			['protocol', 'i'],
			['address', 's'],
			['ports', 's'],
		],
		'As forgetConnections for each of the first ports.',
	),
	allowInHostFilter: op(
		85,
		['host'],
		[
			['family', 'i'],
			['lock', 's'],
			['table', 's'],
			['chains', 'l'],
			['comments', 'l'],
			['rules', 'l'],
		],
		'Only in `network`. Where the last of the chains (FORWARD or OUTPUT, at its hook) of the table may drop, sees that a rule with each of the comments is in the first of the chains that packets pass: `rules` has a batch for each chain and comment. Watches for changes of the table as healFirewall does.',
	),
	forgetConnections: op(
		21,
		['host'],
		[
			['protocol', 'i'],
			['address', 's'],
			['port', 'i'],
		],
		'Deletes conntrack entries whose original destination, or one of whose ends, is this: protocol 0, an empty address or port 0 stand for any. Errors are ignored.',
	),
	serveNames: op(
		22,
		['host'],
		[
			['zones', 'l'],
			['upstreams', 'l'],
			['internal', 'i'],
			['rules', 's'],
			['udpPort', 'i'],
			['tcpPort', 'i'],
		],
		"Only in `network`. Serves DNS at 127.0.0.11 in the container's namespace on random ports, which are written (u16 big-endian) at the byte offsets udpPort and tcpPort of the nf_tables batch `rules` before it is sent there. Zones are folders as src/engine/networks/zone.ts describes them, asked in their order; upstreams are addresses (text) of resolvers, asked at port 53 from the host's namespace (internal 1: never asked). An empty `rules`: nothing is redirected.",
	),
	healFirewall: op(
		23,
		['host'],
		[
			['base', 's'],
			['lock', 's'],
			['family', 'i'],
			['table', 's'],
		],
		'Only in `network`, once per family (2 ip, 10 ip6 of nf_tables). Listens for changes of nf_tables (NFNLGRP_NFTABLES); when the table has gone or has fewer rules than the batch in the file `base` makes, sends that batch under flock(lock) unless somebody has, then (in any case) the publishPorts of the network section of monitor.plan, as it is on disk at that moment: the engine rewrites it when ports are published or taken back. Looks at once, too.',
	),

	joinCgroups: op(30, ['init', 'exec'], [['files', 'l']], 'Writes "0" to each tasks or cgroup.procs file.'),
	unshare: op(31, ['init'], [['flags', 'i']], 'unshare(2) flags, CLONE_NEW*.'),
	joinNamespace: op(
		32,
		['init', 'exec'],
		[
			['path', 's'],
			['flag', 'i'],
		],
		'setns(2) to a namespace file; flag is its CLONE_NEW* type.',
	),
	joinUsers: op(
		86,
		['init'],
		[
			['users', 's'],
			['mounts', 's'],
		],
		'Joins a mount namespace and then a user namespace by their files, each unless its path is empty: becomes the root of the one, and has the root of the other.',
	),
	forkInit: op(
		87,
		['init', 'exec'],
		[],
		'Goes on in a new process, a sibling, in the pid namespace that has been joined or unshared.',
	),
	propagation: op(
		33,
		['init'],
		[
			['path', 's'],
			['flags', 'i'],
		],
		'Changes the propagation of a mount of the new mount namespace (MS_*).',
	),
	overlayRoot: op(
		34,
		['init'],
		[
			['lowers', 'l'],
			['upper', 's'],
			['work', 's'],
			['options', 'l'],
		],
		'Mounts overlay as the new root; lowers topmost first; an empty upper makes it read-only.',
	),
	bindRoot: op(35, ['init'], [['source', 's']], 'Binds a folder as the new root.'),
	mount: op(
		36,
		['init'],
		[
			['fstype', 's'],
			['source', 's'],
			['target', 's'],
			['flags', 'i'],
			['data', 's'],
		],
		'Mounts a new file system at a path in the new root; the target is made. MS_REMOUNT: sets what is mounted there.',
	),
	bind: op(
		37,
		['init'],
		[
			['source', 's'],
			['target', 's'],
			['flags', 'i'],
			['propagation', 'i'],
		],
		'Binds a host path into the new root. flags: MS_REC, MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, bit 32 for MS_RDONLY on all mounts below; the target is made, a file for a file and a folder for a folder.',
	),
	bindMapped: op(
		88,
		['init'],
		[
			['source', 's'],
			['target', 's'],
			['flags', 'i'],
			['propagation', 'i'],
			['uids', 's'],
			['gids', 's'],
			['users', 's'],
			['recursive', 'i'],
		],
		'As bind, with id maps of its own (MOUNT_ATTR_IDMAP): lines of `uid_map` and `gid_map`, or the file of a user namespace whose maps they are; recursive 1: for all mounts below, too. The source is opened, and mapped, by the monitor before it makes the init, which may have no right to.',
	),
	bindBeneath: op(
		78,
		['init'],
		[
			['root', 's'],
			['path', 's'],
			['target', 's'],
			['flags', 'i'],
			['propagation', 'i'],
		],
		'As bind, of a path that is resolved as if the host folder `root` were /: no link in there leads out of it.',
	),
	bindImage: op(
		79,
		['init'],
		[
			['lowers', 'l'],
			['options', 'l'],
			['path', 's'],
			['target', 's'],
		],
		'Mounts a path of an image, resolved in its root, read-only; lowers topmost first.',
	),
	mkdir: op(
		38,
		['init'],
		[
			['path', 's'],
			['mode', 'i'],
		],
		'Makes a folder and its parents in the new root.',
	),
	mknod: op(
		39,
		['init'],
		[
			['path', 's'],
			['mode', 'i'],
			['major', 'i'],
			['minor', 'i'],
			['uid', 'i'],
			['gid', 'i'],
		],
		'Makes a device node or FIFO (mode has S_IF*).',
	),
	symlink: op(
		40,
		['init'],
		[
			['target', 's'],
			['path', 's'],
		],
		'Makes a symbolic link; one that exists is fine.',
	),
	bindFromHostDevice: op(
		41,
		['init'],
		[
			['source', 's'],
			['target', 's'],
		],
		'Binds a host device node where mknod is not allowed.',
	),
	pivot: op(42, ['init'], [], 'pivot_root to the new root; the old root is detached.'),
	mask: op(
		43,
		['init'],
		[['path', 's']],
		'Hides a path: /dev/null over a file, an empty read-only tmpfs over a folder; a missing path is fine.',
	),
	readonly: op(44, ['init'], [['path', 's']], 'Makes a path a read-only mount; a missing path is fine.'),
	readonlyRoot: op(45, ['init'], [], 'Makes the root mount read-only.'),
	hostname: op(46, ['init'], [['name', 's']], 'sethostname(2).'),
	domainname: op(47, ['init'], [['name', 's']], 'setdomainname(2).'),
	sysctl: op(
		48,
		['init'],
		[
			['path', 's'],
			['value', 's'],
		],
		'Writes a file below /proc/sys of the new namespaces; path is relative, with slashes.',
	),
	rlimit: op(
		49,
		['init', 'exec'],
		[
			['resource', 'i'],
			['soft', 'i'],
			['hard', 'i'],
		],
		'prlimit(2); -1 is infinity.',
	),
	loopbackUp: op(50, ['init'], [], 'Sets the interface lo up.'),
	oomScoreAdj: op(51, ['init', 'exec'], [['value', 'i']], 'Writes /proc/self/oom_score_adj.'),
	console: op(
		52,
		['init', 'exec'],
		[
			['rows', 'i'],
			['columns', 'i'],
		],
		'Opens a pty in the devpts of the container, sends the master to the monitor, makes the slave the controlling terminal on 0, 1, 2; in init also binds it over /dev/console.',
	),
	stdio: op(53, ['init', 'exec'], [], 'Puts the pipes of the monitor on 0, 1, 2 and starts a new session.'),
	wait: op(54, ['init'], [], 'Waits until the monitor has set up the network and says go.'),
	workdir: op(
		55,
		['init', 'exec'],
		[
			['path', 's'],
			['create', 'i'],
		],
		'chdir into a path in the root, made with 0755 when missing and create is 1; the result is verified to be inside the root.',
	),
	user: op(
		56,
		['init', 'exec'],
		[
			['spec', 's'],
			['groups', 'l'],
		],
		'Resolves user[:group] with the passwd and group of the root (bounded reads), adds groups, chowns the stdio pipes, sets HOME in the environment of exec when it has none, and keeps the ids for `ids`.',
	),
	ids: op(
		57,
		['init', 'exec'],
		[],
		'setgroups, setresgid, setresuid to what `user` resolved; capabilities are kept until `capabilities`.',
	),
	boundingSet: op(
		58,
		['init', 'exec'],
		[['mask', 'i']],
		'Drops every capability outside the mask from the bounding set.',
	),
	capabilities: op(
		59,
		['init', 'exec'],
		[
			['effective', 'i'],
			['permitted', 'i'],
			['inheritable', 'i'],
			['ambient', 'i'],
		],
		'capset and ambient set. With a uid other than 0 and no ambient set, exec clears them as the kernel does.',
	),
	noNewPrivileges: op(60, ['init', 'exec'], [], 'PR_SET_NO_NEW_PRIVS.'),
	seccomp: op(
		61,
		['init', 'exec'],
		[
			['program', 's'],
			['flags', 'i'],
		],
		'Loads an array of struct sock_filter with seccomp(2).',
	),
	umask: op(62, ['init', 'exec'], [['mask', 'i']], 'umask(2).'),
	joinContainer: op(
		63,
		['exec'],
		[['flags', 'i']],
		'Joins the namespaces of the running container given as CLONE_NEW* flags, and forks when the pid namespace is among them.',
	),
	exec: op(
		64,
		['init', 'exec'],
		[
			['argv', 'l'],
			['env', 'l'],
		],
		'Looks argv[0] up in PATH of env and runs it.',
	),

	runHook: op(
		70,
		['host', 'init'],
		[
			['path', 's'],
			['argv', 'l'],
			['env', 'l'],
			['timeout', 'i'],
			['state', 'l'],
		],
		"Runs a hook of the OCI runtime specification with the container's state on its stdin: the two parts of `state` with the pid of the container's process, as the host sees it, between them. In the host sections in the namespaces of the host, in `init` in those of the container. timeout: seconds until it is killed, 0 never. An empty argv is the path alone.",
	),
	awaitStart: op(
		72,
		['init'],
		[],
		'Just before `exec`: looks the command up, says that all is ready, and waits until the FIFO of the setting `start-fifo` is read. What fails from here on is written to stderr, since nobody else listens.',
	),
	fillCpuset: op(
		73,
		['host'],
		[
			['mount', 's'],
			['path', 's'],
		],
		"Makes the parents of a cgroup in a v1 cpuset hierarchy and gives those that have no CPUs or memory nodes their parent's; and the cgroup itself.",
	),
	timeOffsets: op(
		74,
		['init'],
		[['offsets', 's']],
		'Enters a new time namespace with these lines in timens_offsets (time_namespaces(7)).',
	),
	securityLabel: op(
		90,
		['init', 'exec'],
		[
			['files', 'l'],
			['value', 's'],
		],
		'Sets the label (AppArmor profile, SELinux context) that execve gives the process: writes `value` to the first of the files below /proc/thread-self that there is. It holds for the next execve.',
	),
	personality: op(75, ['init', 'exec'], [['persona', 'i']], 'personality(2).'),
	ioPriority: op(
		76,
		['init', 'exec'],
		[
			['class', 'i'],
			['level', 'i'],
		],
		'ioprio_set(2) of the process: class 1 real-time, 2 best effort, 3 idle.',
	),
	scheduler: op(
		77,
		['init', 'exec'],
		[
			['policy', 'i'],
			['flags', 'i'],
			['nice', 'i'],
			['priority', 'i'],
			['runtime', 'i'],
			['deadline', 'i'],
			['period', 'i'],
		],
		'sched_setattr(2); times are nanoseconds.',
	),
} as const satisfies Record<string, OpSchema>;

export type OpName = keyof typeof opSchemas;

type ArgValue<K> = K extends 'i'
	? number | bigint
	: K extends 's'
		? string | Uint8Array
		: readonly (string | Uint8Array)[];
type Args<A extends readonly (readonly [string, ArgKind])[]> = {[I in A[number] as I[0]]: ArgValue<I[1]>};

/** One operation: `{op: 'mkdir', path: '/dev', mode: 0o755}`. */
export type Op = {[N in OpName]: {readonly op: N} & Readonly<Args<(typeof opSchemas)[N]['args']>>}[OpName];
