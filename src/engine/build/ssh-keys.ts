/**
 * Private keys of SSH as files hold them, and what they sign. Formats: PROTOCOL.key of OpenSSH, PEM for what
 * node:crypto reads; public keys and signatures are those of RFC 4253 (section 6.6), RFC 5656, RFC 8332, RFC 8709.
 */
import {createPrivateKey, type JsonWebKey, type KeyObject, sign} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {WherryError} from '../errors.ts';

/** Flags of a request to sign (draft-miller-ssh-agent, section 3.6.1). */
const sha256Flag = 2;
const sha512Flag = 4;

const curves: Record<string, {name: string; hash: string}> = {
	'P-256': {name: 'nistp256', hash: 'sha256'},
	'P-384': {name: 'nistp384', hash: 'sha384'},
	'P-521': {name: 'nistp521', hash: 'sha512'},
};

export interface SshKey {
	/** The public key, as servers and agents know it. */
	readonly blob: Buffer;
	readonly comment: string;
	/** A signature with its type in front. */
	sign(data: Buffer, flags: number): Buffer;
}

export const sshString = (value: Buffer | string): Buffer => {
	const bytes = Buffer.from(value);
	const size = Buffer.alloc(4);
	size.writeUInt32BE(bytes.length);
	return Buffer.concat([size, bytes]);
};

/** A number that is not negative, without zeros in front but where the first bit would say otherwise. */
function sshNumber(value: Buffer): Buffer {
	let from = 0;
	while (from < value.length && value[from] === 0) from++;
	const bytes = value.subarray(from);
	return sshString(bytes.length > 0 && bytes[0]! >= 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes);
}

/** Takes strings and numbers off a message's front. Throws RangeError at its end. */
export class SshReader {
	#rest: Buffer;

	constructor(bytes: Buffer) {
		this.#rest = bytes;
	}

	bytes(size: number): Buffer {
		if (size > this.#rest.length) throw new RangeError('the message ends early');
		const taken = this.#rest.subarray(0, size);
		this.#rest = this.#rest.subarray(size);
		return taken;
	}

	number(): number {
		return this.bytes(4).readUInt32BE();
	}

	string(): Buffer {
		return this.bytes(this.number());
	}
}

const field = (bytes: Buffer): string => bytes.toString('base64url');

/** Without the zero that keeps it from being negative. */
const unsigned = (bytes: Buffer): Buffer => (bytes[0] === 0 ? bytes.subarray(1) : bytes);

function remainder(value: Buffer, prime: Buffer): Buffer {
	const number = (bytes: Buffer): bigint => BigInt(`0x0${bytes.toString('hex')}`);
	const hex = (number(value) % (number(prime) - 1n)).toString(16);
	return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
}

class EncryptedKey extends Error {}

/** The first key of an `OPENSSH PRIVATE KEY`. */
function parseOpenSsh(bytes: Buffer): {key: JsonWebKey; comment: string} {
	const magic = 'openssh-key-v1\0';
	if (bytes.toString('latin1', 0, magic.length) !== magic)
		throw new Error('invalid openssh private key format');
	const outer = new SshReader(bytes.subarray(magic.length));
	const cipher = outer.string().toString();
	if (cipher !== 'none') throw new EncryptedKey();
	outer.string();
	outer.string();
	if (outer.number() < 1) throw new Error('no key in it');
	outer.string();
	const inner = new SshReader(outer.string());
	const checks = [inner.number(), inner.number()];
	if (checks[0] !== checks[1]) throw new Error('malformed OpenSSH key');
	const type = inner.string().toString();
	const done = (key: JsonWebKey) => ({key, comment: inner.string().toString()});
	if (type === 'ssh-ed25519') {
		const x = inner.string();
		return done({kty: 'OKP', crv: 'Ed25519', x: field(x), d: field(inner.string().subarray(0, 32))});
	}
	if (type === 'ssh-rsa') {
		const [n, e, d, qi, p, q] = Array.from({length: 6}, () => unsigned(inner.string())) as [
			Buffer,
			Buffer,
			Buffer,
			Buffer,
			Buffer,
			Buffer,
		];
		return done({
			kty: 'RSA',
			...{n: field(n), e: field(e), d: field(d), qi: field(qi), p: field(p), q: field(q)},
			dp: field(remainder(d, p)),
			dq: field(remainder(d, q)),
		});
	}
	const crv = Object.keys(curves).find((name) => type === `ecdsa-sha2-${curves[name]!.name}`);
	if (!crv) throw new Error(`unsupported key type ${JSON.stringify(type)}`);
	inner.string();
	const point = inner.string();
	const size = (point.length - 1) / 2;
	const d = unsigned(inner.string());
	return done({
		kty: 'EC',
		crv,
		x: field(point.subarray(1, 1 + size)),
		y: field(point.subarray(1 + size)),
		d: field(Buffer.concat([Buffer.alloc(Math.max(0, size - d.length)), d])),
	});
}

function keyOf(key: KeyObject, comment: string): SshKey {
	const {kty, crv = '', n = '', e = '', x = '', y = ''} = key.export({format: 'jwk'});
	const part = (text: string): Buffer => Buffer.from(text, 'base64url');
	if (kty === 'OKP' && crv === 'Ed25519') {
		const type = sshString('ssh-ed25519');
		return {
			blob: Buffer.concat([type, sshString(part(x))]),
			comment,
			sign: (data) => Buffer.concat([type, sshString(sign(null, data, key))]),
		};
	}
	if (kty === 'RSA') {
		return {
			blob: Buffer.concat([sshString('ssh-rsa'), sshNumber(part(e)), sshNumber(part(n))]),
			comment,
			sign(data, flags) {
				// Without a flag it is SHA-1, which old servers want, and which is theirs to refuse.
				const bits = flags & sha512Flag ? '512' : flags & sha256Flag ? '256' : '1';
				const type = bits === '1' ? 'ssh-rsa' : `rsa-sha2-${bits}`;
				return Buffer.concat([sshString(type), sshString(sign(`sha${bits}`, data, key))]);
			},
		};
	}
	const curve = kty === 'EC' ? curves[crv] : undefined;
	if (!curve) throw new Error(`unsupported key type ${JSON.stringify(crv || kty)}`);
	const type = sshString(`ecdsa-sha2-${curve.name}`);
	const point = Buffer.concat([Buffer.from([4]), part(x), part(y)]);
	return {
		blob: Buffer.concat([type, sshString(curve.name), sshString(point)]),
		comment,
		sign(data) {
			const both = sign(curve.hash, data, {key, dsaEncoding: 'ieee-p1363'});
			const half = both.length / 2;
			const numbers = [sshNumber(both.subarray(0, half)), sshNumber(both.subarray(half))];
			return Buffer.concat([type, sshString(Buffer.concat(numbers))]);
		},
	};
}

/** Throws what is wrong with the file, for `readSshKey` to tell. */
export function parseSshKey(text: string, comment: string): SshKey {
	const [, kind, body] = /-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/.exec(text) ?? [];
	if (kind === undefined) throw new Error('ssh: no key found');
	if (kind === 'OPENSSH PRIVATE KEY') {
		const parsed = parseOpenSsh(Buffer.from(body!, 'base64'));
		return keyOf(createPrivateKey({key: parsed.key, format: 'jwk'}), parsed.comment || comment);
	}
	if (kind.includes('ENCRYPTED') || /^Proc-Type: 4,ENCRYPTED/m.test(body!)) throw new EncryptedKey();
	return keyOf(createPrivateKey(text), comment);
}

/** Reads a private key's file. Throws WherryError `invalid` or `not-found`. */
export function readSshKey(path: string): SshKey {
	let text: string;
	try {
		text = readFileSync(path, 'latin1');
	} catch (cause) {
		throw new WherryError('not-found', `failed to read ${path}: ${(cause as Error).message}`, {
			object: path,
			cause,
		});
	}
	try {
		return parseSshKey(text, path);
	} catch (cause) {
		// What node:crypto and the reader say may hold parts of a key.
		const reason =
			cause instanceof EncryptedKey
				? 'ssh: this private key is passphrase protected; add it to a key agent with ssh-add and give the socket of that'
				: /^(?:ssh: |unsupported |no key|malformed |invalid openssh)/.test((cause as Error).message)
					? (cause as Error).message
					: 'it is no private key';
		throw new WherryError('invalid', `failed to parse ${path}: ${reason}`, {object: path});
	}
}
