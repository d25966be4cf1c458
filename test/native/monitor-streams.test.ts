import {createHash} from 'node:crypto';
import {once} from 'node:events';
import {closeSync, existsSync, fstatSync, openSync, readSync, statSync} from 'node:fs';
import {connect} from 'node:net';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import {clientFrame, request, streams} from '../../src/runtime/monitor-protocol.ts';
import {allStreams, Container, frame, int32, streamPayload, until} from './monitor-container.ts';

const interactive = {'open-stdin': '1', 'stdin-once': '1'};
function tail(path: string): string {
	const file = openSync(path, 'r');
	const last = Buffer.alloc(200);
	const length = readSync(file, last, 0, 200, Math.max(0, fstatSync(file).size - 200));
	closeSync(file);
	return last.toString('utf8', 0, length);
}

const sh = (script: string): string[] => ['/bin/sh', '-c', script];

test('output and exit code come to the client that started it, the streams apart', async (t) => {
	const box = new Container(t, {argv: sh('echo out; echo err >&2; exit 7')});
	const starter = await box.start();
	t.true(((await starter.ok).pid ?? 0) > 1);
	t.deepEqual(await starter.exit, {code: 7, flags: 0});
	t.is(starter.text, 'out\n');
	t.is(starter.stderr.toString(), 'err\n');
});

test('ten megabytes arrive whole and in order', async (t) => {
	const box = new Container(t, {argv: sh('seq 1 1400000'), settings: {'log-driver': 'none'}});
	const starter = await box.start();
	t.is((await starter.exit).code, 0);
	const expected = Buffer.from(`${Array.from({length: 1_400_000}, (_, index) => index + 1).join('\n')}\n`);
	t.is(starter.stdout.length, expected.length);
	t.true(starter.stdout.equals(expected));
	t.false(existsSync(box.logPath));
});

test('stdin reaches the process, and its end when the client ends it', async (t) => {
	const box = new Container(t, {argv: sh('rev'), settings: interactive});
	const starter = await box.start(allStreams);
	starter.stdin('abc\ndef\n');
	starter.endStdin();
	t.is((await starter.exit).code, 0);
	t.is(starter.text, 'cba\nfed\n');
});

test('megabytes of stdin pass through a process that reads late', async (t) => {
	const box = new Container(t, {argv: sh('sleep 0.3; exec cat'), settings: interactive});
	const starter = await box.start(allStreams);
	const data = Buffer.alloc(3_000_000, 'wherry carries cargo ');
	for (let at = 0; at < data.length; at += 60_000) starter.stdin(data.subarray(at, at + 60_000));
	starter.endStdin();
	t.is((await starter.exit).code, 0);
	const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
	t.is(digest(starter.stdout), digest(data));
});

test('stdin of a container without -i is empty', async (t) => {
	const box = new Container(t, {argv: sh('cat; echo end')});
	const starter = await box.start(allStreams);
	starter.stdin('not for it');
	t.is((await starter.exit).code, 0);
	t.is(starter.text, 'end\n');
});

test('stdin that is kept open survives the clients that leave', async (t) => {
	const box = new Container(t, {argv: ['/bin/cat'], settings: {'open-stdin': '1'}});
	const starter = await box.start(allStreams);
	starter.stdin('one\n');
	starter.endStdin();
	await starter.saw('one\n');
	starter.close();
	const second = await box.attach();
	await second.ok;
	second.stdin('two\n');
	await second.saw('two\n');
	t.is(box.state().status, 'running');
	t.is((await box.stop(0)).code, 137);
});

test('stdin-once ends with the client that had it', async (t) => {
	const box = new Container(t, {argv: sh('cat; exit 3'), settings: interactive});
	const starter = await box.start(allStreams);
	starter.close();
	t.is((await box.ended()).exitCode, 3);
});

test('a terminal echoes, is resized, and does not end with its client', async (t) => {
	const box = new Container(t, {
		argv: ['/bin/sh'],
		tty: true,
		settings: {'open-stdin': '1', 'stdin-once': '1'},
	});
	const starter = await box.start(allStreams | streams.tty);
	starter.stdin('stty size\n');
	await starter.saw('24 80\r\n');
	starter.resize(33, 101);
	starter.stdin('stty size\n');
	await starter.saw('33 101\r\n');
	starter.endStdin();
	starter.stdin('echo still $((40 + 2))\n');
	await starter.saw('still 42\r\n');
	starter.close();
	const second = await box.attach(allStreams | streams.tty, 50, 132);
	await second.ok;
	second.stdin('stty size\n');
	await second.saw('50 132\r\n');
	const size = Buffer.concat([Buffer.alloc(64), streamPayload(0, 20, 40).subarray(2)]);
	await (await box.ask(request.resize, size)).ok;
	second.stdin('stty size\n');
	await second.saw('20 40\r\n');
	second.stdin('exit 5\n');
	t.is((await second.exit).code, 5);
	t.is((await box.ended()).exitCode, 5);
});

test('the first size of the terminal is that of the client', async (t) => {
	const box = new Container(t, {argv: sh('stty size'), tty: true, settings: {'open-stdin': '1'}});
	const starter = box.spawnMonitor();
	starter.send(request.start, streamPayload(allStreams | streams.tty, 40, 100));
	t.is((await starter.exit).code, 0);
	t.is(starter.text, '40 100\r\n');
});

test('several clients see the same output, and one that leaves takes nothing from the others', async (t) => {
	const box = new Container(t, {argv: ['/bin/cat'], settings: {'open-stdin': '1'}});
	const starter = await box.start(allStreams);
	const others = await Promise.all([box.attach(), box.attach(), box.attach(streams.stderr)]);
	await Promise.all(others.map((client) => client.ok));
	starter.stdin('all\n');
	await others[1]!.saw('all\n');
	others[0]!.close();
	others[1]!.stdin('again\n');
	await starter.saw('all\nagain\n');
	await others[1]!.saw('all\nagain\n');
	t.is(others[2]!.text, '');
	await box.stop(0);
	for (const client of [starter, others[1]!, others[2]!]) t.is((await client.exit).code, 137);
});

test('an attached client that does not read is dropped; log and container go on', async (t) => {
	const box = new Container(t, {
		argv: sh('read go; yes $(seq -s, 1 300) | head -c 40000000; echo; echo done; read end'),
		settings: {'open-stdin': '1'},
	});
	const starter = await box.start(streams.detached);
	await starter.closed;
	const slow = await box.attach(streams.stdout);
	await slow.ok;
	slow.socket.pause();
	const control = await box.attach(streams.stdin);
	await control.ok;
	control.stdin('go\n');
	await until(
		'all of the log',
		() => statSync(box.logPath).size > 40_000_000 && tail(box.logPath).includes('done'),
	);
	t.is(box.state().status, 'running');
	slow.socket.resume();
	await t.throwsAsync(slow.exit);
	t.true(slow.stdoutBytes < 40_000_000);
	control.stdin('end\n');
	t.is((await control.exit).code, 0);
	t.is(box.log().at(-1)!.log, 'done\n');
});

test('a foreground client that does not read slows the container and loses nothing', async (t) => {
	const box = new Container(t, {
		argv: sh('yes 0123456789abcdef | head -c 60000000'),
		settings: {'log-driver': 'none'},
	});
	const starter = await box.start();
	starter.keep = false;
	starter.socket.pause();
	await sleep(700);
	t.is(box.state().status, 'running');
	starter.socket.resume();
	t.is((await starter.exit).code, 0);
	t.is(starter.stdoutBytes, 60_000_000);
});

test('a foreground client that leaves sets a slowed container free', async (t) => {
	const box = new Container(t, {
		argv: sh('yes 0123456789abcdef | head -c 60000000'),
		settings: {'log-driver': 'none'},
	});
	const starter = await box.start();
	starter.socket.pause();
	await sleep(300);
	starter.close();
	t.is((await box.ended()).exitCode, 0);
});

test('the output of a process that has ended reaches a slow client after the end', async (t) => {
	const box = new Container(t, {argv: sh('yes 0123456789abcdef | head -c 5000000')});
	const starter = await box.start();
	starter.keep = false;
	starter.socket.pause();
	t.is((await box.ended()).exitCode, 0);
	starter.socket.resume();
	t.is((await starter.exit).code, 0);
	t.is(starter.stdoutBytes, 5_000_000);
});

test('malformed, half and silent connections harm nobody else', async (t) => {
	const box = new Container(t, {argv: ['/bin/cat'], settings: {'open-stdin': '1'}});
	const starter = await box.start(allStreams);
	const bad = [
		frame(0x55),
		frame(clientFrame.stdin, 'no request'),
		frame(request.attach, 'short'),
		frame(request.signal, ''),
		frame(request.start, streamPayload(7)),
		frame(request.exec, Buffer.alloc(30)),
		Buffer.from([request.attach, 1, 0, 0, 6, 0, 0, 0]),
		Buffer.from([request.exec, 0, 0, 0, 255, 255, 255, 255]),
		Buffer.from([request.wait, 0, 0, 0, 255, 255, 0, 0]),
		Buffer.concat([frame(request.attach, streamPayload(7)), frame(clientFrame.resize, 'toolong')]),
		Buffer.concat([frame(request.attach, streamPayload(7)), frame(request.stop, int32(9, 0))]),
	];
	for (const bytes of bad) {
		const socket = connect(join(box.run, 'attach.sock'));
		socket.on('error', () => {});
		socket.resume();
		socket.write(bytes);
		await once(socket, 'close');
	}
	// Exec plans: not a plan at all, and one cut off.
	for (const plan of [Buffer.from('nonsense'), box.execPlan(['/bin/true']).subarray(0, 60)]) {
		const client = await box.ask(
			request.exec,
			Buffer.concat([streamPayload(0), Buffer.from('a'.repeat(64)), plan]),
		);
		await t.throwsAsync(client.ok, {message: /./});
	}
	const silent = connect(join(box.run, 'attach.sock'));
	const half = connect(join(box.run, 'attach.sock'));
	half.write(frame(request.attach, streamPayload(7)).subarray(0, 9));
	// One that has closed its own direction still gets the output.
	const halfOpen = await box.attach(streams.stdout);
	await halfOpen.ok;
	halfOpen.socket.end();
	starter.stdin('fine\n');
	await starter.saw('fine\n');
	await halfOpen.saw('fine\n');
	silent.destroy();
	half.destroy();
	await box.stop(0);
	t.is((await halfOpen.exit).code, 137);
});

test('a frame that arrives byte by byte is understood', async (t) => {
	const box = new Container(t, {argv: ['/bin/cat'], settings: interactive});
	const starter = box.spawnMonitor();
	const bytes = Buffer.concat([
		frame(request.start, streamPayload(allStreams)),
		frame(clientFrame.stdin, 'slowly\n'),
		frame(clientFrame.stdinEnd),
	]);
	for (const byte of bytes) {
		starter.socket.write(Buffer.of(byte));
		await sleep(1);
	}
	t.is((await starter.exit).code, 0);
	t.is(starter.text, 'slowly\n');
});
