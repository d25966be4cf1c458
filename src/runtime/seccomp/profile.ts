import type {LinuxSeccomp, LinuxSeccompArg, LinuxSyscall, SeccompAction} from '../oci.ts';
import {parseOciJson} from '../oci-json.ts';
import {compileSeccomp} from './compile.ts';
import {seccompFlags} from './flags.ts';
import {dockerArch, kernelAtLeast, type ProfileOptions} from './profile-options.ts';
import {abiFacts} from './syscalls.ts';

interface Conditions {
	caps?: string[];
	arches?: string[];
	minKernel?: string;
}

interface DockerSyscall {
	name?: string;
	names?: string[];
	action: SeccompAction;
	errnoRet?: number;
	args?: LinuxSeccompArg[] | null;
	comment?: string;
	includes?: Conditions;
	excludes?: Conditions;
}

/** The profile format of `--security-opt seccomp=FILE`. */
export interface DockerProfile {
	defaultAction: SeccompAction;
	defaultErrnoRet?: number;
	architectures?: string[] | null;
	archMap?: {architecture: string; subArchitectures: string[] | null}[] | null;
	flags?: string[] | null;
	listenerPath?: string;
	listenerMetadata?: string;
	syscalls?: DockerSyscall[] | null;
}

type Shape = 'string' | 'number' | 'object' | 'strings';

const profileShape: Readonly<Record<string, Shape>> = {
	defaultAction: 'string',
	defaultErrnoRet: 'number',
	architectures: 'strings',
	archMap: 'object',
	flags: 'strings',
	listenerPath: 'string',
	listenerMetadata: 'string',
	syscalls: 'object',
};

const syscallShape: Readonly<Record<string, Shape>> = {
	name: 'string',
	names: 'strings',
	action: 'string',
	errnoRet: 'number',
	args: 'object',
	includes: 'object',
	excludes: 'object',
};

const conditionShape: Readonly<Record<string, Shape>> = {
	caps: 'strings',
	arches: 'strings',
	minKernel: 'string',
};

/** What docker finds when the profile has been read. */
function refuse(reason: string): never {
	throw new Error(reason);
}

function fail(reason: string): never {
	throw new Error(`Decoding seccomp profile failed: ${reason}`);
}

function check(value: unknown, shape: Readonly<Record<string, Shape>>, where: string): void {
	if (typeof value !== 'object' || value === null || Array.isArray(value)) fail(`${where} is not an object`);
	for (const [key, kind] of Object.entries(shape)) {
		const field = (value as Record<string, unknown>)[key];
		if (field === undefined || field === null) continue;
		const right =
			kind === 'strings'
				? Array.isArray(field) && field.every((item) => typeof item === 'string')
				: typeof field === kind;
		if (!right) fail(`${where}.${key} is not ${kind === 'strings' ? 'a list of strings' : `a ${kind}`}`);
	}
}

function list<T>(value: T[] | null | undefined, where: string): T[] {
	if (value === undefined || value === null) return [];
	return Array.isArray(value) ? value : fail(`${where} is not a list`);
}

function kernelVersion(text: string): [number, number] {
	const match = /^(\d{1,9})\.(\d{1,9})$/.exec(text);
	if (!match) fail(`invalid kernel version "${text}": expected two numbers such as 4.8`);
	return [Number(match[1]), Number(match[2])];
}

function applies(call: DockerSyscall, {capabilities, arch, kernel}: ProfileOptions): boolean {
	const {includes, excludes} = call;
	if (excludes?.arches?.includes(dockerArch[arch])) return false;
	if (excludes?.caps?.some((cap) => capabilities.includes(cap))) return false;
	if (excludes?.minKernel && kernelAtLeast(kernel, kernelVersion(excludes.minKernel))) return false;
	if (includes?.arches?.length && !includes.arches.includes(dockerArch[arch])) return false;
	if (includes?.caps && !includes.caps.every((cap) => capabilities.includes(cap))) return false;
	return !includes?.minKernel || kernelAtLeast(kernel, kernelVersion(includes.minKernel));
}

function argument(arg: LinuxSeccompArg, where: string): LinuxSeccompArg {
	check(arg, {op: 'string'}, where);
	for (const key of ['index', 'value', 'valueTwo'] as const) {
		const number: unknown = arg[key];
		if (number === undefined || typeof number === 'bigint') continue;
		if (typeof number !== 'number' || !Number.isInteger(number)) fail(`${where}.${key} is not an integer`);
	}
	const {index, value, valueTwo, op} = arg;
	return {index, value: value ?? 0, ...(valueTwo === undefined ? {} : {valueTwo}), op};
}

function syscall(call: DockerSyscall, where: string): LinuxSyscall {
	if (call.name && call.names?.length) {
		refuse("'name' and 'names' were specified in the seccomp profile, use either 'name' or 'names'");
	}
	const names = call.name ? [call.name] : (call.names ?? []);
	if (names.length === 0) fail(`${where} names no system call`);
	const args = list(call.args, `${where}.args`).map((arg, index) => argument(arg, `${where}.args[${index}]`));
	return {
		names,
		action: call.action,
		...(call.errnoRet === undefined ? {} : {errnoRet: call.errnoRet}),
		...(args.length === 0 ? {} : {args}),
	};
}

function architectures(profile: DockerProfile, {arch}: ProfileOptions): string[] | undefined {
	const map = list(profile.archMap, 'archMap');
	const given = list(profile.architectures, 'architectures');
	if (map.length > 0 && given.length > 0) {
		refuse(
			"'architectures' and 'archMap' were specified in the seccomp profile, use either 'architectures' or 'archMap'",
		);
	}
	if (map.length === 0) return given.length > 0 ? given : undefined;
	for (const [index, entry] of map.entries()) {
		check(entry, {architecture: 'string', subArchitectures: 'strings'}, `archMap[${index}]`);
		if (entry.architecture === abiFacts[arch].scmp) {
			return [entry.architecture, ...(entry.subArchitectures ?? [])];
		}
	}
	return undefined;
}

/**
 * Reads a profile in docker's format (or OCI's, which is a part of it) for a container with these
 * capabilities; undefined for an empty one, which allows everything. Throws Error, docker's words where it has some.
 */
export function parseSeccompProfile(text: string, options: ProfileOptions): LinuxSeccomp | undefined {
	let profile: DockerProfile;
	try {
		profile = parseOciJson(text) as DockerProfile;
	} catch (error) {
		fail((error as Error).message);
	}
	if (Array.isArray(profile)) fail('json: cannot unmarshal array into Go value of type seccomp.Seccomp');
	check(profile, profileShape, 'the profile');
	// docker: nothing at all is no filter.
	if (!profile.defaultAction && !profile.syscalls?.length) return undefined;
	if (!profile.defaultAction) refuse('string  is not a valid action for seccomp');
	if (profile.listenerPath) fail('listenerPath is not supported');
	const calls = list(profile.syscalls, 'syscalls');
	for (const [index, call] of calls.entries()) {
		check(call, syscallShape, `syscalls[${index}]`);
		if (call.includes) check(call.includes, conditionShape, `syscalls[${index}].includes`);
		if (call.excludes) check(call.excludes, conditionShape, `syscalls[${index}].excludes`);
		if (!call.action) fail(`syscalls[${index}] has no action`);
		if (call.action === 'SCMP_ACT_NOTIFY') fail('seccomp action SCMP_ACT_NOTIFY is not supported');
	}
	const arches = architectures(profile, options);
	const seccomp: LinuxSeccomp = {
		defaultAction: profile.defaultAction,
		...(profile.defaultErrnoRet === undefined ? {} : {defaultErrnoRet: profile.defaultErrnoRet}),
		...(arches === undefined ? {} : {architectures: arches}),
		...(profile.flags?.length ? {flags: profile.flags} : {}),
		syscalls: calls
			.map((call, index) => ({call, converted: syscall(call, `syscalls[${index}]`)}))
			.filter(({call}) => applies(call, options))
			.map(({converted}) => converted),
	};
	try {
		seccompFlags(seccomp);
		compileSeccomp(seccomp, options.arch);
	} catch (error) {
		fail((error as Error).message);
	}
	return seccomp;
}
