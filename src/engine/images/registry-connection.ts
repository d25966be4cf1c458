/** A repository of a registry for work on manifests alone, and what docker says of what goes wrong with it. */
import {isErrno, WherryError} from '../errors.ts';
import type {Locks} from '../locks.ts';
import type {Paths} from '../paths.ts';
import {Repository} from '../registry/client.ts';
import type {CredentialSource} from '../registry/credentials.ts';
import {RegistryFailure} from '../registry/failure.ts';
import {Transport, type TransportOptions} from '../registry/transport.ts';
import {familiar, type Reference} from './reference.ts';

export interface ListOptions {
	readonly paths: Paths;
	readonly locks: Locks;
	readonly credentials: CredentialSource;
	readonly transport?: TransportOptions;
}

export const noSuchManifest = (name: string, message = `No such manifest: ${name}`): WherryError =>
	new WherryError('not-found', message, {object: name});

/** The connection is closed when the work is done. */
export async function connected<T>(
	options: Omit<ListOptions, 'paths' | 'locks'>,
	reference: Reference,
	{insecure = false, push = false}: {insecure?: boolean; push?: boolean},
	work: (repository: Repository, transport: Transport) => Promise<T>,
): Promise<T> {
	const base = new Transport(options.transport);
	const {domain, path} = reference;
	const settings = {...base.settings, insecure: [...base.settings.insecure, domain]};
	const transport = insecure ? new Transport({...options.transport, settings}) : base;
	try {
		const access = push ? ({access: 'pull,push'} as const) : {};
		return await work(new Repository(transport, domain, path, options.credentials, access), transport);
	} catch (error) {
		if (error instanceof RegistryFailure) {
			const missing = error.status === 404;
			throw missing
				? noSuchManifest(familiar(reference), `no such manifest: ${familiar(reference)}`)
				: new WherryError(
						error.status === 401 || error.status === 403 ? 'denied' : 'unavailable',
						error.message,
						{
							object: familiar(reference),
							cause: error,
						},
					);
		}
		if (isErrno(error, 'ENOSPC')) throw new WherryError('exhausted', error.message, {cause: error});
		throw error;
	} finally {
		transport.close();
		if (transport !== base) base.close();
	}
}
