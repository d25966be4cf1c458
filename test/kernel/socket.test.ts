import {spawnSync} from 'node:child_process';
import {readSync} from 'node:fs';
import {createServer} from 'node:net';
import {join} from 'node:path';
import {Worker} from 'node:worker_threads';
import test from 'ava';
import {addonPath} from '../../src/kernel/locate.ts';
import {native} from '../../src/kernel/native.ts';
import {privateFolder} from './layer.ts';

/** A Perl script at the other end, `S`. */
const peer = (script: string): Promise<number> =>
	native.spawnMonitor('/usr/bin/perl', ['-e', `open(S, '+>&=', 3) or exit 9; ${script}`]);

test('a socket tells of bytes, of room, of its end', async (t) => {
	const path = join(privateFolder(t), 's');
	const listener = createServer((other) => {
		other.once('data', () => other.pause());
		setTimeout(() => other.resume(), 50);
		other.on('data', (chunk) => {
			received += chunk.length;
			if (received === sent) other.end('all');
		});
	});
	let received = 0;
	let sent = Number.MAX_SAFE_INTEGER;
	await new Promise<void>((resolve) => listener.listen(path, resolve));
	t.teardown(() => listener.close());
	const events: string[] = [];
	await new Promise<void>((resolve) => {
		const piece = Buffer.alloc(1 << 16);
		let total = 0;
		const socket = native.openSocket(native.connectSocket(path), (event) => {
			if (event === undefined) {
				events.push('room');
				sent = total;
				socket.watch(true, false);
				socket.write(Buffer.alloc(1));
				sent = total + 1;
			} else if (event === null) {
				events.push('end');
				socket.close();
				socket.close();
				resolve();
			} else events.push(String(event));
		});
		for (let taken = piece.length; taken === piece.length; ) {
			taken = socket.write(piece);
			total += taken;
		}
		socket.watch(false, true);
	});
	t.deepEqual(events, ['room', 'all', 'end']);
});

test('nobody listens, a path is too long, a socket is closed: errors with their codes', async (t) => {
	t.throws(() => native.connectSocket('/nowhere/s'), {code: 'ENOENT'});
	t.throws(() => native.connectSocket(`/${'x'.repeat(107)}`), {code: 'ENAMETOOLONG'});
	const socket = native.openSocket(await peer(''), () => {});
	socket.close();
	t.throws(() => socket.write(Buffer.alloc(1)), {code: 'EBADF'});
	t.notThrows(() => socket.watch(true, true));
});

test('a worker ends with a socket open', async (t) => {
	const fd = await peer('fork and exit; sysread(S, $text, 1)');
	const code = `
		const native = require(${JSON.stringify(addonPath())});
		native.openSocket(${fd}, () => {}).watch(true, false);
		setTimeout(() => process.exit(7), 20);
	`;
	const worker = new Worker(code, {eval: true});
	t.is(await new Promise((resolve) => worker.once('exit', resolve)), 7);
	// The descriptor went with it.
	t.throws(() => readSync(fd, Buffer.alloc(1)), {code: 'EBADF'});
});

test('exit ends the process at once, with its code', (t) => {
	const code = `
		process.on('exit', () => process._rawDebug('handler'));
		require(${JSON.stringify(addonPath())}).exit(5);
	`;
	const {status, stderr} = spawnSync(process.execPath, ['-e', code], {encoding: 'utf8'});
	t.is(status, 5);
	t.is(stderr, '');
});

test('the wall clock is the time, in nanoseconds', (t) => {
	const before = BigInt(Date.now()) * 1_000_000n;
	const now = native.wallClock();
	t.true(now >= before && now <= BigInt(Date.now() + 1) * 1_000_000n);
});
