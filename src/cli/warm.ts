import {Paths} from '../engine/paths.ts';

/** Lines that need no container and no network; the roots are the build's own. */
const lines = [
	['--version'],
	['ps'],
	['ps', '-a'],
	['ps', '-a', '--format', '{{.ID}} {{json .Names}}'],
	['images'],
	['inspect', 'nothing'],
	['inspect', '000000000000'],
	['logs', 'nothing'],
	['exec', 'nothing', 'true'],
	['stop', '000000000000'],
	['kill', '000000000000'],
	['run', '--rm', '--pull', 'never', '--network', 'none', '-e', 'A=b', '-v', '/tmp:/tmp', 'nothing', 'true'],
	['volume', 'ls'],
	['ui', '--once'],
	['rm', '-f', '000000000000'],
];

/** Runs them in this process. Output goes where the build sends it. */
export async function warm(main: (argv: readonly string[]) => Promise<number>): Promise<void> {
	const {rehearse} = await import('../engine/containers/rehearsal.ts');
	rehearse(Paths.fromEnvironment());
	for (const line of lines) await main(line);
	// What `run` needs once there is an image.
	const modules = [
		import('./terminal/session.ts'),
		import('./commands/run.ts'),
		import('./commands/attach.ts'),
		import('../engine/networks/allocate.ts'),
	];
	await Promise.allSettled(modules);
}
