/**
 * The systemd unit that calls `wherry system boot` when the host comes up and `--stop` before it goes down
 * (systemd.unit(5), systemd.service(5)). Enabled by the link that systemctl makes, so no other program is needed.
 */
import {existsSync, mkdirSync, readlinkSync, symlinkSync} from 'node:fs';
import {join} from 'node:path';
import {isErrno, WherryError} from './errors.ts';
import {readIfThere, replaceFile, unlinkIfThere} from './files.ts';
import type {Paths} from './paths.ts';

const unitName = 'wherry-boot.service';
const wantedBy = 'multi-user.target';
const systemUnits = '/etc/systemd/system';
/** sd_booted(3). */
const systemdRuns = '/run/systemd/system';

const defaults = {root: '/var/lib/wherry', run: '/run/wherry'};

/** In quotes: `%` starts a specifier, `\` and `"` are escaped; `$` is a variable in commands only. */
const quoted = (text: string): string => `"${text.replace(/[\\"]/g, '\\$&').replaceAll('%', '%%')}"`;

export function bootUnit(launcher: string, {root, run}: Pick<Paths, 'root' | 'run'>): string {
	const command = quoted(launcher).replaceAll('$', '$$$$');
	const environment = [
		...(root === defaults.root ? [] : [`Environment=${quoted(`WHERRY_ROOT=${root}`)}`]),
		...(run === defaults.run ? [] : [`Environment=${quoted(`WHERRY_RUN=${run}`)}`]),
	];
	return `${[
		'# Written by "wherry system install-boot", which also takes it away again (--remove).',
		'[Unit]',
		'Description=Containers of Wherry that run again after a boot',
		'Wants=network-online.target',
		'After=network-online.target nss-lookup.target firewalld.service',
		`RequiresMountsFor=${quoted(root)}`,
		'',
		'[Service]',
		'Type=oneshot',
		'RemainAfterExit=yes',
		...environment,
		`ExecStart=${command} system boot`,
		`ExecStop=${command} system boot --stop`,
		'# Containers live in cgroups of their own and go on when the unit is started anew.',
		'KillMode=process',
		'TimeoutStartSec=infinity',
		'TimeoutStopSec=5min',
		'',
		'[Install]',
		`WantedBy=${wantedBy}`,
	].join('\n')}\n`;
}

export interface BootUnitOptions {
	launcher: string;
	/** A folder of units other than systemd's own, of a system that need not run. */
	folder?: string | undefined;
}

function unitFolder(folder: string | undefined): string {
	if (folder !== undefined) return folder;
	if (existsSync(systemdRuns)) return systemUnits;
	throw new WherryError(
		'unsupported',
		'systemd does not run on this host: have its start-up scripts call "wherry system boot", or name a folder for the unit with --unit-dir',
	);
}

export type BootUnitChange = 'installed' | 'updated' | 'unchanged' | 'removed' | 'absent';

/** Idempotent. Throws `unsupported` where systemd doesn't run and no folder is named. */
export function installBootUnit(
	paths: Paths,
	{launcher, folder: named}: BootUnitOptions,
): {path: string; change: BootUnitChange} {
	const folder = unitFolder(named);
	const path = join(folder, unitName);
	const text = bootUnit(launcher, paths);
	const before = readIfThere(path);
	const wants = join(folder, `${wantedBy}.wants`);
	const link = join(wants, unitName);
	mkdirSync(wants, {recursive: true, mode: 0o755});
	if (before !== text) replaceFile(path, text, {mode: 0o644});
	let linked = true;
	try {
		symlinkSync(`../${unitName}`, link);
	} catch (error) {
		if (!isErrno(error, 'EEXIST')) throw error;
		linked = false;
	}
	if (before === undefined) return {path, change: 'installed'};
	return {path, change: before === text && !linked ? 'unchanged' : 'updated'};
}

export function removeBootUnit({folder: named}: Pick<BootUnitOptions, 'folder'>): {
	path: string;
	change: BootUnitChange;
} {
	// What is there can be removed wherever it is.
	const folder = named ?? (existsSync(join(systemUnits, unitName)) ? systemUnits : unitFolder(named));
	const path = join(folder, unitName);
	const link = join(folder, `${wantedBy}.wants`, unitName);
	const there = readIfThere(path) !== undefined || isLink(link);
	unlinkIfThere(link);
	unlinkIfThere(path);
	return {path, change: there ? 'removed' : 'absent'};
}

function isLink(path: string): boolean {
	try {
		readlinkSync(path);
		return true;
	} catch {
		return false;
	}
}
