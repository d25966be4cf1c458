/**
 * Writes the answers of `answers.json` anew: what the docker client says to each of its templates about the
 * objects of `objects.json`, which a server on a socket gives it as a daemon would. Run by hand where docker is,
 * after a template was added with an empty answer: `node test/cli/format/templates/record.ts [DOCKER]`.
 */
import {spawnSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Worker} from 'node:worker_threads';

const here = (name: string) => new URL(name, import.meta.url);
const objects = JSON.parse(readFileSync(here('objects.json'), 'utf8')) as Record<string, unknown>;
const cases = JSON.parse(readFileSync(here('answers.json'), 'utf8')) as Record<string, [string, string][]>;
const folder = mkdtempSync(join(tmpdir(), 'wherry-record-'));
const socket = join(folder, 'socket');

const paths: Record<string, string> = {
	container: '/containers/x/json',
	image: '/images/x/json',
	network: '/networks/x',
	volume: '/volumes/x',
	list: '/containers/json',
	info: '/info',
};
const commands: Record<string, string[]> = {
	container: ['container', 'inspect', 'x', '-f'],
	image: ['image', 'inspect', 'x', '-f'],
	network: ['network', 'inspect', 'x', '-f'],
	volume: ['volume', 'inspect', 'x', '-f'],
	list: ['ps', '--format'],
	info: ['info', '-f'],
};

/** The client is run synchronously, so its server has a thread of its own. */
const serve = `
const {createServer} = require('node:http');
const {workerData: {answers, socket}, parentPort} = require('node:worker_threads');
createServer((request, response) => {
	const path = request.url.replace(/^\\/v1\\.\\d+/, '').replace(/\\?.*/, '');
	response.setHeader('Api-Version', '1.50');
	response.setHeader('Content-Type', 'application/json');
	if (path === '/_ping') return response.end('OK');
	response.statusCode = answers[path] ? 200 : 404;
	response.end(answers[path] ?? JSON.stringify({message: 'not here: ' + path}));
}).listen(socket, () => parentPort.postMessage('ready'));`;

const answers = Object.fromEntries(
	Object.entries(paths).map(([kind, path]) => [path, JSON.stringify(objects[kind])]),
);
const server = new Worker(serve, {eval: true, workerData: {answers, socket}});
await new Promise((resolve) => server.once('message', resolve));

const docker = process.argv[2] ?? 'docker';
const env = {...process.env, DOCKER_HOST: `unix://${socket}`, DOCKER_CONFIG: folder, TZ: 'UTC'};
const recorded: Record<string, [string, string][]> = {};
for (const [kind, templates] of Object.entries(cases)) {
	recorded[kind] = templates.map(([template]) => {
		const {stdout, stderr} = spawnSync(docker, [...commands[kind]!, template], {env, encoding: 'utf8'});
		// An error comes after an empty line. Addresses of pointers are what they are.
		const text = stderr === '' ? stdout : stderr;
		return [template, text.replace(/\n$/, '').replace(/0xc[0-9a-f]{9}/g, '0xc000012345')];
	});
}
const lines = Object.entries(recorded).map(
	([kind, list]) =>
		`\t${JSON.stringify(kind)}: [\n${list.map((pair) => `\t\t${JSON.stringify(pair)}`).join(',\n')}\n\t]`,
);
writeFileSync(here('answers.json'), `{\n${lines.join(',\n')}\n}\n`);
await server.terminate();
rmSync(folder, {recursive: true});
