/** resolv.conf(5), as far as containers need it. Pure. */

export interface ResolvConf {
	servers: string[];
	search: string[];
	options: string[];
}

/** resolv.conf(5): the last of search and domain counts. */
export function parseResolvConf(text: string): ResolvConf {
	const parsed: ResolvConf = {servers: [], search: [], options: []};
	for (const line of text.split('\n')) {
		const [text = ''] = line.replaceAll(';', '#').split('#', 1);
		const [keyword, ...words] = text
			.replaceAll('\t', ' ')
			.split(' ')
			.map((word) => word.trim())
			.filter((word) => word !== '');
		if (keyword === 'nameserver' && words[0]) parsed.servers.push(words[0]);
		else if (keyword === 'search' || keyword === 'domain') parsed.search = words;
		else if (keyword === 'options') parsed.options.push(...words);
	}
	return parsed;
}

export function resolvText({servers, search, options}: ResolvConf): string {
	return [
		...servers.map((server) => `nameserver ${server}`),
		...(search.length > 0 ? [`search ${search.join(' ')}`] : []),
		...(options.length > 0 ? [`options ${options.join(' ')}`] : []),
		'',
	].join('\n');
}
