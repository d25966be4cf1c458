import {closeSync, openSync, rmSync} from 'node:fs';
import {createServer, type Server} from 'node:net';
import {basename, dirname} from 'node:path';
import {native} from '../../kernel/native.ts';
import {monitorFrame, request, streams} from '../../runtime/monitor-protocol.ts';
import {encodeFrame, int32} from '../containers/frames.ts';
import {initialState, socketPath, writeState} from '../containers/record.ts';
import type {Paths} from '../paths.ts';
import {bootId, startTime} from '../processes.ts';

const exit = encodeFrame(monitorFrame.exit, Buffer.concat([int32(0), Buffer.of(0)]));
const ok = encodeFrame(monitorFrame.ok, Buffer.from('{"pid":1}'));
const output = encodeFrame(monitorFrame.stdout, Buffer.from('out\n'));
const errors = encodeFrame(monitorFrame.stderr, Buffer.from('err\n'));

/** Of a frame; the payload follows. */
const headLength = 8;

/**
 * A monitor in this process for a container that doesn't run: its state says that it does, what is started in it
 * ends at once, and so does the container when it is told to.
 */
export function playMonitor(paths: Paths, id: string): Promise<Server> {
	const state = {
		...initialState,
		monitorPid: process.pid,
		monitorStart: startTime(process.pid) ?? 0,
		bootId: bootId(),
		startedAt: '2001-01-01T00:00:00.000000000Z',
	};
	writeState(paths, id, {...state, status: 'running', pid: process.pid, pidStart: state.monitorStart});
	const end = (): void => {
		rmSync(paths.runContainer(id), {recursive: true, force: true});
		writeState(paths, id, {...state, status: 'exited', monitorPid: 0, finishedAt: state.startedAt});
	};
	const server = createServer((socket) => {
		socket.on('error', () => {});
		socket.once('data', (frame) => {
			const type = frame[0];
			if (type === request.stop || type === request.signal) end();
			if (type === request.start && !(Number(frame[headLength]) & streams.detached)) end();
			const goesOn = type === request.exec || type === request.attach || type === request.start;
			if (goesOn) socket.end(Buffer.concat([ok, output, errors, exit]));
			else socket.end(type === request.stop || type === request.wait ? exit : ok);
		});
	});
	// A temporary folder's path and an id are together longer than a socket's address may be.
	const folder = openSync(paths.runContainer(id), 'r');
	return new Promise((resolve, reject) => {
		server.once('error', reject);
		server.listen(`/proc/self/fd/${folder}/${basename(socketPath(paths, id))}`, () => {
			closeSync(folder);
			resolve(server.unref());
		});
	});
}

/** Instead of monitors, this process plays them, until what is returned is called. */
export function playStarts(paths: Paths): () => void {
	const servers: Server[] = [];
	const spawn = async (_executable: string, [, plan]: readonly string[]): Promise<number> => {
		const id = basename(dirname(plan!));
		servers.push(await playMonitor(paths, id));
		const folder = openSync(paths.runContainer(id), 'r');
		try {
			return native.connectSocket(`/proc/self/fd/${folder}/${basename(socketPath(paths, id))}`);
		} finally {
			closeSync(folder);
		}
	};
	Object.assign(native, {spawnMonitor: spawn});
	return () => {
		Object.assign(native, {spawnMonitor: undefined});
		for (const server of servers) server.close();
	};
}
