/** An image of a registry through a template, as buildx does it: `json` is indented, and one image is no map. */
import type {RegistryDocument} from '../../engine/api.ts';
import {execute} from './template/execute.ts';
import {functions} from './template/functions.ts';
import {typedAs} from './template/go-value.ts';
import {goJson} from './template/json.ts';
import type {Template} from './template/parse.ts';
import './types/registry.ts';

/** encoding/json writes these so. */
const escapes = (text: string): string =>
	text.replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);

const indented = {
	...functions,
	json: {
		params: ['any' as const],
		call: (value: unknown) => escapes(JSON.stringify(JSON.parse(goJson(value)), undefined, 2)),
	},
};

/** What `{{json .Manifest}}` shows. */
export function manifestValue({bytes, mediaType, digest}: RegistryDocument): object {
	const document = JSON.parse(bytes.toString('utf8')) as {manifests?: unknown[]; annotations?: object};
	const own = {mediaType, digest, size: bytes.length};
	if (!document.manifests) return own;
	const {manifests, annotations} = document;
	return {schemaVersion: 2, ...own, manifests, ...(annotations ? {annotations} : {})};
}

/** Throws TemplateError. */
export function registryText(
	template: Template,
	document: RegistryDocument,
	configurations: Readonly<Record<string, object>>,
): string {
	const manifest = manifestValue(document);
	const images = Object.values(configurations);
	const isOne = !('manifests' in manifest);
	const value = {name: document.name, manifest, image: isOne ? images[0] : configurations};
	const type = isOne ? 'imagetools.tplInputSingle' : 'imagetools.tplInputs';
	return execute(template, typedAs(type, value), {functions: indented});
}
