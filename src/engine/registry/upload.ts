/** The pushing half of the OCI distribution specification 1.1 ("Pushing Blobs", "Pushing Manifests"). */
import {createReadStream} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {WherryError} from '../errors.ts';
import {isTransient, type Repository} from './client.ts';
import {RegistryFailure} from './failure.ts';
import type {Response, Transport} from './transport.ts';
import type {UnfinishedUploads} from './unfinished.ts';

const largestAnswer = 64 << 10;
/** Attempts that bring no byte over before an upload is given up. */
const attempts = 5;

export class Upload {
	readonly #transport: Transport;
	readonly #repository: Repository;
	readonly #unfinished: UnfinishedUploads | undefined;

	/** With `unfinished` a later process goes on with what this one has begun. */
	constructor(transport: Transport, repository: Repository, unfinished?: UnfinishedUploads) {
		this.#transport = transport;
		this.#repository = repository;
		this.#unfinished = unfinished;
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
	 * Sends a file as a blob. What breaks off goes on where it was, as far as the registry lets it: also what an earlier
	 * process has begun. `onProgress` gets the bytes that have gone out.
	 */
	async send(
		file: string,
		blob: {digest: string; size: number},
		options: {signal?: AbortSignal | undefined; onProgress?: (sent: number) => void} = {},
	): Promise<void> {
		const {signal} = options;
		const {digest, size} = blob;
		let place = this.#unfinished?.claim(digest);
		let isOld = place !== undefined;
		let failed = 0;
		for (let at = 0; ; ) {
			try {
				if (place) {
					const before = at;
					({received: at, place} = await this.#progress(place, size, signal));
					if (at > before) failed = 0;
				}
				if (!place) {
					// A registry that took all of it may have been slow to say so.
					if (failed > 0 && (await this.has(digest, signal))) break;
					const begun = await this.#send({target: 'blobs/uploads/', method: 'POST', signal});
					[place, at] = [locationOf(begun), 0];
				}
				await this.#unfinished?.note(digest, place);
				if (at < size) place = await this.#patch(place, file, {at, size}, options);
				const last = new URL(place);
				last.searchParams.set('digest', digest);
				await this.#send({target: last, method: 'PUT', headers: {'content-length': '0'}, signal});
				break;
			} catch (error) {
				// What has arrived is for the next process.
				if (signal?.aborted) throw error;
				if (isOld && error instanceof RegistryFailure && !isTransient(error)) {
					[place, isOld] = [undefined, false];
					continue;
				}
				if (!isTransient(error) || ++failed >= attempts) throw error;
				await sleep(this.#transport.retryDelay * 2 ** (failed - 1), undefined, signal ? {signal} : {});
			}
		}
		this.#unfinished?.forget(digest);
	}

	/** Sends the rest of a file; gives where the upload goes on. */
	async #patch(
		place: URL,
		file: string,
		{at, size}: {at: number; size: number},
		{signal, onProgress}: {signal?: AbortSignal | undefined; onProgress?: (sent: number) => void},
	): Promise<URL> {
		const response = await this.#send({
			target: place,
			method: 'PATCH',
			headers: {
				'content-type': 'application/octet-stream',
				'content-length': String(size - at),
				...(at > 0 ? {'content-range': `${at}-${size - 1}`} : {}),
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
		return locationOf(response);
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

	/**
	 * How much of an upload has arrived, and where it goes on; no place: it has to begin anew. Distribution up to 2.8
	 * takes nothing more after a request that broke off, as its signed place names another offset than it then has.
	 */
	async #progress(
		place: URL,
		size: number,
		signal?: AbortSignal,
	): Promise<{received: number; place: URL | undefined}> {
		try {
			const response = await this.#send({target: place, method: 'GET', signal});
			const end = /^(?:bytes=)?0-(\d+)$/.exec(response.headers.range ?? '')?.[1];
			const moved = response.headers.location === undefined ? place : locationOf(response);
			// `0-0` is written for nothing at all, too: a byte more or less is sent again.
			const received = end === undefined || end === '0' ? 0 : Number(end) + 1;
			return received > size ? {received: 0, place: undefined} : {received, place: moved};
		} catch (error) {
			if (error instanceof RegistryFailure && !isTransient(error)) return {received: 0, place: undefined};
			throw error;
		}
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
