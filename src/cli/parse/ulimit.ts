import {syntaxError} from '../errors.ts';

export interface Ulimit {
	Name: string;
	Soft: number;
	Hard: number;
}

const names = [
	...['core', 'cpu', 'data', 'fsize', 'locks', 'memlock', 'msgqueue', 'nice', 'nofile', 'nproc', 'rss'],
	...['rtprio', 'rttime', 'sigpending', 'stack'],
];

function integer(text: string): number {
	if (!/^[+-]?\d+$/.test(text)) throw new Error(syntaxError('ParseInt', text));
	return Number(text);
}

/** `name=soft[:hard]`; -1 is unlimited. Throws docker's words. */
export function parseUlimit(text: string): Ulimit {
	const equals = text.indexOf('=');
	if (equals < 0) throw new Error(`invalid ulimit argument: ${text}`);
	const name = text.slice(0, equals);
	const value = text.slice(equals + 1);
	if (!names.includes(name)) throw new Error(`invalid ulimit type: ${name}`);
	const parts = value.split(':');
	if (parts.length > 2) {
		throw new Error(`too many limit value arguments - ${value}, can only have up to two, \`soft[:hard]\``);
	}
	const soft = integer(parts[0]!);
	if (parts.length === 1) return {Name: name, Soft: soft, Hard: soft};
	const hard = integer(parts[1]!);
	if (hard !== -1) {
		if (soft === -1)
			throw new Error(
				`ulimit soft limit must be less than or equal to hard limit: soft: -1 (unlimited), hard: ${hard}`,
			);
		if (soft > hard)
			throw new Error(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`);
	}
	return {Name: name, Soft: soft, Hard: hard};
}
