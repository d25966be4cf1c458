/** WWW-Authenticate, as RFC 9110 section 11.6.1 writes it and as registries do. */

export interface Challenge {
	/** Lower case: `basic`, `bearer`. */
	readonly scheme: string;
	/** Names in lower case. */
	readonly parameters: Readonly<Record<string, string>>;
}

const longestHeader = 8192;
const token = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const space = /[ \t]*/y;
const comma = /[ \t,]*/y;
const quoted = /"((?:[^"\\]|\\.)*)"/y;
const bare = /[^\s,"]*/y;

/** The challenges of one header, in order; what can't be read ends the list. */
export function parseChallenges(header: string): Challenge[] {
	const text = header.slice(0, longestHeader);
	let at = 0;
	const take = (pattern: RegExp): RegExpExecArray | null => {
		pattern.lastIndex = at;
		const match = pattern.exec(text);
		if (match) at += match[0].length;
		return match;
	};
	const challenges: {scheme: string; parameters: Record<string, string>}[] = [];
	for (;;) {
		take(comma);
		const name = take(token)?.[0];
		if (name === undefined) return challenges;
		take(space);
		const current = challenges.at(-1);
		if (text[at] === '=' && current) {
			at++;
			take(space);
			const value = take(quoted);
			current.parameters[name.toLowerCase()] = value
				? value[1]!.replace(/\\(.)/g, '$1')
				: (take(bare)?.[0] ?? '');
		} else challenges.push({scheme: name.toLowerCase(), parameters: Object.create(null)});
	}
}
