import {mkdtempSync, rmSync} from 'node:fs';
import {createServer, type Socket} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {encodeFrame, FrameDecoder, int32, streamRequest} from '../../../src/engine/containers/frames.ts';
import {
	ask,
	connectMonitor,
	MonitorGone,
	MonitorRefusal,
	type MonitorSocket,
	openSession,
} from '../../../src/engine/containers/monitor-client.ts';
import {clientFrame, maxFrame, monitorFrame, request} from '../../../src/runtime/monitor-protocol.ts';
import {textOf} from '../../setup/engine.ts';

/** A listener in a folder whose path is too long for a socket's address, and a connection to it. */
async function connected(t: ExecutionContext): Promise<{client: MonitorSocket; server: Socket}> {
	const folder = mkdtempSync(join(tmpdir(), `wherry-client-${'long'.repeat(25)}-`));
	const path = join(folder, 'attach.sock');
	const listener = createServer();
	process.chdir(folder);
	await new Promise<void>((resolve) => listener.listen('attach.sock', resolve));
	process.chdir('/');
	const accepted = new Promise<Socket>((resolve) => listener.once('connection', resolve));
	const client = connectMonitor(path);
	const server = await accepted;
	t.teardown(() => {
		client.destroy();
		server.destroy();
		listener.close();
		rmSync(folder, {recursive: true, force: true});
	});
	return {client, server};
}

const exitFrame = (code: number, flags = 0) =>
	encodeFrame(monitorFrame.exit, Buffer.concat([int32(code), Buffer.of(flags)]));
const all = {stdin: true, stdout: true, stderr: true};
const collect = (socket: Socket) => {
	const chunks: Buffer[] = [];
	socket.on('data', (chunk) => chunks.push(chunk as Buffer));
	return () => Buffer.concat(chunks);
};

test.serial('a session carries both outputs, stdin and the exit', async (t) => {
	const {client, server} = await connected(t);
	const received = collect(server);
	server.write(encodeFrame(monitorFrame.ok, Buffer.from('{"pid":7}')));
	const {session, ok} = await openSession(client, request.attach, streamRequest(all), all);
	t.is(ok, '{"pid":7}');
	session.stdin.write('in');
	session.stdin.end();
	session.resize(10, 20);
	// In pieces of one byte: frames don't come as they were sent.
	const bytes = Buffer.concat([
		encodeFrame(monitorFrame.stdout, Buffer.from('out')),
		encodeFrame(monitorFrame.stderr, Buffer.from('err')),
		encodeFrame(monitorFrame.stdout),
		encodeFrame(monitorFrame.stdout, Buffer.from('put')),
		exitFrame(130, 1),
	]);
	for (const byte of bytes) server.write(Buffer.of(byte));
	t.deepEqual(await Promise.all([textOf(session.stdout), textOf(session.stderr), session.exit]), [
		'output',
		'err',
		{code: 130, oomKilled: true, restarting: false},
	]);
	const sent = received();
	t.is(sent[0], request.attach);
	t.true(sent.includes(encodeFrame(clientFrame.stdin, Buffer.from('in'))));
	t.true(sent.includes(encodeFrame(clientFrame.stdinEnd)));
	t.true(sent.includes(encodeFrame(clientFrame.resize, Buffer.of(10, 0, 20, 0))));
});

test.serial('a slow reader holds the monitor back, and loses nothing', async (t) => {
	const {client, server} = await connected(t);
	server.write(encodeFrame(monitorFrame.ok, Buffer.from('{}')));
	const {session} = await openSession(client, request.attach, streamRequest(all), all);
	const piece = Buffer.alloc(1 << 20, 'x');
	const frames = 24;
	let drained = false;
	for (let index = 0; index < frames; index++) server.write(encodeFrame(monitorFrame.stdout, piece));
	server.write(exitFrame(0), () => {
		drained = true;
	});
	await new Promise((resolve) => setTimeout(resolve, 100));
	t.false(drained, 'the socket is not read while nobody takes the output');
	let length = 0;
	for await (const chunk of session.stdout) length += (chunk as Buffer).length;
	t.is(length, frames * piece.length);
	t.is((await session.exit).code, 0);
});

test.serial('a refusal and a monitor that goes are errors of their own', async (t) => {
	const first = await connected(t);
	first.server.write(encodeFrame(monitorFrame.error, Buffer.from('{"code":127,"message":"no"}')));
	const refusal = await t.throwsAsync<MonitorRefusal>(ask(first.client, request.wait), {
		instanceOf: MonitorRefusal,
	});
	t.like(refusal!.detail, {code: 127, message: 'no'});
	const second = await connected(t);
	second.server.end();
	await t.throwsAsync(ask(second.client, request.wait), {instanceOf: MonitorGone});
	const third = await connected(t);
	third.server.write(encodeFrame(monitorFrame.ok));
	const {session} = await openSession(third.client, request.attach, streamRequest(all), all);
	third.server.destroy();
	await t.throwsAsync(session.exit, {instanceOf: MonitorGone});
	t.is(await textOf(session.stdout), '');
	session.stdin.write('nobody reads this');
	t.throws(() => connectMonitor('/nowhere/attach.sock'), {instanceOf: MonitorGone});
});

test.serial('what is no frame ends the session with an error', async (t) => {
	const {client, server} = await connected(t);
	server.write(encodeFrame(monitorFrame.ok));
	const {session} = await openSession(client, request.attach, streamRequest(all), all);
	server.write('HTTP/1.1 400 Bad Request\r\n\r\n');
	await t.throwsAsync(session.exit, {code: 'corrupt'});
});

test('a decoder takes no frame that is too long, unknown or short', (t) => {
	const sink = {output() {}, ok() {}, error() {}, exit() {}};
	const head = (type: number, length: number) => {
		const bytes = Buffer.alloc(8);
		bytes[0] = type;
		bytes.writeUInt32LE(length, 4);
		return bytes;
	};
	const refused = (bytes: Buffer, message: RegExp) =>
		t.throws(() => new FrameDecoder(sink).push(bytes), {message});
	refused(head(monitorFrame.stdout, maxFrame + 1), /too long/);
	refused(head(0x42, 1), /unknown type 66/);
	refused(encodeFrame(monitorFrame.exit, Buffer.of(1)), /too short/);
	t.notThrows(() => new FrameDecoder(sink).push(head(monitorFrame.stdout, maxFrame)));
});
