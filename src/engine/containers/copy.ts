/**
 * `docker cp`: files between the host and a container. The rules are copy-paths.ts's; here they are applied to what
 * is there, and the native part moves the files, with every path in the container resolved beneath its root.
 */
import {closeSync, constants, fstatSync, openSync, readFileSync} from 'node:fs';
import {posix} from 'node:path';
import {native, type UnpackOptions} from '../../kernel/native.ts';
import type {CopyOptions, CopyResult, PathStat} from '../api.ts';
import {isErrno, WherryError} from '../errors.ts';
import {type EngineContext, emit} from './context.ts';
import {
	baseName,
	type CopyDestination,
	CopyRefusal,
	type CopySource,
	pathInRoot,
	planCopy,
	rebased,
	splitEntry,
} from './copy-paths.ts';
import {absolutePath, checkOutput, hostDestination, hostSource} from './host-paths.ts';
import {type ContainerRecord, findContainer} from './record.ts';
import {type ContainerRoot, oPath, openRoot, withLocked} from './root.ts';
import {isSystemError, systemWords} from './system-words.ts';

const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const S_IFLNK = 0o120000;
const S_IFCHR = 0o020000;
const S_IFBLK = 0o060000;

const isFolder = ({mode}: PathStat): boolean => (mode & S_IFMT) === S_IFDIR;
const isLink = ({mode}: PathStat): boolean => (mode & S_IFMT) === S_IFLNK;
const isDevice = ({mode}: PathStat): boolean => [S_IFCHR, S_IFBLK].includes(mode & S_IFMT);

const couldNotFind = (path: string, container: string): WherryError =>
	new WherryError('not-found', `Could not find the file ${path} in container ${container}`, {object: path});

/** What docker's server says of a path of a container. */
function statIn(root: ContainerRoot, container: string, given: string): PathStat {
	if (given === '') throw new WherryError('invalid', 'bad parameter: path cannot be empty');
	const path = pathInRoot(given);
	try {
		const {mode, size, mtime, kernel} = native.statInRoot(root.fd, path);
		// Where a file system of the kernel's is mounted docker sees an empty folder.
		if (kernel && native.statInRoot(root.fd, posix.join(path, '..')).kernel)
			throw couldNotFind(given, container);
		const stat = {name: baseName(path), mode, size, mtime};
		return isLink(stat) ? {...stat, linkTarget: native.resolveInRoot(root.fd, path)} : stat;
	} catch (error) {
		if (isErrno(error, 'ENOENT')) throw couldNotFind(given, container);
		if (isErrno(error, 'ELOOP'))
			throw new WherryError('invalid', `too many links in ${path}`, {cause: error});
		if (isSystemError(error)) throw new WherryError('invalid', systemWords(error), {cause: error});
		throw error;
	}
}

async function withRoot<T>(
	context: EngineContext,
	container: string,
	work: (root: ContainerRoot, record: ContainerRecord) => Promise<T>,
): Promise<T> {
	return await withLocked(context, container, async (record) => {
		const root = await openRoot(context, record);
		try {
			return await work(root, record);
		} catch (error) {
			if (isErrno(error, 'ESRCH')) {
				throw new WherryError('conflict', `container ${record.Id} stopped while files were copied`, {
					object: record.Id,
					cause: error,
				});
			}
			throw error;
		} finally {
			await root.close();
		}
	});
}

export async function statPath(context: EngineContext, container: string, path: string): Promise<PathStat> {
	return withRoot(context, container, async (root) => statIn(root, container, path));
}

/** Undefined when nothing is there, for whatever reason, as docker's client takes it. */
function findDestination(root: ContainerRoot, container: string, path: string): PathStat | undefined {
	try {
		return statIn(root, container, path);
	} catch (error) {
		if (error instanceof WherryError) return undefined;
		throw error;
	}
}

/** A link in the last place is followed; what isn't there yet will be made. */
function containerDestination(root: ContainerRoot, container: string, given: string): CopyDestination {
	let path = given;
	let stat = findDestination(root, container, given);
	if (stat?.linkTarget !== undefined) {
		path = stat.linkTarget;
		stat = findDestination(root, container, path);
	}
	if (stat && isDevice(stat)) {
		throw new CopyRefusal(
			'invalid',
			`destination "${container}:${given}" must be a directory or a regular file: got a device`,
		);
	}
	return {path, exists: stat !== undefined, isFolder: stat !== undefined && isFolder(stat)};
}

/** docker refuses before it writes, whatever the kernel would say. */
function checkWritable(root: ContainerRoot, record: ContainerRecord, folder: string): void {
	const holders = record.Mounts.filter(({Type}) => Type !== 'tmpfs' || root.running)
		.map(({Destination, RW}) => ({RW, path: native.resolveInRoot(root.fd, Destination)}))
		.filter(({path}) => folder === path || folder.startsWith(`${path}/`))
		.sort((a, b) => b.path.length - a.path.length);
	if (holders[0] && !holders[0].RW) throw new WherryError('denied', 'mounted volume is marked read-only');
	if (!holders[0] && record.HostConfig.ReadonlyRootfs) {
		throw new WherryError('denied', 'container rootfs is marked read-only');
	}
}

/** A small file of a container, which may be anything. */
function readIn(root: ContainerRoot, path: string): string {
	let fd: number;
	try {
		fd = native.openInRoot(root.fd, path, constants.O_RDONLY | constants.O_NONBLOCK, 0);
	} catch {
		return '';
	}
	try {
		const status = fstatSync(fd);
		return status.isFile() && status.size <= 4 << 20 ? readFileSync(fd, 'utf8') : '';
	} finally {
		closeSync(fd);
	}
}

/** The user that the container runs as: `name`, `uid`, maybe `:group`. */
function ownerOf(root: ContainerRoot, {Config}: ContainerRecord): {uid: number; gid: number} | undefined {
	if (Config.User === '') return undefined;
	const [user, group] = Config.User.split(':') as [string, string?];
	const find = (file: string, name: string) =>
		readIn(root, file)
			.split('\n')
			.map((line) => line.split(':'))
			.find((fields) => fields.length > 2 && (fields[0] === name || fields[2] === name));
	const entry = find('/etc/passwd', user);
	if (!entry && !/^\d+$/.test(user)) {
		throw new WherryError('invalid', `unable to find user ${user}: no matching entries in passwd file`);
	}
	const id = (text: string | undefined, otherwise: number): number =>
		text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : otherwise;
	const own = {uid: id(entry?.[2] ?? user, 0), gid: id(entry?.[3], 0)};
	return group ? {...own, gid: id(find('/etc/group', group)?.[2] ?? group, own.gid)} : own;
}

/** Where to unpack in a container: `folder` is checked as docker's server does. */
function unpackInto(
	root: ContainerRoot,
	record: ContainerRecord,
	container: string,
	folder: string,
	archive: boolean,
): UnpackOptions {
	const resolved = native.resolveInRoot(root.fd, folder);
	const stat = findDestination(root, container, resolved);
	if (!stat) throw couldNotFind(folder, container);
	if (!isFolder(stat)) throw new WherryError('invalid', 'extraction point is not a directory');
	checkWritable(root, record, resolved);
	return {
		folder: resolved,
		...(archive ? ownerOf(root, record) : {}),
		...(root.guard === undefined ? {} : {guard: root.guard}),
	};
}

/** What goes wrong while an archive is unpacked in a container. */
function unpackError(error: unknown): unknown {
	const fail = (code: WherryError['code'], reason: string) =>
		new WherryError(code, `Error processing tar file(exit status 1): ${reason}`, {cause: error});
	if (isErrno(error, 'ESRCH')) return error;
	if (isErrno(error, 'ENOSPC', 'EDQUOT')) return fail('exhausted', systemWords(error));
	if (isErrno(error, 'EREFUSED')) return fail('conflict', error.message);
	if (isErrno(error, 'EBADLAYER')) return fail('corrupt', badArchive(error.message));
	return isSystemError(error) ? fail('invalid', systemWords(error)) : error;
}

/** docker's words for what its reader of archives says. */
function badArchive(message: string): string {
	if (/unexpected end/.test(message)) return 'unexpected EOF';
	return /checksum|number in a header/.test(message) ? 'archive/tar: invalid tar header' : message;
}

/** From a path of the host, or a tar archive from a descriptor. */
export async function copyTo(
	context: EngineContext,
	container: string,
	from: string | {fd: number},
	path: string,
	options: CopyOptions = {},
): Promise<CopyResult> {
	try {
		return await withRoot(context, container, async (root, record) => {
			const destination = containerDestination(root, container, path);
			const into = (folder: string) => unpackInto(root, record, container, folder, options.archive ?? false);
			const result =
				typeof from === 'string'
					? await copyFiles(root, from, destination, options.followLink ?? false, into)
					: await copyArchive(root, from.fd, destination, `${container}:${path}`, into);
			emit(context, record, 'extract-to-dir');
			return result;
		});
	} catch (error) {
		// docker's client looks at its own file first.
		if (error instanceof WherryError && error.code === 'not-found' && typeof from === 'string') {
			if (!isThere(context, container)) hostSource(from, options.followLink ?? false);
		}
		throw error;
	}
}

function isThere(context: EngineContext, container: string): boolean {
	try {
		return findContainer(context.paths, container) !== undefined;
	} catch {
		return false;
	}
}

async function copyFiles(
	root: ContainerRoot,
	from: string,
	destination: CopyDestination,
	followLink: boolean,
	into: (folder: string) => UnpackOptions,
): Promise<CopyResult> {
	const source = hostSource(from, followLink);
	const {folder, name} = planCopy(source, destination);
	const options = into(folder);
	const fd = openSync(source.path, oPath | constants.O_NOFOLLOW);
	try {
		const {size} = await native.transferTree(fd, {name, sparse: true}, root.fd, options);
		return {size, path: destination.path};
	} catch (error) {
		throw unpackError(error);
	} finally {
		closeSync(fd);
	}
}

async function copyArchive(
	root: ContainerRoot,
	fd: number,
	destination: CopyDestination,
	shown: string,
	into: (folder: string) => UnpackOptions,
): Promise<CopyResult> {
	if (!destination.isFolder) {
		throw new CopyRefusal('invalid', `destination "${shown}" must be a directory`);
	}
	const options = into(destination.path);
	try {
		await native.unpackTree(root.fd, fd, options);
	} catch (error) {
		throw unpackError(error);
	}
	return {size: 0, path: destination.path};
}

/** With -L the target is copied, under the name of the link. */
function containerSource(
	root: ContainerRoot,
	container: string,
	given: string,
	followLink: boolean,
): CopySource & {stat: PathStat} {
	let path = given;
	let name: string | undefined;
	if (followLink) {
		const link = findDestination(root, container, given);
		if (link?.linkTarget !== undefined) ({path, name} = rebased(given, link.linkTarget));
	}
	const stat = statIn(root, container, path);
	return {path, isFolder: isFolder(stat), name, stat};
}

/** In memory, and made anew with each start: docker's container has nothing there. */
const closedFolders = (path: string): readonly string[] => (path === '/' || path === '/.' ? ['dev'] : []);

/** To a path of the host, or as a tar archive to a descriptor. */
export async function copyFrom(
	context: EngineContext,
	container: string,
	path: string,
	to: string | {fd: number},
	options: CopyOptions = {},
): Promise<CopyResult & {stat: PathStat}> {
	if (typeof to === 'string') checkOutput(to);
	return withRoot(context, container, async (root, record) => {
		const source = containerSource(root, container, path, options.followLink ?? false);
		const inRoot = pathInRoot(source.path);
		const packing = {
			closed: closedFolders(inRoot),
			...(root.guard === undefined ? {} : {guard: root.guard}),
		};
		const {stat} = source;
		const fd = native.openInRoot(root.fd, inRoot, oPath | constants.O_NOFOLLOW, 0);
		try {
			emit(context, record, 'archive-path');
			if (typeof to !== 'string') {
				const {size} = await native.packTree(fd, to.fd, {...packing, name: stat.name});
				return {size, path: '-', stat};
			}
			const destination = hostDestination(to);
			const planned = planCopy({...source, name: source.name ?? splitEntry(inRoot).name}, destination);
			const {size} = await copyToHost(fd, packing, planned);
			return {size, path: absolutePath(to), stat};
		} finally {
			closeSync(fd);
		}
	});
}

async function copyToHost(
	fd: number,
	packing: object,
	{folder, name}: {folder: string; name: string},
): Promise<{size: number}> {
	let target: number;
	try {
		target = openSync(folder, oPath | constants.O_DIRECTORY);
	} catch (error) {
		throw new CopyRefusal('invalid', systemWords(error), {cause: error});
	}
	try {
		return await native.transferTree(fd, {...packing, name, sparse: true}, target, {
			folder: folder.replace(/(.)\/+$/, '$1'),
			beneath: true,
			owners: false,
		});
	} catch (error) {
		if (isErrno(error, 'EREFUSED')) throw new CopyRefusal('conflict', error.message, {cause: error});
		if (!isSystemError(error)) throw error;
		const isFull = isErrno(error, 'ENOSPC', 'EDQUOT');
		throw new CopyRefusal(isFull ? 'exhausted' : 'invalid', systemWords(error), {cause: error});
	} finally {
		closeSync(target);
	}
}
