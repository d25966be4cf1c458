import {execFileSync} from 'node:child_process';
import {closeSync, ftruncateSync, mkdirSync, openSync, rmSync, statSync, writeSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {Command} from './command.ts';

const page = 4096;
const image = 'wherry/base';

/** A file that takes all that is left of a file system, and gives it back page by page. */
class Filler {
	readonly #fd: number;
	readonly #path: string;

	constructor(folder: string) {
		this.#path = join(folder, 'filler');
		this.#fd = openSync(this.#path, 'a');
	}

	fill(): void {
		const zeros = Buffer.alloc(page);
		try {
			for (;;) writeSync(this.#fd, zeros);
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
		}
	}

	give(pages: number): void {
		ftruncateSync(this.#fd, Math.max(0, statSync(this.#path).size - pages * page));
	}

	close(): void {
		closeSync(this.#fd);
	}
}

test('however full the disk is, a container runs and can be reached, or does not run; all can be removed', async (t) => {
	const wherry = new Command();
	mkdirSync(wherry.root);
	execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', wherry.root]);
	const filler = new Filler(wherry.root);
	t.teardown(async () => {
		filler.give(1024);
		filler.close();
		const ids = (await wherry.output('ps', '-aq')).split('\n').filter(Boolean);
		if (ids.length > 0) await wherry.output('rm', '-f', ...ids);
		execFileSync('umount', [wherry.root]);
		rmSync(wherry.folder, {recursive: true});
	});
	await wherry.output('create', '--name', 'tight', image, 'sh', '-c', 'echo up; sleep 1000');
	const state = () => wherry.output('ps', '-a', '--format', '{{.State}}');

	filler.fill();
	let failures = 0;
	for (; ; failures++) {
		const {code, stderr} = await wherry.result(['start', 'tight']);
		if (code === 0) break;
		t.regex(stderr, /^Error: .*no space left on device.*\n(?:Error: failed to start containers: tight\n)?$/i);
		t.is(await state(), 'created');
		filler.give(1);
	}
	t.true(failures > 0);

	filler.fill();
	t.is(await state(), 'running');
	t.is(await wherry.output('exec', 'tight', 'echo', 'reached'), 'reached');
	t.like(await wherry.result(['rename', 'tight', 'wide']), {
		code: 1,
		stderr: `failed to rename container: Error: no space left on device: ${wherry.root}\n`,
	});
	t.is(await wherry.output('rm', '-f', 'tight'), 'tight');
	t.deepEqual(
		wherry.leftovers().filter((line) => !line.includes(`${wherry.root} rw`)),
		[],
	);

	filler.fill();
	t.regex(await wherry.output('rmi', image), /^Untagged: wherry\/base:latest\n/);
	t.is(await wherry.output('images', '-q'), '');
});
