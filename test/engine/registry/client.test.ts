import {writeFileSync} from 'node:fs';
import {createServer as createHttpServer, type IncomingMessage, type ServerResponse} from 'node:http';
import {createServer as createTlsServer} from 'node:https';
import {type AddressInfo, connect, createServer as createTcpServer, type Socket} from 'node:net';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {Repository} from '../../../src/engine/registry/client.ts';
import type {Credentials} from '../../../src/engine/registry/credentials.ts';
import {describeFailure, RegistryFailure} from '../../../src/engine/registry/failure.ts';
import {bypassesProxy, isLoopback} from '../../../src/engine/registry/host.ts';
import {Transport} from '../../../src/engine/registry/transport.ts';
import {makeCertificate} from '../../setup/certificate.ts';
import {temporaryFolder} from '../../setup/images.ts';
import {digestOf, type FakeImage, fakeImage, serveImage, startFake} from '../../setup/registry.ts';

const layer = Buffer.alloc(300_000, 'wherry');
const image = fakeImage([layer]);
const me: Credentials = {username: 'me', password: 'secret'};

type Answer = (request: IncomingMessage, response: ServerResponse, host: string) => boolean | undefined;

/** A registry that serves the image, but for what `answer` takes over. */
async function fake(t: ExecutionContext, answer: Answer = () => false, served: FakeImage = image) {
	const server = await startFake((request, response, host) => {
		if (answer(request, response, host)) return;
		if (!serveImage(served, request, response)) response.writeHead(404).end();
	});
	t.teardown(() => server.stop());
	return server;
}

/** `stallTimeout` is long: only what is meant to stall may reach it, however busy the machine is. */
function repository(
	t: ExecutionContext,
	host: string,
	credentials?: Credentials,
	{env = {}, stallTimeout = 30_000}: {env?: NodeJS.ProcessEnv; stallTimeout?: number} = {},
): Repository {
	const transport = new Transport({stallTimeout, retryDelay: 5, env});
	t.teardown(() => transport.close());
	return new Repository(transport, host, 'x', async () => credentials);
}

async function blob(from: Repository, bytes = layer, retries: number[] = []): Promise<Buffer> {
	const chunks: Buffer[] = [];
	const request = {
		digest: digestOf(bytes),
		size: bytes.length,
		onRetry: (delay: number) => retries.push(delay),
	};
	for await (const chunk of from.stream(request)) chunks.push(chunk);
	return Buffer.concat(chunks);
}

test('a registry that there is no way to is not waited for', async (t) => {
	const transport = new Transport({retryDelay: 3_600_000, env: {}});
	t.teardown(() => transport.close());
	const away = new Repository(transport, '203.0.113.1:5000', 'x', async () => undefined);
	await t.throwsAsync(away.manifest('latest'), {message: /network is unreachable/});
});

test('a registry on the loopback device is spoken to over plain HTTP', async (t) => {
	const server = await fake(t);
	const {digest, manifest} = await repository(t, server.host).manifest('latest');
	t.is(digest, digestOf(image.manifest));
	t.true('layers' in manifest);
	t.deepEqual(await blob(repository(t, server.host)), layer);
});

test('nobody listening is said with the address', async (t) => {
	const server = createTcpServer();
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const {port} = server.address() as AddressInfo;
	await new Promise((resolve) => server.close(resolve));
	await t.throwsAsync(repository(t, `127.0.0.1:${port}`).manifest('latest'), {
		code: 'unavailable',
		message: `Get "http://127.0.0.1:${port}/v2/": dial tcp 127.0.0.1:${port}: connect: connection refused`,
	});
});

test('a name that does not resolve is said', async (t) => {
	await t.throwsAsync(repository(t, 'nowhere.invalid').manifest('latest'), {
		code: 'unavailable',
		message:
			/^Get "https:\/\/nowhere\.invalid\/v2\/": dial tcp: lookup nowhere\.invalid: (no such host|Temporary failure in name resolution)$/,
	});
});

test('a manifest that is not what its digest says is refused', async (t) => {
	const server = await fake(t);
	const wrong = digestOf('something else');
	await t.throwsAsync(repository(t, server.host).manifest(wrong), {
		code: 'corrupt',
		message: `manifest verification failed for digest ${wrong}`,
	});
});

test('a transfer that breaks off goes on where it was', async (t) => {
	let cut = 3;
	const server = await fake(t, (request, response) => {
		if (!request.url?.includes('/blobs/') || cut === 0) return false;
		cut--;
		const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
		const part = layer.subarray(start, start + 50_000);
		response.writeHead(start > 0 ? 206 : 200, {
			'content-length': layer.length - start,
			...(start > 0 ? {'content-range': `bytes ${start}-${layer.length - 1}/${layer.length}`} : {}),
		});
		response.write(part, () => setTimeout(() => response.destroy(), 20));
		return true;
	});
	const retries: number[] = [];
	t.deepEqual(await blob(repository(t, server.host), layer, retries), layer);
	t.is(retries.length, 3);
	t.true(server.ranges.filter(Boolean).length >= 3);
});

test('a server that ignores ranges is read again from the start', async (t) => {
	let first = true;
	const server = await fake(t, (request, response) => {
		if (!request.url?.includes('/blobs/')) return false;
		response.writeHead(200, {'content-length': layer.length});
		if (first) response.write(layer.subarray(0, 70_000), () => setTimeout(() => response.destroy(), 20));
		else response.end(layer);
		first = false;
		return true;
	});
	t.deepEqual(await blob(repository(t, server.host)), layer);
});

test('a transfer that stalls is given up and asked for again, five times in a row at most', async (t) => {
	const server = await fake(t, (request, response) => {
		if (!request.url?.includes('/blobs/')) return false;
		response.writeHead(200, {'content-length': layer.length});
		response.flushHeaders();
		return true;
	});
	const retries: number[] = [];
	await t.throwsAsync(blob(repository(t, server.host, undefined, {stallTimeout: 300}), layer, retries), {
		code: 'unavailable',
		message: /stalled/,
	});
	t.is(retries.length, 4);
});

test('a server that never answers is a time-out', async (t) => {
	const server = await fake(t, (request) => Boolean(request.url?.includes('/manifests/')));
	const error = await t.throwsAsync(
		repository(t, server.host, undefined, {stallTimeout: 300}).manifest('latest'),
		{code: 'unavailable'},
	);
	t.regex(error!.message, /Client\.Timeout exceeded while awaiting headers/);
});

test('more bytes than the manifest says are refused', async (t) => {
	const server = await fake(t, (request, response) => {
		if (!request.url?.includes('/blobs/')) return false;
		response.end(Buffer.concat([layer, layer]));
		return true;
	});
	await t.throwsAsync(blob(repository(t, server.host)), {
		code: 'corrupt',
		message: /larger than its manifest says/,
	});
});

test('a manifest without end is refused', async (t) => {
	const server = await fake(t, (request, response) => {
		if (!request.url?.includes('/manifests/')) return false;
		const more = () => {
			while (response.write(Buffer.alloc(65_536, ' ')));
		};
		response.on('drain', more);
		more();
		return true;
	});
	await t.throwsAsync(repository(t, server.host).manifest('latest'), {
		code: 'corrupt',
		message: /larger than 4194304 bytes/,
	});
});

test('errors of the server that pass are asked for again', async (t) => {
	let bad = 2;
	const server = await fake(t, (request, response) => {
		if (request.url === '/v2/' || bad === 0) return false;
		bad--;
		response.writeHead(503).end('try later');
		return true;
	});
	t.is((await repository(t, server.host).manifest('latest')).digest, digestOf(image.manifest));
});

test('basic authentication sends the password once it is asked for, and says when there is none', async (t) => {
	const expected = `Basic ${Buffer.from('me:secret').toString('base64')}`;
	const server = await fake(t, (request, response) => {
		if (request.headers.authorization === expected) return false;
		response
			.writeHead(401, {'www-authenticate': 'Basic realm="test"'})
			.end('{"errors":[{"code":"UNAUTHORIZED"}]}');
		return true;
	});
	t.truthy(await repository(t, server.host, me).manifest('latest'));
	t.is(server.authorizations[0], undefined);
	await t.throwsAsync(repository(t, server.host).manifest('latest'), {
		code: 'denied',
		message: `Get "http://${server.host}/v2/x/manifests/latest": no basic auth credentials`,
	});
	const failure = await t.throwsAsync(
		repository(t, server.host, {...me, password: 'wrong'}).manifest('latest'),
	);
	t.is(failure!.message, 'unauthorized: authentication required');
});

test('a registry that never stops asking for authentication is asked twice', async (t) => {
	const server = await fake(t, (_request, response, host) => {
		if (_request.url?.startsWith('/token')) response.end('{"token":"t"}');
		else response.writeHead(401, {'www-authenticate': `Bearer realm="http://${host}/token"`}).end('{}');
		return true;
	});
	await t.throwsAsync(repository(t, server.host).manifest('latest'), {
		message: 'unauthorized: authentication required',
	});
	t.is(server.requests.filter((request) => request.includes('/manifests/')).length, 2);
});

test('tokens come from the realm with our scope, are kept, and replaced when they are refused', async (t) => {
	let valid = 'one';
	const server = await fake(t, (request, response, host) => {
		if (request.url?.startsWith('/token')) {
			response.end(JSON.stringify({token: valid, expires_in: 300}));
			return true;
		}
		if (request.headers.authorization === `Bearer ${valid}`) return false;
		response
			.writeHead(401, {
				'www-authenticate': `Bearer realm="http://${host}/token",service="reg",scope="repository:x:pull"`,
			})
			.end('{}');
		return true;
	});
	const from = repository(t, server.host, me);
	await from.manifest('latest');
	await from.manifest('latest');
	const tokens = () => server.requests.filter((request) => request.includes('/token'));
	t.deepEqual(tokens(), ['GET /token?service=reg&scope=repository%3Ax%3Apull&account=me']);
	const at = server.requests.findIndex((request) => request.includes('/token'));
	t.is(server.authorizations[at], `Basic ${Buffer.from('me:secret').toString('base64')}`);
	valid = 'two';
	await from.manifest('latest');
	t.is(tokens().length, 2);
});

test('an identity token is exchanged for a bearer token', async (t) => {
	let posted = '';
	const server = await fake(t, (request, response, host) => {
		if (request.url === '/token') {
			request.on('data', (chunk) => {
				posted += chunk;
			});
			request.on('end', () => response.end('{"access_token":"t"}'));
			return true;
		}
		if (request.headers.authorization === 'Bearer t') return false;
		response
			.writeHead(401, {'www-authenticate': `Bearer realm="http://${host}/token",service="reg"`})
			.end('{}');
		return true;
	});
	await repository(t, server.host, {username: '', password: '', identityToken: 'r&t'}).manifest('latest');
	t.is(new URLSearchParams(posted).get('refresh_token'), 'r&t');
	t.is(new URLSearchParams(posted).get('grant_type'), 'refresh_token');
});

test('a realm without encryption on another host gets no password', async (t) => {
	let asked = '';
	const proxy = await startFake((request, response) => {
		asked = `${request.url} ${request.headers.authorization}`;
		response.end('{"token":"t"}');
	});
	t.teardown(() => proxy.stop());
	const server = await fake(t, (request, response) => {
		if (request.headers.authorization === 'Bearer t') return false;
		response.writeHead(401, {'www-authenticate': 'Bearer realm="http://auth.example.com/token"'}).end('{}');
		return true;
	});
	await repository(t, server.host, me, {env: {http_proxy: `http://${proxy.host}`}}).manifest('latest');
	t.is(asked, 'http://auth.example.com/token?scope=repository%3Ax%3Apull undefined');
});

test('a redirect to another host does not get the credentials; to the same one it does', async (t) => {
	const other = await startFake((_request, response) => response.end(layer));
	t.teardown(() => other.stop());
	let to = '';
	const server = await fake(t, (request, response, host) => {
		if (request.headers.authorization === undefined) {
			response.writeHead(401, {'www-authenticate': 'Basic realm="x"'}).end('{}');
			return true;
		}
		if (request.url?.startsWith('/v2/x/blobs/')) {
			response.writeHead(307, {location: to || `http://${host}/elsewhere`}).end();
			return true;
		}
		if (request.url === '/elsewhere') {
			response.end(layer);
			return true;
		}
		return false;
	});
	t.deepEqual(await blob(repository(t, server.host, me)), layer);
	t.truthy(server.authorizations[server.requests.indexOf('GET /elsewhere')]);
	to = `http://${other.host}/blob`;
	t.deepEqual(await blob(repository(t, server.host, me)), layer);
	t.deepEqual(other.authorizations, [undefined]);
});

test('redirects in a circle end', async (t) => {
	const server = await fake(t, (request, response) => {
		if (!request.url?.includes('/manifests/')) return false;
		response.writeHead(302, {location: request.url}).end();
		return true;
	});
	await t.throwsAsync(repository(t, server.host).manifest('latest'), {message: /stopped after 10 redirects/});
});

test('a redirect to something that is not HTTP is refused', async (t) => {
	const server = await fake(t, (request, response) => {
		if (!request.url?.includes('/manifests/')) return false;
		response.writeHead(302, {location: 'file:///etc/passwd'}).end();
		return true;
	});
	await t.throwsAsync(repository(t, server.host).manifest('latest'), {
		message: /unsupported protocol scheme "file"/,
	});
});

const refusals: [
	status: number,
	body: string,
	headers: Record<string, string>,
	code: string,
	message: string,
][] = [
	[
		404,
		'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}',
		{},
		'not-found',
		'manifest for x:1 not found: manifest unknown: manifest unknown',
	],
	[
		404,
		'{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}',
		{},
		'not-found',
		'repository x not found: name unknown: repository name not known to registry',
	],
	[
		403,
		'{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}',
		{},
		'denied',
		"pull access denied for x, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
	],
	[
		429,
		'{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]}',
		{'retry-after': '100', 'ratelimit-limit': '100;w=21600'},
		'unavailable',
		'toomanyrequests: You have reached your pull rate limit. (the registry limits how often one may pull: it gives 100 pulls in 6 hours; try again in 2 minutes, log in for more with "wherry login", or name a mirror in registry-mirrors of daemon.json)',
	],
	[
		429,
		'slow down',
		{},
		'unavailable',
		'toomanyrequests: slow down (the registry limits how often one may pull: try again later, log in for more with "wherry login", or name a mirror in registry-mirrors of daemon.json)',
	],
	[404, '<html>\x1b[31m', {}, 'not-found', 'error parsing HTTP 404 response body: not JSON: "<html> [31m"'],
	[
		418,
		'[]',
		{},
		'unavailable',
		'error parsing HTTP 418 response body: no error details found in HTTP response body',
	],
];

test("a registry's refusals are said in docker's words", async (t) => {
	for (const [status, body, headers, code, message] of refusals) {
		const server = await fake(t, (request, response) => {
			if (request.url === '/v2/') return false;
			response.writeHead(status, headers).end(body);
			return true;
		});
		const failure = await t.throwsAsync(repository(t, server.host).manifest('1'), {
			instanceOf: RegistryFailure,
		});
		const described = describeFailure(failure as RegistryFailure, 'x', 'x:1');
		t.is(described.message, message);
		t.is(described.code, code as never);
	}
});

test('a token that does not suffice is a denied pull', async (t) => {
	const server = await fake(t, (request, response, host) => {
		if (request.url?.startsWith('/token')) response.end('{"token":"t"}');
		else
			response
				.writeHead(401, {
					'www-authenticate': `Bearer realm="http://${host}/token",error="insufficient_scope"`,
				})
				.end('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}');
		return true;
	});
	const failure = await t.throwsAsync(repository(t, server.host).manifest('1'), {
		instanceOf: RegistryFailure,
	});
	t.is(
		describeFailure(failure as RegistryFailure, 'x', 'x:1').message,
		"pull access denied for x, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
	);
});

test('a certificate that nobody vouches for is refused but on the loopback device', async (t) => {
	const {key, cert} = makeCertificate();
	const server = createTlsServer({key, cert}, (request, response) => {
		if (!serveImage(image, request, response)) response.writeHead(404).end();
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	t.teardown(() => server.close());
	const {port} = server.address() as AddressInfo;
	t.truthy(await repository(t, `127.0.0.1:${port}`).manifest('latest'));
	const transport = new Transport({stallTimeout: 30_000, env: {}});
	t.teardown(() => transport.close());
	await t.throwsAsync(transport.request(new URL(`https://127.0.0.1:${port}/v2/`)), {
		message: `Get "https://127.0.0.1:${port}/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority`,
	});
});

test('plain HTTP where TLS is expected is told from other faults', async (t) => {
	const server = await fake(t);
	const transport = new Transport({stallTimeout: 30_000, env: {}});
	t.teardown(() => transport.close());
	await t.throwsAsync(transport.request(new URL(`https://${server.host}/v2/`)), {
		message: `Get "https://${server.host}/v2/": http: server gave HTTP response to HTTPS client`,
	});
});

test('a proxy is used for other hosts, never for this one', async (t) => {
	const seen: string[] = [];
	const proxy = await startFake((request, response) => {
		seen.push(request.url!);
		response.end('{}');
	});
	t.teardown(() => proxy.stop());
	const transport = new Transport({
		stallTimeout: 30_000,
		env: {HTTP_PROXY: `http://u:p@${proxy.host}`, NO_PROXY: 'direct.invalid'},
	});
	t.teardown(() => transport.close());
	const response = await transport.request(new URL('http://example.invalid/v2/?a=b'));
	t.is(response.status, 200);
	response.body.resume();
	t.deepEqual(seen, ['http://example.invalid/v2/?a=b']);
	await t.throwsAsync(transport.request(new URL('http://direct.invalid/')), {code: 'unavailable'});
	const server = await fake(t);
	(await transport.request(new URL(`http://${server.host}/v2/`))).body.resume();
	t.is(seen.length, 1);
});

test('what is encrypted goes through a tunnel of the proxy, which sees none of it', async (t) => {
	const registry = createTlsServer(makeCertificate('10.0.0.1'), (request, response) => {
		if (!serveImage(image, request, response)) response.writeHead(404).end();
	});
	await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
	t.teardown(() => registry.close());
	const {port} = registry.address() as AddressInfo;
	const {key, cert} = makeCertificate();
	const folder = temporaryFolder(t);
	writeFileSync(join(folder, 'ca.pem'), cert);
	for (const scheme of ['http', 'https']) {
		const asked: [string, string | undefined][] = [];
		const proxy = scheme === 'http' ? createHttpServer() : createTlsServer({key, cert});
		proxy.on('connect', (request: IncomingMessage, socket: Socket) => {
			asked.push([request.url!, request.headers['proxy-authorization']]);
			if (!request.url!.startsWith('10.0.0.1:')) {
				socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
				return;
			}
			const to = connect(port, '127.0.0.1', () => {
				socket.write('HTTP/1.1 200 OK\r\n\r\n');
				to.pipe(socket).pipe(to);
			});
			to.on('error', () => socket.destroy());
			socket.on('error', () => to.destroy());
		});
		await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
		const at = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
		const env = {HTTPS_PROXY: `${scheme}://u:p@${at}`, SSL_CERT_FILE: join(folder, 'ca.pem')};
		const transport = new Transport({stallTimeout: 30_000, env});
		const response = await transport.request(new URL('https://10.0.0.1:5000/v2/'), {insecure: true});
		t.is(response.status, 200);
		response.body.resume();
		t.deepEqual(asked, [['10.0.0.1:5000', `Basic ${Buffer.from('u:p').toString('base64')}`]]);
		await t.throwsAsync(transport.request(new URL('https://other.invalid/v2/')), {
			message: `Get "https://other.invalid/v2/": the proxy ${at} answered 403 Forbidden`,
		});
		transport.close();
		await new Promise((resolve) => proxy.close(resolve));
		const gone = new Transport({stallTimeout: 30_000, env});
		await t.throwsAsync(gone.request(new URL('https://10.0.0.1:5000/v2/')), {
			message: `Get "https://10.0.0.1:5000/v2/": proxyconnect tcp: dial tcp ${at}: connect: connection refused`,
		});
		gone.close();
	}
	for (const [name, reason] of [
		['socks5://u:secret@x', 'unsupported scheme "socks5"'],
		['http://u:secret@[', 'it is not a URL'],
	] as const) {
		const transport = new Transport({stallTimeout: 30_000, env: {HTTPS_PROXY: name}});
		await t.throwsAsync(async () => transport.request(new URL('https://example.invalid/v2/')), {
			message: `invalid proxy address: ${reason}`,
		});
		transport.close();
	}
});

test('which hosts are this machine, and which NO_PROXY names', (t) => {
	for (const host of ['localhost', '127.0.0.1', '127.9.9.9', '[::1]', 'a.localhost'])
		t.true(isLoopback(host), host);
	for (const host of ['127.0.0.1.example.com', 'localhost.com', '10.0.0.1', '[::2]'])
		t.false(isLoopback(host), host);
	const url = new URL('https://reg.example.com:5000/');
	for (const list of ['example.com', '.example.com', 'reg.example.com', '*', 'a, example.com:5000'])
		t.true(bypassesProxy(url, list), list);
	for (const list of ['', 'xample.com', 'example.com:443', 'other.com'])
		t.false(bypassesProxy(url, list), list);
});
