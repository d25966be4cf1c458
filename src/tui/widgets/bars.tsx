/** The first and the last line of the screen. */
import {Box, Text} from 'ink';
import {offeredHints} from '../commands/offers.ts';
import {keyOf} from '../keys.ts';
import {countContainers} from '../panes/containers.ts';
import {paint} from '../render/paint.ts';
import type {State} from '../store/state.ts';
import {type Store, useSlice} from '../store/store.ts';
import {sanitize} from '../text/sanitize.ts';
import {displayWidth, fitCells, truncate, wrapWords} from '../text/width.ts';
import {tone} from '../theme.ts';

const selectCounts = (state: State): string => {
	const {up, stopped} = countContainers(state);
	return `${up} ${stopped} ${state.images.length} ${state.networks.length} ${state.phase} ${state.volumes.length}`;
};
const count = (number: string, noun: string): string => `${number} ${noun}${number === '1' ? '' : 's'}`;
const selectJobs = (state: State) => state.jobs;
/** What the machine does, as a text: only a number that is seen draws the line again. */
const selectHost = ({host}: State): string =>
	host
		? `cpu ${host.cpu}%  mem ${gigabytes(host.memory)}/${gigabytes(host.memoryTotal)}GiB  load ${host.load}  `
		: '';
const gigabytes = (bytes: number): string => (bytes / 2 ** 30).toFixed(1);
const selectWidth = (state: State) => state.size.columns;

export function Header({store, host}: {store: Store; host: string}) {
	const [up, stopped, images, networks, phase, volumes] = useSlice(store, selectCounts).split(' ');
	const jobs = useSlice(store, selectJobs);
	const width = useSlice(store, selectWidth);
	const counts =
		phase === 'loading'
			? ''
			: `▶ ${up} up  ■ ${stopped} stopped  ${count(images!, 'image')}  ${count(networks!, 'network')}  ${count(volumes!, 'volume')}`;
	const whole = [...jobs].map(([name, progress]) => sanitize(`${name} ${progress}`)).join(' · ');
	// Where there is no room, of each what it is and how far: what it works on is known to who began it.
	const brief = [...jobs]
		.map(([name, progress]) => sanitize(`${name.split(' ')[0]} ${progress}`))
		.join(' · ');
	const left = ` wherry  ${sanitize(host)}  `;
	const help = `${keyOf('app.help')} help `;
	const machine = useSlice(store, selectHost);
	const all = width - displayWidth(left) - displayWidth(help);
	const work = displayWidth(counts) + displayWidth(whole) + 2 <= all ? whole : brief;
	// The counts come first, then what works in the background, which keeps its room, then the machine.
	const spare = all - displayWidth(counts) - displayWidth(work) - 4;
	const numbers = machine !== '' && displayWidth(machine) <= spare ? machine : '';
	const room = all - displayWidth(numbers);
	const kept = work === '' ? 0 : Math.min(displayWidth(work) + 3, Math.floor(room / 2));
	const middle = fitCells(counts, Math.min(room - kept, displayWidth(counts) + 2));
	const told = displayWidth(middle) <= displayWidth(counts) ? ` ${work}` : work;
	return (
		<Text wrap="truncate">
			{paint(left, {...tone('accent'), bold: true}) +
				middle +
				paint(fitCells(told, Math.max(0, room - displayWidth(middle))), tone('warning')) +
				paint(numbers, tone('info')) +
				paint(help, tone('muted'))}
		</Text>
	);
}

/** One text, so that the same ones are no reason to draw again. */
const selectHints = (state: State) =>
	offeredHints(state)
		.map(({key, word}) => `${key}\t${word}`)
		.join('\n');
const selectSize = (state: State) => state.size;
const selectMessage = (state: State) => state.message;
const selectCommand = (state: State) => state.command;

/** Rows that an error may take above the last line. */
const MESSAGE_ROWS = 5;

/** What the last line has no room for, whole, over the rows above it; nothing while it fits. */
export function LongMessage({store}: {store: Store}) {
	const message = useSlice(store, selectMessage);
	const {columns, rows} = useSlice(store, selectSize);
	if (!message || displayWidth(message.text) <= columns - 1) return null;
	const name = message.tone === 'bad' ? 'bad' : message.tone === 'good' ? 'good' : 'info';
	const all = wrapWords(message.text, columns - 2);
	const lines = all.slice(0, Math.min(MESSAGE_ROWS, rows - 2));
	if (lines.length < all.length) lines.push(`${truncate(lines.pop()!, columns - 3)}…`);
	return (
		<Box position="absolute" left={0} top={rows - lines.length} flexDirection="column" width={columns}>
			{lines.map((line, index) => (
				// biome-ignore lint/suspicious/noArrayIndexKey: rows of one text
				<Text key={index} {...tone(name)} bold={message.tone === 'bad'} wrap="truncate">
					{fitCells(` ${line}`, columns)}
				</Text>
			))}
		</Box>
	);
}

export function Footer({store}: {store: Store}) {
	const offered = useSlice(store, selectHints);
	const message = useSlice(store, selectMessage);
	const command = useSlice(store, selectCommand);
	const width = useSlice(store, selectWidth);
	if (message) {
		const name = message.tone === 'bad' ? 'bad' : message.tone === 'good' ? 'good' : 'info';
		return (
			<Text {...tone(name)} bold={message.tone === 'bad'} wrap="truncate">
				{fitCells(` ${message.text}`, width)}
			</Text>
		);
	}
	// The command may take half of the line; hints that don't fit whole are left out.
	const last = command === undefined ? '' : `${truncate(`$ ${command}`, Math.floor(width / 2))} `;
	let room = width - displayWidth(last) - 1;
	const shown: {key: string; word: string}[] = [];
	for (const hint of offered.split('\n')) {
		const [key = '', word = ''] = hint.split('\t');
		const need = displayWidth(key) + displayWidth(word) + 3;
		if (need > room || word === '') break;
		room -= need;
		shown.push({key, word});
	}
	return (
		<Text wrap="truncate">
			{' ' +
				shown.map(({key, word}) => paint(key, {bold: true}) + paint(` ${word}  `, tone('muted'))).join('') +
				' '.repeat(Math.max(0, room)) +
				paint(last, tone('accent'))}
		</Text>
	);
}
