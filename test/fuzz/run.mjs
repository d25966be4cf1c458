/**
 * `npm run fuzz [SECONDS] [--keep]`: builds the fuzz target of the unpacker with the sanitizers and runs it on the kept
 * corpus for some seconds (5). With --keep inputs that reach something new are added to the corpus.
 */
import {spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

const root = new URL('../..', import.meta.url).pathname;
const addon = join(root, 'native/addon');
/** What unpacks layers, without what makes it a part of Node. */
const sources = [
	'bzip2_decoder',
	'crc32',
	'decoder',
	'entry_data',
	'gzip_decoder',
	'inflate',
	'layer_tree',
	'layer_writer',
	'lzma',
	'remove_tree',
	'sha256',
	'tar_header',
	'xattrs',
	'tar_reader',
	'xz_decoder',
].map((name) => join(addon, `${name}.cc`));
const flags = '-std=c++17 -g1 -O1 -D_GNU_SOURCE -Wall -Wextra -Werror -fno-omit-frame-pointer';
/** Of the target itself, whose callback would call itself, no edges are counted. */
const coverage = '-fsanitize-coverage=trace-pc';
const main = join(root, 'test/fuzz/unpack.cc');
const check = join(root, 'test/fuzz/inflate_check.h');
const sanitizers = '-fsanitize=address,undefined -fno-sanitize-recover=undefined';

/** Builds the program unless its sources are those of the last time. */
function build() {
	const hash = createHash('sha256').update(flags);
	for (const folder of [addon, join(root, 'native/kernel')])
		for (const name of readdirSync(folder).sort()) hash.update(readFileSync(join(folder, name)));
	for (const path of [main, check]) hash.update(readFileSync(path));
	const folder = join(root, 'native/build-asan/fuzz');
	const program = join(folder, hash.digest('hex').slice(0, 16));
	if (existsSync(program)) return program;
	rmSync(folder, {recursive: true, force: true});
	mkdirSync(folder, {recursive: true});
	const script = `
		printf '%s\\n' "$@" | xargs -P 2 -I NAME sh -c '$CXX $CFLAGS $COVERAGE -c NAME -o "$FOLDER/$(basename NAME .cc).o"'
		$CXX $CFLAGS -c "$MAIN" -o "$FOLDER/unpack.o"
		$CXX $CFLAGS "$FOLDER"/*.o -o "$FOLDER/new" -ldl -lpthread`;
	const made = spawnSync('sh', ['-ec', script, 'sh', ...sources], {
		stdio: ['ignore', 'inherit', 'inherit'],
		env: {
			...process.env,
			CXX: process.env.CXX ?? 'g++',
			CFLAGS: `${flags} ${sanitizers}`,
			COVERAGE: coverage,
			CPLUS_INCLUDE_PATH: join(root, 'native'),
			FOLDER: folder,
			MAIN: main,
		},
	});
	if (made.status !== 0) process.exit(1);
	renameSync(join(folder, 'new'), program);
	return program;
}

const program = build();
const keep = process.argv.includes('--keep') ? ['--keep'] : [];
const seconds = process.argv.slice(2).find((word) => /^[\d.]+$/.test(word)) ?? '5';
const scratch = mkdtempSync(join(tmpdir(), 'wherry-fuzz-'));
const crash = join(tmpdir(), 'wherry-fuzz-crash');
// The input that was being unpacked at the end is the one that broke something.
const script = `mount -t tmpfs -o size=64m wherry-fuzz "$SCRATCH"
	"$@" || { cp "$SCRATCH/input" "$CRASH"; exit 1; }`;
const result = spawnSync(
	'unshare',
	['--mount', 'sh', '-ec', script, 'sh', program, join(root, 'test/fuzz/corpus'), scratch, seconds, ...keep],
	{
		stdio: 'inherit',
		env: {
			...process.env,
			SCRATCH: scratch,
			CRASH: crash,
			UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
		},
	},
);
rmSync(scratch, {recursive: true, force: true});
if (result.status !== 0) process.stderr.write(`wherry: the input is ${crash}\n`);
process.exit(result.status ?? 1);
