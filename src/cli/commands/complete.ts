import type {Engine} from '../../engine/api.ts';
import {aliases, command, commands, fullName, shortForms} from './table/index.ts';

const networkNames = async (engine: Engine): Promise<string[]> =>
	(await engine.networks.list()).map(({Name}) => Name);

/** What may follow the words of a command line; the last one is being typed. */
export async function complete(words: readonly string[], open: () => Promise<Engine>): Promise<string[]> {
	const [, ...rest] = words;
	const typing = rest.at(-1) ?? '';
	const before = rest.slice(0, -1).filter((word) => !word.startsWith('-'));
	let typed = '';
	let used = 0;
	for (const word of before) {
		const longer = typed === '' ? word : `${typed} ${word}`;
		if (fullName(longer) === undefined) break;
		typed = longer;
		used++;
	}
	const found = command(typed)!;
	const fits = (list: Iterable<string>): string[] =>
		[...new Set(list)].filter((item) => item.startsWith(typing)).sort();
	if (/^--net(work)?$/.test(rest.at(-2) ?? '')) return fits(await networkNames(await open()));
	if (typing.startsWith('-')) {
		return fits(found.flags.filter((flag) => flag.supported && !flag.hidden).map((flag) => `--${flag.name}`));
	}
	if (found.group && used === before.length) {
		const prefix = typed === '' ? '' : `${typed} `;
		const names = [...Object.keys(commands), ...Object.keys(shortForms), ...Object.keys(aliases)];
		return fits(
			names
				.filter(
					(name) => name !== '' && name.startsWith(prefix) && commands[fullName(name)!]!.args !== undefined,
				)
				.map((name) => name.slice(prefix.length).split(' ')[0]!),
		);
	}
	if (found.name === '' || !found.row.args) return [];
	const {usage} = found.row;
	const engine = await open();
	// `NETWORK CONTAINER` are two kinds, one after the other.
	const arguments_ = before.length - used;
	if (/\bNETWORK\b/.test(usage) && !(/\bCONTAINER\b/.test(usage) && arguments_ > 0)) {
		return fits(await networkNames(engine));
	}
	if (/\bCONTAINER\b/.test(usage)) {
		const running = /^container (attach|exec|kill|pause|stop)$/.test(found.name);
		return fits((await engine.containers.list({all: !running})).map((c) => c.Names[0]!.slice(1)));
	}
	if (/IMAGE\b/.test(usage)) return fits((await engine.images.list()).flatMap((image) => image.RepoTags));
	if (/\bVOLUME\b/.test(usage)) return fits((await engine.volumes.list()).map((volume) => volume.Name));
	return [];
}
