/** Sessions with a container that is up: attach and exec. */

import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {randomHex} from '../../kernel/random.ts';
import {request, streams} from '../../runtime/monitor-protocol.ts';
import type {Spec} from '../../runtime/oci.ts';
import {parseOciJson} from '../../runtime/oci-json.ts';
import {encodePlan} from '../../runtime/plan/encode.ts';
import type {ExecOptions, Session, StreamOptions} from '../api.ts';
import {WherryError} from '../errors.ts';
import {type EngineContext, emit} from './context.ts';
import {execPlan} from './exec-plan.ts';
import {streamRequest} from './frames.ts';
import {openSession} from './monitor-client.ts';
import {execError, notRunning} from './monitor-errors.ts';
import {reachMonitor} from './monitor-requests.ts';
import {currentState, findContainer, isUp} from './record.ts';
import {wantedStreams} from './streams.ts';

function conflict(message: string, id: string): WherryError {
	return new WherryError('conflict', message, {object: id});
}

export async function attachContainer(
	context: EngineContext,
	container: string,
	options: StreamOptions,
): Promise<Session> {
	const record = findContainer(context.paths, container);
	const state = currentState(context.paths, record.Id);
	if (!isUp(state)) {
		throw conflict('You cannot attach to a stopped container, start it first', record.Id);
	}
	if (state.status === 'paused') {
		throw conflict('You cannot attach to a paused container, unpause it first', record.Id);
	}
	if (state.status === 'restarting') {
		throw conflict('You cannot attach to a restarting container, wait until it is running', record.Id);
	}
	const wanted = wantedStreams(record, options);
	const {session} = await reachMonitor(context, record, (socket) =>
		openSession(socket, request.attach, streamRequest(wanted), wanted),
	);
	emit(context, record, 'attach');
	session.onDetach = () => emit(context, record, 'detach');
	return session;
}

/** The bundle's spec, as it was when the container started. */
function readSpec(context: EngineContext, id: string): Spec {
	return parseOciJson(readFileSync(join(context.paths.container(id), 'config.json'), 'utf8')) as Spec;
}

export async function execInContainer(
	context: EngineContext,
	container: string,
	options: ExecOptions,
): Promise<Session> {
	const {paths} = context;
	const record = findContainer(paths, container);
	const {Id} = record;
	const state = currentState(paths, Id);
	if (!isUp(state)) throw notRunning(Id);
	if (state.status === 'paused') {
		throw conflict(`container ${container} is paused, unpause the container before exec`, Id);
	}
	if (state.status === 'restarting') {
		throw conflict(`Container ${Id} is restarting, wait until the container is running`, Id);
	}
	if (options.argv.length === 0) throw new WherryError('invalid', 'No exec command specified');
	if (options.workingDir && !options.workingDir.startsWith('/')) {
		throw new WherryError(
			'invalid',
			`OCI runtime exec failed: exec failed: the working directory '${options.workingDir}' is invalid, it needs to be an absolute path`,
			{object: Id, exitCode: 126},
		);
	}
	const execId = randomHex(32);
	// docker's words have a space after the program even when nothing follows.
	const command = `${options.argv[0]} ${options.argv.slice(1).join(' ')}`;
	emit(context, record, `exec_create: ${command}`, {execID: execId});
	// Before it runs, as docker tells it: the end of a short one comes at once.
	emit(context, record, `exec_start: ${command}`, {execID: execId});
	const bits = (options.tty ? streams.tty : 0) | (options.detach ? streams.detached : 0);
	const wanted = options.tty ? {...options, stderr: false} : options;
	const payload = Buffer.concat([
		streamRequest(wanted, bits),
		Buffer.from(execId, 'latin1'),
		encodePlan(execPlan(paths, record, readSpec(context, Id), options)),
	]);
	const {session} = await reachMonitor(
		context,
		record,
		(socket) => openSession(socket, request.exec, payload, wanted, execId),
		execError,
	);
	session.onDetach = () => emit(context, record, 'exec_detach', {execID: execId});
	return session;
}
