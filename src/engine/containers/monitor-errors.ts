/** What a monitor refuses, in docker's words. Pure. */
import type {MonitorError} from '../../runtime/monitor-protocol.ts';
import {WherryError} from '../errors.ts';

/** What docker's daemon finds out itself, before it asks a runtime. */
const beforeTask = /^(Cannot mkdir: |uids and gids must be in range |unable to find (user|group) )/;

/** A start that failed: 126 and 127 when it is the command's fault; otherwise docker's client goes by the words. */
export function startError(id: string, detail: MonitorError): WherryError {
	const message = beforeTask.test(detail.message)
		? detail.message
		: `failed to create task for container: ${detail.message}`;
	const notFolder = detail.errno === 20;
	if ((detail.code === 126 || detail.code === 127) && !notFolder) {
		return new WherryError('command', message, {object: id, exitCode: detail.code});
	}
	return new WherryError(detail.errno === 28 ? 'exhausted' : 'internal', message, {
		object: id,
	});
}

/** An exec that failed. */
export function execError(id: string, detail: MonitorError): WherryError {
	if (detail.code === 126 || detail.code === 127) {
		return new WherryError('command', `OCI runtime exec failed: exec failed: ${detail.message}`, {
			object: id,
			exitCode: detail.code,
		});
	}
	if (/^unable to find (user|group) /.test(detail.message)) {
		return new WherryError('invalid', detail.message, {object: id, exitCode: 126});
	}
	return refusal(id, detail);
}

/** Any other request: the monitor's words are docker's. */
export function refusal(id: string, detail: MonitorError): WherryError {
	const conflict = /is not running|is paused|is not paused|is already paused|restarting container/i.test(
		detail.message,
	);
	return new WherryError(conflict ? 'conflict' : 'internal', detail.message, {object: id});
}

export function notRunning(id: string): WherryError {
	return new WherryError('conflict', `container ${id} is not running`, {object: id});
}
