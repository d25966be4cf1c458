/** What parts of a build have to do with each other: layers that depend on no base, platforms, folders that can't be made. */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {BuildEvent, BuildOptions} from '../../../src/engine/api.ts';
import {hostPlatform} from '../../../src/engine/images/platform.ts';
import {makeFolders} from '../../../src/engine/store/files.ts';
import {testEngine} from '../../setup/engine.ts';

const engine = await testEngine();
test.after.always(() => engine.close());

/** Builds, and tells the events of the steps by their names. */
async function build(
	t: ExecutionContext,
	text: string,
	options: Partial<BuildOptions> = {},
): Promise<{events: string[]; failure: Error | undefined}> {
	const folder = mkdtempSync(join(tmpdir(), 'wherry-at-once-'));
	t.teardown(() => rmSync(folder, {recursive: true, force: true}));
	writeFileSync(join(folder, 'a.txt'), t.title);
	const names = new Map<number, string>();
	const events: string[] = [];
	const onProgress = (event: BuildEvent): void => {
		if (event.kind === 'warning') return;
		if (event.kind === 'start') names.set(event.id, event.name);
		if (event.kind === 'note' || event.kind === 'log') return;
		const said = event.kind === 'error' ? ` ${event.message}` : '';
		events.push(`${event.kind} ${names.get(event.id)}${said}`);
	};
	const network = {hostConfig: {NetworkMode: 'none'}};
	const failure = await engine.engine
		.build({context: {folder}, text, ...network, onProgress, ...options})
		.then(() => undefined)
		.catch((error: Error) => error);
	return {events, failure};
}

test('COPY --link is of the cache whatever it is laid on, and an ordinary COPY is not', async (t) => {
	const on = (base: string, flag: string) =>
		build(t, `FROM wherry/base\nRUN echo ${base} >/base\nCOPY ${flag} a.txt /x/\n`);
	const kindOf = ({events}: {events: string[]}) =>
		events.findLast((event) => event.includes('COPY'))!.split(' ')[0];
	t.is(kindOf(await on('one', '--link')), 'done');
	t.is(kindOf(await on('two', '--link')), 'cached');
	t.is(kindOf(await on('one', '--link=false')), 'done');
	t.is(kindOf(await on('two', '--link=false')), 'done');
	// What comes after it depends on all.
	const after = (base: string) =>
		build(t, `FROM wherry/base\nRUN echo ${base} >/base\nCOPY --link a.txt /x/\nCOPY a.txt /COPY\n`);
	t.is(kindOf(await after('one')), 'done');
	t.is(kindOf(await after('two')), 'done');
	t.is(kindOf(await after('two')), 'cached');
});

test('platforms are built at the same time, and one that fails ends the others', async (t) => {
	const {architecture} = hostPlatform();
	const own = {os: 'linux', architecture};
	const platforms = [own, {os: 'linux', architecture: architecture === 'arm64' ? 'amd64' : 'arm64'}];
	const both = await build(t, 'FROM scratch\nCOPY a.txt /x\nCOPY a.txt /y\n', {platforms});
	t.is(both.failure, undefined);
	// The own one waits for ever: it only ends since the other has failed.
	const stage = `FROM --platform=linux/${architecture} wherry/base AS`;
	const text = `${stage} ${architecture}\nRUN sleep 100000\n${stage} ${platforms[1]!.architecture}\nRUN exit 7\nARG TARGETARCH\nFROM $TARGETARCH\n`;
	const {events, failure} = await build(t, text.replace(/ARG TARGETARCH\n/, ''), {platforms});
	t.regex(failure!.message, /exit code: 7$/);
	t.true(
		events.some((event) => /^error .*sleep 100000 context canceled$/.test(event)),
		events.join('\n'),
	);
});

test('folders are made with those above them; where none can be made that is said', (t) => {
	const folder = mkdtempSync(join(tmpdir(), 'wherry-folders-'));
	t.teardown(() => rmSync(folder, {recursive: true, force: true}));
	makeFolders(join(folder, 'a/b/c'), 0o755);
	makeFolders(join(folder, 'a/b/c'), 0o755);
	writeFileSync(join(folder, 'file'), '');
	t.throws(() => makeFolders(join(folder, 'file'), 0o755), {code: 'EEXIST'});
	t.throws(() => makeFolders(join(folder, 'file/x/y'), 0o755), {code: 'ENOTDIR'});
	t.throws(() => makeFolders('/proc/none/at/all', 0o755), {code: 'ENOENT'});
});

test('an output folder that can not be made fails the build', async (t) => {
	const {failure} = await build(t, 'FROM scratch\nCOPY a.txt /x\n', {
		outputs: [{folder: '/proc/none/at/all'}],
	});
	t.regex(failure!.message, /no such file or directory, mkdir '\/proc\/none'/);
});
