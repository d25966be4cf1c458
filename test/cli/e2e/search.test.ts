/** `search` against a server that answers as Docker Hub's index does, behind a proxy that takes all hosts for it. */
import {mkdirSync, writeFileSync} from 'node:fs';
import {createServer as createProxy} from 'node:http';
import {createServer, type Server} from 'node:https';
import {type AddressInfo, connect} from 'node:net';
import {join} from 'node:path';
import test from 'ava';
import {Command} from '../../e2e/command.ts';
import {makeCertificate} from '../../setup/certificate.ts';

const wherry = new Command();
const host = 'index.docker.io';
const asked: {url: string; authorization: string | undefined}[] = [];
const tunnels: string[] = [];
let answer = {status: 200, headers: {} as Record<string, string>, body: ''};
let server: Server;
const proxy = createProxy();

const results = [
	{
		name: 'busybox',
		description: 'Busybox base image.',
		star_count: 3000,
		is_official: true,
		is_automated: false,
	},
	{
		name: 'some/busybox',
		description: `Of many\nlines and ${'words '.repeat(20)}`,
		star_count: 12,
		is_official: false,
		is_automated: true,
	},
	{name: 'other/busybox\u001b[31m', description: '', star_count: 0, is_official: false, is_automated: false},
];

const open = (listener: Server | typeof proxy): Promise<number> =>
	new Promise((resolve) =>
		listener.listen(0, '127.0.0.1', () => resolve((listener.address() as AddressInfo).port)),
	);

test.before(async () => {
	const {key, cert} = makeCertificate(host);
	server = createServer({key, cert}, (request, response) => {
		asked.push({url: request.url!, authorization: request.headers.authorization});
		response.writeHead(answer.status, {'content-type': 'application/json', ...answer.headers});
		response.end(answer.body);
	});
	const port = await open(server);
	proxy.on('connect', (request, socket) => {
		tunnels.push(request.url!);
		const to = connect(port, '127.0.0.1', () => {
			socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
			to.pipe(socket).pipe(to);
		});
		for (const end of [to, socket]) end.on('error', () => to.destroy());
	});
	const settings = join(wherry.folder, 'settings');
	mkdirSync(join(settings, 'certs.d', host), {recursive: true});
	writeFileSync(join(settings, 'certs.d', host, 'ca.crt'), cert);
	const docker = join(wherry.folder, 'docker');
	mkdirSync(docker);
	const auth = (text: string) => ({auth: Buffer.from(text).toString('base64')});
	writeFileSync(
		join(docker, 'config.json'),
		JSON.stringify({
			auths: {'https://index.docker.io/v1/': auth('hub:secret'), '127.0.0.1:1': auth('else:where')},
		}),
	);
	Object.assign(wherry.env, {
		WHERRY_CONFIG: settings,
		DOCKER_CONFIG: docker,
		HTTPS_PROXY: `http://127.0.0.1:${await open(proxy)}`,
		NO_PROXY: '',
	});
	for (const name of ['https_proxy', 'no_proxy', 'NODE_EXTRA_CA_CERTS']) delete wherry.env[name];
});

test.beforeEach(() => {
	asked.length = 0;
	answer = {status: 200, headers: {}, body: JSON.stringify({num_results: 3, query: 'busybox', results})};
});

test.after.always(async (t) => {
	t.deepEqual(await wherry.end(), []);
	for (const each of [server, proxy]) {
		each.closeAllConnections();
		each.close();
	}
});

test.serial("Docker Hub's answer is a table of what its index knows, with its own credentials", async (t) => {
	const lines = (await wherry.output('search', 'library/busybox')).split('\n');
	t.regex(lines[0]!, /^NAME +DESCRIPTION +STARS +OFFICIAL/);
	t.regex(lines[1]!, /^busybox +Busybox base image\. +3000 +\[OK\]/);
	t.regex(lines[2]!, /^some\/busybox +Of many lines and words words words words wo… +12\b/);
	t.is(lines.length, 4);
	t.false(lines.join('').includes('\u001b'));
	t.deepEqual(asked, [
		{
			url: '/v1/search?q=busybox&n=25',
			authorization: `Basic ${Buffer.from('hub:secret').toString('base64')}`,
		},
	]);
	t.deepEqual([...new Set(tunnels)], [`${host}:443`]);
	await wherry.output('search', '--limit', '2', 'docker.io/some/busybox');
	t.is(asked[1]!.url, '/v1/search?q=some%2Fbusybox&n=2');
});

test.serial('filters, limits and formats choose what is shown', async (t) => {
	const names = async (...flags: string[]) =>
		(await wherry.output('search', '--format', '{{.Name}}', ...flags, 'busybox')).split('\n');
	t.deepEqual(await names('--limit', '2'), ['busybox', 'some/busybox']);
	t.deepEqual(await names('--filter', 'stars=12'), ['busybox', 'some/busybox']);
	t.deepEqual(await names('--filter', 'stars=12', '--filter', 'is-official=false'), ['some/busybox']);
	t.deepEqual(await names('--filter', 'is-automated=true'), ['some/busybox']);
	const format = '{{.StarCount}} {{.IsOfficial}}{{.IsAutomated}}';
	t.is(await wherry.output('search', '--limit', '2', '--format', format, 'x'), '3000 [OK]\n12 [OK]');
	const whole = await wherry.output('search', '--no-trunc', '--filter', 'is-automated=1', 'busybox');
	t.true(whole.includes('words '.repeat(20).trim()));
});

test.serial('an answer that is none is one clear message', async (t) => {
	const said = async () => {
		const {code, stdout, stderr} = await wherry.result(['search', 'busybox']);
		t.deepEqual([code, stdout], [1, '']);
		return stderr;
	};
	answer = {status: 429, headers: {'retry-after': '60'}, body: '{"detail":"Rate limit exceeded"}'};
	t.is(await said(), 'Error: toomanyrequests: too many requests\n');
	answer = {status: 401, headers: {}, body: '{"detail":"incorrect username or password"}'};
	t.is(await said(), 'Error: unauthorized: authentication required\n');
	for (const body of ['<html>no index</html>', 'null', '"x"', '']) {
		answer = {status: 200, headers: {}, body};
		t.is(await said(), `Error: the answer of the search of ${host} is not a JSON object\n`);
	}
	// Credentials are for this host and no other.
	answer = {status: 302, headers: {location: 'https://elsewhere.example/v1/search'}, body: ''};
	asked.length = 0;
	await wherry.result(['search', 'busybox']);
	for (const {authorization} of asked.slice(1)) t.is(authorization, undefined);
});
