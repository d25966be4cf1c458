/** Go's filepath.Match for one part of a path, as the source of a regular expression. Pure. */
export function globSource(pattern: string): string {
	let source = '';
	const characters = [...pattern];
	for (let at = 0; at < characters.length; at++) {
		const character = characters[at]!;
		if (character === '*') source += '[^/]*';
		else if (character === '?') source += '[^/]';
		else if (character === '[') {
			const end = characters.indexOf(']', at + 2);
			if (end < 0) {
				source += '\\[';
				continue;
			}
			source += `[${characters
				.slice(at + 1, end)
				.join('')
				.replace(/[\]\\&~[]/g, '\\$&')}]`;
			at = end;
		} else if (character === '\\' && at + 1 < characters.length) source += literal(characters[++at]!);
		else source += literal(character);
	}
	return source;
}

const literal = (character: string): string => character.replace(/[\\^$.*+?()[\]{}|/]/gu, '\\$&');
