import type {Answer} from './table.ts';

/** docker's answers, masked and in today's wording, by table and line. */
export type Recorded = Record<string, Record<string, Answer>>;

export const answersFile = new URL('answers.json', import.meta.url).pathname;
