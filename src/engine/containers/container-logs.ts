/** The log of a container, and when it has ended. */
import {request} from '../../runtime/monitor-protocol.ts';
import type {LogEntry, LogOptions, LogText} from '../api.ts';
import {WherryError} from '../errors.ts';
import type {EngineContext} from './context.ts';
import {type LogSource, readLogs, readLogText} from './logs.ts';
import {ask, connectMonitor} from './monitor-client.ts';
import {currentState, findContainer, isUp, logPath, socketPath} from './record.ts';

/** Over the restarts of its policy, until it has ended for good, or its monitor has. */
async function awaitEnd(context: EngineContext, id: string, signal: AbortSignal): Promise<void> {
	while (!signal.aborted && isUp(currentState(context.paths, id))) {
		const socket = connectMonitor(socketPath(context.paths, id));
		const leave = () => socket.destroy();
		signal.addEventListener('abort', leave, {once: true});
		try {
			const answer = await ask(socket, request.wait);
			if (!('exit' in answer) || !answer.exit.restarting) return;
		} finally {
			signal.removeEventListener('abort', leave);
		}
	}
}

function logSource(context: EngineContext, container: string): LogSource {
	const record = findContainer(context.paths, container);
	if (record.HostConfig.LogConfig.Type === 'none') {
		throw new WherryError('unsupported', 'configured logging driver does not support reading', {
			object: record.Id,
		});
	}
	return {
		path: logPath(context.paths, record.Id),
		ended: (signal) => awaitEnd(context, record.Id, signal),
	};
}

export function containerLogs(
	context: EngineContext,
	container: string,
	options: LogOptions,
): AsyncGenerator<LogEntry[]> {
	return readLogs(logSource(context, container), options);
}

export function containerLogText(
	context: EngineContext,
	container: string,
	options: LogOptions & {timestamps?: boolean},
): AsyncGenerator<LogText[]> {
	return readLogText(logSource(context, container), options);
}
