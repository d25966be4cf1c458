import {rmSync} from 'node:fs';
import {Paths} from '../engine/paths.ts';
import {printError} from './output.ts';

type Main = (argv: readonly string[]) => Promise<number>;

/** Of the launcher's flags, the one that only the terminal UI has. */
const UI_FLAG = '--max-semi-space-size=16';

/** Lines that need no container. */
const lines = [
	['--version'],
	['ps'],
	['images'],
	['images', '-q'],
	['inspect', 'nothing'],
	['inspect', '000000000000'],
	['logs', 'nothing'],
	['exec', 'nothing', 'true'],
	['stop', '000000000000'],
	['kill', '000000000000'],
	['run', '--rm', '--pull', 'never', '--network', 'none', '-e', 'A=b', '-v', '/tmp:/tmp', 'nothing', 'true'],
	['volume', 'ls'],
	['cp', '/dev/null', 'nothing:/'],
	['diff', 'nothing'],
	['network', 'ls'],
	['rm', '-f', '000000000000'],
];

/** Two containers, and what is done with them while they seem to run, up to their end. */
const creations = [
	['create', '--rm', '--name', 'bridged', '-p', '80', '-e', 'A=b', 'rehearsal', 'true'],
	['create', '--name', 'alone', '--network', 'none', '-v', '/tmp:/tmp', 'rehearsal', 'true'],
];
/** Started by monitors that are played. */
const runs = [
	['run', '-d', '--network', 'none', '--name', 'detached', 'rehearsal', 'true'],
	['run', '--rm', '--network', 'none', 'rehearsal', 'true'],
];
const uses = [
	['ps'],
	['ps', '-a'],
	['ps', '-q'],
	['ps', '-a', '--format', '{{.ID}} {{json .Names}}'],
	['inspect', 'alone'],
	['inspect', '-f', '{{.State.Status}}', 'alone'],
	['inspect', 'rehearsal'],
	['logs', 'alone'],
	['exec', 'alone', 'true'],
	['exec', '-e', 'A=b', '-w', '/', '-u', 'root', 'alone', 'true'],
	['attach', '--no-stdin', 'alone'],
	['kill', '-s', 'HUP', 'alone'],
	['ps', '-a'],
	['start', 'nothing'],
	['rm', '-f', 'alone', 'bridged'],
];

/**
 * Runs what most commands run, in this process and in private roots, so that the build can keep what V8 compiled
 * for it. Output goes where the build sends it.
 */
export async function warm(main: Main): Promise<void> {
	const paths = Paths.fromEnvironment();
	const {writeImage} = await import('../engine/rehearsal/image.ts');
	writeImage(paths);
	if (process.execArgv.includes(UI_FLAG)) return await warmUi(paths, main);
	const [{playMonitor, playStarts}, {rehearseBridge, rehearseStart}] = await Promise.all([
		import('../engine/rehearsal/monitor.ts'),
		import('../engine/rehearsal/start.ts'),
	]);
	for (const line of [...lines, ...creations]) await main(line);
	await attempt(() => rehearseBridge(paths, 'bridged'));
	const playsNoMore = playStarts(paths);
	for (const line of runs) await attempt(() => main(line));
	playsNoMore();
	await attempt(async () => {
		await rehearseStart(paths, 'alone');
		const {findContainer} = await import('../engine/containers/record.ts');
		const monitor = await playMonitor(paths, findContainer(paths, 'alone').Id);
		for (const line of uses) await main(line);
		monitor.close();
	});
	// What `run` and a start on a bridge have besides.
	await Promise.allSettled([import('./commands/run.ts'), import('../engine/networks/allocate.ts')]);
}

/**
 * Its caches are only its own: what else would be in them is read by each start. Containers are made by the first
 * of the build's two runs, so that the second, whose caches are kept, has nothing of that.
 */
async function warmUi(paths: Paths, main: Main): Promise<void> {
	const [{findContainer, listIds, makeFolder}, {playMonitor}] = await Promise.all([
		import('../engine/containers/record.ts'),
		import('../engine/rehearsal/monitor.ts'),
	]);
	if (listIds(paths).length === 0) for (const line of creations) await main(line);
	const {Id} = findContainer(paths, 'alone');
	makeFolder(paths.runContainer(Id));
	const monitor = await playMonitor(paths, Id);
	await main(['ui']);
	monitor.close();
	rmSync(paths.runContainer(Id), {recursive: true});
}

/** What the user of the build may not do is left out. */
async function attempt(work: () => unknown): Promise<void> {
	try {
		await work();
	} catch (error) {
		printError(`rehearsal: ${error}`);
	}
}
