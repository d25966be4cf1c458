/** Registries for tests: Debian's docker-registry on a free loopback port, and an HTTP server that misbehaves. */
import {spawn, spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {createServer, type IncomingMessage, type RequestListener, type ServerResponse} from 'node:http';
import {type AddressInfo, connect, createServer as createTcpServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';

export interface Registry {
	/** `127.0.0.1:PORT` */
	readonly host: string;
	stop(): Promise<void>;
}

async function freePort(): Promise<number> {
	const server = createTcpServer();
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const {port} = server.address() as AddressInfo;
	await new Promise((resolve) => server.close(resolve));
	return port;
}

async function waitForPort(port: number, alive: () => boolean): Promise<void> {
	while (alive()) {
		const open = await new Promise<boolean>((resolve) => {
			const socket = connect(port, '127.0.0.1');
			socket.on('connect', () => {
				socket.destroy();
				resolve(true);
			});
			socket.on('error', () => resolve(false));
		});
		if (open) return;
		await sleep(20);
	}
	throw new Error('docker-registry has ended');
}

/** `htpasswd` is a line of bcrypt, as htpasswd -B writes it; without one everybody may do everything. */
export async function startRegistry(options: {htpasswd?: string} = {}): Promise<Registry> {
	const folder = mkdtempSync(join(tmpdir(), 'wherry-registry-'));
	const port = await freePort();
	const host = `127.0.0.1:${port}`;
	let auth = '';
	if (options.htpasswd) {
		writeFileSync(join(folder, 'htpasswd'), `${options.htpasswd}\n`);
		auth = `auth:\n  htpasswd:\n    realm: test\n    path: ${join(folder, 'htpasswd')}\n`;
	}
	writeFileSync(
		join(folder, 'config.yml'),
		`version: 0.1
log:
  level: error
  accesslog:
    disabled: true
storage:
  filesystem:
    rootdirectory: ${join(folder, 'data')}
  delete:
    enabled: true
http:
  addr: ${host}
${auth}`,
	);
	const child = spawn('docker-registry', ['serve', join(folder, 'config.yml')], {stdio: 'ignore'});
	const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
	await waitForPort(port, () => child.exitCode === null && child.signalCode === null);
	return {
		host,
		async stop() {
			child.kill('SIGTERM');
			await ended;
			rmSync(folder, {recursive: true, force: true});
		},
	};
}

/** Runs skopeo and returns what it says. */
export function skopeo(...argv: string[]): string {
	const result = spawnSync('skopeo', argv, {encoding: 'utf8'});
	if (result.status !== 0) throw new Error(`skopeo ${argv.join(' ')}: ${result.stderr}`);
	return result.stdout;
}

/** Copies an image of an OCI layout into a registry under `repository:tag`. */
export function push(layout: string, registry: Registry, name: string, ...options: string[]): string {
	skopeo(
		'copy',
		'-q',
		'--dest-tls-verify=false',
		...options,
		`oci:${layout}`,
		`docker://${registry.host}/${name}`,
	);
	return `${registry.host}/${name}`;
}

/** A server on a free loopback port that answers as the test says, and counts what it was asked. */
export interface FakeRegistry extends Registry {
	/** `METHOD URL`, in order. */
	readonly requests: string[];
	/** The Authorization header of each request. */
	readonly authorizations: (string | undefined)[];
	readonly ranges: (string | undefined)[];
}

export async function startFake(
	answer: (request: IncomingMessage, response: ServerResponse, host: string) => void,
): Promise<FakeRegistry> {
	const requests: string[] = [];
	const authorizations: (string | undefined)[] = [];
	const ranges: (string | undefined)[] = [];
	let host = '';
	const listener: RequestListener = (request, response) => {
		requests.push(`${request.method} ${request.url}`);
		authorizations.push(request.headers.authorization);
		ranges.push(request.headers.range);
		answer(request, response, host);
	};
	const server = createServer(listener);
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
	return {
		host,
		requests,
		authorizations,
		ranges,
		async stop() {
			const closed = new Promise((resolve) => server.close(resolve));
			server.closeAllConnections();
			await closed;
		},
	};
}

export const digestOf = (bytes: Uint8Array | string): string =>
	`sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** The documents of one image that a fake registry serves. */
export interface FakeImage {
	readonly manifest: Buffer;
	readonly blobs: ReadonlyMap<string, Buffer>;
}

/** `layers` are blobs; `diffIds` those of their content, when they are compressed. */
export function fakeImage(
	layers: readonly Buffer[],
	diffIds = layers.map(digestOf),
	config: object = {},
): FakeImage {
	const configuration = Buffer.from(
		JSON.stringify({
			architecture: 'amd64',
			os: 'linux',
			config: {Cmd: ['sh']},
			rootfs: {type: 'layers', diff_ids: diffIds},
			...config,
		}),
	);
	const manifest = Buffer.from(
		JSON.stringify({
			schemaVersion: 2,
			mediaType: 'application/vnd.oci.image.manifest.v1+json',
			config: {
				mediaType: 'application/vnd.oci.image.config.v1+json',
				digest: digestOf(configuration),
				size: configuration.length,
			},
			layers: layers.map((layer) => ({
				mediaType: 'application/vnd.oci.image.layer.v1.tar',
				digest: digestOf(layer),
				size: layer.length,
			})),
		}),
	);
	return {manifest, blobs: new Map([configuration, ...layers].map((blob) => [digestOf(blob), blob]))};
}

/** Serves a fake image well; false when the request is for something else. */
export function serveImage(image: FakeImage, request: IncomingMessage, response: ServerResponse): boolean {
	const {url = ''} = request;
	if (url === '/v2/') {
		response.end('{}');
		return true;
	}
	if (url.includes('/manifests/')) {
		response.setHeader('content-type', 'application/vnd.oci.image.manifest.v1+json');
		response.end(image.manifest);
		return true;
	}
	const blob = image.blobs.get(url.split('/blobs/')[1] ?? '');
	if (!blob) return false;
	const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? Number.NaN);
	if (Number.isNaN(start)) response.end(blob);
	else {
		response.writeHead(206, {'content-range': `bytes ${start}-${blob.length - 1}/${blob.length}`});
		response.end(blob.subarray(start));
	}
	return true;
}

/** Writes an OCI layout with one uncompressed image of these tar layers; returns its folder. */
export function writeLayout(folder: string, layers: readonly Buffer[], config: object = {}): string {
	const image = fakeImage(layers, layers.map(digestOf), config);
	mkdirSync(join(folder, 'blobs', 'sha256'), {recursive: true});
	const blobs = [...image.blobs, [digestOf(image.manifest), image.manifest] as const];
	for (const [digest, bytes] of blobs) writeFileSync(join(folder, 'blobs', 'sha256', digest.slice(7)), bytes);
	writeFileSync(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
	const descriptor = {
		mediaType: 'application/vnd.oci.image.manifest.v1+json',
		digest: digestOf(image.manifest),
		size: image.manifest.length,
		annotations: {'org.opencontainers.image.ref.name': 'latest'},
	};
	writeFileSync(join(folder, 'index.json'), JSON.stringify({schemaVersion: 2, manifests: [descriptor]}));
	return `${folder}:latest`;
}
