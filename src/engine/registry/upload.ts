/** The pushing half of the OCI distribution specification 1.1 ("Pushing Blobs", "Pushing Manifests"). */
import {createReadStream} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {WherryError} from '../errors.ts';
import {isTransient, type Repository} from './client.ts';
import {RegistryFailure} from './failure.ts';
import type {Response, Transport} from './transport.ts';

const largestAnswer = 64 << 10;
/** Attempts that bring no byte over before an upload is given up. */
const attempts = 5;

export class Upload {
	readonly #transport: Transport;
	readonly #repository: Repository;

	constructor(transport: Transport, repository: Repository) {
		this.#transport = transport;
		this.#repository = repository;
	}

	/** Whether the repository has the blob. */
	async has(digest: string, signal?: AbortSignal): Promise<boolean> {
		const response = await this.#repository.send({
			target: `blobs/${digest}`,
			method: 'HEAD',
			signal,
			statuses: [404],
		});
		response.body.destroy();
		return response.status !== 404;
	}

	/** Takes the blob over from another repository of the registry; false when the registry wants it sent. */
	async mount(digest: string, from: string, signal?: AbortSignal): Promise<boolean> {
		const query = new URLSearchParams({mount: digest, from});
		const response = await this.#send({
			target: `blobs/uploads/?${query}`,
			method: 'POST',
			sources: [from],
			signal,
			// Whoever may not read the other repository sends the bytes.
			statuses: [401, 403, 404],
		});
		if (response.status === 201) return true;
		// It has begun an upload instead, which nobody will go on with.
		if (response.status === 202) await this.#forget(response, signal);
		return false;
	}

	/**
	 * Sends a file as a blob. What breaks off goes on where it was. `onProgress` gets the bytes that have gone out.
	 */
	async send(
		file: string,
		blob: {digest: string; size: number},
		options: {signal?: AbortSignal | undefined; onProgress?: (sent: number) => void} = {},
	): Promise<void> {
		const {signal, onProgress} = options;
		const begun = await this.#send({target: 'blobs/uploads/', method: 'POST', signal});
		let place = locationOf(begun);
		let at = 0;
		for (let failed = 0; at < blob.size; ) {
			const before = at;
			try {
				const response = await this.#send({
					target: place,
					method: 'PATCH',
					headers: {
						'content-type': 'application/octet-stream',
						'content-length': String(blob.size - at),
						...(at > 0 ? {'content-range': `${at}-${blob.size - 1}`} : {}),
					},
					body: () => {
						let sent = at;
						return createReadStream(file, {start: at, highWaterMark: 256 << 10}).on('data', (chunk) => {
							sent += chunk.length;
							onProgress?.(sent);
						});
					},
					signal,
				});
				place = locationOf(response);
				at = blob.size;
			} catch (error) {
				if (signal?.aborted || !isTransient(error)) throw error;
				const status = await this.#status(place, signal);
				at = status.received;
				place = status.place;
				failed = at > before ? 1 : failed + 1;
				if (failed >= attempts) throw error;
				await sleep(this.#transport.retryDelay * 2 ** (failed - 1), undefined, signal ? {signal} : {});
			}
		}
		place.searchParams.set('digest', blob.digest);
		await this.#send({target: place, method: 'PUT', headers: {'content-length': '0'}, signal});
	}

	/** Stores a manifest under a tag or its digest. */
	async manifest(tagOrDigest: string, mediaType: string, bytes: Buffer, signal?: AbortSignal): Promise<void> {
		await this.#send({
			target: `manifests/${tagOrDigest}`,
			method: 'PUT',
			headers: {'content-type': mediaType, 'content-length': String(bytes.length)},
			body: bytes,
			signal,
		});
	}

	/** Whether the repository has this manifest under the tag or digest. */
	async hasManifest(
		tagOrDigest: string,
		mediaType: string,
		digest: string,
		signal?: AbortSignal,
	): Promise<boolean> {
		const response = await this.#repository.send({
			target: `manifests/${tagOrDigest}`,
			method: 'HEAD',
			headers: {accept: mediaType},
			signal,
			statuses: [404],
		});
		response.body.destroy();
		return response.status !== 404 && response.headers['docker-content-digest'] === digest;
	}

	async #send(request: Parameters<Repository['send']>[0]): Promise<Response> {
		const response = await this.#repository.send(request);
		await this.#transport.read(response, largestAnswer);
		return response;
	}

	/** How much of an upload has arrived. */
	async #status(place: URL, signal?: AbortSignal): Promise<{received: number; place: URL}> {
		const response = await this.#send({target: place, method: 'GET', signal});
		const end = /^(?:bytes=)?0-(\d+)$/.exec(response.headers.range ?? '')?.[1];
		const moved = response.headers.location === undefined ? place : locationOf(response);
		// `0-0` is written for nothing at all, too: a byte more or less is sent again.
		return {received: end === undefined || end === '0' ? 0 : Number(end) + 1, place: moved};
	}

	async #forget(response: Response, signal?: AbortSignal): Promise<void> {
		try {
			await this.#send({target: locationOf(response), method: 'DELETE', signal});
		} catch (error) {
			if (!(error instanceof RegistryFailure)) throw error;
		}
	}
}

function locationOf(response: Response): URL {
	const {location} = response.headers;
	if (location === undefined || !URL.canParse(location, response.url.href)) {
		throw new WherryError(
			'unavailable',
			`the registry ${response.url.host} did not say where an upload goes`,
			{
				object: response.url.host,
			},
		);
	}
	const url = new URL(location, response.url.href);
	if (response.url.protocol === 'https:' && url.protocol !== 'https:') {
		throw new WherryError('unavailable', `refused to upload to ${url.origin}, which is not encrypted`, {
			object: response.url.host,
		});
	}
	return url;
}
