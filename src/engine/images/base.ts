/**
 * `wherry/base`: an image that needs no network, made of the host's own shell, core utilities and the
 * libraries that they link to, as one ordinary layer. The same host files always give the same image.
 */
import {WherryError} from '../errors.ts';
import type {Store} from '../store/collect.ts';
import {digestHex, sha256} from '../store/digest.ts';
import {namedEntry, withNames} from '../store/layout.ts';
import {acquireLease} from '../store/leases.ts';
import {type Manifest, mediaTypes, parseConfiguration, parseManifest} from '../store/manifest.ts';
import {type ArchiveEntry, writeArchive} from './archive.ts';
import {HostFiles} from './host-files.ts';
import {hostPlatform} from './platform.ts';
import {unpackImage} from './pull.ts';
import type {Reference} from './reference.ts';

/** Without these an image is of no use. */
const required = ['sh'];

/** Always taken where the host has them. */
const wanted = `[ basename cat chgrp chmod chown cp cut date dd df dirname du echo env expr false find grep
	head hostname id ip kill ln ls mkdir mkfifo mknod mktemp more mv nice nohup nproc od paste printenv printf ps pwd
	readlink realpath rm rmdir sed seq sleep sort split stat stty sync tail tee test timeout touch tr true tty
	uname uniq wc who whoami xargs yes`.split(/\s+/);

/** Taken when they don't need large libraries that nothing else needs. */
const optional =
	`awk base64 cksum clear cmp comm diff fold free getent join md5sum nl pgrep pkill sha256sum shuf tac
	top truncate uptime which`.split(/\s+/);

/** Bytes of libraries that an optional tool may bring. */
const largestExtra = 1 << 20;

const folders: readonly [path: string, mode: number][] = [
	['dev', 0o755],
	['etc', 0o755],
	['home', 0o755],
	['proc', 0o555],
	['root', 0o700],
	['run', 0o755],
	['sys', 0o555],
	['tmp', 0o1777],
	['usr', 0o755],
	['var', 0o755],
	['var/log', 0o755],
	['var/tmp', 0o1777],
];

const files: Readonly<Record<string, string>> = {
	'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n',
	'etc/group': 'root:x:0:\ntty:x:5:\nnogroup:x:65534:\n',
	'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
	'etc/os-release': 'NAME="wherry base"\nID=wherry\nPRETTY_NAME="wherry base"\n',
	'etc/profile': "export PS1='# '\n",
};

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The layer's entries, and when the newest of the host's files was changed, in milliseconds. */
export function baseTree(host: HostFiles = new HostFiles()): {entries: ArchiveEntry[]; newest: number} {
	for (const name of required)
		if (!host.addProgram(name))
			throw new WherryError(
				'unavailable',
				`wherry/base needs a program "${name}" in /bin or /usr/bin of the host`,
			);
	for (const name of wanted) host.addProgram(name);
	for (const name of optional) host.addProgram(name, largestExtra);
	const entries = new Map<string, ArchiveEntry>(host.entries().map((entry) => [entry.path, entry]));
	for (const [folder, mode] of folders)
		if (!entries.has(folder)) entries.set(folder, {type: 'folder', path: folder, mode});
	for (const [file, content] of Object.entries(files))
		entries.set(file, {type: 'file', path: file, mode: 0o644, content: Buffer.from(content)});
	for (const entry of [...entries.keys()]) addParents(entries, entry);
	return {entries: [...entries.values()], newest: host.newest};
}

function addParents(entries: Map<string, ArchiveEntry>, child: string): void {
	for (let slash = child.lastIndexOf('/'); slash > 0; slash = child.lastIndexOf('/', slash - 1)) {
		const parent = child.slice(0, slash);
		if (!entries.has(parent)) entries.set(parent, {type: 'folder', path: parent, mode: 0o755});
	}
}

/** Makes the image and gives it its name; resolves to its id. */
export function makeBase(store: Store, reference: Reference): Promise<string> {
	return store.locks.with('base', async () => {
		const {entries, newest} = baseTree();
		const layer = Buffer.concat(writeArchive(entries));
		const layerDigest = sha256(layer);
		const created = new Date(Math.floor(newest / 1000) * 1000).toISOString();
		const config = Buffer.from(
			JSON.stringify({
				created,
				...hostPlatform(),
				config: {Env: [`PATH=${path}`], Cmd: ['sh']},
				rootfs: {type: 'layers', diff_ids: [layerDigest]},
				history: [{created, created_by: "wherry base: the host's shell and core utilities"}],
			}),
		);
		const manifest = Buffer.from(
			JSON.stringify({
				schemaVersion: 2,
				mediaType: mediaTypes.ociManifest,
				config: {mediaType: mediaTypes.ociConfig, digest: sha256(config), size: config.length},
				layers: [{mediaType: mediaTypes.ociLayer, digest: layerDigest, size: layer.length}],
			}),
		);
		const keys = [layerDigest, sha256(config), sha256(manifest)].map(digestHex);
		const lease = await acquireLease(store.paths, store.locks, keys);
		try {
			for (const blob of [layer, config, manifest]) await store.layout.writeBlob(blob);
			await unpackImage(store, parseManifest(manifest) as Manifest, parseConfiguration(config));
			const descriptor = {mediaType: mediaTypes.ociManifest, digest: sha256(manifest), size: manifest.length};
			await store.layout.update((current) => withNames(current, [namedEntry(descriptor, reference)]));
		} finally {
			lease.release();
		}
		return sha256(config);
	});
}
