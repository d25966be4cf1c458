import {readFileSync, writeFileSync} from 'node:fs';
import {WherryError} from '../../engine/errors.ts';
import {CliError, TemplateError} from '../errors.ts';
import type {CommandAction} from '../face.ts';
import {printable} from '../format/names.ts';
import {printError, printLine, writeOut} from '../output.ts';
import {checkBuilder} from './builders.ts';

interface Entry {
	mediaType: string;
	digest: string;
	size: number;
	platform?: {os: string; architecture: string; variant?: string};
	annotations?: Record<string, string>;
}

/** buildx's own words stand before what goes wrong. */
const asBuildx =
	(action: CommandAction): CommandAction =>
	async (...args) => {
		try {
			return await action(...args);
		} catch (error) {
			if (error instanceof WherryError || error instanceof TemplateError)
				throw new CliError(`ERROR: ${error.message}`);
			throw error;
		}
	};

/** What a name means in its registry: the manifest, or those of an index. */
export const inspectImageTool = asBuildx(async ({flags, args}, open) => {
	checkBuilder(flags.string('builder'));
	const engine = await open();
	const format = flags.string('format');
	const document = await engine.registryImages.read(args[0]!);
	const {name, bytes, mediaType, digest} = document;
	if (flags.bool('raw')) {
		writeOut(bytes.toString('utf8'));
		return 0;
	}
	if (flags.changed('format') && format !== '{{.Manifest}}') {
		const [{parseTemplate}, {registryText}] = await Promise.all([
			import('../format/value.ts'),
			import('../format/registry-value.ts'),
		]);
		const template = parseTemplate(format === 'json' ? '{{json .}}' : format, {parse: '', execute: ''});
		const needsImages = format === 'json' || /\.Image\b|\{\{-?\s*json\s+\.\s*-?\}\}/.test(format);
		const images = needsImages ? await engine.registryImages.configurations(args[0]!) : {};
		printLine(registryText(template, document, images));
		return 0;
	}
	printLine(`Name:      ${printable(name)}\nMediaType: ${printable(mediaType)}\nDigest:    ${digest}`);
	const {manifests} = JSON.parse(bytes.toString('utf8')) as {manifests?: Entry[]};
	if (!manifests) return 0;
	const repository = name.replace(/(?::[^/]*|@.*)$/, '');
	writeOut('           \nManifests: \n');
	for (const {mediaType: kind, digest: one, platform, annotations} of manifests) {
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
});

/** `-f FILE`: a descriptor, as `--format '{{json .Manifest}}'` prints it. */
function descriptorOf(path: string): {digest: string} {
	let text: string;
	try {
		text = readFileSync(path === '-' ? 0 : path, 'utf8');
	} catch (error) {
		throw new CliError(`ERROR: ${(error as Error).message}`);
	}
	let digest: unknown;
	try {
		({digest} = JSON.parse(text) as {digest?: unknown});
	} catch {
		// Then there is none.
	}
	if (typeof digest !== 'string' || !/^sha256:[a-f0-9]{64}$/.test(digest))
		throw new CliError(`ERROR: invalid descriptor in ${path}`);
	return {digest};
}

/** Makes an index of images that are in a registry, or another name of one, without fetching layers. */
export const createImageTool = asBuildx(async ({flags, args}, open) => {
	checkBuilder(flags.string('builder'));
	const tags = flags.list('tag');
	const dryRun = flags.bool('dry-run');
	const descriptors = flags.list('file').map(descriptorOf);
	if (args.length === 0 && descriptors.length === 0 && !flags.bool('append'))
		throw new CliError('ERROR: no sources specified');
	if (tags.length === 0 && !dryRun)
		throw new CliError('ERROR: no repositories specified, please set a reference in tag or source');
	const annotations: Record<string, string> = {};
	for (const text of flags.list('annotation')) {
		const equals = text.indexOf('=');
		if (equals < 0)
			throw new CliError(`ERROR: invalid annotation ${JSON.stringify(text)}, expected key=value`);
		annotations[text.slice(0, equals)] = text.slice(equals + 1);
	}
	const {parsePlatform} = await import('./run-options.ts');
	const {formatPlatform, normalize} = await import('../../engine/images/platform.ts');
	const platforms = flags
		.list('platform')
		.flatMap((text) => text.split(','))
		.map((text) => formatPlatform(normalize(parsePlatform(text)!)));
	const engine = await open();
	const made = await engine.registryImages.combine(args, {
		tags,
		descriptors,
		append: flags.bool('append'),
		platforms,
		annotations,
		preferIndex: flags.bool('prefer-index'),
		dryRun,
		...(flags.string('progress') === 'none' ? {} : {onProgress: (text: string) => printError(text)}),
	});
	if (dryRun) writeOut(made.bytes.toString('utf8'));
	const metadata = flags.string('metadata-file');
	if (metadata !== '') {
		const {mediaType, digest, bytes} = made;
		const descriptor = {mediaType, digest, size: bytes.length};
		const content = {
			'containerimage.descriptor': descriptor,
			'containerimage.digest': digest,
			'image.name': tags.join(','),
		};
		writeFileSync(metadata, `${JSON.stringify(content, undefined, 2)}\n`);
	}
	return 0;
});
