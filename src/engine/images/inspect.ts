/** docker's `image inspect`. */
import {join} from 'node:path';
import type {ImageConfig, ImageInspect} from '../api.ts';
import type {Paths} from '../paths.ts';
import type {Image} from '../store/catalog.ts';
import {digestHex} from '../store/digest.ts';
import type {Layer} from '../store/layers.ts';
import type {Configuration} from '../store/manifest.ts';
import {digestsOf, tagsOf} from './lookup.ts';

/** Go's zero time: never. */
const never = '0001-01-01T00:00:00Z';

/** The members that docker always shows, in its order. */
function fullConfig(config: ImageConfig): ImageConfig {
	const {ExposedPorts, Healthcheck, StopSignal, Shell} = config;
	const base = {
		Hostname: '',
		Domainname: '',
		User: config.User ?? '',
		AttachStdin: false,
		AttachStdout: false,
		AttachStderr: false,
		...(ExposedPorts === undefined ? {} : {ExposedPorts}),
		Tty: false,
		OpenStdin: false,
		StdinOnce: false,
		Env: config.Env ?? [],
		Cmd: config.Cmd ?? null,
		...(Healthcheck === undefined ? {} : {Healthcheck}),
		Image: '',
		Volumes: config.Volumes ?? null,
		WorkingDir: config.WorkingDir ?? '',
		Entrypoint: config.Entrypoint ?? null,
		OnBuild: config.OnBuild ?? null,
		Labels: config.Labels ?? null,
		...(StopSignal === undefined ? {} : {StopSignal}),
		...(Shell === undefined ? {} : {Shell}),
	};
	return base as unknown as ImageConfig;
}

export function describeImage(
	image: Image,
	configuration: Configuration,
	layers: readonly (Layer | undefined)[],
	paths: Paths,
): ImageInspect {
	// One that was made here has its place before it is unpacked.
	const folders = layers
		.map((layer, at) => join(paths.layer(layer?.key ?? digestHex(configuration.diffIds[at]!)), 'fs'))
		.reverse();
	const size = image.size ?? layers.reduce((sum, layer) => sum + (layer?.size ?? 0), 0);
	const [upper, ...lower] = folders;
	return {
		Id: image.id,
		RepoTags: tagsOf(image.references),
		RepoDigests: digestsOf(image.references),
		Parent: image.parent ?? '',
		Comment: configuration.comment ?? configuration.history.at(-1)?.comment ?? '',
		Created: configuration.created ?? never,
		Container: '',
		// The container that a layer was made in is not kept: as docker has it of images from a registry.
		ContainerConfig: {...fullConfig({}), Env: null},
		DockerVersion: configuration.docker_version ?? '',
		Author: configuration.author ?? '',
		Config: fullConfig(configuration.config),
		Architecture: configuration.architecture,
		...(configuration.variant === undefined ? {} : {Variant: configuration.variant}),
		Os: configuration.os,
		Size: size,
		VirtualSize: size,
		GraphDriver: {
			Data:
				upper === undefined
					? null
					: {
							...(lower.length > 0 ? {LowerDir: lower.join(':')} : {}),
							// docker's names of folders that come and go with a mount; ours never are on the host.
							MergedDir: join(upper, '../merged'),
							UpperDir: upper,
							WorkDir: join(upper, '../work'),
						},
			Name: 'overlay2',
		},
		RootFS: {
			Type: 'layers',
			...(configuration.diffIds.length > 0 ? {Layers: configuration.diffIds} : {}),
		},
		Metadata: {LastTagTime: image.tagged ?? never},
	};
}
