/**
 * Names of containers. `WHERRY_ROOT/names/<name>` is a symbolic link to `../containers/<id>`: made
 * exclusively and with its content in one step.
 */
import {existsSync, lstatSync, mkdirSync, readlinkSync, symlinkSync, unlinkSync} from 'node:fs';
import {join} from 'node:path';
import {randomInt} from '../../kernel/random.ts';
import {isErrno, WherryError} from '../errors.ts';
import type {Paths} from '../paths.ts';
import {qualities, vessels} from './words.ts';

const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
const idPattern = /^[0-9a-f]{64}$/;

export const isId = (text: string): boolean => idPattern.test(text);

/** Takes docker's leading slash off. Throws `invalid`. */
export function checkName(name: string): string {
	const bare = name.startsWith('/') ? name.slice(1) : name;
	// A name is a file's name, too.
	if (!namePattern.test(bare) || bare.length > 255) {
		throw new WherryError(
			'invalid',
			`Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
			{object: name},
		);
	}
	return bare;
}

/** The attempts after the first few carry a number, so that an end is certain. */
export function randomName(attempt = 0): string {
	const name = `${qualities[randomInt(qualities.length)]}_${vessels[randomInt(vessels.length)]}`;
	return attempt < 4 ? name : `${name}${randomInt(10 ** Math.min(attempt - 3, 9))}`;
}

/** The id that has the name, whether or not its container is still there. */
export function lookUpName(paths: Paths, name: string): string | undefined {
	if (!namePattern.test(name)) return undefined;
	const path = `${paths.names}/${name}`;
	let target: string;
	try {
		// Most often it is no name, and an error takes longer than a look.
		if (!lstatSync(path, {throwIfNoEntry: false})) return undefined;
		target = readlinkSync(path);
	} catch (error) {
		if (isErrno(error, 'ENOENT', 'EINVAL', 'ENAMETOOLONG', 'ENOTDIR')) return undefined;
		throw error;
	}
	const id = target.slice(target.lastIndexOf('/') + 1);
	return isId(id) ? id : undefined;
}

export function nameConflict(name: string, id: string): WherryError {
	return new WherryError(
		'conflict',
		`Conflict. The container name "/${name}" is already in use by container "${id}". You have to remove (or rename) that container to be able to reuse that name.`,
		{object: name},
	);
}

/** Under the lock of the names. One whose container is gone is free. Throws `conflict` when it is taken. */
export function reserveName(paths: Paths, name: string, id: string): void {
	const reserve = () => symlinkSync(`../containers/${id}`, join(paths.names, name));
	try {
		try {
			reserve();
		} catch (error) {
			if (!isErrno(error, 'ENOENT')) throw error;
			mkdirSync(paths.names, {recursive: true, mode: 0o700});
			reserve();
		}
	} catch (error) {
		if (!isErrno(error, 'EEXIST')) throw error;
		const holder = lookUpName(paths, name);
		if (holder && existsSync(paths.container(holder))) throw nameConflict(name, holder);
		unlinkSync(join(paths.names, name));
		reserve();
	}
}

/** Frees a name if it is still this container's. */
export function releaseName(paths: Paths, name: string, id: string): void {
	if (lookUpName(paths, name) !== id) return;
	try {
		unlinkSync(join(paths.names, name));
	} catch (error) {
		if (!isErrno(error, 'ENOENT')) throw error;
	}
}
