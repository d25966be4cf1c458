/** Hosts of registries: which are on this machine, and where a name's domain is served. */

/** A host name of a URL: an address of 127.0.0.0/8, ::1, or localhost (RFC 6761). */
export function isLoopback(hostname: string): boolean {
	const host = hostname.toLowerCase().replace(/^\[|\]$/g, '');
	return (
		host === 'localhost' ||
		host.endsWith('.localhost') ||
		host === '::1' ||
		/^127(?:\.\d{1,3}){3}$/.test(host)
	);
}

/** The host and port that serve a reference's domain. */
export const registryHost = (domain: string): string =>
	domain === 'docker.io' ? 'registry-1.docker.io' : domain;

/** Under which name docker's config.json has the credentials. */
export const credentialsKey = (domain: string): string =>
	domain === 'docker.io' ? 'https://index.docker.io/v1/' : domain;

/** Go's httpproxy rules: exact hosts, `.domain` suffixes, `*`, with an optional port; loopback never goes through a proxy. */
export function bypassesProxy(url: URL, noProxy: string): boolean {
	const host = url.hostname.toLowerCase();
	if (isLoopback(host)) return true;
	const port = url.port || (url.protocol === 'https:' ? '443' : '80');
	return noProxy
		.toLowerCase()
		.split(/[\s,]+/)
		.filter(Boolean)
		.some((entry) => {
			if (entry === '*') return true;
			const [, name = entry, wantedPort] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
			if (wantedPort !== undefined && wantedPort !== port) return false;
			const bare = name.replace(/^\*?\./, '');
			return (host === bare && !/^\*?\./.test(name)) || host.endsWith(`.${bare}`);
		});
}
