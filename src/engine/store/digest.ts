/**
 * Digests, `algorithm:hex`, by the rules of the OCI image specification (descriptor.md, "Digests"). A digest
 * becomes a file name, so nothing else than a digest that these rules accept may reach the store.
 */
import {native} from '../../kernel/native.ts';
import {WherryError} from '../errors.ts';

const hexLengths: Readonly<Record<string, number>> = {sha256: 64, sha384: 96, sha512: 128};

const grammar = /^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/;
const stored = /^sha256:[a-f0-9]{64}$/;

/** Returns its argument. Throws `invalid`: `invalid checksum digest format`, `... length`, `unsupported digest algorithm`. */
export function parseDigest(text: string): string {
	const fail = (message: string) => new WherryError('invalid', message, {object: text});
	const colon = text.indexOf(':');
	if (colon <= 0 || colon + 1 === text.length) throw fail('invalid checksum digest format');
	const length = Object.hasOwn(hexLengths, text.slice(0, colon))
		? hexLengths[text.slice(0, colon)]
		: undefined;
	if (length === undefined)
		throw fail(grammar.test(text) ? 'unsupported digest algorithm' : 'invalid checksum digest format');
	const encoded = text.slice(colon + 1);
	if (encoded.length !== length) throw fail('invalid checksum digest length');
	if (!/^[a-f0-9]+$/.test(encoded)) throw fail('invalid checksum digest format');
	return text;
}

/** In place of an image's id for what has layers only: the steps of builds. */
export const noImageId = `sha256:${'0'.repeat(64)}`;

/** Whether the store can hold it: sha256, lower-case hex. */
export const isDigest = (value: unknown): value is string => typeof value === 'string' && stored.test(value);

/** The hex of a digest that the store can hold. Throws `invalid` for everything else. */
export function digestHex(digest: string): string {
	if (!isDigest(digest))
		throw new WherryError('invalid', `invalid digest: ${JSON.stringify(String(digest).slice(0, 200))}`, {
			object: digest,
		});
	return digest.slice(7);
}

export const sha256 = (bytes: Uint8Array | string): string =>
	native.sha256(typeof bytes === 'string' ? Buffer.from(bytes) : bytes);

/** docker's short form of an id or a digest: 12 hex digits. */
export const shortId = (digest: string): string => digest.slice(digest.indexOf(':') + 1).slice(0, 12);

/** The chain ids of layers, lowest first: the first diff id, then sha256("<chain id> <diff id>"). */
export function chainIds(diffIds: readonly string[]): string[] {
	const chain: string[] = [];
	for (const diffId of diffIds) {
		const below = chain.at(-1);
		chain.push(below === undefined ? diffId : sha256(`${below} ${diffId}`));
	}
	return chain;
}
