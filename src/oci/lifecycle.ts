/** create, start, run and delete (runtime-spec, runtime.md, "Lifecycle"). */
import {execFileSync} from 'node:child_process';
import {copyFileSync, rmSync, writeFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {isAlive, ownIdentity, startTime} from '../engine/processes.ts';
import {monitorPath} from '../kernel/locate.ts';
import {detectCgroups} from '../runtime/cgroups/layout.ts';
import {cgroupOps} from '../runtime/cgroups/ops.ts';
import {encodePlan} from '../runtime/plan/encode.ts';
import {cgroupOf, compileBundle, readBundle} from './bundle.ts';
import {writeAll} from './control.ts';
import {callNative} from './native-runtime.ts';
import {
	type ContainerState,
	checkId,
	containerFolder,
	readState,
	reserve,
	statusOf,
	writeState,
} from './state.ts';

export interface CreateOptions {
	root: string;
	id: string | undefined;
	bundle: string;
	systemdCgroup: boolean;
	consoleSocket: string | undefined;
	pidFile: string | undefined;
	preserveFds: number;
	/** Started at once and waited for. */
	foreground: boolean;
}

/** Makes a container that waits for its start. In the foreground the exit status is the container's. */
export async function create(options: CreateOptions): Promise<number> {
	const id = checkId(options.id);
	const bundle = readBundle(options.bundle);
	const {spec} = bundle;
	const {terminal} = spec.process!;
	if (options.consoleSocket !== undefined && !terminal) {
		throw new Error('cannot use console socket if runc will not detach or allocate tty');
	}
	if (terminal && !options.consoleSocket && !options.foreground) {
		throw new Error('cannot allocate tty if runc will detach without setting console socket');
	}
	const preserveFds = options.preserveFds + Number(process.env.LISTEN_FDS ?? 0);
	if (process.env.LISTEN_FDS) {
		spec.process!.env = [
			...(spec.process!.env ?? []),
			`LISTEN_FDS=${process.env.LISTEN_FDS}`,
			'LISTEN_PID=1',
		];
	}
	const cgroup = cgroupOf(spec, id, options.systemdCgroup);
	const folder = reserve(options.root, id);
	try {
		const state: ContainerState = {
			ociVersion: spec.ociVersion,
			id,
			bundle: bundle.path,
			annotations: spec.annotations ?? {},
			cgroup,
			rootfs: bundle.rootfs,
			created: new Date().toISOString(),
			pid: 0,
			start: 0,
			creator: ownIdentity(),
		};
		const plans = compileBundle(bundle, {root: options.root, id, cgroup, preserveFds, stateFolder: folder});
		copyFileSync(join(bundle.path, 'config.json'), join(folder, 'config.json'));
		writeFileSync(join(folder, 'stop.plan'), encodePlan(plans.stop), {mode: 0o600});
		writeFileSync(join(folder, 'plan'), encodePlan(plans.monitor), {mode: 0o600});
		writeState(options.root, state);
		return await callNative({
			arguments: [
				'oci-create',
				join(folder, 'plan'),
				...(options.pidFile ? ['--pid-file', resolve(options.pidFile)] : []),
				...(options.consoleSocket ? ['--console-socket', resolve(options.consoleSocket)] : []),
				...(options.foreground ? ['--foreground'] : []),
			],
			preserveFds,
			onPid: (pid) => writeState(options.root, {...state, pid, start: startTime(pid) ?? 0}),
		});
	} catch (error) {
		rmSync(folder, {recursive: true, force: true});
		throw error;
	}
}

/** Lets the command of a created container run. */
export async function start(root: string, id: string): Promise<void> {
	const state = readState(root, id);
	const status = statusOf(root, state, detectCgroups());
	if (status === 'stopped') throw new Error('cannot start a container that has stopped');
	if (status !== 'created') throw new Error('cannot start an already running container');
	await callNative({
		arguments: ['oci-start', join(containerFolder(root, id), 'plan'), '--init', String(state.pid)],
		preserveFds: 0,
		onPid: () => {},
	});
}

const pause = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds));

/** Removes a container that has ended; one that hasn't only when it was never started, or by force. */
export async function remove(root: string, id: string, force: boolean): Promise<void> {
	let state: ContainerState;
	try {
		state = readState(root, id);
	} catch (error) {
		if (!force) throw error;
		rmSync(containerFolder(root, checkId(id)), {recursive: true, force: true});
		return;
	}
	const layout = detectCgroups();
	const status = statusOf(root, state, layout);
	if (status === 'creating') throw new Error(`container ${JSON.stringify(id)} is being created`);
	if (status !== 'stopped' && status !== 'created' && !force) {
		throw new Error(`cannot delete container ${id} that is not stopped: ${status}`);
	}
	if (status !== 'stopped') {
		writeAll(cgroupOps(layout, state.cgroup, {}).unpause);
		process.kill(state.pid, 'SIGKILL');
		while (isAlive(state.pid, state.start)) await pause(5);
	}
	const folder = containerFolder(root, id);
	// Cgroups and what is left in them, then the hooks that follow a container's end.
	execFileSync(monitorPath(), ['cleanup', folder], {stdio: ['ignore', 'inherit', 'inherit']});
	rmSync(folder, {recursive: true, force: true});
}
