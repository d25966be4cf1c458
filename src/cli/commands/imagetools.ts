import {WherryError} from '../../engine/errors.ts';
import {canonical, parseReference, withDefaultTag} from '../../engine/images/reference.ts';
import {CliError} from '../errors.ts';
import type {CommandAction} from '../face.ts';
import {printable} from '../format/names.ts';
import {printLine, writeOut} from '../output.ts';
import {checkBuilder} from './builders.ts';

interface Entry {
	mediaType: string;
	digest: string;
	size: number;
	platform?: {os: string; architecture: string; variant?: string};
	annotations?: Record<string, string>;
}

/** What a name means in its registry: the manifest, or those of an index. */
export const inspectImageTool: CommandAction = async ({flags, args}, open) => {
	checkBuilder(flags.string('builder'));
	const engine = await open();
	const format = flags.string('format');
	let name: string;
	let found: Awaited<ReturnType<typeof engine.manifests.inspect>>;
	try {
		name = canonical(withDefaultTag(parseReference(args[0]!)));
		found = await engine.manifests.inspect(args[0]!);
	} catch (error) {
		throw error instanceof WherryError ? new CliError(`ERROR: ${error.message}`) : error;
	}
	const bytes = 'entries' in found ? found.bytes : Buffer.from(found.Raw, 'base64');
	if (flags.bool('raw')) {
		writeOut(bytes.toString('utf8'));
		return 0;
	}
	const document = JSON.parse(bytes.toString('utf8')) as {mediaType?: string; manifests?: Entry[]};
	const {createHash} = await import('node:crypto');
	const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
	const mediaType =
		document.mediaType ??
		('entries' in found ? 'application/vnd.oci.image.index.v1+json' : found.Descriptor.mediaType);
	if (flags.changed('format') && format !== '{{.Manifest}}') {
		if (!/^\{\{\s*json \.Manifest\s*\}\}$/.test(format))
			throw new CliError(
				`ERROR: the format ${JSON.stringify(format)} is not supported; use {{json .Manifest}}`,
			);
		const manifests = document.manifests ? {manifests: document.manifests} : {};
		printLine(
			JSON.stringify({schemaVersion: 2, mediaType, digest, size: bytes.length, ...manifests}, undefined, 2),
		);
		return 0;
	}
	printLine(`Name:      ${printable(name)}\nMediaType: ${printable(mediaType)}\nDigest:    ${digest}`);
	if (!document.manifests) return 0;
	const repository = name.replace(/(?::[^/]*|@.*)$/, '');
	writeOut('           \nManifests: \n');
	for (const {mediaType: kind, digest: one, platform, annotations} of document.manifests) {
		const shown = platform
			? [platform.os, platform.architecture, platform.variant].filter(Boolean).join('/')
			: '';
		const lines = [
			`Name:        ${repository}@${one}`,
			`MediaType:   ${kind}`,
			...(shown ? [`Platform:    ${shown}`] : []),
			...(annotations ? ['Annotations: '] : []),
			...Object.entries(annotations ?? {}).map(([key, value]) => `  ${key}: ${value}`),
		];
		writeOut(`${lines.map((line) => `  ${printable(line)}`).join('\n')}\n             \n`);
	}
	return 0;
};
