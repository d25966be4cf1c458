/** What Go's time.Parse says of a text that is no time, by the layout that docker chooses for it. */

/** docker's GetTimestamp: the layout follows from what is in the text. */
function layoutFor(text: string): string {
	const local = !(/[zZ+]/.test(text) || text.split('-').length === 4);
	const zone = local ? '' : 'Z07:00';
	const whole = '2006-01-02T15:04:05';
	if (text.includes('.')) return `${whole}.999999999${zone}`;
	if (!text.includes('T')) return `2006-01-02${zone}`;
	let colons = text.split(':').length - 1;
	// The one of the zone.
	if (!local && !/[zZ]/.test(text) && colons > 0) colons--;
	return (colons === 0 ? '2006-01-02T15' : colons === 1 ? '2006-01-02T15:04' : whole) + zone;
}

/** What each element takes from the text; where it takes nothing the text is none. */
const elements: Readonly<Record<string, {takes: RegExp; most?: number; least?: number; name?: string}>> = {
	'2006': {takes: /^\d{4}/},
	'01': {takes: /^\d\d/, least: 1, most: 12, name: 'month'},
	'02': {takes: /^\d\d/},
	'15': {takes: /^\d\d?/, most: 23, name: 'hour'},
	'04': {takes: /^\d\d/, most: 59, name: 'minute'},
	'05': {takes: /^\d\d/, most: 59, name: 'second'},
	'.999999999': {takes: /^(?:\.\d*)?/},
	'Z07:00': {takes: /^(?:Z|[+-]\d\d:\d\d)/},
};

/** `parsing time "2006-01-02T15:04:0Z" as "...": cannot parse "0Z" as "05"`; undefined when it is a time. */
export function goTimeError(text: string): string | undefined {
	const layout = layoutFor(text);
	const quoted = JSON.stringify(text);
	let rest = text;
	for (const part of layout.match(/2006|01|02|15|04|05|\.9+|Z07:00|./g) ?? []) {
		const element = elements[part];
		const taken = element ? element.takes.exec(rest)?.[0] : rest.startsWith(part) ? part : undefined;
		if (taken === undefined)
			return `parsing time ${quoted} as "${layout}": cannot parse ${JSON.stringify(rest)} as "${part}"`;
		rest = rest.slice(taken.length);
		if (
			element?.most !== undefined &&
			!(Number(taken) >= (element.least ?? 0) && Number(taken) <= element.most)
		)
			return `parsing time ${quoted}: ${element.name} out of range`;
	}
	if (rest !== '') return `parsing time ${quoted}: extra text: ${JSON.stringify(rest)}`;
	const [year, month, day] = text.split(/[-TZ+]/, 3).map(Number) as [number, number, number];
	return day < 1 || day > new Date(Date.UTC(year, month, 0)).getUTCDate()
		? `parsing time ${quoted}: day out of range`
		: undefined;
}
