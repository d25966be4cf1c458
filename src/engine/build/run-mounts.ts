/** Where the mounts of RUN --mount come from. */
import {join, posix} from 'node:path';
import {WherryError} from '../errors.ts';
import type {Source} from './context.ts';
import {DockerfileError} from './parser.ts';
import {materialize, type RunMount} from './run.ts';
import type {Build} from './stage-graph.ts';

export interface RunMountSpec {
	type: 'bind' | 'cache' | 'tmpfs' | 'secret' | 'ssh';
	/** A stage, an image or a context. */
	from: string;
	source: string;
	target: string;
	readOnly: boolean;
	id: string;
	required: boolean;
	/** Nobody else uses the cache at the same time. */
	isExclusive: boolean;
	/** A variable that gets the secret. */
	env: string;
	mode: number | undefined;
	uid: number;
	gid: number;
	/** Bytes. */
	size: number | undefined;
}

export async function findMounts(
	build: Build,
	specs: readonly RunMountSpec[],
	scratch: string,
	line: number,
	/** What a target without a slash before it is in. */
	workdir: string,
): Promise<{mounts: RunMount[]; env: string[]}> {
	const mounts: RunMount[] = [];
	const env: string[] = [];
	let agents = 0;
	for (const spec of specs) {
		const target = posix.resolve('/', workdir, spec.target);
		if (target === '/' && (spec.type === 'bind' || spec.type === 'cache' || spec.type === 'tmpfs'))
			throw new DockerfileError(`invalid mount target ${JSON.stringify(target)}`, line);
		const {uid, gid} = spec;
		if (spec.type === 'tmpfs') mounts.push({kind: 'tmpfs', target, size: spec.size});
		else if (spec.type === 'cache') {
			mounts.push({
				kind: 'cache',
				target,
				// What a cache begins as is a part of what it is.
				id: [spec.id || target, ...(spec.from === '' ? [] : [spec.from, spec.source])].join('\0'),
				isExclusive: spec.isExclusive,
				origin: spec.from === '' ? undefined : await sourcePath(build, spec, scratch, line),
				readOnly: spec.readOnly,
				mode: spec.mode ?? 0o755,
				uid,
				gid,
			});
		} else if (spec.type === 'secret') {
			const id = spec.id || posix.basename(spec.target || spec.source);
			const content = build.options.secrets?.[id];
			if (!content) {
				if (spec.required) throw new DockerfileError(`secret ${id}: not found`, line);
				continue;
			}
			if (spec.env !== '') env.push(`${spec.env}=${content.toString('utf8')}`);
			if (spec.env === '' || spec.target !== '') {
				const place = spec.target === '' ? `/run/secrets/${id}` : target;
				mounts.push({kind: 'secret', target: place, content, mode: spec.mode ?? 0o400, uid, gid});
			}
		} else if (spec.type === 'ssh') {
			const id = spec.id || 'default';
			if (!build.agents?.has(id)) {
				if (!spec.required) continue;
				throw new DockerfileError(`no SSH key ${JSON.stringify(id)} forwarded from the client`, line);
			}
			const path = await build.agents.socketFor(id, {uid, gid, mode: spec.mode ?? 0o600});
			const place = spec.target === '' ? `/run/buildkit/ssh_agent.${agents++}` : target;
			mounts.push({kind: 'socket', target: place, path});
			env.push(`SSH_AUTH_SOCK=${place}`);
		} else {
			const path = await sourcePath(build, spec, scratch, line);
			mounts.push({kind: 'bind', target, path, readOnly: spec.readOnly});
		}
	}
	return {mounts, env};
}

/** What of other stages and of the context a step's mounts depend on. */
export async function mountKeys(
	build: Build,
	mounts: readonly {type: string; from: string; source: string}[],
	line: number,
): Promise<string[]> {
	const keys: string[] = [];
	for (const {type, from, source} of mounts) {
		if (type !== 'bind' && !(type === 'cache' && from !== '')) continue;
		if (from !== '') {
			const found = await build.source(from, line);
			const path = posix.resolve('/', source);
			// All of a stage is what its steps have made of it, so that nothing has to be read.
			if (path === '/' && found.key !== undefined) {
				keys.push(found.key);
				continue;
			}
			const [taken] = found.source.match(path);
			if (taken === undefined) throw notFound(path);
			keys.push(await found.source.read(taken));
			if (found.key !== undefined) keys.push(found.source.owners(taken));
			continue;
		}
		const {context} = build;
		for (const path of context.match(source)) keys.push(await context.read(path));
	}
	return keys;
}

const notFound = (path: string): WherryError =>
	new WherryError(
		'not-found',
		`failed to compute cache key: ${JSON.stringify(posix.resolve('/', path))}: not found`,
	);

/** A copy of what a mount is made of. */
async function sourcePath(
	build: Build,
	{from, source}: Pick<RunMountSpec, 'from' | 'source'>,
	scratch: string,
	line: number,
): Promise<string> {
	if (from === '') return folderPath(build.context, source, scratch);
	const found = await build.source(from, line);
	return found.key === undefined
		? folderPath(found.source, source, scratch)
		: materialize(found.root, posix.resolve('/', source), scratch);
}

/** What is left out of a context is left out of its copy too, and nothing of it changes. */
async function folderPath(context: Source, source: string, scratch: string): Promise<string> {
	const {mkdtempSync, closeSync, openSync, constants, lstatSync} = await import('node:fs');
	const {copyEntries} = await import('./copy.ts');
	const [path] = context.match(source);
	if (path === undefined) {
		throw notFound(source);
	}
	const folder = mkdtempSync(join(scratch, 'context-'));
	const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
	try {
		const plan = {destination: '/source', owner: {uid: 0, gid: 0}, mode: undefined, time: undefined};
		copyEntries(fd, path, context.walk(path), plan, false);
		lstatSync(join(folder, 'source'));
		return join(folder, 'source');
	} finally {
		closeSync(fd);
	}
}
