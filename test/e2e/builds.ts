/** Builds of small contexts, for tests of what comes out of them. */
import {mkdirSync, mkdtempSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import type {Command} from './command.ts';

export type Files = Record<string, string | Buffer | ((path: string) => void)>;

export function buildsOf(wherry: Command) {
	let count = 0;

	/** A folder with these files; it goes with the command's own. */
	function contextOf(files: Files): string {
		const folder = mkdtempSync(join(wherry.folder, 'context-'));
		for (const [path, content] of Object.entries(files)) {
			const full = join(folder, path);
			mkdirSync(dirname(full), {recursive: true});
			if (typeof content === 'function') content(full);
			else writeFileSync(full, content);
		}
		return folder;
	}

	const build = (...args: string[]) =>
		wherry.result(['build', '--progress', 'plain', '--network', 'none', ...args]);

	/** The name of the image; throws what the build says when it fails. */
	async function built(files: Files, ...options: string[]): Promise<string> {
		const name = `built-${++count}`;
		const {code, stderr} = await build('-t', name, ...options, contextOf(files));
		if (code !== 0) throw new Error(stderr);
		return name;
	}

	const inspect = async (image: string, field: string): Promise<unknown> =>
		JSON.parse(await wherry.output('inspect', '-f', `{{json .${field}}}`, image));

	return {contextOf, build, built, inspect};
}
