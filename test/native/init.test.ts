import {spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {setTimeout as sleep} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {initPath} from '../../src/kernel/locate.ts';
import type {Op} from '../../src/runtime/plan/ops.ts';
import {Bench} from './plan-runner.ts';

function bench(t: ExecutionContext): Bench {
	const box = new Bench();
	t.teardown(() => box.remove());
	return box;
}

const bindInit: Op = {op: 'bind', source: initPath(), target: '/sbin/docker-init', flags: 0, propagation: 0};
const inContainer = (box: Bench, argv: readonly string[]) =>
	box.run({argv: ['/sbin/docker-init', ...argv], mounts: [bindInit]});

test('it ends as its command ends', (t) => {
	const box = bench(t);
	t.is(inContainer(box, ['--', 'sh', '-c', 'exit 7']).code, 7);
	t.is(inContainer(box, ['--', 'sh', '-c', 'kill -9 $$']).code, 137);
	t.is(inContainer(box, ['sh', '-c', 'exit 0']).code, 0);
	const missing = inContainer(box, ['--', 'nope']);
	t.is(missing.code, 127);
	t.regex(missing.stderr, /exec nope: not found/);
	t.is(inContainer(box, ['--', '/etc/passwd']).code, 126);
	t.is(inContainer(box, ['--']).code, 1);
});

test('it is process 1 and reaps what its command leaves behind', (t) => {
	const box = bench(t);
	const script = '(sleep 0.1 & exit 0); sleep 0.3; cat /proc/1/comm; ps -o stat,comm';
	const result = inContainer(box, ['--', 'sh', '-c', script]);
	t.regex(result.stdout, /^docker-init\n/);
	t.notRegex(result.stdout, /sleep/);
});

test('it hands signals on to its command', async (t) => {
	for (const signal of ['SIGTERM', 'SIGUSR1', 'SIGHUP'] as const) {
		const script = `trap 'echo got ${signal}; exit 3' ${signal.slice(3)}; echo ready; while :; do sleep 0.01; done`;
		const init = spawn(initPath(), ['--', 'sh', '-c', script], {stdio: ['ignore', 'pipe', 'inherit']});
		let output = '';
		init.stdout.on('data', (chunk) => {
			output += chunk;
		});
		while (!output.includes('ready')) await sleep(5);
		init.kill(signal);
		const [code] = await once(init, 'close');
		t.is(code, 3);
		t.regex(output, new RegExp(`got ${signal}`));
	}
});

test('its command starts with no signal blocked or caught', (t) => {
	const result = spawnSync(initPath(), ['--', 'cat', '/proc/self/status'], {encoding: 'utf8'});
	t.regex(result.stdout, /SigBlk:\t0{16}\n/);
	t.regex(result.stdout, /SigCgt:\t0{16}\n/);
});
