/** Calls of the native part that makes processes of containers: `wherry-monitor oci-create` and `oci-exec`. */
import {spawn} from 'node:child_process';
import type {Readable} from 'node:stream';
import {monitorPath} from '../kernel/locate.ts';

/** The reason that the native part gives, with docker's exit code for it. */
export class RuntimeFailure extends Error {
	readonly code: number;

	constructor(message: string, code: number) {
		super(message);
		this.code = code;
	}
}

export interface NativeCall {
	arguments: readonly string[];
	/** How many descriptors from 3 on are handed on. */
	preserveFds: number;
	/** Called with the pid of the container's (or the exec's) process once there is one. */
	onPid: (pid: number) => void;
}

/** Resolves to the exit status of the native part. Throws RuntimeFailure when no process was made. */
export async function callNative(call: NativeCall): Promise<number> {
	const kept = Array.from({length: call.preserveFds}, (_, index) => 3 + index);
	const result = 3 + call.preserveFds;
	const child = spawn(monitorPath(), [...call.arguments, '--result', String(result)], {
		stdio: ['inherit', 'inherit', 'inherit', ...kept, 'pipe'],
	});
	// It has them too and passes them on; this process must not end of one before.
	const ignore = () => {};
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, ignore);
	let text = '';
	let failure: RuntimeFailure | undefined;
	const pipe = child.stdio[result] as Readable;
	pipe.setEncoding('utf8');
	pipe.on('data', (chunk: string) => {
		text += chunk;
		if (!text.includes('\n')) return;
		const answer = JSON.parse(text) as {pid: number} | {code: number; message: string};
		text = '';
		if ('pid' in answer) call.onPid(answer.pid);
		else failure = new RuntimeFailure(answer.message, Number(answer.code));
	});
	const [status] = await new Promise<[number]>((done, fail) => {
		child.on('error', fail);
		child.on('close', (code, signal) => done([signal ? 1 : (code ?? 1)]));
	});
	if (failure) throw failure;
	return status;
}
