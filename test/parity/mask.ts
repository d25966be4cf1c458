/** Takes out of the two engines' answers what can't be the same: ids, times, sizes, addresses, names of programs. */
import {newerWording} from './newer.ts';
import type {Answer} from './table.ts';

type Mask = readonly [pattern: RegExp, by: string | ((found: string) => string)];

/** Addresses that the tables themselves name; every other one was given out. */
const namedAddress =
	/^(0\.0\.0\.0|127\.|192\.0\.2\.|198\.51\.100\.|203\.0\.113\.|8\.8\.|1\.|10\.99\.|255\.|172\.16\.99\.)/;

const masks: readonly Mask[] = [
	[/\b(sha256:)?[0-9a-f]{64}\b/g, '<id>'],
	[/\b[0-9a-f]{12}\b/g, '<short>'],
	[/\b[0-9A-F]{12}\b/g, '<SHORT>'],
	[/\b[0-9a-f]{10,}…/g, '<short>…'],
	// There is no way out; each resolver says it in its own words.
	[/lookup (registry-1|index)\.docker\.io.*$/gm, 'lookup $1.docker.io'],
	// A prefix of ids that happens to be that of two.
	[
		/(?<=IDs found with provided prefix: |\bnetwork |No such image: |kill container: |start containers: |get container for )[0-9a-f](?=$|:| is ambiguous)/gm,
		'<prefix>',
	],
	[/\d+(?= matches found based on ID prefix)/g, '<n>'],
	[/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)? ?(Z|[+-]\d\d:?\d\d)( [A-Z]+)?/g, '<time>'],
	[
		/\b(Less than a second|About an? (minute|hour)|\d+ (seconds?|minutes?|hours?|days?|weeks?|months?|years?))\b/g,
		'<span>',
	],
	[/\b(\d{1,3}\.){3}\d{1,3}\b/g, (found) => (namedAddress.test(found) ? found : '<ip>')],
	[/\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b/g, '<mac>'],
	[/\b\d+(\.\d+)? ?([kMGT]i?)?B\b/g, '<size>'],
	// Where the host gives out ports.
	[/(?<=:)(3[2-9]|[45]\d|60)\d{3}\b/g, '<port>'],
	// Newer docker names the container where older docker had its id, or nothing.
	[/(?<=cannot kill container: )\S+(?=: invalid signal)/g, '<name>'],
	[/(?<=cannot remove container "\/)[^"]+/g, '<name>'],
	// Columns are as wide as what stands in them.
	[/ {3,}/g, '   '],
	[/[ \t]+$/gm, ''],
];

/** How to get help, at the end of an error. Its form is newer docker's; help has tests of its own. */
const hints = [
	/\n+(Run|See) 'docker[^\n]* --help'[^\n]*(?=\n|$)/g,
	/\n\nUsage: {2}[\s\S]*$/,
	/^\nUsage: {2}[\s\S]*$/,
];

/** `work` is the folder in which the lines were run. */
export function maskAnswer({code, stdout, stderr}: Answer, work: string): Answer {
	const named = (text: string): string => text.replaceAll(work, '<folder>').replace(/\bwherry\b/g, 'docker');
	const mask = (text: string): string =>
		masks.reduce((masked, [pattern, by]) => masked.replace(pattern, by as string), text);
	// docker 20.10 ends the errors of run with a full stop.
	let errors = named(stderr).replace(/^(docker: .*)\.$/gm, '$1');
	errors = errors.replaceAll('Error response from daemon: ', 'Error: ');
	for (const hint of hints) errors = errors.replace(hint, '');
	return {code, stdout: mask(named(stdout)), stderr: mask(errors).trimEnd()};
}

/** docker's answer as the newest docker would word it. */
export const modern = ({code, stdout, stderr}: Answer): Answer => ({
	code,
	stdout,
	stderr: newerWording.reduce((text, {old, now}) => text.replace(old, now), stderr),
});
