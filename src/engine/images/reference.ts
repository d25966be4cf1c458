/**
 * Names of images, as docker reads them (the grammar of github.com/distribution/reference):
 *
 *     reference  = name [":" tag] ["@" digest]
 *     name       = [domain "/"] path
 *
 * What a person types is *familiar* (`busybox`); what is stored and sent is *canonical*
 * (`docker.io/library/busybox:latest`).
 */
import {WherryError} from '../errors.ts';
import {parseDigest} from '../store/digest.ts';

export interface Reference {
	/** `docker.io`, `localhost:5000`, ... */
	readonly domain: string;
	/** `library/busybox` */
	readonly path: string;
	readonly tag?: string;
	/** `sha256:<hex>`, or another registered algorithm. */
	readonly digest?: string;
}

const defaultDomain = 'docker.io';
const legacyDomain = 'index.docker.io';
const officialPrefix = 'library/';
const defaultTag = 'latest';
const longestPath = 255;

const alphanumeric = '[a-z0-9]+';
const pathComponent = `${alphanumeric}(?:(?:[._]|__|-+)${alphanumeric})*`;
const domainComponent = '[a-zA-Z0-9]+(?:-+[a-zA-Z0-9]+)*';
const host = `(?:${domainComponent}(?:\\.${domainComponent})*|\\[[a-fA-F0-9:]+\\])`;
const domain = `${host}(?::[0-9]+)?`;
const path = `${pathComponent}(?:/${pathComponent})*`;
const tag = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}';
const algorithm = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*';
const digest = `${algorithm}:[0-9a-fA-F]{32,}`;

const longestTag = 128;
/** Most references: what this matches means the same in the whole grammar, which takes ten times as long to compile. */
const plainPattern =
	/^((?:[a-z0-9]+[.-])*[a-z0-9]+(?::[0-9]+)?)\/((?:[a-z0-9]+[/._-])*[a-z0-9]+)(?::([A-Za-z0-9_][A-Za-z0-9_.-]*))?$/;
let wholePattern: RegExp | undefined;
const referencePattern = (): RegExp =>
	(wholePattern ??= new RegExp(`^(?:(${domain})/)?(${path})(?::(${tag}))?(?:@(${digest}))?$`));
const identifierPattern = /^[a-f0-9]{64}$/;

function matchReference(text: string): RegExpExecArray | null {
	const plain = plainPattern.exec(text);
	return plain && (plain[3]?.length ?? 0) <= longestTag ? plain : referencePattern().exec(text);
}

const invalid = (message: string, object: string): WherryError =>
	new WherryError('invalid', message, {object});

/** Without a dot, a colon, an upper-case letter or the name localhost, the first part is no domain. */
function splitDomain(name: string): [domain: string, path: string] {
	const slash = name.indexOf('/');
	if (slash < 0) return [defaultDomain, officialPrefix + name];
	const first = name.slice(0, slash);
	const isDomain = first === 'localhost' || /[.:]/.test(first) || first.toLowerCase() !== first;
	const found = !isDomain || first === legacyDomain ? defaultDomain : first;
	const rest = isDomain ? name.slice(slash + 1) : name;
	return [found, found === defaultDomain && !rest.includes('/') ? officialPrefix + rest : rest];
}

function parseStrict(text: string, object: string): Reference {
	const match = matchReference(text);
	if (!match) {
		if (referencePattern().test(text.toLowerCase()))
			throw invalid('repository name must be lowercase', object);
		throw invalid('invalid reference format', object);
	}
	const [, domainPart, pathPart, tagPart, digestPart] = match;
	if (pathPart!.length > longestPath)
		throw invalid(`repository name must not be more than ${longestPath} characters`, object);
	return {
		domain: domainPart ?? '',
		path: pathPart!,
		...(tagPart === undefined ? {} : {tag: tagPart}),
		...(digestPart === undefined ? {} : {digest: parseDigest(digestPart)}),
	};
}

/** What a person typed to a full reference. No tag is added. Throws `invalid` with docker's words. */
export function parseReference(text: string): Reference {
	if (identifierPattern.test(text))
		throw invalid(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`, text);
	const [found, rest] = splitDomain(text);
	const colon = rest.indexOf(':');
	const remote = colon < 0 ? rest : rest.slice(0, colon);
	if (remote.toLowerCase() !== remote)
		throw invalid(`invalid reference format: repository name (${remote}) must be lowercase`, text);
	return parseStrict(`${found}/${rest}`, text);
}

/** A reference, or `{id}` when the text is a whole image id with or without its algorithm. */
export function parseAny(text: string): Reference | {readonly id: string} {
	if (identifierPattern.test(text)) return {id: `sha256:${text}`};
	try {
		return {id: parseDigest(text)};
	} catch {
		return parseReference(text);
	}
}

/** `latest` when there is neither a tag nor a digest. */
export const withDefaultTag = (reference: Reference): Reference =>
	reference.tag === undefined && reference.digest === undefined ? {...reference, tag: defaultTag} : reference;

/** The repository and this digest, without a tag: how a pulled digest is remembered. */
export const withDigest = (reference: Reference, value: string): Reference => ({
	domain: reference.domain,
	path: reference.path,
	digest: value,
});

const suffix = (reference: Reference): string =>
	(reference.tag === undefined ? '' : `:${reference.tag}`) +
	(reference.digest === undefined ? '' : `@${reference.digest}`);

/** `docker.io/library/busybox` */
export const canonicalName = (reference: Reference): string =>
	reference.domain ? `${reference.domain}/${reference.path}` : reference.path;

/** `docker.io/library/busybox:latest` */
export const canonical = (reference: Reference): string => canonicalName(reference) + suffix(reference);

/** `busybox`, `user/x`, `localhost:5000/x` */
export function familiarName(reference: Reference): string {
	if (reference.domain !== defaultDomain) return canonicalName(reference);
	const official = reference.path.startsWith(officialPrefix)
		? reference.path.slice(officialPrefix.length)
		: '';
	return official === '' || official.includes('/') ? reference.path : official;
}

/** `busybox:latest` */
export const familiar = (reference: Reference): string => familiarName(reference) + suffix(reference);

/** Where a name is looked up: a digest says more than a tag, so the tag beside one doesn't count. */
export const storedName = (reference: Reference): string =>
	reference.digest === undefined
		? canonical(withDefaultTag(reference))
		: canonical(withDigest(reference, reference.digest));

export const isTag = (text: string): boolean => new RegExp(`^${tag}$`).test(text);
