/**
 * The parts of a plan file, and the settings of the monitor.
 *
 * A plan file is `WPLN`, u32 version, u32 count of sections, then each section: u32 kind, u32 length in
 * bytes of what follows, u32 count of operations, and its operations. An operation is u16 code, u16 count of
 * arguments, u32 length in bytes of its arguments; an argument is one kind byte (`i`, `s` or `l`) and then
 * i64, or u32 length + bytes + NUL, or u32 count + that many strings (u32 length + bytes + NUL).
 * All numbers are little-endian and unaligned.
 */
export const sectionKinds = {
	settings: 1,
	/** Run by the monitor before it clones the init, at every start of the init (cgroups). */
	setup: 2,
	/** Run by the monitor while the init mounts, only at the first start: the network lives on over restarts. */
	network: 3,
	/** Run by the init. */
	init: 4,
	/** Run when the container ends for good, by the monitor or by `wherry-monitor cleanup`. */
	stop: 5,
	/** Run for pause and for unpause. */
	pause: 6,
	unpause: 7,
	/** Run by an exec child; in a monitor's plan, the health check. */
	exec: 8,
	/** Run by the monitor once there is an init, before it lets it go on: hooks. At every start of the init. */
	created: 9,
	/** Run by the monitor once the command runs; a failure is only told. At every start of the init. */
	started: 10,
} as const;

export type SectionKind = keyof typeof sectionKinds;

export const planVersion = 1;

/**
 * Settings of the monitor (`set` operations; values are strings, numbers in decimal, booleans `0` or `1`).
 * Paths are absolute.
 */
export interface MonitorSettings {
	/** 64 hex digits. */
	id: string;
	/** WHERRY_RUN/containers/<id>: has monitor.plan, attach.sock, attributes. */
	'run-dir': string;
	/** An empty folder on which the root is mounted in the container's own mount namespace. */
	mountpoint: string;
	/** The state file that the monitor replaces by rename at every change; see state.ts. */
	'state-file': string;
	/** `json-file`, `local` (the same, but any bytes can be had back) or `none`. */
	'log-driver': string;
	'log-file': string;
	/** Bytes after which the log is rotated, -1 never. */
	'log-max-size': string;
	/** Files kept, the current one among them. */
	'log-max-files': string;
	/** Whether files that are full become `.gz`; absent: no. */
	'log-compress'?: string;
	/** The text of a JSON object that every line has as `attrs`. */
	'log-attributes'?: string;
	/** Whether the container has a terminal. */
	tty: string;
	/** Whether stdin stays open without a client (-i); else it is /dev/null. */
	'open-stdin': string;
	/** Whether stdin ends when the first client that attached it leaves (-i without -t, attached). */
	'stdin-once': string;
	/** `no`, `always`, `unless-stopped`, `on-failure`. */
	'restart-policy': string;
	/** For `on-failure`; 0 is without limit. */
	'restart-max': string;
	/** How often the policy has restarted it before this monitor began. */
	'restart-count': string;
	/** Number of the signal that `stop` sends. */
	'stop-signal': string;
	/** Seconds before SIGKILL, -1 never. */
	'stop-timeout': string;
	/** CLONE_NEW* flags for clone3 of the init (not those that it joins or unshares itself). */
	'clone-flags': string;
	/**
	 * With CLONE_NEWUSER among the flags: lines of `uid_map` and `gid_map`, and the files (separated by newlines) to
	 * which the init's pid is written, since by itself it may not.
	 */
	'uid-map'?: string;
	'gid-map'?: string;
	'init-cgroups'?: string;
	/** `0`: the container goes on when its monitor ends. */
	'dies-with-monitor'?: string;
	/** How many descriptors from 3 on the command gets. */
	'preserve-fds'?: string;
	/** The FIFO of `awaitStart`. */
	'start-fifo'?: string;
	/**
	 * The unix socket to which the listener of a seccomp filter is sent, and the JSON that goes with it up to the
	 * members of its `state`; the pids are added.
	 */
	'listener-path'?: string;
	'listener-members'?: string;
	/** A namespace file for the pid namespace to join, `container:` and another container's state file, or empty. */
	'join-pid': string;
	/** The same for the network namespace. */
	'join-net': string;
	/** v2: the cgroup folder for CLONE_INTO_CGROUP, or empty. The monitor falls back to cgroup.procs. */
	'cgroup-dir': string;
	/** Files of the monitors' own cgroups (`tasks` or `cgroup.procs`), separated by newlines; "0" is written to each. */
	'monitor-cgroups': string;
	/** v1: memory.oom_control; v2: memory.events. Empty: OOM kills are not told. */
	'oom-file': string;
	/** A file to write "1" to (cgroup.kill) that kills all, or empty. */
	'kill-file': string;
	/** The events journal. */
	'events-file': string;
	/** What events of networks tell: for each a line of its id, a space, and JSON members. */
	networks?: string;
	/**
	 * The same of volumes: for each a line of its name, its folder if it is anonymous, and JSON members of its
	 * `mount` and its `unmount`, with tabs between.
	 */
	volumes?: string;
	/** Whether the container is removed at its end (--rm); then its stop plan removes its folder. */
	'auto-remove': string;
	/**
	 * The health check, whose command is the plan's exec section; absent when there is none. Times are nanoseconds,
	 * counted as docker counts them.
	 */
	'health-interval'?: string;
	'health-timeout'?: string;
	/** The time-out in Go's notation, for the message. */
	'health-timeout-words'?: string;
	'health-start-period'?: string;
	/** The interval within the start period, until the first success. */
	'health-start-interval'?: string;
	/** Failures one after another that make it unhealthy. */
	'health-retries'?: string;
	/** The file with the last results: a JSON object (Start, End, ExitCode, Output) in each line. */
	'health-log'?: string;
	/** What to do when it becomes unhealthy: `none`, `kill`, `restart` (beside the restart policy), `stop`. */
	'health-on-failure'?: string;
}
