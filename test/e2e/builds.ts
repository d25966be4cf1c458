/** Builds of small contexts, for tests of what comes out of them. */
import {mkdirSync, mkdtempSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import type {Command} from './command.ts';

export type Files = Record<string, string | Buffer | ((path: string) => void)>;

export class Builds {
	readonly #wherry: Command;
	#count = 0;

	constructor(wherry: Command) {
		this.#wherry = wherry;
	}

	/** A folder with these files; it goes with the command's own. */
	contextOf(files: Files): string {
		const folder = mkdtempSync(join(this.#wherry.folder, 'context-'));
		for (const [path, content] of Object.entries(files)) {
			const full = join(folder, path);
			mkdirSync(dirname(full), {recursive: true});
			if (typeof content === 'function') content(full);
			else writeFileSync(full, content);
		}
		return folder;
	}

	build(...args: string[]) {
		return this.#wherry.result(['build', '--progress', 'plain', '--network', 'none', ...args]);
	}

	/** The name of the image; throws what the build says when it fails. */
	async built(files: Files, ...options: string[]): Promise<string> {
		const name = `built-${++this.#count}`;
		const {code, stderr} = await this.build('-t', name, ...options, this.contextOf(files));
		if (code !== 0) throw new Error(stderr);
		return name;
	}

	async inspect(image: string, field: string): Promise<unknown> {
		return JSON.parse(await this.#wherry.output('inspect', '-f', `{{json .${field}}}`, image));
	}
}
