import {execFileSync} from 'node:child_process';
import {chmodSync, closeSync, copyFileSync, readFileSync, statSync, writeSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {native} from '../../src/kernel/native.ts';
import {privateFolder} from './layer.ts';

const busybox = execFileSync('sh', ['-c', 'command -v busybox'], {encoding: 'utf8'}).trim();

/** Runs a Perl script as if it were the monitor and returns what it writes to its end of the socket, `S`. */
async function runScript(script: string, executable = '/usr/bin/perl'): Promise<string> {
	const socket = await native.spawnMonitor(executable, ['-e', `open(S, '>&=', 3) or exit 9; ${script}`]);
	try {
		return readFileSync(socket, 'utf8');
	} finally {
		closeSync(socket);
	}
}

test('the monitor has /dev/null on 0, 1 and 2, a socket on 3, and no other descriptor', async (t) => {
	const text = await runScript(`print S "$_ ", readlink("/proc/self/fd/$_"), "\n" for 0..200`);
	const open = text.split('\n').filter((line) => /^\d+ ./.test(line));
	t.deepEqual(open.slice(0, 3), ['0 /dev/null', '1 /dev/null', '2 /dev/null']);
	t.regex(open[3] ?? '', /^3 socket:/);
	t.is(open.length, 4);
});

test('the environment is empty, and no ignored or blocked signal is passed on', async (t) => {
	const text = await runScript(
		`print S grep({!/SAN_OPTIONS/} keys %ENV), "end\n"; open(F, '/proc/self/status'); print S <F>`,
	);
	t.regex(text, /^end\n/);
	t.regex(text, /^SigBlk:\s+0+$/m);
	// Perl itself ignores SIGFPE, the eighth. SIGPIPE, which Node ignores, is the thirteenth.
	t.regex(text, /^SigIgn:\s+0+80$/m);
});

// Before the others: while one of them forks, the child has the copy open for writing.
test.serial('the program runs from a read-only mount of its own', async (t) => {
	const copy = join(privateFolder(t), 'program');
	copyFileSync('/usr/bin/perl', copy);
	chmodSync(copy, 0o755);
	t.is(await runScript(`print S chmod(0777, '/proc/self/exe'), $!`, copy), '0Read-only file system');
	t.is(statSync(copy).mode & 0o777, 0o755);
});

test("it is nobody's child, in a session that another has begun, and both ends of the socket work", async (t) => {
	const socket = await native.spawnMonitor(busybox, [
		'sh',
		'-c',
		'read line <&3; echo "got $line" $$ $(cat /proc/$$/stat) >&3',
	]);
	writeSync(socket, 'hello\n');
	const text = readFileSync(socket, 'utf8');
	const [, line, pid, , , , parent, , session, terminal] =
		/^(got hello) (\d+) (\d+) (\(.*\)) (.) (\d+) (\d+) (\d+) (\d+)/.exec(text)!;
	t.is(line, 'got hello');
	t.not(Number(parent), process.pid);
	t.not(session, pid);
	t.is(terminal, '0');
	closeSync(socket);
});

test('a program that fails or dies ends its socket; one that can not be started is an error that says so', async (t) => {
	for (const script of ['exit 1', 'kill -9 $$']) {
		const socket = await native.spawnMonitor(busybox, ['sh', '-c', script]);
		t.is(readFileSync(socket, 'utf8'), '');
		closeSync(socket);
	}
	await t.throwsAsync(native.spawnMonitor('/nonexistent/monitor', []), {code: 'ENOENT'});
	await t.throwsAsync(native.spawnMonitor('/etc/passwd', []), {
		code: 'EACCES',
		message: /execveat '\/etc\/passwd'/,
	});
});

test('many are started at the same time', async (t) => {
	const sockets = await Promise.all(Array.from({length: 20}, () => native.spawnMonitor(busybox, ['true'])));
	t.is(new Set(sockets).size, 20);
	sockets.forEach(closeSync);
});
