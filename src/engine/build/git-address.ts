/** Addresses of git repositories as `docker build` and ADD take them. Pure. */
import {posix} from 'node:path';

export interface GitAddress {
	readonly url: string;
	/** Branch, tag or commit; '' is what the repository's HEAD names. */
	readonly ref: string;
	/** In the repository; '' is all of it. */
	readonly folder: string;
}

/** What `docker build` and ADD take as the address of a git repository; undefined when it is none. Pure. */
export function parseGitAddress(text: string): GitAddress | undefined {
	const [address = '', ...rest] = text.split('#');
	const fragment = rest.join('#');
	const isWeb = /^https?:\/\//.test(address);
	const isScp = /^[\w.-]+@[\w.-]+:(?!\/\/)/.test(address);
	const [base = '', query = ''] = isWeb ? address.split('?') : [address];
	if (isWeb ? !/\.git\/?$/.test(base) : !isScp && !/^(?:git|ssh|git\+ssh):\/\/|^github\.com\//.test(address))
		return undefined;
	const asked = new URLSearchParams(query);
	const colon = fragment.indexOf(':');
	const ref = colon < 0 ? fragment : fragment.slice(0, colon);
	const folder = colon < 0 ? '' : fragment.slice(colon + 1);
	return {
		url: address.startsWith('github.com/') ? `https://${address}` : base,
		ref: ref || asked.get('ref') || asked.get('tag') || asked.get('branch') || asked.get('commit') || '',
		folder: posix.normalize(`/${folder || asked.get('subdir') || ''}`).replace(/^\/+|\/+$/g, ''),
	};
}
