/** The engine in a process of its own, for tests in network namespaces: calls come by IPC. See netns.ts. */
import type {Readable} from 'node:stream';
import type {CreateOptions, Session} from '../../src/engine/api.ts';
import {openEngine} from '../../src/engine/engine.ts';

const engine = openEngine();

async function text(stream: Readable): Promise<string> {
	const parts: Buffer[] = [];
	for await (const part of stream) parts.push(part as Buffer);
	return Buffer.concat(parts).toString();
}

async function collect(id: string, session: Session) {
	const [stdout, stderr, exit] = await Promise.all([
		text(session.stdout),
		text(session.stderr),
		session.exit,
	]);
	return {id, code: exit.code, stdout, stderr};
}

const own: Record<string, (...args: never[]) => Promise<unknown>> = {
	async runContainer(options: CreateOptions) {
		const {id} = await engine.containers.create(options);
		const session = await engine.containers.start(id, {attach: {stdout: true, stderr: true}});
		return collect(id, session!);
	},
	async startContainer(options: CreateOptions) {
		const {id} = await engine.containers.create(options);
		await engine.containers.start(id);
		return id;
	},
	async exec(container: string, argv: string[]) {
		return collect(container, await engine.containers.exec(container, {argv, stdout: true, stderr: true}));
	},
};

function find(method: string): (...args: unknown[]) => unknown {
	if (own[method]) return own[method] as (...args: unknown[]) => unknown;
	const [room, name] = method.split('.') as [string, string?];
	const target = (name === undefined ? engine : engine[room as keyof typeof engine]) as unknown as Record<
		string,
		(...args: unknown[]) => unknown
	>;
	return target[name ?? room]!.bind(target);
}

process.on('message', async ({id, method, args}: {id: number; method: string; args: unknown[]}) => {
	try {
		process.send!({id, value: (await find(method)(...args)) ?? null});
	} catch (error) {
		const {message, code, exitCode} = error as Error & {code?: string; exitCode?: number};
		process.send!({id, error: {message, code, exitCode}});
	}
});
process.on('disconnect', () => process.exit());
