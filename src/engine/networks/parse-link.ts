import {WherryError} from '../errors.ts';

/** `name:alias`, or a name that is its own alias. */
export function parseLink(text: string): {name: string; alias: string} {
	if (text === '') throw new WherryError('invalid', 'empty string specified for links');
	const [name = '', alias = name, more] = text.split(':') as [string, string?, string?];
	if (name === '' || alias === '' || more !== undefined)
		throw new WherryError('invalid', `bad format for links: ${text}`);
	return {name: name.replace(/^\//, ''), alias: alias.replace(/^.*\//, '')};
}
