/**
 * A document of the API through a template as docker's inspect does it: first as the struct that docker's client
 * has for it, and when the template asks for what the struct doesn't have, as plain JSON, where every key has to
 * be there. Of a volume the client has nothing but the struct.
 */
import {raw, typedAs} from './template/go-value.ts';
import type {Template} from './template/parse.ts';
import {executeTemplate, TemplateError} from './value.ts';

export type InspectKind = 'container' | 'image' | 'network' | 'volume';

const types: Record<InspectKind, string> = {
	container: 'container.InspectResponse',
	image: 'image.InspectResponse',
	network: 'network.Inspect',
	volume: 'volume.Volume',
};

const load: Record<InspectKind, () => Promise<unknown>> = {
	container: () => import('./types/container.ts'),
	image: () => import('./types/image.ts'),
	network: () => import('./types/network.ts'),
	volume: () => import('./types/volume.ts'),
};

/** Before the first document of a kind. */
export const loadTypes = async (kind: InspectKind): Promise<unknown> => load[kind]();

/** Throws TemplateError. */
export function inspectValue(template: Template, kind: InspectKind, document: unknown): string {
	try {
		return executeTemplate(template, typedAs(types[kind], document));
	} catch (error) {
		if (!(error instanceof TemplateError) || kind === 'volume') throw error;
		return executeTemplate(template, raw(document), {missingKeyFails: true});
	}
}
