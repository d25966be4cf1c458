import {Paths} from '../engine/paths.ts';
import {printError} from './output.ts';

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
	['ui', '--once'],
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
	// Its flags are those of no other command: see the launcher.
	...(process.execArgv.length === 0 ? [['ui']] : []),
	['kill', '-s', 'HUP', 'alone'],
	['ps', '-a'],
	['start', 'nothing'],
	['rm', '-f', 'alone', 'bridged'],
];

/**
 * Runs what most commands run, in this process and in private roots, so that the build can keep what V8 compiled
 * for it. Output goes where the build sends it.
 */
export async function warm(main: (argv: readonly string[]) => Promise<number>): Promise<void> {
	const paths = Paths.fromEnvironment();
	const [{writeImage}, {playMonitor, playStarts}, {rehearseBridge, rehearseStart}] = await Promise.all([
		import('../engine/rehearsal/image.ts'),
		import('../engine/rehearsal/monitor.ts'),
		import('../engine/rehearsal/start.ts'),
	]);
	writeImage(paths);
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

/** What the user of the build may not do is left out. */
async function attempt(work: () => unknown): Promise<void> {
	try {
		await work();
	} catch (error) {
		printError(`rehearsal: ${error}`);
	}
}
