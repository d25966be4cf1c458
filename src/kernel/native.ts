/**
 * The typed binding of the native addon (`native/addon`). Native functions have no policy; errors are thrown
 * (or rejected) as `Error` with `code` ('ENOENT'), `errno` (positive) and `syscall`, like Node's own.
 * Descriptors are plain numbers, close-on-exec, closed by the caller with `fs.closeSync`.
 */
import {addonPath} from './locate.ts';

export interface LayerStats {
	/** Bytes of the uncompressed tar stream. */
	readonly size: number;
	/** `sha256:<hex>` of the uncompressed tar stream: the diff id. */
	readonly diffId: string;
	/** `sha256:<hex>` of the bytes that were fed: the blob's digest. */
	readonly digest: string;
	/** Bytes that were fed. */
	readonly fed: number;
	/** Folders that entries need but that the layer has no entry for, relative, parents first. */
	readonly implied: readonly string[];
	readonly entries: number;
	/** Bytes that the entries' files and links hold: what docker calls the size of a layer. */
	readonly content: number;
}

/** Unpacks one layer: `write` feeds compressed or plain bytes as they arrive, `finish` ends it. */
export interface LayerUnpacker {
	/** Resolves when the bytes have been taken (backpressure). Rejects with the first error of any thread. */
	write(chunk: Uint8Array): Promise<void>;
	finish(): Promise<LayerStats>;
	/** Stops the threads; what has been written stays for the caller to remove. */
	abort(): Promise<void>;
}

/** What starts of containers make in a root; see `listChanges`. Paths without a leading slash. */
export interface StartMarks {
	readonly files: readonly string[];
	readonly folders: readonly string[];
	/** As `etc/mtab -> /proc/mounts`. */
	readonly links?: readonly string[];
	/** A descriptor of the image's root. */
	readonly base?: number;
}

export interface PackOptions {
	/** Of the first entry; what is beneath it follows after a slash. Empty: names begin beneath it. */
	readonly name?: string;
	/** Whether the folder that is packed has an entry itself. Default true. */
	readonly withTop?: boolean;
	/** An overlay's upper folder: its whiteouts and opaque folders become those of layers (image-spec, layer.md). */
	readonly upper?: boolean;
	/** Left out as long as they are as a start made them: empty, and the folders as in `base`. */
	readonly marks?: StartMarks;
	/** A descriptor of another tree: only what differs from it is packed, what is gone becomes a whiteout. */
	readonly base?: number;
	/** Holes are told in GNU's format, which not every reader knows; otherwise they are zeros. */
	readonly sparse?: boolean;
	/** Folders on other file systems are packed without what is in them; otherwise only those of the kernel's own. */
	readonly oneFileSystem?: boolean;
	/** Folders, relative, of which the same holds when they are on another file system. */
	readonly closed?: readonly string[];
	/** A pidfd: when its process ends, the work fails with ESRCH. */
	readonly guard?: number;
	/** Whether the archive's digest is wanted. */
	readonly hash?: boolean;
	/** The output is a file, which has to be on the disk when it is done. */
	readonly sync?: boolean;
}

export interface UnpackOptions {
	/** The folder to unpack into, as messages name it and, in a container, where it is. */
	readonly folder: string;
	/** `root` is the folder itself, and no link in it is followed. Otherwise `root` is what `/` means to `folder` and all links. */
	readonly beneath?: boolean;
	/** Files get the owners that their entries say (default), or nobody changes them. */
	readonly owners?: boolean;
	/** Both: all files get this owner. */
	readonly uid?: number;
	readonly gid?: number;
	/** What is no folder takes the place of one, and the other way round; a link to a folder is one. */
	readonly replaces?: boolean;
	/** As in PackOptions. */
	readonly guard?: number;
}

export interface PackStats {
	/** Bytes of the archive. */
	readonly size: number;
	readonly entries: number;
}

/** A mount to make beneath a root. */
export interface RootMount {
	readonly source: string;
	readonly target: string;
	readonly readOnly: boolean;
	readonly recursive: boolean;
}

export interface RootStat {
	/** st_mode. */
	readonly mode: number;
	readonly size: number;
	/** Nanoseconds since the epoch. */
	readonly mtime: bigint;
	/** On procfs, sysfs or another file system of the kernel's own. */
	readonly kernel: boolean;
}

/** A stream socket in the event loop, with no buffer of its own. It keeps the process alive while it is watched. */
export interface NativeSocket {
	/** Which events the listener gets; none at first. */
	watch(reading: boolean, writing: boolean): void;
	/** The number of bytes that the socket has taken, which may be none. */
	write(data: Uint8Array): number;
	/** Idempotent. */
	close(): void;
}

/** Bytes that came, null at their end, undefined when there is room to write again, or what went wrong. */
export type SocketListener = (event: Buffer | null | undefined | Error) => void;

/** What a folder of a build context holds. */
export interface ContextReading {
	/** `sha256:<hex>` of all entries: paths, kinds, modes, contents and xattrs, not owners and times. Empty: there are none. */
	readonly digest: string;
	readonly entries: number;
	/** Bytes of all files. */
	readonly bytes: number;
	/** How many files were read, since the cache knew nothing of them. */
	readonly hashed: number;
}

export interface Native {
	/** flock(2) on a thread of its own. `wait: false` resolves to false when somebody else holds it. */
	flock(fd: number, exclusive: boolean, wait: boolean): Promise<boolean>;
	/** flock(2) LOCK_NB. */
	flockNow(fd: number, exclusive: boolean): boolean;
	/** openat2(2) with RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS: `path` is resolved as if `root` were `/`. */
	openInRoot(root: number, path: string, flags: number, mode: number): number;
	/**
	 * fsopen, fsconfig, fsmount of an overlay that is attached nowhere. Lowers topmost first; no `upper`: read-only.
	 * `classic` takes the way of kernels before 6.5 (mount(2) in a namespace of its own), which is else a fall-back.
	 */
	mountOverlay(
		lowers: readonly string[],
		upper: string | undefined,
		work: string | undefined,
		classic?: boolean,
	): number;
	/** Copies what is in the folder `from`, and its own metadata, into the existing folder `to`: modes, owners, times, xattrs, hard links, devices, holes; reflinks where possible. On a thread. */
	copyTree(from: number, to: number): Promise<void>;
	/** Removes the tree at `path` (openat-based, no links followed, no other file system entered). On a thread. A missing path is fine. */
	removeTree(path: string): Promise<void>;
	/**
	 * Writes a tar archive of what a descriptor (O_PATH will do) stands for to another, on threads: sorted, with
	 * whole seconds, xattrs and hard links, following no link and never leaving it, whoever changes it meanwhile.
	 * `digest` is empty unless asked for.
	 */
	packTree(
		source: number,
		output: number,
		options: PackOptions,
	): Promise<PackStats & {readonly digest: string}>;
	/**
	 * Unpacks a tar archive, plain or compressed with gzip, bzip2, xz or zstd, into a tree that has files already and in which
	 * others may be at work, on threads. Folders are merged, other files replaced. Resolves to the number of entries.
	 * Refusals have code EREFUSED and docker's words; archives that are wrong EBADLAYER.
	 */
	unpackTree(root: number, input: number, options: UnpackOptions): Promise<number>;
	/** The first bytes of a file, decompressed when it is compressed; undefined when they can't be. */
	decodeHead(input: number, size: number): Buffer | undefined;
	/** Decompresses a file, whatever it is compressed with, on a thread. Data that is wrong has code EBADLAYER. */
	decodeFile(input: number, output: number): Promise<void>;
	/** Both at once, without anything between. */
	transferTree(
		source: number,
		packing: PackOptions,
		root: number,
		unpacking: UnpackOptions,
	): Promise<PackStats>;
	/** docker's diff of a tree (an overlay's upper folder, or whole) with its base, sorted: `A path`, `C path`, `D path`. On a thread. */
	listChanges(
		tree: number,
		base: number,
		options: {readonly upper?: boolean; readonly marks?: StartMarks},
	): Promise<string[]>;
	/**
	 * Attaches a detached mount to `mountpoint` in a mount namespace of its own, with others beneath it, whose
	 * mount points are made where they are missing. Resolves to a descriptor of the namespace, which keeps them.
	 */
	mountBeneath(root: number, mountpoint: string, mounts: readonly RootMount[]): Promise<number>;
	/** Undoes `mountBeneath`. When it resolves, and no other descriptor of it is open, the file systems are unmounted. */
	unmountRoot(space: number, mountpoint: string): Promise<void>;
	/** open_tree(2): a detached mount of a folder, without what is mounted beneath it. */
	cloneMount(path: string): number;
	/**
	 * The root in the mount namespace of a process, O_PATH, and that namespace, which has to be held as long as the
	 * root is used: at its end what is mounted in it falls away. `alone`: a detached mount of the root, without what
	 * is mounted beneath. ESRCH when the process has ended.
	 */
	openProcessRoot(pidfd: number, pid: number, alone: boolean): Promise<[root: number, space: number]>;
	/** lstat of a path that is resolved as if `root` were `/`. */
	statInRoot(root: number, path: string): RootStat;
	/** The path with all links replaced, as if `root` were `/`; what is not there is taken as written. */
	resolveInRoot(root: number, path: string): string;
	/** xattrs of a path (links not followed). */
	getXattr(path: string, name: string): Buffer | undefined;
	setXattr(path: string, name: string, value: Uint8Array): void;
	/** Copies the xattrs of one path to another (links not followed): those of `user.*`, `trusted.*`, capabilities and access lists, not overlay's and not a security module's. To be done after chown. */
	copyXattrs(from: string, to: string): void;
	/** `sha256:<hex>` of what `copyXattrs` would copy; empty when there is nothing. */
	digestXattrs(path: string): string;
	mknod(path: string, mode: number, device: number): void;
	/** renameat2 RENAME_NOREPLACE. */
	renameNoReplace(from: string, to: string): void;
	syncfs(fd: number): Promise<void>;
	/** Asks the file system to put the folders that will be made in this one far from each other. Never fails for that. */
	spreadFolders(path: string): void;
	/** pidfd_open + check of the start time; undefined: no such process. */
	openProcess(pid: number, start: number): number | undefined;
	/** pidfd_open + check of the start time (field 22 of /proc/PID/stat) + pidfd_send_signal. False: no such process. */
	signalProcess(pid: number, start: number, signal: number): boolean;
	/**
	 * Starts `executable argv...` from a read-only detached clone of its mount (so nothing can write to the
	 * program through /proc/PID/exe), with /dev/null on 0, 1, 2 and one end of a stream socket pair on 3 and
	 * nothing else, as nobody's child in a session without a terminal, and returns the other end. What it says
	 * about itself is for the socket to tell: it may have ended already.
	 */
	spawnMonitor(executable: string, argv: readonly string[]): Promise<number>;
	/**
	 * Layers are unpacked with threads of their own: decode (gzip, zstd or plain, told by the first bytes),
	 * hashing, and extraction into `directory`, a folder that exists and is empty. Whiteouts become
	 * character devices 0:0 and `trusted.overlay.opaque`, as overlay wants them. An archive that is wrong, that
	 * ends early or that has a name outside gives `code` EBADLAYER, one of more than `maxSize` unpacked bytes or `maxEntries` EFBIG.
	 * Nothing is synced: that is one `syncfs` of the caller's.
	 */
	unpackLayer(directory: string, maxSize?: number, maxEntries?: number): LayerUnpacker;
	/**
	 * Sends a batch of netlink messages on a socket of its own, in another network namespace if a descriptor of
	 * one is given, and resolves to all answers, acks and errors among them. See netlink/socket.ts.
	 */
	netlink(protocol: number, batch: Uint8Array, namespaceFd?: number): Promise<Buffer>;
	/** Raw mode as Node's for a terminal, without its stream. Returns what puts the mode of before back. Both throw with an errno. */
	hushTerminal(fd: number): () => void;
	/** TIOCGWINSZ, see ioctl_tty(2): [columns, rows], both 0 where nobody has said; undefined: no terminal. */
	terminalSize(fd: number): [columns: number, rows: number] | undefined;
	/** cfmakeraw(3) on a terminal, after Node's own raw mode, which keeps ONLCR and which also restores it. */
	rawTerminal(fd: number): void;
	/** `sha256:<hex>` of a few bytes: the addon is loaded anyway, node:crypto takes 5 ms more. */
	sha256(data: Uint8Array): string;
	/**
	 * Lines of a json-file log to their text, with their times in front when asked. Gives the number of bytes that
	 * were understood, which may be fewer than all, and then the ends, in `out`, of runs of stdout and stderr in
	 * turn (the first, of stdout, may be empty). `out` is at least as long as `lines`. A lone surrogate U+DC00 + byte
	 * becomes that byte.
	 */
	formatLog(lines: Uint8Array, out: Uint8Array, timestamps: boolean): number[];
	/** mount(2) on a thread; `data` may be empty. */
	mountFilesystem(source: string, target: string, type: string, flags: number, data: string): Promise<void>;
	/** umount2(2) MNT_DETACH, links not followed; what isn't mounted is fine. */
	unmount(target: string): Promise<void>;
	/** Nanoseconds since the epoch. Node has it in its `performance` only, which takes 3 ms to load. */
	wallClock(): bigint;
	/**
	 * Many small files (of cgroups, of /proc) in one go, on threads: at most `most` bytes of each, every byte a
	 * character. Undefined for one that can't be read.
	 */
	readFiles(paths: readonly string[], most: number): Promise<(string | undefined)[]>;
	/**
	 * Gives a new, empty folder and all that will be made in it to a project (1 to 2^32-1) of its file system, and
	 * with `bytes` above 0 limits what the project holds. False: others use that project already.
	 */
	limitProject(folder: string, project: number, bytes: number): boolean;
	/**
	 * Reads the folder `path` (no link is followed, none leads out of `root`) on as many threads as there are
	 * processors. `rules` are those of PatternMatcher. `cache` is a file of digests by what lstat says of files,
	 * read and replaced; empty: there is none. The function that comes with the promise ends it (ECANCELED).
	 */
	readContext(
		root: number,
		path: string,
		rules: readonly string[],
		cache: string,
	): [reading: Promise<ContextReading>, stop: () => void];
	/**
	 * Copies what is in the folder `path` of a context, as `readContext` sees it, into the folder `target`, on as many
	 * threads. `rules` have no exceptions. `uid`, `gid`, `mode` (of all but links) and `time` (milliseconds) of -1 are
	 * those of the files. EISDIR: a folder is in the way of a file. The function ends it (ECANCELED).
	 */
	copyContext(
		root: number,
		path: string,
		rules: readonly string[],
		target: number,
		uid: number,
		gid: number,
		mode: number,
		time: number,
	): [copying: Promise<void>, stop: () => void];
	/** Field 22 of /proc/PID/stat: ticks since the boot. Undefined for a process that has ended. */
	processStart(pid: number): number | undefined;
	/** _exit(2): nothing that waits to be written is. */
	exit(code: number): void;
	/** Takes the descriptor over. */
	openSocket(fd: number, listener: SocketListener): NativeSocket;
	/** socketpair(2) of two stream sockets. */
	socketPair(): [number, number];
	/** connect(2) to a unix stream socket, of whose address `path` may be 107 bytes. EAGAIN: its queue is full. */
	connectSocket(path: string): number;
}

/**
 * The addon is loaded at the first use of a property, not at import: a command that needs nothing of it does
 * not pay for it. `native.flock` and the others may be taken out and called alone. What is set on it comes first:
 * the build's rehearsal plays a monitor.
 */
export const native: Native = new Proxy({} as Native, {
	get: (set, name) => set[name as keyof Native] ?? load()[name as keyof Native],
	has: (_, name) => name in load(),
});

let addon: Native | undefined;

function load(): Native {
	if (!addon) {
		// Not `require`: node:module alone takes longer to load than the addon.
		const module = {exports: {} as Native};
		process.dlopen(module, addonPath());
		addon = module.exports;
	}
	return addon;
}
