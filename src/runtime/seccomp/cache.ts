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
import type {NativeArch} from './syscalls.ts';

/** Changes whenever the compiler or the table of numbers gives another filter for the same profile. */
const compilerVersion = 1;

/** A cache file: this, the SHA-256 of key and program, the program. */
const magic = Buffer.from('WSECBPF1');
const headLength = magic.length + 32;

const inMemory = new Map<string, Buffer>();
/** More profiles than a process uses at a time; a hostile caller can't fill the memory. */
const maxInMemory = 64;

function keyOf(seccomp: LinuxSeccomp, arch: NativeArch): string {
	return native.sha256(Buffer.from(`${compilerVersion} ${arch} ${printOciJson(seccomp)}`)).slice(7);
}

function digest(key: string, program: Buffer): Buffer {
	return Buffer.from(native.sha256(Buffer.concat([Buffer.from(key), program])).slice(7), 'hex');
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

function readCached(path: string, key: string): Buffer | undefined {
	let content: Buffer;
	try {
		const descriptor = openSync(path, 'r');
		try {
			const {size} = fstatSync(descriptor);
			if (size <= headLength || size > headLength + maxInstructions * 8) return undefined;
			content = readFileSync(descriptor);
		} finally {
			closeSync(descriptor);
		}
	} catch {
		return undefined;
	}
	const program = content.subarray(headLength);
	if (program.length === 0 || program.length % 8 !== 0) return undefined;
	if (!content.subarray(0, magic.length).equals(magic)) return undefined;
	if (!content.subarray(magic.length, headLength).equals(digest(key, program))) return undefined;
	return program;
}

function writeCached(path: string, key: string, program: Buffer): void {
	const temporary = `${path}.${randomHex(6)}`;
	try {
		writeFileSync(temporary, Buffer.concat([magic, digest(key, program), program]), {
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
	const key = keyOf(seccomp, arch);
	let program = inMemory.get(key);
	if (program) return program;
	const path = cacheDir !== undefined && ownFolder(cacheDir) ? join(cacheDir, `${key}.bpf`) : undefined;
	program = path === undefined ? undefined : readCached(path, key);
	if (!program) {
		program = compileSeccomp(seccomp, arch);
		if (path !== undefined) writeCached(path, key, program);
	}
	if (inMemory.size >= maxInMemory) inMemory.delete(inMemory.keys().next().value!);
	inMemory.set(key, program);
	return program;
}

/** Forgets what is in memory. */
export function forgetCompiledFilters(): void {
	inMemory.clear();
}
