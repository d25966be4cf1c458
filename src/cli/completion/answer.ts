import type {Engine} from '../../engine/api.ts';
import {writeOut} from '../output.ts';
import {type Completion, complete} from './complete.ts';

/** Bits of the last line, as cobra's completion scripts read them; docker's own script works with them too. */
const directives = {noSpace: 2, noFiles: 4, folders: 16};

/**
 * Answers a completion script: a candidate per line, a tab and what it is, then a colon and the directives. What goes
 * wrong is no answer: a shell that waits for a completion has no place for errors.
 */
export async function answerCompletion(
	words: readonly string[],
	descriptions: boolean,
	open: () => Promise<Engine>,
): Promise<number> {
	let completion: Completion;
	try {
		completion = await complete(words, open);
	} catch {
		completion = {candidates: [], noSpace: false, fallback: 'nothing'};
	}
	const {candidates, noSpace, fallback} = completion;
	const bits =
		(noSpace ? directives.noSpace : 0) +
		(fallback === 'nothing' ? directives.noFiles : fallback === 'folders' ? directives.folders : 0);
	const lines = candidates.map(({word, about}) => (descriptions && about ? `${word}\t${about}` : word));
	writeOut(`${[...lines, `:${bits}`].join('\n')}\n`);
	return 0;
}
