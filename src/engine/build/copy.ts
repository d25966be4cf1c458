/** COPY and ADD: entries of a source into a step's root, whose own links lead nowhere else. */
import {
	chmodSync,
	closeSync,
	constants,
	copyFileSync,
	lchownSync,
	linkSync,
	lstatSync,
	lutimesSync,
	mkdirSync,
	openSync,
	readlinkSync,
	rmSync,
	type Stats,
	symlinkSync,
} from 'node:fs';
import {posix} from 'node:path';
import {native} from '../../kernel/native.ts';
import {isErrno, WherryError} from '../errors.ts';
import type {Source, SourceEntry} from './context.ts';
import type {Owner} from './root.ts';

/** Of <fcntl.h>; Node has no name for it. */
const O_PATH = 0o10000000;

export interface CopyPlan {
	/** Absolute; with a slash at the end it is a folder. */
	readonly destination: string;
	/** Absent: as the files have it. */
	readonly owner: Owner | undefined;
	/** Of files and folders, where --chmod says so. */
	readonly mode: ((mode: number, isFolder: boolean) => number) | undefined;
	/** Every file's time in milliseconds, where one is fixed. */
	readonly time: number | undefined;
}

const openFolder = (root: number, path: string): number =>
	native.openInRoot(root, path, O_PATH | constants.O_DIRECTORY, 0);

/** The path of a descriptor's file, below which a name is looked up without following links. */
const below = (fd: number, name = ''): string => `/proc/self/fd/${fd}/${name === '' ? '.' : name}`;

/** Opens a folder of the root, made with its parents where it is missing. The caller closes it. */
export function makeFolder(root: number, path: string, owner: Owner, mode = 0o755, time?: number): number {
	try {
		return openFolder(root, path);
	} catch (error) {
		if (isErrno(error, 'ENOTDIR')) {
			throw new WherryError('invalid', `cannot create a folder at ${path}: not a directory`, {object: path});
		}
		if (!isErrno(error, 'ENOENT')) throw error;
	}
	// A link that leads nowhere is followed as far as it says.
	const real = native.resolveInRoot(root, path);
	const parent = makeFolder(root, posix.dirname(real), owner, mode, time);
	try {
		const made = below(parent, posix.basename(real));
		mkdirSync(made, {mode: 0o755});
		chmodSync(made, mode);
		lchownSync(made, owner.uid, owner.gid);
		if (time !== undefined) lutimesSync(made, time / 1000, time / 1000);
	} catch (error) {
		if (!isErrno(error, 'EEXIST')) throw error;
	} finally {
		closeSync(parent);
	}
	return openFolder(root, real);
}

/** Makes a folder below the destination as it is where it comes from, if there is none. */
export function makeParent(root: number, entry: SourceEntry, plan: CopyPlan): void {
	const path = posix.join(plan.destination, entry.path);
	if (isFolder(root, path)) return;
	closeSync(makeFolder(root, posix.dirname(path), plan.owner ?? {uid: 0, gid: 0}, 0o755, plan.time));
	const fd = makeFolder(root, path, plan.owner ?? entry.stat, 0o755, plan.time);
	try {
		copyAttributes(entry, below(fd), plan);
	} finally {
		closeSync(fd);
	}
}

const inTheWay = (destination: string): WherryError =>
	new WherryError('invalid', `cannot copy to directory ${destination}: it is in the way of a file`);

/** Removes what is in the way of an entry; true: a folder stays for a folder. */
function makeWay({stat}: SourceEntry, target: string, plan: CopyPlan): boolean {
	const there = lstatSync(target, {throwIfNoEntry: false});
	if (!there) return false;
	if (there.isDirectory() && !stat.isDirectory()) throw inTheWay(plan.destination);
	if (there.isDirectory()) return true;
	rmSync(target, {force: true});
	return false;
}

function writeEntry(entry: SourceEntry, target: string, plan: CopyPlan): void {
	const {file, stat} = entry;
	const isThere = makeWay(entry, target, plan);
	const {owner} = plan;
	if (stat.isSymbolicLink()) symlinkSync(readlinkSync(file), target);
	else if (stat.isFile()) copyFileSync(file, target, constants.COPYFILE_FICLONE);
	else if (stat.isDirectory()) {
		if (!isThere) mkdirSync(target);
	} else if (stat.isSocket()) closeSync(openSync(target, 'wx'));
	else native.mknod(target, stat.mode, stat.rdev);
	lchownSync(target, (owner ?? stat).uid, (owner ?? stat).gid);
	// A folder that was there becomes what this one is. Attributes it gets when it is full: what is made in it would
	// inherit of them.
	if (stat.isDirectory()) chmodSync(target, modeOf(stat, plan));
	else {
		copyAttributes(entry, target, plan);
		setTime(target, stat.mtimeMs, plan);
	}
}

const modeOf = (stat: Stats, {mode: change}: CopyPlan): number =>
	change ? change(stat.mode & 0o7777, stat.isDirectory()) : stat.mode & 0o7777;

/** After chown, which takes capabilities away; an access list before the mode, of which it sets a part. */
function copyAttributes({file, stat}: SourceEntry, target: string, plan: CopyPlan): void {
	native.copyXattrs(file, target);
	if (!stat.isSymbolicLink()) chmodSync(target, modeOf(stat, plan));
}

function setTime(target: string, mtime: number, {time}: CopyPlan): void {
	const seconds = (time ?? mtime) / 1000;
	lutimesSync(target, seconds, seconds);
}

/** Copies what is in a folder at once; false, and nothing is done, where that can't be. */
export async function copyWhole(
	root: number,
	source: Source,
	path: string,
	plan: Omit<CopyPlan, 'mode'> & {mode: number | undefined},
): Promise<boolean> {
	const {destination, owner, time} = plan;
	const isNew = !isFolder(root, destination);
	const fd = makeFolder(root, destination, owner ?? {uid: 0, gid: 0}, 0o755, time);
	let target: number | undefined;
	try {
		// To list and to write in it takes more than a path.
		target = openSync(below(fd), constants.O_RDONLY | constants.O_DIRECTORY);
		if (!(await source.copy(path, target, plan))) return false;
		if (isNew && time !== undefined) lutimesSync(below(fd), time / 1000, time / 1000);
		return true;
	} catch (error) {
		throw isErrno(error, 'EISDIR') ? inTheWay(destination) : error;
	} finally {
		if (target !== undefined) closeSync(target);
		closeSync(fd);
	}
}

/**
 * Copies a file, or what is in a folder, to the destination. `intoFolder`: the destination is a folder also when
 * its name doesn't say so.
 */
export function copyEntries(
	root: number,
	/** What a file is called in a folder. */
	ownName: string,
	entries: Iterable<SourceEntry>,
	plan: CopyPlan,
	intoFolder: boolean,
): void {
	const {destination, time} = plan;
	const owner = plan.owner ?? {uid: 0, gid: 0};
	// The folder that is being filled and those above it: there may be more of them in all than open files.
	const open: {path: string; fd: number; time: number | undefined; entry?: SourceEntry}[] = [];
	/** A folder gets its attributes and its time when what is in it has been written. */
	const leave = (): void => {
		const {fd, time: mtime, entry} = open.pop()!;
		try {
			if (entry) copyAttributes(entry, below(fd), plan);
			if (mtime !== undefined) setTime(below(fd), mtime, plan);
		} finally {
			closeSync(fd);
		}
	};
	// Where a file with several names went first, below the destination.
	const names = new Map<string, string>();
	try {
		for (const entry of entries) {
			if (entry.path === '' && !entry.stat.isDirectory()) {
				let folder = destination;
				let name = ownName;
				if (!destination.endsWith('/') && !intoFolder && !isFolder(root, destination)) {
					// A link there is followed.
					const real = native.resolveInRoot(root, destination);
					folder = posix.dirname(real);
					name = posix.basename(real);
				}
				const fd = makeFolder(root, folder, owner, 0o755, time);
				open.push({path: '', fd, time: undefined});
				writeEntry(entry, below(fd, name), plan);
				continue;
			}
			if (entry.path === '') {
				// Only what is in the folder is copied, not what it is itself.
				const isNew = !isFolder(root, destination);
				const fd = makeFolder(root, destination, owner, 0o755, time);
				open.push({path: '', fd, time: isNew ? time : undefined});
				continue;
			}
			const slash = entry.path.lastIndexOf('/');
			const above = slash < 0 ? '' : entry.path.slice(0, slash);
			while (open.length > 1 && open.at(-1)!.path !== above) leave();
			const parent = open.at(-1);
			if (parent?.path !== above) throw new WherryError('internal', `the folder of ${entry.path} is missing`);
			const name = entry.path.slice(slash + 1);
			const target = below(parent.fd, name);
			const {stat} = entry;
			if (stat.isFile() && stat.nlink > 1) {
				const file = `${stat.dev}:${stat.ino}`;
				const first = names.get(file);
				if (first !== undefined) {
					makeWay(entry, target, plan);
					linkSync(below(open[0]!.fd, first), target);
					continue;
				}
				names.set(file, entry.path);
			}
			writeEntry(entry, target, plan);
			if (entry.stat.isDirectory()) {
				const fd = native.openInRoot(parent.fd, name, O_PATH | constants.O_DIRECTORY, 0);
				open.push({path: entry.path, fd, time: entry.stat.mtimeMs, entry});
			}
		}
		while (open.length > 0) leave();
	} finally {
		for (const {fd} of open) closeSync(fd);
	}
}

export function isFolder(root: number, path: string): boolean {
	try {
		closeSync(openFolder(root, path));
		return true;
	} catch (error) {
		if (isErrno(error, 'ENOENT', 'ENOTDIR')) return false;
		throw error;
	}
}

/** `644`, `u=rw,go+X`: what a mode becomes. Throws WherryError `invalid`. */
export function modeChange(text: string): (mode: number, isFolder: boolean) => number {
	if (/^[0-7]{1,5}$/.test(text)) {
		const fixed = Number.parseInt(text, 8);
		if (fixed <= 0o7777) return () => fixed;
	}
	const clauses = text.split(',').map((clause) => {
		const match = /^([ugoa]*)((?:[-+=][rwxXst]*)+)$/.exec(clause);
		if (!match) {
			throw new WherryError(
				'invalid',
				`invalid chmod parameter: '${text}'. it should be octal string and between 0 and 07777`,
			);
		}
		return {
			who: match[1] || 'a',
			changes: [...match[2]!.matchAll(/([-+=])([rwxXst]*)/g)].map(([, op, what]) => ({op: op!, what: what!})),
		};
	});
	return (mode, isDirectory) => {
		let now = mode;
		for (const {who, changes} of clauses) {
			for (const {op, what} of changes) {
				let bits = 0;
				let clear = 0;
				for (const [letter, shift, special] of [
					['u', 6, 0o4000],
					['g', 3, 0o2000],
					['o', 0, 0],
				] as const) {
					if (!who.includes(letter) && !who.includes('a')) continue;
					clear |= 7 << shift;
					if (what.includes('r')) bits |= 4 << shift;
					if (what.includes('w')) bits |= 2 << shift;
					if (what.includes('x') || (what.includes('X') && (isDirectory || now & 0o111))) bits |= 1 << shift;
					if (what.includes('s')) bits |= special;
				}
				if (what.includes('t')) bits |= 0o1000;
				if (op === '+') now |= bits;
				else if (op === '-') now &= ~bits;
				else now = (now & ~clear) | bits;
			}
		}
		return now;
	};
}
