import {readFileSync} from 'node:fs';

/**
 * A file of `NAME=value` lines, as `--env-file` and `--label-file` take it: `#` comments, no quotes, no
 * expansion; a name alone takes its value from `lookup` and is dropped when that has none. Throws docker's
 * words.
 */
export function readKeyValueFile(path: string, lookup: (name: string) => string | undefined): string[] {
	let bytes: Buffer;
	try {
		bytes = readFileSync(path);
	} catch (error) {
		// A folder can be opened, not read.
		if ((error as NodeJS.ErrnoException).code === 'EISDIR')
			throw new Error(`invalid env file (${path}): read ${path}: is a directory`);
		throw new Error(`open ${path}: ${systemMessage(error)}`);
	}
	return parseKeyValues(path, bytes, lookup);
}

/** docker's reader has this many bytes for a line with its end. */
const longestLine = 64 * 1024;

export function parseKeyValues(
	path: string,
	bytes: Uint8Array,
	lookup: (name: string) => string | undefined,
): string[] {
	const fail = (message: string): never => {
		throw new Error(`invalid env file (${path}): ${message}`);
	};
	const result: string[] = [];
	let rest = Buffer.from(bytes);
	if (rest.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf]))) rest = rest.subarray(3);
	const decoder = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true});
	let number = 0;
	while (rest.length > 0) {
		number++;
		const newline = rest.indexOf(10);
		const raw = newline < 0 ? rest : rest.subarray(0, newline);
		rest = newline < 0 ? Buffer.alloc(0) : rest.subarray(newline + 1);
		if (raw.length >= longestLine) fail('bufio.Scanner: token too long');
		let line: string;
		try {
			line = decoder.decode(raw).replace(/\r$/, '');
		} catch {
			return fail(`invalid utf8 bytes at line ${number}: ${JSON.stringify(raw.toString('latin1'))}`);
		}
		line = line.trimStart();
		if (line === '' || line.startsWith('#')) continue;
		const equals = line.indexOf('=');
		const name = equals < 0 ? line : line.slice(0, equals);
		if (name === '') fail(`no variable name on line '${line}'`);
		if (/\s/.test(name)) fail(`variable '${name}' contains whitespaces`);
		if (equals >= 0) result.push(line);
		else {
			const value = lookup(name);
			if (value !== undefined) result.push(`${name}=${value}`);
		}
	}
	return result;
}

/** A system error in libc's words, as Go prints them. */
export function systemMessage(error: unknown): string {
	const messages: Record<string, string> = {
		ENOENT: 'no such file or directory',
		EACCES: 'permission denied',
		EISDIR: 'is a directory',
		ENOTDIR: 'not a directory',
		EEXIST: 'file exists',
	};
	const {code, message} = error as NodeJS.ErrnoException;
	return (code && messages[code]) ?? message;
}

/** `-e NAME=value`, and `-e NAME` with the value of the environment; a NAME that isn't set stays alone. */
export function environment(
	files: readonly string[],
	entries: readonly string[],
	env: NodeJS.ProcessEnv,
): string[] {
	const lookup = (name: string): string | undefined => env[name];
	const result = files.flatMap((file) => readKeyValueFile(file, lookup));
	for (const entry of entries) {
		if (entry.includes('=')) result.push(entry);
		else result.push(env[entry] === undefined ? entry : `${entry}=${env[entry]}`);
	}
	return result;
}
