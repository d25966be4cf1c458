/** `exec`: one more process in a container that runs. */
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {capabilityNames} from '../runtime/capabilities.ts';
import {detectCgroups} from '../runtime/cgroups/layout.ts';
import {compileExec} from '../runtime/compile.ts';
import type {Process, Spec} from '../runtime/oci.ts';
import {parseOciJson} from '../runtime/oci-json.ts';
import {encodePlan} from '../runtime/plan/encode.ts';
import {cgroupsOf, checkProcess, listenerSettings, seccompOf, userOf} from './bundle.ts';
import {callNative} from './native-runtime.ts';
import {readSpec, readState, statusOf} from './state.ts';

export interface ExecOptions {
	root: string;
	id: string;
	/** A file with a whole `process`; else what follows changes the container's. */
	processFile: string | undefined;
	args: readonly string[];
	env: readonly string[];
	cwd: string | undefined;
	/** `uid[:gid]`. */
	user: string | undefined;
	additionalGids: readonly string[];
	capabilities: readonly string[];
	tty: boolean;
	noNewPrivileges: boolean;
	detach: boolean;
	pidFile: string | undefined;
	consoleSocket: string | undefined;
	preserveFds: number;
}

function capability(name: string): string {
	const full = name.toUpperCase().startsWith('CAP_') ? name.toUpperCase() : `CAP_${name.toUpperCase()}`;
	if (!capabilityNames.includes(full as (typeof capabilityNames)[number]))
		throw new Error(`unknown capability ${name}`);
	return full;
}

function processOf(spec: Spec, options: ExecOptions): Process {
	if (options.processFile) {
		const process = parseOciJson(readFileSync(options.processFile, 'utf8')) as Process;
		checkProcess(process);
		return process;
	}
	const base = spec.process!;
	const process: Process = {...base, args: [...options.args], terminal: options.tty};
	if (options.args.length === 0) throw new Error('exec needs a command');
	if (options.cwd) process.cwd = options.cwd;
	if (options.env.length > 0) process.env = [...(base.env ?? []), ...options.env];
	if (options.noNewPrivileges) process.noNewPrivileges = true;
	const added = options.capabilities.map(capability);
	if (added.length > 0) {
		const sets = base.capabilities ?? {};
		const join = (set: readonly string[] = []) => [...new Set([...set, ...added])];
		process.capabilities = {
			...sets,
			bounding: join(sets.bounding),
			effective: join(sets.effective),
			permitted: join(sets.permitted),
		};
	}
	if (options.user !== undefined) {
		const match = /^(\d+)(?::(\d+))?$/.exec(options.user);
		if (!match) throw new Error(`invalid user ${JSON.stringify(options.user)}: uid[:gid] is expected`);
		process.user = {...base.user, uid: Number(match[1]), gid: Number(match[2] ?? base.user.gid)};
	}
	if (options.additionalGids.length > 0) {
		process.user = {...process.user, additionalGids: options.additionalGids.map(Number)};
	}
	return process;
}

export async function exec(options: ExecOptions): Promise<number> {
	const state = readState(options.root, options.id);
	const status = statusOf(options.root, state, detectCgroups());
	if (status === 'stopped' || status === 'creating') throw new Error('cannot exec in a stopped container');
	if (status === 'paused') throw new Error('cannot exec in a paused container');
	const spec = readSpec(options.root, options.id);
	const process = processOf(spec, options);
	if (process.terminal && options.detach && !options.consoleSocket) {
		throw new Error('cannot allocate tty if runc will detach without setting console socket');
	}
	const size = process.consoleSize;
	const plan = compileExec({
		spec,
		process,
		cgroups: cgroupsOf(spec, state.cgroup),
		user: userOf(process),
		argv: process.args!,
		env: [],
		cwd: process.cwd,
		tty: process.terminal ?? false,
		rows: size?.height ?? 0,
		columns: size?.width ?? 0,
		seccomp: seccompOf(spec, options.root),
		capabilities: [],
	});
	const folder = mkdtempSync(join(tmpdir(), 'wherry-oci-'));
	try {
		const settings = {
			'preserve-fds': String(options.preserveFds),
			...(options.detach ? {'dies-with-monitor': '0'} : {}),
			...listenerSettings(spec, {id: state.id, bundle: state.bundle, status: 'running'}),
		};
		const set = Object.entries(settings).map(([key, value]) => ({op: 'set' as const, key, value}));
		writeFileSync(join(folder, 'plan'), encodePlan({...plan, settings: set}), {mode: 0o600});
		return await callNative({
			arguments: [
				'oci-exec',
				join(folder, 'plan'),
				'--init',
				String(state.pid),
				...(options.pidFile ? ['--pid-file', resolve(options.pidFile)] : []),
				...(options.consoleSocket ? ['--console-socket', resolve(options.consoleSocket)] : []),
				...(options.detach ? ['--detach'] : []),
			],
			preserveFds: options.preserveFds,
			onPid: () => {},
		});
	} finally {
		rmSync(folder, {recursive: true, force: true});
	}
}
