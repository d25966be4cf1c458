/** Which programs of other processors this host runs: those that binfmt_misc has an interpreter for. */
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import type {Platform} from '../api.ts';
import {WherryError} from '../errors.ts';
import {formatPlatform, hostPlatform, matches} from '../images/platform.ts';

const registrations = '/proc/sys/fs/binfmt_misc';

/** GOARCH to e_machine and whether it is of 64 bits (elf.h). */
const machines: Readonly<Record<string, [machine: number, isWide: boolean, isBig?: boolean]>> = {
	amd64: [62, true],
	386: [3, false],
	arm64: [183, true],
	arm: [40, false],
	riscv64: [243, true],
	ppc64le: [21, true],
	s390x: [22, true, true],
	mips64le: [8, true],
	mips64: [8, true, true],
	loong64: [258, true],
};

/**
 * Whether one of the registrations (Documentation/admin-guide/binfmt-misc.rst) is for a processor's programs, and
 * its interpreter was opened when it was made (F): a container has another root. Pure.
 */
export function runsArchitecture(texts: readonly string[], architecture: string): boolean {
	const [machine, isWide, isBig = false] = machines[architecture] ?? [];
	if (machine === undefined) return false;
	return texts.some((text) => {
		const field = (name: string): string => new RegExp(`^${name}:? (.*)$`, 'm').exec(text)?.[1] ?? '';
		if (!/^enabled$/m.test(text) || !field('flags').includes('F') || field('offset') !== '0') return false;
		const magic = Buffer.from(field('magic'), 'hex');
		if (magic.length < 20 || magic.toString('latin1', 1, 4) !== 'ELF' || magic[4] !== (isWide ? 2 : 1))
			return false;
		return (isBig ? magic.readUInt16BE(18) : magic.readUInt16LE(18)) === machine;
	});
}

/** What keeps a platform's programs from running here; undefined: nothing that is known. */
export function obstacleTo(platform: Platform): string | undefined {
	const host = hostPlatform();
	if (platform.os !== host.os) return `it is for ${platform.os}`;
	// Processors of 64 bits run the programs of their older ones.
	if (matches(host, platform) || (host.architecture === 'amd64' && platform.architecture === '386'))
		return undefined;
	if (host.architecture === 'arm64' && platform.architecture === 'arm') return undefined;
	let texts: string[] = [];
	try {
		texts = readdirSync(registrations)
			.filter((name) => name !== 'register' && name !== 'status')
			.map((name) => readFileSync(join(registrations, name), 'latin1'));
	} catch {
		// Not mounted here: then there is none that anybody could see.
	}
	if (runsArchitecture(texts, platform.architecture)) return undefined;
	return `no interpreter for ${platform.architecture} is registered with the flag F in ${registrations}; qemu-user-static brings them`;
}

/** What to say of a program that could not run since it is another processor's; undefined: that is not why. */
export function foreignFailure(platform: Platform, cause: Error): WherryError | undefined {
	const obstacle = obstacleTo(platform);
	if (obstacle === undefined) return undefined;
	const [theirs, own] = [platform, hostPlatform()].map(formatPlatform);
	return new WherryError(
		'unsupported',
		`programs for ${theirs} don't run on this host (${own}): ${obstacle}`,
		{
			cause,
		},
	);
}
