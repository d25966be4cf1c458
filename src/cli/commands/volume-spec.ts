import {resolve} from 'node:path';

/**
 * A `-v` value on its way to the engine: a path alone is an anonymous volume, a relative source becomes
 * absolute. Throws docker's words for a wrong form; what the parts may be is the engine's to check.
 */
export function parseVolumeSpec(spec: string): {anonymous: string} | {bind: string} {
	if (spec === '') throw new Error('invalid empty volume spec');
	// docker's client takes what is that short for a path, whatever it is.
	if (spec.length <= 2) return {anonymous: spec};
	const parts = spec.split(':');
	if (parts.some((part) => part === ''))
		throw new Error(`invalid spec: ${spec}: empty section between colons`);
	if (parts.length === 1) return {anonymous: spec};
	const [source, ...rest] = parts as [string, ...string[]];
	return {bind: [source.startsWith('.') ? resolve(source) : source, ...rest].join(':')};
}
