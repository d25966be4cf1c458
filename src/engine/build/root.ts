/** The root file system of a step: an overlay of the layers so far that is attached nowhere, and who is who in it. */
import {closeSync, constants, fstatSync, mkdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {native} from '../../kernel/native.ts';
import {isErrno, WherryError} from '../errors.ts';
import type {Paths} from '../paths.ts';
import {overlayLowers} from '../store/layers.ts';

const largestAccounts = 1 << 20;

export interface StepRoot {
	/** A descriptor of the root. */
	readonly fd: number;
	/** What is written goes here. */
	readonly upper: string;
	close(): void;
}

/** `keys`: layers, lowest first. `scratch` is an empty folder for upper and work. */
export function openRoot(paths: Paths, keys: readonly string[], scratch: string): StepRoot {
	const upper = join(scratch, 'upper');
	const work = join(scratch, 'work');
	mkdirSync(upper, {recursive: true, mode: 0o755});
	mkdirSync(work, {recursive: true, mode: 0o700});
	const lowers = overlayLowers(paths, keys);
	const fd = lowers.length > 0 ? native.mountOverlay(lowers, upper, work) : native.cloneMount(upper);
	return {fd, upper, close: () => closeSync(fd)};
}

/** A read-only view of layers. */
export function openLayers(
	paths: Paths,
	keys: readonly string[],
	scratch: string,
): {fd: number; close(): void} {
	const lowers = overlayLowers(paths, keys);
	if (lowers.length === 0) {
		const empty = join(scratch, 'empty');
		mkdirSync(empty, {recursive: true, mode: 0o700});
		lowers.push(empty);
	}
	const fd =
		lowers.length === 1 ? native.cloneMount(lowers[0]!) : native.mountOverlay(lowers, undefined, undefined);
	return {fd, close: () => closeSync(fd)};
}

function accountFile(root: number, path: string): string[][] {
	let fd: number;
	try {
		fd = native.openInRoot(root, path, constants.O_RDONLY | constants.O_NONBLOCK, 0);
	} catch (error) {
		if (isErrno(error, 'ENOENT', 'ENOTDIR')) return [];
		throw error;
	}
	try {
		const stat = fstatSync(fd);
		if (!stat.isFile() || stat.size > largestAccounts) return [];
		return readFileSync(fd, 'utf8')
			.split('\n')
			.filter((line) => line !== '' && !line.startsWith('#'))
			.map((line) => line.split(':'));
	} finally {
		closeSync(fd);
	}
}

export interface Owner {
	uid: number;
	gid: number;
}

/** `user[:group]`, names or numbers, as the root's own files have them. Throws in BuildKit's words. */
export function resolveOwner(root: number, text: string): Owner {
	const [user = '', group] = text.split(':', 2);
	const isNumber = (word: string): boolean => /^\d{1,10}$/.test(word);
	let uid: number;
	let gid: number;
	if (isNumber(user)) {
		uid = Number(user);
		gid = uid;
	} else {
		const entry = accountFile(root, '/etc/passwd').find(([name]) => name === user);
		if (!entry) throw new WherryError('invalid', `unable to find user ${user}: invalid user`, {object: user});
		uid = Number(entry[2]);
		gid = Number(entry[3]);
	}
	if (group !== undefined && group !== '') {
		if (isNumber(group)) gid = Number(group);
		else {
			const entry = accountFile(root, '/etc/group').find(([name]) => name === group);
			if (!entry)
				throw new WherryError('invalid', `unable to find group ${group}: invalid group`, {object: group});
			gid = Number(entry[2]);
		}
	}
	return {uid, gid};
}

/** Who a USER is; root when the root's own files don't know the name, since only a step that runs has to. */
export function userOf(root: number, user: string | undefined): Owner {
	if (!user) return {uid: 0, gid: 0};
	try {
		return resolveOwner(root, user);
	} catch (error) {
		if (error instanceof WherryError && error.code === 'invalid') return {uid: 0, gid: 0};
		throw error;
	}
}
