import {spawnSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import test from 'ava';

const root = new URL('..', import.meta.url).pathname;

/** Lints a text as if it stood in a file of the project. */
function lint(file: string, text: string): string {
	const folder = mkdtempSync(join(tmpdir(), 'wherry-lint-'));
	try {
		const config = JSON.parse(readFileSync(join(root, '.biome.json'), 'utf8'));
		writeFileSync(
			join(folder, 'biome.json'),
			JSON.stringify({...config, $schema: undefined, vcs: undefined}),
		);
		mkdirSync(dirname(join(folder, file)), {recursive: true});
		writeFileSync(join(folder, file), text);
		const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');
		const result = spawnSync(process.execPath, [biome, 'lint', file], {cwd: folder, encoding: 'utf8'});
		return result.stdout + result.stderr;
	} finally {
		rmSync(folder, {recursive: true});
	}
}

const refused = /Imports go one way|never loads the terminal UI|The faces share only/;

for (const [file, text] of [
	['src/kernel/x.ts', "import {a} from '../runtime/oci.ts';\na();\n"],
	['src/runtime/x.ts', "import {a} from '../engine/api.ts';\na();\n"],
	['src/engine/images/x.ts', "import {a} from '../../cli/errors.ts';\na();\n"],
	['src/cli/x.ts', "import {a} from 'ink';\na();\n"],
] as const) {
	test(`an import against the direction is refused in ${file}`, (t) => {
		t.regex(lint(file, text), refused);
	});
}

test('an import along the direction is fine', (t) => {
	t.notRegex(lint('src/engine/x.ts', "import {a} from '../runtime/oci.ts';\na();\n"), refused);
});

test('the lock file names no address of a registry', (t) => {
	t.notRegex(readFileSync(`${root}/package-lock.json`, 'utf8'), /"resolved": "https?:/);
});
