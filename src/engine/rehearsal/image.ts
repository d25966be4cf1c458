import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {native} from '../../kernel/native.ts';
import type {Paths} from '../paths.ts';

/** Writes an image `rehearsal:latest` of one empty layer into a root that has none. */
export function writeImage(paths: Paths): void {
	const blobs = join(paths.images, 'blobs/sha256');
	mkdirSync(blobs, {recursive: true});
	const blob = (mediaType: string, text: string) => {
		const content = Buffer.from(text);
		const digest = native.sha256(content);
		writeFileSync(join(blobs, digest.slice(7)), content);
		return {mediaType, digest, size: content.length};
	};
	const oci = (kind: string) => `application/vnd.oci.image.${kind}`;
	const layer = blob(oci('layer.v1.tar'), '\0'.repeat(1024));
	const config = blob(
		oci('config.v1+json'),
		JSON.stringify({
			created: '2001-01-01T00:00:00Z',
			architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
			os: 'linux',
			config: {Env: ['PATH=/usr/bin:/bin'], Cmd: ['sh'], WorkingDir: '/', Labels: {a: 'b'}},
			rootfs: {type: 'layers', diff_ids: [layer.digest]},
			history: [{created: '2001-01-01T00:00:00Z', created_by: 'COPY'}],
		}),
	);
	const manifest = blob(oci('manifest.v1+json'), JSON.stringify({schemaVersion: 2, config, layers: [layer]}));
	const annotations = {
		'org.opencontainers.image.ref.name': 'rehearsal:latest',
		'io.containerd.image.name': 'docker.io/library/rehearsal:latest',
	};
	writeFileSync(join(paths.images, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
	writeFileSync(
		join(paths.images, 'index.json'),
		JSON.stringify({schemaVersion: 2, manifests: [{...manifest, annotations}]}),
	);
	const folder = paths.layer(layer.digest.slice(7));
	mkdirSync(join(folder, 'fs'), {recursive: true});
	writeFileSync(join(folder, 'layer.json'), JSON.stringify({diffId: layer.digest, size: 1024, implied: ''}));
}
