/** Contexts from elsewhere: git repositories (`URL#ref:folder`), archives and Dockerfiles on web servers. */
import {spawn} from 'node:child_process';
import {
	closeSync,
	createWriteStream,
	existsSync,
	mkdtempSync,
	openSync,
	renameSync,
	rmSync,
	statSync,
} from 'node:fs';
import {join} from 'node:path';
import {pipeline} from 'node:stream/promises';
import {native} from '../../kernel/native.ts';
import {WherryError} from '../errors.ts';
import {type GitAddress, parseGitAddress} from './git-address.ts';

interface GitOptions {
	/** The folder `.git` stays, if the address doesn't say otherwise. */
	readonly keepGit?: boolean;
	/** As the address may have one. */
	readonly checksum?: string;
	/** A key agent's socket. */
	readonly agent?: string | undefined;
	readonly signal?: AbortSignal | undefined;
}

/** What would have git work on another repository: a build may be started by one's hook (git rev-parse --local-env-vars). */
const ofRepository =
	/^GIT_(ALTERNATE_OBJECT_DIRECTORIES|COMMON_DIR|CONFIG|CONFIG_COUNT|CONFIG_PARAMETERS|DIR|GRAFT_FILE|IMPLICIT_WORK_TREE|INDEX_FILE|NO_REPLACE_OBJECTS|OBJECT_DIRECTORY|PREFIX|REPLACE_REF_BASE|SHALLOW_FILE|WORK_TREE)$/;

async function git(folder: string, options: GitOptions, ...args: string[]): Promise<string> {
	const env: NodeJS.ProcessEnv = {
		...Object.fromEntries(Object.entries(process.env).filter(([name]) => !ofRepository.test(name))),
		GIT_TERMINAL_PROMPT: '0',
		GIT_CONFIG_NOSYSTEM: '1',
		GIT_DIR: join(folder, '.git'),
		GIT_WORK_TREE: folder,
		// Nobody is there to be asked, and no other program may stand in for a transport.
		GIT_SSH_COMMAND: process.env.GIT_SSH_COMMAND ?? 'ssh -o BatchMode=yes',
		GIT_ALLOW_PROTOCOL: process.env.GIT_ALLOW_PROTOCOL ?? 'git:http:https:ssh',
		...(options.agent ? {SSH_AUTH_SOCK: options.agent} : {}),
	};
	const child = spawn('git', ['-c', 'core.hooksPath=/dev/null', ...args], {
		cwd: folder,
		env,
		stdio: ['ignore', 'pipe', 'pipe'],
		...(options.signal ? {signal: options.signal} : {}),
	});
	let output = '';
	let errors = '';
	child.stdout.setEncoding('utf8').on('data', (text: string) => {
		output += text;
	});
	child.stderr.setEncoding('utf8').on('data', (text: string) => {
		errors = (errors + text).slice(-4000);
	});
	const code = await new Promise<number | null>((resolve, reject) => {
		child.on('error', (error: NodeJS.ErrnoException) =>
			reject(
				error.code === 'ENOENT'
					? new WherryError(
							'unavailable',
							'unable to find \'git\': exec: "git": executable file not found in $PATH',
						)
					: error,
			),
		);
		child.on('close', resolve);
	});
	if (code !== 0) {
		throw new WherryError('unavailable', `git ${args[0]} failed: ${errors.trim() || `exit status ${code}`}`);
	}
	return output.trim();
}

const commit = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;

const hexadecimal = /^[0-9a-f]{7,64}$/;

/** A commit's name, or how it begins; '' where none is asked for. */
function agreedChecksum(one: string, other: string): string {
	if (one !== '' && other !== '' && one !== other)
		throw new WherryError('invalid', `checksum mismatch ${JSON.stringify(other)} != ${JSON.stringify(one)}`);
	const checksum = (one || other).toLowerCase();
	if (checksum !== '' && !hexadecimal.test(checksum))
		throw new WherryError(
			'invalid',
			`invalid checksum ${one || other} for Git source, expected hex commit hash`,
		);
	return checksum;
}

/** Checks a repository out into an empty folder; resolves to the commit and the folder that was asked for. */
export async function checkOut(
	address: GitAddress,
	folder: string,
	options: GitOptions = {},
): Promise<{commit: string; folder: string}> {
	const {url, ref} = address;
	if (url.startsWith('-') || ref.startsWith('-'))
		throw new WherryError('invalid', `invalid git address: ${url}#${ref}`);
	await git(folder, options, 'init', '-q');
	await git(folder, options, 'remote', 'add', '--', 'origin', url);
	const checksum = agreedChecksum(address.checksum, options.checksum ?? '');
	const wanted = ref === '' ? 'HEAD' : ref;
	let head = 'FETCH_HEAD';
	try {
		await git(folder, options, 'fetch', '-q', '--depth', '1', '--no-tags', 'origin', '--', wanted);
	} catch {
		options.signal?.throwIfAborted();
		// A plain web server knows no depth, and most servers don't give commits by their name.
		await git(folder, options, 'fetch', '-q', '--tags', 'origin', '+refs/heads/*:refs/remotes/origin/*');
		// How a commit's name begins is enough where it is said to be one.
		if (commit.test(wanted) || (wanted === checksum && hexadecimal.test(wanted))) head = wanted;
		else {
			try {
				await git(folder, options, 'fetch', '-q', 'origin', '--', wanted);
			} catch (error) {
				options.signal?.throwIfAborted();
				throw new WherryError(
					'not-found',
					`repository does not contain ref ${wanted}, output: ${JSON.stringify((error as Error).message)}`,
					{object: wanted, cause: error as Error},
				);
			}
		}
	}
	await git(folder, options, 'checkout', '-q', '--force', '--detach', head);
	const found = await git(folder, options, 'rev-parse', 'HEAD');
	if (!found.startsWith(checksum)) {
		// A tag with a message has a name of its own.
		const named = await git(folder, options, 'rev-parse', head);
		if (!named.startsWith(checksum))
			throw new WherryError('corrupt', `expected checksum to match ${checksum}, got ${found}`, {object: url});
	}
	if (address.submodules !== false && existsSync(join(folder, '.gitmodules'))) {
		await git(folder, options, 'submodule', '--quiet', 'update', '--init', '--recursive');
	}
	if (!(address.keepGit ?? options.keepGit)) rmSync(join(folder, '.git'), {recursive: true, force: true});
	if (address.folder === '') return {commit: found, folder};
	const root = openSync(folder, 'r');
	try {
		const inside = native.resolveInRoot(root, `/${address.folder}`);
		const chosen = join(folder, inside);
		if (!statSync(chosen, {throwIfNoEntry: false})?.isDirectory())
			throw new WherryError('not-found', `repository does not contain ${address.folder}`);
		return {commit: found, folder: chosen};
	} finally {
		closeSync(root);
	}
}

/** Makes a folder of a context that is elsewhere. */
export async function fetchContext(
	address: string,
	scratch: string,
	options: GitOptions = {},
): Promise<{folder: string; isDockerfile: boolean}> {
	const folder = mkdtempSync(join(scratch, 'remote-'));
	const repository = parseGitAddress(address);
	if (repository) return {folder: (await checkOut(repository, folder, options)).folder, isDockerfile: false};
	const {Transport} = await import('../registry/transport.ts');
	const transport = new Transport({env: process.env});
	try {
		const response = await transport.request(new URL(address), {signal: options.signal});
		if (response.status !== 200) {
			response.body.destroy();
			throw new WherryError('unavailable', `failed to GET ${address} with status ${response.status}`, {
				object: address,
			});
		}
		const file = join(scratch, 'context.download');
		await pipeline(response.body, createWriteStream(file, {mode: 0o600}));
		const {isArchive} = await import('./archives.ts');
		if (!isArchive(file)) {
			// What is no archive is a Dockerfile.
			renameSync(file, join(folder, 'Dockerfile'));
			return {folder, isDockerfile: true};
		}
		const {unpackFile} = await import('./output.ts');
		await unpackFile(file, folder);
		rmSync(file, {force: true});
		return {folder, isDockerfile: false};
	} finally {
		transport.close();
	}
}
