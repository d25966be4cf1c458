/** What the titles of logs and of graphs say beside their tabs. Pure. */
import type {TextField} from '../input/text-field.ts';
import {containerName, isUp} from '../panes/containers.ts';
import {subjectContainer, subjectName} from '../panes/subject.ts';
import {currentMatcher, matchingLines} from '../store/log-search.ts';
import type {LogState, State} from '../store/state.ts';
import {sanitize} from '../text/sanitize.ts';
import {sinceText} from '../text/since.ts';

const PHASES = {idle: '', reading: 'follow', ended: 'ended'};

/** Names of those whose output is shown; sanitised. */
export function logNames({logs, containers}: State): string[] {
	return logs.sources.map((id) => {
		const row = containers.get(id);
		return row ? sanitize(containerName(row)) : id.slice(0, 12);
	});
}

export function logAbout(state: State): string {
	const {logs, filtering} = state;
	const names = logNames(state);
	const name = names.length > 1 ? `${names.length} containers` : (names[0] ?? '');
	const flags = [
		...(logs.follow ? [PHASES[logs.phase]] : [`${logs.buffer.total - logs.top} below`]),
		...(logs.since === undefined ? [] : [`since ${sinceText(logs.since)}`]),
		...(logs.wrap ? ['wrap'] : []),
		...(logs.colours ? [] : ['plain']),
		...(logs.json ? ['json'] : []),
		...(logs.left > 0 ? [`→${logs.left}`] : []),
		...(logs.skips > 0 ? [`${logs.skips} skips`] : []),
	]
		.filter(Boolean)
		.join(' · ');
	const typing = filtering?.pane === 'logs' ? filtering.field : undefined;
	return [name, flags, searchText(logs, typing)].filter(Boolean).join(' · ');
}

export function statsAbout(state: State): string {
	const container = subjectContainer(state);
	const stopped = container && !isUp(container) && state.usage.histories.has(container.Id);
	return [subjectName(state), ...(stopped ? ['stopped'] : [])].join(' · ');
}

/** What is typed, or what is searched for and how often it is there. */
function searchText(logs: LogState, typing: TextField | undefined): string {
	if (typing) {
		const {value, cursor} = typing;
		return `/${sanitize(value.slice(0, cursor))}▏${sanitize(value.slice(cursor))}`;
	}
	if (logs.search === '') return '';
	const pattern = `${logs.only ? '&' : '/'}${sanitize(logs.search)}`;
	if (!currentMatcher(logs)) return `${pattern} is no regular expression`;
	const numbers = matchingLines(logs);
	const place = logs.found === undefined ? '' : `${numbers.indexOf(logs.found) + 1}/`;
	return `${pattern} ${place}${numbers.length}`;
}
