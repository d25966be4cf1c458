import test from 'ava';
import {parseManifest} from '../../../src/engine/store/manifest.ts';
import {digestOf} from '../../setup/registry.ts';

const config = {mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf('c'), size: 1};
const good = {schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json', config, layers: []};
const hostile: [name: string, document: unknown, contentType: string | undefined, message: RegExp][] = [
	['both a manifest and an index', {...good, manifests: []}, undefined, /expected manifest but found index/],
	[
		'an index with layers',
		{schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [], layers: []},
		undefined,
		/expected index but found manifest/,
	],
	[
		'another media type than the header says',
		good,
		'application/vnd.oci.image.index.v1+json',
		/media type in manifest should be/,
	],
	['schema 1', {schemaVersion: 1, fsLayers: []}, undefined, /no longer supported/],
	[
		'schema 1 by its header',
		good,
		'application/vnd.docker.distribution.manifest.v1+prettyjws',
		/no longer supported/,
	],
	[
		'a digest that is a path',
		{...good, config: {...config, digest: 'sha256:../../../../etc/passwd'}},
		undefined,
		/invalid digest/,
	],
	[
		'a digest of another kind',
		{...good, layers: [{...config, digest: `sha512:${'0'.repeat(128)}`}]},
		undefined,
		/invalid digest/,
	],
	['a negative size', {...good, config: {...config, size: -1}}, undefined, /invalid size/],
	['a huge configuration', {...good, config: {...config, size: 1e9}}, undefined, /larger than 8 MiB/],
	[
		'a helm chart',
		{...good, config: {...config, mediaType: 'application/vnd.cncf.helm.config.v1+json'}},
		undefined,
		/not a container image/,
	],
	[
		'an unknown kind of layer',
		{...good, layers: [{...config, mediaType: 'text/html'}]},
		undefined,
		/unsupported media type/,
	],
	[
		'501 layers',
		{
			...good,
			layers: Array.from({length: 501}, () => ({
				...config,
				mediaType: 'application/vnd.oci.image.layer.v1.tar',
			})),
		},
		undefined,
		/500 is the limit/,
	],
	['no object', [], undefined, /not a JSON object/],
	['null layers', {...good, layers: null}, undefined, /no layers/],
];

test('hostile manifests are refused', (t) => {
	for (const [name, document, contentType, message] of hostile)
		t.throws(() => parseManifest(Buffer.from(JSON.stringify(document)), contentType), {message}, name);
	t.throws(() => parseManifest(Buffer.from([0xff, 0xfe])), {message: /not valid JSON/});
	const many = {...good, annotations: Object.fromEntries(Array.from({length: 10_000}, (_, at) => [at, '']))};
	t.throws(() => parseManifest(Buffer.from(JSON.stringify(many))), {message: /more than 20000 strings/});
	t.notThrows(() => parseManifest(Buffer.from(JSON.stringify(good)), 'application/json; charset=utf-8'));
});
