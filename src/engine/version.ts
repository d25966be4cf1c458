/** The version of the program, from the package that it is part of. */
import {readFileSync} from 'node:fs';

let known: string | undefined;

export function version(): string {
	if (known !== undefined) return known;
	// From the sources (src/engine) as from a bundle (dist).
	for (const relative of ['../package.json', '../../package.json']) {
		try {
			const content = JSON.parse(readFileSync(new URL(relative, import.meta.url), 'utf8')) as {
				name?: string;
				version?: string;
			};
			if (content.name === 'wherry' && content.version) {
				known = content.version;
				return known;
			}
		} catch {
			// Not there: the other one is.
		}
	}
	known = 'unknown';
	return known;
}
