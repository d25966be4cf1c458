/**
 * Uploads that have begun and are not done, so that the next process goes on with them: a file for each, which says
 * where the registry takes the bytes. A place counts once its process is gone, and only for one that comes after.
 */
import {createHash} from 'node:crypto';
import {lstatSync, readdirSync, readFileSync, renameSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {randomHex} from '../../kernel/random.ts';
import {isErrno} from '../errors.ts';
import type {Paths} from '../paths.ts';
import {isIdentityAlive, ownIdentity, type ProcessIdentity} from '../processes.ts';
import {replaceFile} from '../store/files.ts';

/** Milliseconds; registries forget what lies about for about as long. */
const life = 7 * 24 * 3600 * 1000;

interface Record {
	readonly place: string;
	readonly owner: ProcessIdentity;
}

export class UnfinishedUploads {
	readonly #folder: string;
	readonly #repository: string;

	/** `repository`: domain and path of a reference. */
	constructor(paths: Paths, repository: string) {
		this.#folder = join(paths.cache, 'uploads');
		this.#repository = repository;
	}

	/** Where an upload of the blob goes on that nobody works on any more. It is the caller's from now on. */
	claim(digest: string): URL | undefined {
		const path = this.#path(digest);
		const taken = `${path}.${randomHex(4)}`;
		try {
			const {place, owner} = JSON.parse(readFileSync(path, 'utf8')) as Record;
			if (isIdentityAlive(owner)) return undefined;
			// Of two that come at once only one can rename it.
			renameSync(path, taken);
			rmSync(taken);
			return URL.canParse(place) ? new URL(place) : undefined;
		} catch (error) {
			if (error instanceof SyntaxError || error instanceof TypeError || isErrno(error, 'ENOENT'))
				return undefined;
			throw error;
		}
	}

	/** Nothing is lost when it can't be written: then the next process begins anew. */
	async note(digest: string, place: URL): Promise<void> {
		const record: Record = {place: place.href, owner: ownIdentity()};
		await replaceFile(this.#path(digest), JSON.stringify(record), {sync: false}).catch(() => {});
		this.#forgetOld();
	}

	forget(digest: string): void {
		rmSync(this.#path(digest), {force: true});
	}

	#path(digest: string): string {
		return join(this.#folder, createHash('sha256').update(`${this.#repository}@${digest}`).digest('hex'));
	}

	#forgetOld(): void {
		try {
			for (const name of readdirSync(this.#folder)) {
				const path = join(this.#folder, name);
				const found = lstatSync(path, {throwIfNoEntry: false});
				if (found && Date.now() - found.mtimeMs > life) rmSync(path, {force: true});
			}
		} catch (error) {
			if (!isErrno(error, 'ENOENT')) throw error;
		}
	}
}
