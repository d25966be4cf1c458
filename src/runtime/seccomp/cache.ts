import {
	closeSync,
	fstatSync,
	lstatSync,
	mkdirSync,
	openSync,
	readFileSync,
	renameSync,
	rmSync,
	writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {native} from '../../kernel/native.ts';
import {randomHex} from '../../kernel/random.ts';
import type {LinuxSeccomp} from '../oci.ts';
import {printOciJson} from '../oci-json.ts';
import {maxInstructions} from './bpf.ts';
import {compileSeccomp} from './compile.ts';
import {defaultSeccomp} from './default-profile.ts';
import type {ProfileOptions} from './profile-options.ts';
import type {NativeArch} from './syscalls.ts';

/** Changes whenever the compiler or the table of numbers gives another filter for the same profile. */
const compilerVersion = 1;

/** Of the default profile's rules, which are not loaded to find what has been made of them. */
export const defaultProfileDigest = '44e3ae4366a1bd4f';

/** A cache file: this, the SHA-256 of key and content, the content. */
const magic = Buffer.from('WSECBPF1');
const headLength = magic.length + 32;

/** Of a default profile as JSON: all of docker's is 11 KB. */
const maxProfile = 64 << 10;

const inMemory = new Map<string, Buffer>();
/** Default profiles, by what they were asked for with. */
const defaults = new Map<string, LinuxSeccomp>();
/** Of profiles that came from a cache file together with their filter. */
const withProgram = new WeakMap<LinuxSeccomp, Buffer>();
/** More profiles than a process uses at a time; a hostile caller can't fill the memory. */
const maxInMemory = 64;

function keyOf(seccomp: LinuxSeccomp, arch: NativeArch): string {
	return native.sha256(Buffer.from(`${compilerVersion} ${arch} ${printOciJson(seccomp)}`)).slice(7);
}

function digest(key: string, content: Buffer): Buffer {
	return Buffer.from(native.sha256(Buffer.concat([Buffer.from(key), content])).slice(7), 'hex');
}

/** Whether the folder is ours alone: a filter that somebody else could have written is worth nothing. */
function ownFolder(folder: string): boolean {
	try {
		mkdirSync(folder, {recursive: true, mode: 0o700});
		const status = lstatSync(folder);
		return status.isDirectory() && status.uid === process.geteuid?.() && (status.mode & 0o077) === 0;
	} catch {
		return false;
	}
}

function readCached(path: string, key: string, limit: number): Buffer | undefined {
	let file: Buffer;
	try {
		const descriptor = openSync(path, 'r');
		try {
			const {size} = fstatSync(descriptor);
			if (size <= headLength || size > headLength + limit) return undefined;
			file = readFileSync(descriptor);
		} finally {
			closeSync(descriptor);
		}
	} catch {
		return undefined;
	}
	const content = file.subarray(headLength);
	if (content.length === 0 || !file.subarray(0, magic.length).equals(magic)) return undefined;
	return file.subarray(magic.length, headLength).equals(digest(key, content)) ? content : undefined;
}

function writeCached(path: string, key: string, content: Buffer): void {
	const temporary = `${path}.${randomHex(6)}`;
	try {
		writeFileSync(temporary, Buffer.concat([magic, digest(key, content), content]), {
			flag: 'wx',
			mode: 0o600,
		});
		renameSync(temporary, path);
	} catch {
		// A full disk costs the next command a few milliseconds, it fails nothing.
		rmSync(temporary, {force: true});
	}
}

/**
 * `compileSeccomp`, remembered by content in memory and, where `cacheDir` is given, in files there. The
 * folder is made with mode 0700; one that belongs to another user or is open to others is not used. A file
 * that is torn or damaged is compiled anew. Don't change the bytes of the result.
 */
export function compileSeccompCached(seccomp: LinuxSeccomp, arch: NativeArch, cacheDir?: string): Buffer {
	const known = withProgram.get(seccomp);
	if (known) return known;
	const key = keyOf(seccomp, arch);
	let program = inMemory.get(key);
	if (program) return program;
	const path = cacheDir !== undefined && ownFolder(cacheDir) ? join(cacheDir, `${key}.bpf`) : undefined;
	program = path === undefined ? undefined : readCached(path, key, maxInstructions * 8);
	if (program && program.length % 8 !== 0) program = undefined;
	if (!program) {
		program = compileSeccomp(seccomp, arch);
		if (path !== undefined) writeCached(path, key, program);
	}
	return remember(inMemory, key, program);
}

function remember<T>(known: Map<string, T>, key: string, value: T): T {
	if (known.size >= maxInMemory) known.delete(known.keys().next().value!);
	known.set(key, value);
	return value;
}

/**
 * `defaultSeccomp`, remembered in memory and in files as `compileSeccompCached` does, together with the filter that is
 * compiled from it: neither the rules nor the compiler have to be loaded for a start. Don't change the result.
 */
export function defaultSeccompCached(options: ProfileOptions, cacheDir: string): LinuxSeccomp {
	const asked = JSON.stringify([options, cacheDir]);
	return defaults.get(asked) ?? remember(defaults, asked, readDefault(options, cacheDir));
}

function readDefault(options: ProfileOptions, cacheDir: string): LinuxSeccomp {
	const key = native
		.sha256(Buffer.from(`${compilerVersion} ${defaultProfileDigest} ${JSON.stringify(options)}`))
		.slice(7);
	const path = ownFolder(cacheDir) ? `${cacheDir}/${key}.profile` : undefined;
	const kept = path === undefined ? undefined : readCached(path, key, maxProfile + maxInstructions * 8);
	if (kept) {
		const end = 4 + kept.readUInt32LE(0);
		const seccomp = JSON.parse(kept.toString('latin1', 4, end)) as LinuxSeccomp;
		withProgram.set(seccomp, kept.subarray(end));
		return seccomp;
	}
	const seccomp = defaultSeccomp(options);
	const program = compileSeccompCached(seccomp, options.arch, cacheDir);
	const text = Buffer.from(JSON.stringify(seccomp), 'latin1');
	const length = Buffer.alloc(4);
	length.writeUInt32LE(text.length);
	if (path !== undefined) writeCached(path, key, Buffer.concat([length, text, program]));
	withProgram.set(seccomp, program);
	return seccomp;
}

/** Forgets what is in memory. */
export function forgetCompiledFilters(): void {
	inMemory.clear();
	defaults.clear();
}
