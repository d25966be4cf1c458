/** Platforms: which entry of a multi-platform index is for this machine (image-spec, image-index.md). */
import {arch} from 'node:process';
import type {Platform} from '../api.ts';
import {WherryError} from '../errors.ts';
import type {Descriptor} from '../store/manifest.ts';

/** Node's names of processors to GOARCH. */
const hostArchitectures: Readonly<Record<string, string>> = {
	x64: 'amd64',
	ia32: '386',
	mipsel: 'mipsle',
	ppc64: 'ppc64le',
};

const aliases: Readonly<Record<string, [architecture: string, variant?: string]>> = {
	x86_64: ['amd64'],
	'x86-64': ['amd64'],
	i386: ['386'],
	i686: ['386'],
	aarch64: ['arm64'],
	armhf: ['arm', 'v7'],
	armel: ['arm', 'v6'],
};

/** One form for what means the same: arm64 is arm64/v8, arm is arm/v7, amd64/v1 is amd64. */
export function normalize(platform: Platform): Platform {
	const [architecture, aliasVariant] = aliases[platform.architecture.toLowerCase()] ?? [
		platform.architecture.toLowerCase(),
	];
	let variant = (platform.variant || aliasVariant || '').toLowerCase();
	if (/^\d+$/.test(variant)) variant = `v${variant}`;
	if (architecture === 'arm' && variant === '') variant = 'v7';
	if (architecture === 'arm64' && variant === 'v8') variant = '';
	if (architecture === 'amd64' && variant === 'v1') variant = '';
	return {os: platform.os.toLowerCase(), architecture, ...(variant === '' ? {} : {variant})};
}

export const hostPlatform = (): Platform =>
	normalize({os: 'linux', architecture: hostArchitectures[arch] ?? arch});

/** `linux/arm64`, `linux/arm/v7` */
export const formatPlatform = (platform: Platform): string =>
	[platform.os, platform.architecture, platform.variant].filter(Boolean).join('/');

const same = (left: Platform, right: Platform): boolean => formatPlatform(left) === formatPlatform(right);

/** What runs on a platform, the best first: itself, and the older variants that its processor also runs. */
function acceptable(wanted: Platform, exact: boolean): Platform[] {
	const {os, architecture, variant} = normalize(wanted);
	const list: Platform[] = [normalize(wanted)];
	const level = Number(/^v(\d+)$/.exec(variant ?? '')?.[1] ?? 0);
	if (architecture === 'arm')
		for (let older = level - 1; older >= 5; older--) list.push({os, architecture, variant: `v${older}`});
	if (architecture === 'amd64') {
		for (let older = level - 1; older >= 2; older--) list.push({os, architecture, variant: `v${older}`});
		if (level > 1) list.push({os, architecture});
		if (!exact) list.push({os, architecture: '386'});
	}
	if (architecture === 'arm64' && !exact)
		for (const older of ['v8', 'v7', 'v6', 'v5']) list.push({os, architecture: 'arm', variant: older});
	return list;
}

/** The index's entry for a platform; without one for this machine. Throws `not-found` as docker does. */
export function selectPlatform(entries: readonly Descriptor[], wanted: Platform | undefined): Descriptor {
	for (const platform of acceptable(wanted ?? hostPlatform(), wanted !== undefined))
		for (const entry of entries) {
			const {os, architecture, variant} = entry.platform ?? {};
			if (!os || !architecture) continue;
			const offered = normalize({os, architecture, ...(variant === undefined ? {} : {variant})});
			if (same(offered, platform)) return entry;
		}
	// An index of one image without a platform, as some tools write them, has nothing to choose from.
	const plain = entries.filter((entry) => !entry.platform?.architecture);
	if (plain.length === 1 && entries.length === 1) return plain[0]!;
	const name = formatPlatform(wanted ? normalize(wanted) : hostPlatform());
	throw new WherryError('not-found', `no matching manifest for ${name} in the manifest list entries`);
}

/** docker's words for an image that is here, but not for this platform. */
export const notProvided = (name: string, platform: Platform): WherryError =>
	new WherryError(
		'not-found',
		`image with reference ${name} was found but does not provide the specified platform (${formatPlatform(platform)})`,
		{object: name},
	);

/** Whether an image of one platform is what was asked for. */
export const matches = (wanted: Platform, actual: Platform): boolean =>
	acceptable(wanted, true).some((platform) => same(platform, normalize(actual)));
