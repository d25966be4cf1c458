/** The same profile through libseccomp, as runc drives it. */
import {execFileSync, spawnSync} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {LinuxSeccomp} from '../../../src/runtime/oci.ts';
import {returnValue} from '../../../src/runtime/seccomp/rules.ts';
import {abiFacts} from '../../../src/runtime/seccomp/syscalls.ts';

/** enum scmp_compare. */
const operators = {
	SCMP_CMP_NE: 1,
	SCMP_CMP_LT: 2,
	SCMP_CMP_LE: 3,
	SCMP_CMP_EQ: 4,
	SCMP_CMP_GE: 5,
	SCMP_CMP_GT: 6,
	SCMP_CMP_MASKED_EQ: 7,
} as const;

/** SCMP_ARCH_X32 is made up by libseccomp; the others are the kernel's AUDIT_ARCH_*. */
const scmpX32 = 0x4000003e;

function architectureToken(name: string): number {
	if (name === 'SCMP_ARCH_X32') return scmpX32;
	const facts = Object.values(abiFacts).find(({scmp}) => scmp === name);
	if (!facts) throw new Error(name);
	return facts.audit;
}

/** Compiles the program that talks to libseccomp; call `remove` at the end. */
export function buildLibseccomp(): {program: string; remove: () => void} {
	const folder = mkdtempSync(join(tmpdir(), 'wherry-libseccomp-'));
	const program = join(folder, 'filter');
	const source = join(import.meta.dirname, 'libseccomp-filter.c');
	execFileSync('cc', ['-Wall', '-Wextra', '-Werror', '-O1', '-o', program, source, '-lseccomp']);
	return {program, remove: () => rmSync(folder, {recursive: true, force: true})};
}

function describe(profile: LinuxSeccomp): string {
	const lines = [
		`default ${returnValue(profile.defaultAction, profile.defaultErrnoRet)}`,
		`arch ${(profile.architectures ?? []).map(architectureToken).join(' ')}`,
	];
	for (const {names, action, errnoRet, args = []} of profile.syscalls ?? []) {
		const value = returnValue(action, errnoRet);
		const conditions = args.map(
			(arg) => `${arg.index} ${operators[arg.op]} ${arg.value} ${arg.valueTwo ?? 0}`,
		);
		// runc: conditions on the same argument are alternatives.
		const repeated = new Set(args.map(({index}) => index)).size < args.length;
		for (const name of names) {
			if (repeated) for (const one of conditions) lines.push(`rule ${value} ${name} ${one}`);
			else lines.push(`rule ${value} ${name} ${conditions.join(' ')}`);
		}
	}
	return `${lines.join('\n')}\n`;
}

/** libseccomp's filter, and the names that this libseccomp is too old to know. */
export function libseccompFilter(
	program: string,
	profile: LinuxSeccomp,
): {filter: Buffer; unknown: Set<string>} {
	const {status, stdout, stderr} = spawnSync(program, {input: describe(profile)});
	if (status !== 0) throw new Error(`libseccomp: ${stderr}`);
	const unknown = new Set([...stderr.toString().matchAll(/^unknown (\S+)$/gm)].map((match) => match[1]!));
	return {filter: stdout, unknown};
}
