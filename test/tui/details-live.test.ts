/** Tabs and volumes on the real engine: what they show is what the container does. */
import {spawnSync} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {TestTerminal} from './terminal.ts';

const wherry = fileURLToPath(new URL('../../src/wherry.sh', import.meta.url));

test('graphs, processes, files, variables, inspect and volumes of a real container, until it is removed', async (t) => {
	const folder = mkdtempSync(join(tmpdir(), 'wherry-tui-'));
	const env = {WHERRY_ROOT: join(folder, 'root'), WHERRY_RUN: join(folder, 'run')};
	const cli = (...args: string[]): string => {
		const {CI: _, ...inherited} = process.env;
		const {stdout, stderr, status} = spawnSync(wherry, args, {env: {...inherited, ...env}, encoding: 'utf8'});
		if (status !== 0) throw new Error(`wherry ${args.join(' ')}: ${status}\n${stderr}`);
		return stdout.trim();
	};
	t.teardown(() => {
		const ids = cli('ps', '-aq').split('\n').filter(Boolean);
		if (ids.length > 0) cli('rm', '-f', ...ids);
		rmSync(folder, {recursive: true, force: true});
	});
	const limits = [
		'--network',
		'none',
		'-m',
		'64m',
		'--pids-limit',
		'50',
		'-e',
		'GREETING=ahoy',
		'-v',
		'data:/data',
	];
	const script = 'echo x > /tmp/made; while :; do sleep 0.2; done';
	cli('run', '-d', '--name', 'box', ...limits, 'wherry/base', 'sh', '-c', script);
	const terminal = new TestTerminal(wherry, ['ui'], {env, columns: 120, rows: 40});
	t.teardown(() => terminal.close());
	await terminal.until(/❯ ▶ {2}box/);
	await terminal.until(/5 Events[\s\S]*start +box/);

	terminal.type('u');
	await terminal.until(/Memory \S+ \/ 64MiB/);
	await terminal.until(/Processes \d \/ 50/);
	await terminal.until(/[3-9] samples/);
	terminal.type('1t');
	await terminal.until(/\d+ +\S+ .*sh -c echo x/);
	terminal.type('1f');
	await terminal.until(/A {2}\/tmp\/made/);
	terminal.type('1v');
	await terminal.until(/GREETING +ahoy/);
	terminal.type('1i');
	await terminal.until(/Status +running/);
	// Looking at processes is nothing that happened.
	t.notRegex(cli('events', '--since', '10m', '--until', '0s', '--format', '{{.Action}}'), /^top$/m);

	terminal.type('4');
	await terminal.until(/❯ data .* 1┃/);
	await terminal.until(/0 \[?Used by[\s\S]*▶ {2}box +\/data +rw/);
	terminal.type('dy');
	await terminal.until(/Error: .*volume is in use/);

	terminal.type('1u');
	cli('kill', 'box');
	await terminal.until(/■ {2}box/);
	await terminal.until(/box · stopped/);
	terminal.type('1t');
	await terminal.until(/It is not running\./);
	terminal.type('1i');
	await terminal.until(/Status +exited/);
	cli('rm', 'box');
	await terminal.until(/No container is selected\./);
	terminal.type('4');
	await terminal.until(/❯ data .*–┃/);
	terminal.type('dy');
	await terminal.until(/No volumes yet\./);
	t.is(cli('volume', 'ls', '-q'), '');
	terminal.type('A');
	await terminal.until(/Create a volume/);
	terminal.type('fresh\r');
	await terminal.until(/❯ fresh/);
	t.is(cli('volume', 'ls', '-q'), 'fresh');
	terminal.type('q');
	t.is(await terminal.exited(), 0);
});
