/** Images of containers. */
import {execFileSync, spawn, spawnSync} from 'node:child_process';
import {mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import type {CreateOptions} from '../../../src/engine/api.ts';
import {baseImage, pastEvents, type TestEngine, testEngine, textOf, until} from '../../setup/engine.ts';
import {layoutFaults} from '../../setup/images.ts';

let fixture: TestEngine;

test.before(async () => {
	fixture = await testEngine();
});

test.after.always(async () => {
	await fixture.close();
});

async function make(script: string, options: Partial<CreateOptions> = {}): Promise<string> {
	const {id} = await fixture.engine.containers.create({
		image: baseImage,
		...options,
		config: {Cmd: ['sh', '-c', script], ...options.config},
		hostConfig: {NetworkMode: 'none', ...options.hostConfig},
	});
	return id;
}

async function makeEnded(script: string, options: Partial<CreateOptions> = {}): Promise<string> {
	const id = await make(script, options);
	await fixture.engine.containers.start(id);
	await fixture.engine.containers.wait(id);
	return id;
}

const blob = (digest: string): string => join(fixture.root, 'images/blobs/sha256', digest.slice(7));
const readJson = (digest: string) => JSON.parse(readFileSync(blob(digest), 'utf8'));

/** The names in the topmost layer of an image. */
function topLayer(id: string): string[] {
	const configuration = readJson(id);
	const top = configuration.rootfs.diff_ids.at(-1);
	return execFileSync('tar', ['-tf', blob(top)], {encoding: 'utf8'})
		.split('\n')
		.filter(Boolean);
}

const script = `echo new > /made; ln /made /same; mkdir /d; mkfifo /d/fifo; rm -r /var/tmp
	rm -r /home; mkdir /home; echo x > /home/x; chmod 700 /root; rm -f /etc/os-release`;

test('an image of a container has what the container wrote, and runs', async (t) => {
	const {containers, images} = fixture.engine;
	const id = await makeEnded(script, {hostConfig: {Binds: ['commit-volume:/vol']}});
	const made = await containers.commit(id, {
		reference: 'made:1',
		author: 'a person',
		comment: 'a comment',
		changes: ['ENV A=1', 'CMD ["sh", "-c", "echo $A; cat /same; ls /var; ls /home"]'],
	});
	t.deepEqual(topLayer(made.id), [
		'd/',
		'd/fifo',
		'etc/',
		'etc/.wh.os-release',
		'home/',
		'home/.wh..wh..opq',
		'home/x',
		'made',
		'root/',
		'same',
		'var/',
		'var/.wh.tmp',
		'vol/',
	]);
	const inspected = await images.inspect('made:1');
	t.like(inspected, {Id: made.id, Author: 'a person', Comment: 'a comment', RepoTags: ['made:1']});
	t.true(inspected.Size > (await images.inspect(baseImage)).Size);
	const {id: next} = await containers.create({image: 'made:1', hostConfig: {NetworkMode: 'none'}});
	const session = await containers.start(next, {attach: {stdout: true}});
	const [stdout, {code}] = await Promise.all([textOf(session!.stdout), session!.exit]);
	t.is(code, 0);
	t.is(stdout, '1\nnew\nlog\nx\n');
	const sizes = (await images.list()).find(({Id}) => Id === made.id);
	t.is(sizes?.Size, inspected.Size);
	const history = readJson(made.id).history;
	t.like(history.at(-1), {author: 'a person', comment: 'a comment', created_by: `sh -c ${script}`});
	t.deepEqual(layoutFaults({paths: fixture.engine.paths} as never), []);
	const events = (await pastEvents(fixture.engine)).filter(
		({Actor}) => Actor.ID === made.id || (Actor.ID === id && Actor.Attributes.imageID),
	);
	t.deepEqual(
		events.map(({Type, Action}) => `${Type} ${Action}`),
		['image create', 'image tag', 'container commit'],
	);
	t.like(events[2]!.Actor.Attributes, {comment: 'a comment', imageID: made.id, imageRef: 'made:1'});
	await containers.remove(id);
	await containers.remove(next);
});

test('the layers of equal containers are equal, and other tools read them', async (t) => {
	const {containers} = fixture.engine;
	const digests: string[] = [];
	const ids = [await make('true'), await make('true')];
	const folder = mkdtempSync(join(tmpdir(), 'wherry-commit-'));
	try {
		execFileSync(
			'sh',
			['-ec', 'mkdir -p t/a/b; echo x > t/a/z; echo y > t/a/b/c; touch -d @1000 t/a/b/c t/a/z t/a/b t/a t'],
			{
				cwd: folder,
			},
		);
		for (const id of ids) {
			await containers.copyTo(id, join(folder, 't'), '/opt');
			const made = await containers.commit(id, {reference: `equal:${digests.length}`});
			digests.push(readJson(made.id).rootfs.diff_ids.at(-1));
		}
		t.is(digests[0], digests[1]);
		if (spawnSync('skopeo', ['--version']).status === 0) {
			const layout = join(fixture.root, 'images');
			execFileSync('skopeo', ['copy', '-q', `oci:${layout}:equal:0`, `oci:${folder}/copy:x`]);
			t.is(readdirSync(join(folder, 'copy/blobs/sha256')).length, 4);
		}
	} finally {
		rmSync(folder, {recursive: true});
		for (const id of ids) await containers.remove(id);
	}
});

test('a container that has changed nothing gives an image without a layer of its own', async (t) => {
	const {containers, images} = fixture.engine;
	const id = await makeEnded('true');
	const made = await containers.commit(id);
	const [own, base] = [readJson(made.id), readJson((await images.inspect(baseImage)).Id)];
	t.deepEqual(own.rootfs, base.rootfs);
	t.true(own.history.at(-1).empty_layer);
	t.deepEqual((await images.inspect(made.id)).RepoTags, []);
	await containers.remove(id);
});

test('a container that runs stands still meanwhile and goes on, unless nobody wants that', async (t) => {
	const {containers} = fixture.engine;
	const id = await make('echo x > /made; sleep 1000');
	await containers.start(id);
	while (!(await containers.changes(id)).length) await new Promise((resolve) => setTimeout(resolve, 20));
	const {id: image} = await containers.commit(id);
	t.deepEqual(topLayer(image), ['made']);
	t.is((await containers.inspect(id)).State.Status, 'running');
	await containers.commit(id, {pause: false});
	await containers.pause(id);
	await containers.commit(id);
	t.is((await containers.inspect(id)).State.Status, 'paused');
	const actions = (await pastEvents(fixture.engine))
		.filter(({Actor}) => Actor.ID === id)
		.map(({Action}) => Action);
	t.is(actions.filter((action) => action === 'pause').length, 2);
	t.is(actions.filter((action) => action === 'unpause').length, 1);
	await containers.remove(id, {force: true});
});

test.serial(
	'a commit that is killed leaves no container that stands still, and nothing in the store',
	async (t) => {
		const {containers, images} = fixture.engine;
		const before = (await images.list()).length;
		const id = await make('dd if=/dev/zero of=/big bs=1M count=300 2>/dev/null; echo x > /ready; sleep 1000');
		await containers.start(id);
		await until('it has written', async () =>
			(await containers.changes(id)).some(({Path}) => Path === '/ready'),
		);
		const program = new URL('../../../src/engine/engine.ts', import.meta.url).href;
		const child = spawn(process.execPath, [
			'--disable-warning=ExperimentalWarning',
			'--input-type=module',
			'-e',
			`const {openEngine} = await import(${JSON.stringify(program)});
		await openEngine(${JSON.stringify({root: fixture.root, run: fixture.run})}).containers.commit(${JSON.stringify(id)});`,
		]);
		const ended = new Promise((resolve) => child.once('exit', resolve));
		const status = async () => (await containers.inspect(id)).State.Status;
		await until('it stands still', async () => (await status()) === 'paused');
		child.kill('SIGKILL');
		await ended;
		await until('it goes on', async () => (await status()) === 'running');
		await fixture.engine.repair();
		t.is((await images.list()).length, before);
		t.deepEqual(
			readdirSync(join(fixture.root, 'ingest')).filter((name) => /lease|unpack/.test(name)),
			[],
		);
		await containers.remove(id, {force: true});
	},
);

test.serial('what is wrong makes no image', async (t) => {
	const {containers, images} = fixture.engine;
	const id = await makeEnded('echo x > /made');
	const before = (await images.list()).length;
	for (const [options, message] of [
		[{reference: 'Bad'}, /must be lowercase/],
		[{reference: `x@sha256:${'0'.repeat(64)}`}, /refusing to create a tag with a digest reference/],
		[{changes: ['RUN x']}, /run is not a valid change command/],
	] as const) {
		await t.throwsAsync(containers.commit(id, options), {message});
	}
	await t.throwsAsync(containers.commit('nosuch'), {message: 'No such container: nosuch'});
	t.is((await images.list()).length, before);
	t.deepEqual(
		readdirSync(join(fixture.root, 'ingest')).filter((name) => /lease|unpack/.test(name)),
		[],
	);
	await containers.remove(id);
});
