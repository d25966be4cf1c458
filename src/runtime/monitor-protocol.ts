/**
 * What a client and a monitor say to each other over the unix stream socket `attach.sock`, and over the
 * socket pair on descriptor 3 of a monitor that has just been spawned.
 *
 * A frame is u8 type, three zero bytes, u32 little-endian length, and the payload. All numbers are
 * little-endian. A connection begins with one request; streams and answers follow. A monitor drops a client
 * whose first frame is no request or whose frame is longer than `maxFrame`, and never waits for a slow
 * client longer than it takes to spill its output (the container is not slowed by one that doesn't read
 * beyond a bounded buffer, except that a foreground client applies backpressure as a pipe does).
 */
export const maxFrame = 4 << 20;

/** Bits of the `streams` byte of start, attach and exec. */
export const streams = {stdin: 1, stdout: 2, stderr: 4, tty: 8, detached: 16} as const;

export const request = {
	/** Only on descriptor 3. u8 streams, u8 0, u16 rows, u16 columns. Answer: ok once the command runs, or error; then output, then exit. */
	start: 0x10,
	/** Payload as start. Answer: ok, then output from now on, then exit. */
	attach: 0x11,
	/**
	 * u8 streams, u8 0, u16 rows, u16 columns, 64 bytes exec id, then a plan file with one exec section.
	 * Answer: ok {"pid"} once the command runs, or error; then output, then exit. With `detached` the
	 * connection ends after ok.
	 */
	exec: 0x12,
	/**
	 * i32 signal, u8 flags (bit 0: the policy must not restart it; bit 1: the answer is exit, after the stop plan has
	 * run). Answer: ok or error.
	 */
	signal: 0x13,
	/**
	 * i32 signal, i32 seconds before SIGKILL (-1 never), optional u8 flags (bit 0: it is not by hand, the next boot
	 * brings it back). No restart. Answer: exit, after the stop plan has run.
	 */
	stop: 0x14,
	pause: 0x15,
	unpause: 0x16,
	/** Answer: exit at the end of the current process (flag `restarting` set when the policy starts it again). */
	wait: 0x17,
	/** Reads monitor.plan again (restart policy, stop plan, pause plan); the running init is not touched. Answer: ok. */
	reload: 0x18,
	/** A plan file with a network section, run now as at the start (connect, publish). Answer: ok or error. What an earlier one reserved or served stays. */
	network: 0x1a,
	/** One or more of: u8 protocol, u8 length of the address, u16 port, the address. Closes what reservePorts or proxyPorts holds. Answer: ok. */
	releasePort: 0x1b,
	/** A plan file with a network section that has one serveNames: replaces zones and upstreams of the running resolver, or starts it. Answer: ok. */
	names: 0x1c,
	/** Pauses, until this connection ends however it ends, or somebody unpauses. Answer: ok, and nothing after it. */
	hold: 0x1d,
	/** u16 rows, u16 columns after 64 bytes exec id (zero bytes: the container's own terminal). Answer: ok. */
	resize: 0x19,
} as const;

/** Client to monitor, after the request. */
export const clientFrame = {stdin: 0x01, stdinEnd: 0x02, /** u16 rows, u16 columns. */ resize: 0x03} as const;

/** Monitor to client. */
export const monitorFrame = {
	stdout: 0x81,
	stderr: 0x82,
	/** JSON text, {} or what the request says. */
	ok: 0x83,
	/** JSON text of MonitorError. */
	error: 0x84,
	/** i32 exit code (128+N for a signal), u8 flags. After every byte of output; for a final exit after the stop plan. The connection ends. */
	exit: 0x85,
} as const;

/** Flags of a signal. */
export const signalFlag = {last: 1, awaitEnd: 2} as const;

export const exitFlag = {oomKilled: 1, restarting: 2, removed: 4} as const;

export interface MonitorError {
	/** The exit code that docker gives: 125 the engine failed, 126 not executable, 127 not found. */
	code: 125 | 126 | 127;
	/** Section and index of the operation that failed, when one did. */
	section?: number;
	op?: number;
	errno?: number;
	/** Which system call, which path. */
	message: string;
}

/**
 * The state file. Written by the monitor alone while it lives; by the engine, under the container's lock,
 * when no monitor lives.
 */
export interface MonitorState {
	status: 'created' | 'running' | 'paused' | 'restarting' | 'exited';
	/** 0 when there is none. A process is identified by pid and its start time (field 22 of /proc/PID/stat). */
	pid: number;
	pidStart: number;
	monitorPid: number;
	monitorStart: number;
	/** /proc/sys/kernel/random/boot_id at the time of writing. */
	bootId: string;
	exitCode: number;
	oomKilled: boolean;
	error: string;
	/** RFC 3339 with nanoseconds, UTC; docker's zero time 0001-01-01T00:00:00Z when it never was. */
	startedAt: string;
	finishedAt: string;
	restartCount: number;
	/** Ended by stop or kill: `unless-stopped` and `always` don't bring it back until it is started by hand or the host boots. */
	manuallyStopped: boolean;
	/**
	 * Who still unmounts the root of a container that has ended, which waits for the disk: until that is gone nobody
	 * mounts it again.
	 */
	unmountPid?: number;
	unmountStart?: number;
	/** Only with a health check, from the first start on. */
	health?: 'starting' | 'healthy' | 'unhealthy';
	failingStreak?: number;
}

/**
 * The log: docker's json-file lines `{"log":"text\n","stream":"stdout","time":"RFC3339Nano"}`, lines longer
 * than 16 KiB in parts without the newline. Rotated to `.1`, `.2`, ... (higher is older). Beside each file
 * `.<file>.idx`: records of three u64 (byte offset of a line's start, number of that line in this file from
 * 0, time of that line in ns since the epoch), one about every 64 KiB; a torn last record is ignored.
 */
export const logIndexRecord = 24;

/** Hidden: who counts the files of a log finds docker's. */
export const logIndexPath = (path: string): string => path.replace(/[^/]*$/, (name) => `.${name}.idx`);
