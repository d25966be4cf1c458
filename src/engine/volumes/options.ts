/**
 * The options of the driver `local` (`-o type=nfs,device=...`): docker's checks and texts, and what they say about
 * where a volume's files are. Pure.
 */
import {WherryError} from '../errors.ts';

/** MS_* of <sys/mount.h>. */
const bind = 4096;
const rec = 16_384;
const readOnly = 1;

/** The words of mount(8) that are flags of mount(2); any other is the file system's own. */
const flagWords: Readonly<Record<string, readonly [set: boolean, flag: number]>> = {
	defaults: [true, 0],
	ro: [true, readOnly],
	rw: [false, readOnly],
	suid: [false, 2],
	nosuid: [true, 2],
	dev: [false, 4],
	nodev: [true, 4],
	exec: [false, 8],
	noexec: [true, 8],
	sync: [true, 16],
	async: [false, 16],
	remount: [true, 32],
	mand: [true, 64],
	nomand: [false, 64],
	dirsync: [true, 128],
	atime: [false, 1024],
	noatime: [true, 1024],
	diratime: [false, 2048],
	nodiratime: [true, 2048],
	bind: [true, bind],
	rbind: [true, bind | rec],
	relatime: [true, 1 << 21],
	norelatime: [false, 1 << 21],
	strictatime: [true, 1 << 24],
	nostrictatime: [false, 1 << 24],
	unbindable: [true, 1 << 17],
	runbindable: [true, (1 << 17) | rec],
	private: [true, 1 << 18],
	rprivate: [true, (1 << 18) | rec],
	slave: [true, 1 << 19],
	rslave: [true, (1 << 19) | rec],
	shared: [true, 1 << 20],
	rshared: [true, (1 << 20) | rec],
};

const known = new Set(['type', 'o', 'device', 'size']);
/** What an option needs beside it. */
const needs: Readonly<Record<string, readonly string[]>> = {
	device: ['type'],
	type: ['device'],
	o: ['device', 'type'],
};

export function checkVolumeOptions(name: string, options: Readonly<Record<string, string>>): void {
	const fail = (message: string): never => {
		throw new WherryError('invalid', `create ${name}: ${message}`, {object: name});
	};
	for (const key of Object.keys(options)) {
		if (!known.has(key)) fail(`invalid option: ${JSON.stringify(key)}`);
	}
	if (options.size !== undefined) {
		const size = /^(\d+\.?\d*|\.\d+) ?([kmgtp]i?)?b?$/i.exec(options.size);
		if (!size) fail(`invalid size: '${options.size}'`);
		if (Number(size?.[1]) > 0) fail('quota size requested but no quota support');
	}
	for (const [key, others] of Object.entries(needs)) {
		if (options[key] === undefined) continue;
		for (const other of others) {
			if (options[other] === undefined) fail(`missing required option: ${JSON.stringify(other)}`);
		}
	}
}

export type VolumeMount =
	/** A folder of the host: bound where the volume is used, mounted nowhere else. */
	| {kind: 'folder'; path: string; readOnly: boolean}
	/** A file system that is mounted at the volume's data while somebody uses it. */
	| {kind: 'filesystem'; type: string; device: string; flags: number; data: string};

/** Undefined: the files are the volume's own. */
export function volumeMount(options: Readonly<Record<string, string>> | null): VolumeMount | undefined {
	const {type = '', device = '', o = ''} = options ?? {};
	if (type === '' && device === '') return undefined;
	let flags = 0;
	const data: string[] = [];
	for (const word of o === '' ? [] : o.split(',')) {
		const flag = Object.hasOwn(flagWords, word) ? flagWords[word]! : undefined;
		if (!flag) data.push(word);
		else flags = flag[0] ? flags | flag[1] : flags & ~flag[1];
	}
	if (flags & bind) return {kind: 'folder', path: device, readOnly: (flags & readOnly) !== 0};
	return {kind: 'filesystem', type, device, flags, data: data.join(',')};
}
