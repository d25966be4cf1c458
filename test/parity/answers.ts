import type {Answer} from './table.ts';

/** docker's answers, masked and in today's wording: of each table its lines in order, since one may stand there twice. */
export type Recorded = Record<string, (Answer & {line: string})[]>;

export const answersFile = new URL('answers.json', import.meta.url).pathname;

/** A line of text for each answer. */
export function written(recorded: Recorded): string {
	const tables = Object.entries(recorded).map(
		([name, answers]) =>
			`${JSON.stringify(name)}: [\n${answers.map((answer) => JSON.stringify(answer)).join(',\n')}\n]`,
	);
	return `{\n${tables.join(',\n')}\n}\n`;
}
