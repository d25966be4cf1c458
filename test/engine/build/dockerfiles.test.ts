/**
 * Tables of Dockerfiles, each with the files, the configuration and the history that come of it, or the error. They
 * are BuildKit's: where an older one could be asked (docker 20.10 has one inside), it was.
 */
import {mkdtempSync, rmSync, statfsSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {testEngine} from '../../setup/engine.ts';
import {addCases} from './dockerfiles/add.ts';
import {badCases} from './dockerfiles/bad.ts';
import {configCases} from './dockerfiles/config.ts';
import {copyCases} from './dockerfiles/copy.ts';
import {copyFlagsCases} from './dockerfiles/copy-flags.ts';
import {Builder, type Case} from './dockerfiles/outcome.ts';
import {runCases} from './dockerfiles/run.ts';
import {stagesCases} from './dockerfiles/stages.ts';
import {variablesCases} from './dockerfiles/variables.ts';

// Hundreds of images are not worth a disk's time where there is memory for them.
const tmpfs = 0x01021994;
const memory = '/dev/shm';
const {type, bavail, bsize} = statfsSync(memory);
if (type === tmpfs && bavail * bsize > 1 << 30) process.env.TMPDIR = memory;

const engine = await testEngine();
const folder = mkdtempSync(join(tmpdir(), 'wherry-dockerfiles-'));
const builder = new Builder(engine, folder);

test.after.always(async () => {
	rmSync(folder, {recursive: true, force: true});
	await engine.close();
});

/** As many at a time as this machine can do. */
const places: (() => void)[] = [];
let free = 3;

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
	if (free > 0) free--;
	else await new Promise<void>((resolve) => places.push(resolve));
	try {
		return await work();
	} finally {
		const next = places.shift();
		if (next) next();
		else free++;
	}
}

const tables: Readonly<Record<string, Readonly<Record<string, Case>>>> = {
	'': {...copyCases, ...copyFlagsCases, ...addCases, ...configCases, ...variablesCases, ...runCases},
	'stages: ': stagesCases,
	'refused: ': badCases,
};

for (const [prefix, cases] of Object.entries(tables)) {
	for (const [title, row] of Object.entries(cases)) {
		test(`${prefix}${title}`, async (t) => {
			t.timeout(5 * 60_000);
			const {files, config, history, error} = row;
			const outcome = await inTurn(() => builder.outcome(row));
			t.deepEqual(outcome, {
				...(files ? {files} : {}),
				...(config ? {config} : {}),
				...(history ? {history} : {}),
				...(error === undefined ? {} : {error}),
			});
		});
	}
}
