/** Addresses of git repositories as `docker build` and ADD take them. Pure. */
import {posix} from 'node:path';
import {WherryError} from '../errors.ts';

export interface GitAddress {
	readonly url: string;
	/** Branch, tag or commit; '' is what the repository's HEAD names. */
	readonly ref: string;
	/** In the repository; '' is all of it. */
	readonly folder: string;
	/** The commit that the ref has to be, or how it begins; '' is any. */
	readonly checksum: string;
	/** What the address says of it. */
	readonly keepGit: boolean | undefined;
	readonly submodules: boolean | undefined;
	/** It could be a path as well, so that only a context is named like this. */
	readonly isLikePath: boolean;
}

const wrong = (message: string): WherryError => new WherryError('invalid', message);

/** Go's strconv.ParseBool. */
const truths: Readonly<Record<string, boolean>> = {
	...Object.fromEntries(['1', 't', 'T', 'TRUE', 'true', 'True'].map((word) => [word, true])),
	...Object.fromEntries(['0', 'f', 'F', 'FALSE', 'false', 'False'].map((word) => [word, false])),
};

/** One value of two that may both be given. */
function agreed(kind: string, one: string, other: string): string {
	if (one !== '' && other !== '' && one !== other)
		throw wrong(`${kind} conflicts: ${JSON.stringify(one)} vs ${JSON.stringify(other)}`);
	return one || other;
}

type Query = Omit<GitAddress, 'url' | 'isLikePath'>;

/** `?ref=v1&subdir=docs`, beside what the fragment says. */
function readQuery(query: string, ref: string, folder: string): Query {
	const asked = new URLSearchParams(query);
	const given: Record<string, string> = {};
	const flags: {keepGit?: boolean; submodules?: boolean} = {};
	for (const key of new Set(asked.keys())) {
		const [value = '', ...more] = asked.getAll(key);
		const name = JSON.stringify(key);
		if (more.length > 0) throw wrong(`query ${name} has multiple values`);
		if (key === 'submodules' || key === 'keep-git-dir') {
			const truth = value === '' ? true : truths[value];
			if (truth === undefined) throw wrong(`invalid ${key} value: ${JSON.stringify(value)}`);
			flags[key === 'submodules' ? 'submodules' : 'keepGit'] = truth;
			continue;
		}
		if (!['ref', 'tag', 'branch', 'subdir', 'checksum', 'commit'].includes(key))
			throw wrong(`unexpected query ${name}`);
		if (value === '') throw wrong(`query ${name} has no value`);
		given[key] = value;
	}
	const full = (kind: 'tag' | 'branch'): string => {
		const prefix = kind === 'tag' ? 'refs/tags/' : 'refs/heads/';
		const value = given[kind] ?? '';
		return value === '' || value.startsWith(prefix) ? value : prefix + value;
	};
	if (given.tag !== undefined && given.branch !== undefined) throw wrong('branch conflicts with tag');
	const checksum = given.checksum ?? given.commit ?? '';
	const named = agreed(
		'ref',
		agreed('ref', agreed('ref', ref, given.ref ?? ''), full('tag')),
		full('branch'),
	);
	return {
		ref: named || checksum,
		folder: agreed('subdir', folder, given.subdir ?? ''),
		checksum,
		keepGit: flags.keepGit,
		submodules: flags.submodules,
	};
}

/**
 * What `docker build` and ADD take as the address of a git repository; undefined when it is none. Throws WherryError
 * `invalid` when it contradicts itself.
 */
export function parseGitAddress(text: string): GitAddress | undefined {
	const [address = '', ...rest] = text.split('#');
	const fragment = rest.join('#');
	const isWeb = /^https?:\/\//.test(address);
	const isScp = /^[\w.-]+@[\w.-]+:(?!\/\/)/.test(address);
	const isLikePath = address.startsWith('github.com/');
	const [base = '', query = ''] = isScp ? [address] : address.split('?');
	if (isWeb ? !base.endsWith('.git') : !isScp && !isLikePath && !/^(?:git|ssh|git\+ssh):\/\//.test(base))
		return undefined;
	const colon = fragment.indexOf(':');
	const asked = readQuery(
		query,
		colon < 0 ? fragment : fragment.slice(0, colon),
		colon < 0 ? '' : fragment.slice(colon + 1),
	);
	return {
		...asked,
		url: isLikePath ? `https://${base}` : base,
		folder: posix.normalize(`/${asked.folder}`).replace(/^\/+|\/+$/g, ''),
		isLikePath,
	};
}
