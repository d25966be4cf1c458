/** Stands before a real registry, counts what it is asked for, and breaks uploads off where a test says. */
import {createServer, request as send} from 'node:http';
import type {AddressInfo} from 'node:net';
import type {Registry} from './registry.ts';

export interface RegistryProxy extends Registry {
	/** `METHOD PATH` of what has come since the last `take`, in order. */
	take(): string[];
	/** The next requests PATCH with larger bodies are broken off after so many bytes. */
	readonly cuts: number[];
}

export async function startProxy(registry: Registry): Promise<RegistryProxy> {
	const [, port] = registry.host.split(':');
	const requests: string[] = [];
	const cuts: number[] = [];
	const server = createServer((request, response) => {
		const {method, headers, url = ''} = request;
		requests.push(`${method} ${url.split('?')[0]}`);
		const isLong =
			method === 'PATCH' && Number(headers['content-length']) > (cuts[0] ?? Number.POSITIVE_INFINITY);
		const cut = isLong ? cuts.shift() : undefined;
		const forwarded = send({host: '127.0.0.1', port, method, path: url, headers}, (answer) => {
			response.writeHead(answer.statusCode!, answer.headers);
			answer.pipe(response);
		});
		forwarded.on('error', () => request.socket.destroy());
		let passed = 0;
		request.on('data', (chunk: Buffer) => {
			passed += chunk.length;
			forwarded.write(chunk);
			if (cut === undefined || passed < cut) return;
			request.socket.destroy();
		});
		request.on('end', () => forwarded.end());
		request.on('close', () => {
			if (!request.complete) forwarded.destroy();
		});
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	return {
		host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
		cuts,
		take: () => requests.splice(0),
		async stop() {
			const closed = new Promise((resolve) => server.close(resolve));
			server.closeAllConnections();
			await closed;
		},
	};
}
