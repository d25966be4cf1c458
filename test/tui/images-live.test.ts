/** Layers, what takes space, and prunes on the real engine: what they show is what is there. */
import {spawnSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {TestTerminal} from './terminal.ts';

const wherry = fileURLToPath(new URL('../../src/wherry.sh', import.meta.url));

test('the layers of a real image, what takes space, and a prune that frees what it said', async (t) => {
	const folder = mkdtempSync(join(tmpdir(), 'wherry-tui-'));
	t.teardown(() => rmSync(folder, {recursive: true, force: true}));
	const env = {WHERRY_ROOT: join(folder, 'root'), WHERRY_RUN: join(folder, 'run')};
	const cli = (...args: string[]): string => {
		const {CI: _, ...inherited} = process.env;
		const {stdout, stderr, status} = spawnSync(wherry, args, {env: {...inherited, ...env}, encoding: 'utf8'});
		if (status !== 0) throw new Error(`wherry ${args.join(' ')}: ${status}\n${stderr}`);
		return stdout.trim();
	};
	mkdirSync(join(folder, 'context'));
	writeFileSync(join(folder, 'context/big'), Buffer.alloc(3_000_000));
	writeFileSync(join(folder, 'context/Dockerfile'), 'FROM wherry/base\nCOPY big /srv/\nCOPY big /srv/\n');
	cli('build', '-q', '-t', 'mine:1', join(folder, 'context'));
	const terminal = new TestTerminal(wherry, ['ui'], {env, columns: 120, rows: 40});
	t.teardown(() => terminal.close());
	await terminal.until(/1 +mine:1|mine +1 /);

	terminal.type('2');
	await terminal.until(/❯ mine +1 /);
	terminal.type('\r');
	await terminal.until(/❯ +1 +\d[\d.]*MB +\+\d+ .*wherry base/);
	await terminal.until(/ 2 +3MB +\+1 /);
	await terminal.until(/ 3 +3MB +~1 /);
	terminal.type('G\r');
	await terminal.until(/~ +3MB +\/srv\/big/);
	terminal.type('vv');
	await terminal.until(/×1 +3MB +\/srv\/big/);

	terminal.type('W');
	await terminal.until(/Images +\d[\d.]*MB +2 +prune frees 0B, all unused \d[\d.]*MB/);
	terminal.type('\r');
	await terminal.until(/2 that no container uses, with or without a name: frees (\d[\d.]*)MB/);
	const frees = /with or without a name: frees ([\d.]+MB)/.exec(terminal.text)![1];
	terminal.type('a');
	await terminal.until(/\$ wherry image prune -f -a/);
	await terminal.untilShown(new RegExp(`${frees!.replaceAll('.', '\\.')} freed`));
	t.is(cli('images', '-q'), '');
	terminal.type('q');
	t.is(await terminal.exited(), 0);
});
