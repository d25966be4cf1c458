/** Threads of the addon may be at work when the process, or the environment that started them, ends. */
import {execFile} from 'node:child_process';
import {promisify} from 'node:util';
import test from 'ava';
import {privateFolder} from './layer.ts';

const run = promisify(execFile);
const binding = new URL('../../src/kernel/native.ts', import.meta.url).href;

const scripts: Readonly<Record<string, string>> = {
	'an unpacker that nobody ends': 'native.unpackLayer(folder);',
	'an unpacker that waits for bytes': 'await native.unpackLayer(folder).write(Buffer.alloc(100));',
	'an unpacker at work':
		'native.unpackLayer(folder).write(Buffer.alloc(3_000_000, "x")).catch(() => {}); process.exit(0);',
	'an unpacker that was stopped': 'native.unpackLayer(folder).abort(); process.exit(0);',
	'unpackers that the garbage collector takes': `
		for (let round = 0; round < 200; round++) native.unpackLayer(folder).write(Buffer.alloc(1000)).catch(() => {});
		for (let round = 0; round < 5; round++) { gc(); await new Promise((done) => setTimeout(done, 5)); }`,
	'a lock that is waited for': `
		const {openSync} = await import('node:fs');
		native.flockNow(openSync(folder, 'r'), true);
		native.flock(openSync(folder, 'r'), true, true);
		setTimeout(() => process.exit(0), 20);`,
	'many tasks that end just then': `
		for (let round = 0; round < 50; round++) native.removeTree(folder + '/none');
		setTimeout(() => process.exit(0), 1);`,
	'a worker that is terminated with threads at work': `
		const {Worker} = await import('node:worker_threads');
		const code = \`Promise.all([import('\${binding}'), import('node:worker_threads')]).then(([{native}, {parentPort}]) => {
			native.unpackLayer('\${folder}').write(Buffer.alloc(1000));
			for (let round = 0; round < 20; round++) native.removeTree('\${folder}/none');
			parentPort.postMessage('ready');
			setInterval(() => {}, 1000);
		})\`;
		for (let round = 0; round < 5; round++) {
			const worker = new Worker(code, {eval: true});
			await new Promise((ready) => worker.once('message', ready));
			await worker.terminate();
		}`,
};

for (const [what, script] of Object.entries(scripts)) {
	test(`the process ends in peace with ${what}`, async (t) => {
		const code = `const binding = '${binding}'; const folder = '${privateFolder(t)}';
			const {native} = await import(binding);
			${script}`;
		const options = {timeout: 60_000, killSignal: 'SIGKILL'} as const;
		const {stdout, stderr} = await run(
			process.execPath,
			['--expose-gc', '--input-type=module', '--eval', code],
			options,
		);
		t.is(stdout + stderr, '');
	});
}
