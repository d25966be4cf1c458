import type {LinuxSeccomp, LinuxSeccompArg, LinuxSyscall, SeccompAction} from '../oci.ts';
import {defaultRules} from './default-profile-data.ts';
import {dockerArch, kernelAtLeast, type ProfileOptions} from './profile-options.ts';
import {abiFacts, abisOf} from './syscalls.ts';

export {parseSeccompProfile} from './profile.ts';

/** A rule of the default profile with the conditions under which it is part of it. */
export interface ProfileRule {
	/** Separated by spaces. */
	readonly names: string;
	/** Absent is SCMP_ACT_ALLOW. */
	readonly action?: SeccompAction;
	readonly errnoRet?: number;
	readonly args?: readonly LinuxSeccompArg[];
	/** docker's names of architectures: amd64, arm64, ... */
	readonly onlyArches?: readonly string[];
	readonly notArches?: readonly string[];
	/** The container has all of these. */
	readonly withCaps?: readonly string[];
	/** The container has none of these. */
	readonly withoutCaps?: readonly string[];
	readonly minKernel?: readonly [number, number];
}

function applies(rule: ProfileRule, {capabilities, arch, kernel}: ProfileOptions): boolean {
	return (
		(rule.onlyArches?.includes(dockerArch[arch]) ?? true) &&
		!rule.notArches?.includes(dockerArch[arch]) &&
		(rule.withCaps?.every((cap) => capabilities.includes(cap)) ?? true) &&
		!rule.withoutCaps?.some((cap) => capabilities.includes(cap)) &&
		(rule.minKernel === undefined || kernelAtLeast(kernel, rule.minKernel))
	);
}

/** docker's default profile as it is for a container with these capabilities. */
export function defaultSeccomp(options: ProfileOptions): LinuxSeccomp {
	const syscalls: LinuxSyscall[] = [];
	for (const rule of defaultRules) {
		if (!applies(rule, options)) continue;
		syscalls.push({
			names: rule.names.split(' '),
			action: rule.action ?? 'SCMP_ACT_ALLOW',
			...(rule.errnoRet === undefined ? {} : {errnoRet: rule.errnoRet}),
			...(rule.args === undefined ? {} : {args: [...rule.args]}),
		});
	}
	return {
		defaultAction: 'SCMP_ACT_ERRNO',
		defaultErrnoRet: 1,
		architectures: abisOf[options.arch].map((abi) => abiFacts[abi].scmp),
		syscalls,
	};
}
