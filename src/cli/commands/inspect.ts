import type {Engine, Platform} from '../../engine/api.ts';
import {WherryError} from '../../engine/errors.ts';
import {CliError} from '../errors.ts';
import {type CommandAction, describe} from '../face.ts';
import type {InspectKind} from '../format/inspect-value.ts';
import {printError, writeOut} from '../output.ts';

type Found = {kind: InspectKind; document: unknown};
type Find = (engine: Engine, name: string, size: boolean, platform?: Platform) => Promise<Found>;

/** In docker's order: a name is that of the first kind that has it. */
const kinds: Record<InspectKind, Find> = {
	container: async (engine, name, size) => ({
		kind: 'container',
		document: await engine.containers.inspect(name, {size}),
	}),
	image: async (engine, name, _, platform) => ({
		kind: 'image',
		document: await engine.images.inspect(name, platform ? {platform} : {}),
	}),
	network: async (engine, name) => ({kind: 'network', document: await engine.networks.inspect(name)}),
	volume: async (engine, name) => ({kind: 'volume', document: await engine.volumes.inspect(name)}),
};

/** How one document is printed, and all of them. Throws what has to be said before anything is looked up. */
interface Printer {
	print(found: Found): Promise<string>;
	/** The whole output. */
	all(texts: readonly string[]): string;
}

const lineSeparators = (json: string): string =>
	json.replace(/[\u2028\u2029]/g, (char) => (char === '\u2028' ? '\\u2028' : '\\u2029'));

const documents: Printer = {
	print: async ({document}) => JSON.stringify([document], undefined, 4).slice(2, -2),
	all: (texts) => (texts.length === 0 ? '[]\n' : `[\n${lineSeparators(texts.join(',\n'))}\n]\n`),
};

const compact: Printer = {
	print: async ({document}) => JSON.stringify(document),
	all: (texts) => `[${lineSeparators(texts.join(','))}]\n`,
};

async function templatePrinter(format: string): Promise<Printer> {
	const [{inspectValue, loadTypes}, {parseTemplate}] = await Promise.all([
		import('../format/inspect-value.ts'),
		import('../format/value.ts'),
	]);
	let template: ReturnType<typeof parseTemplate>;
	try {
		template = parseTemplate(format);
	} catch (error) {
		throw new CliError((error as Error).message, 64);
	}
	return {
		async print({kind, document}) {
			await loadTypes(kind);
			return inspectValue(template, kind, document);
		},
		all: (texts) => (texts.length === 0 ? '\n' : texts.map((text) => `${text}\n`).join('')),
	};
}

async function printerOf(format: string): Promise<Printer> {
	if (format === '') return documents;
	return format === 'json' ? compact : await templatePrinter(format);
}

/** Shows what is found, then says what is not; docker's order and statuses. */
async function show(
	{flags, args}: Parameters<CommandAction>[0],
	open: () => Promise<Engine>,
	find: Find,
): Promise<number> {
	const printer = await printerOf(flags.string('format'));
	const engine = await open();
	const size = flags.bool('size');
	const named = flags.string('platform');
	const platform = named === '' ? undefined : (await import('./run-options.ts')).platformOf(named);
	const texts: string[] = [];
	const problems: string[] = [];
	for (const name of args) {
		try {
			const found = await find(engine, name, size, platform);
			if (size && found.kind !== 'container') printError(`WARNING: --size ignored for ${found.kind}`);
			texts.push(await printer.print(found));
		} catch (error) {
			problems.push(describe(error));
		}
	}
	writeOut(printer.all(texts));
	for (const problem of problems) printError(problem);
	return problems.length > 0 ? 1 : 0;
}

export const inspectContainers: CommandAction = (line, open) => show(line, open, kinds.container);
export const inspectImages: CommandAction = (line, open) => show(line, open, kinds.image);
export const inspectNetworks: CommandAction = (line, open) => show(line, open, kinds.network);
export const inspectVolumes: CommandAction = (line, open) => show(line, open, kinds.volume);

/** docker's other kinds, of which there are none here. */
const foreign = ['config', 'node', 'plugin', 'secret', 'service', 'task'];

/** docker's list, also what there is none of here. */
const types =
	'"config", "container", "image", "network", "node", "plugin", "secret", "service", "task", "volume"';

/** Any kind, unless one is named. */
export const inspect: CommandAction = async (line, open) => {
	const type = line.flags.string('type');
	if (line.flags.changed('type')) {
		if (Object.hasOwn(kinds, type)) return await show(line, open, kinds[type as InspectKind]);
		if (type === '') throw new CliError(`type is empty: must be one of ${types}`);
		throw new CliError(
			foreign.includes(type)
				? `wherry inspect: --type ${type} is not supported: there are containers, images, networks and volumes`
				: `unknown type: ${JSON.stringify(type)}: must be one of ${types}`,
		);
	}
	return await show(line, open, async (engine, name, size) => {
		for (const find of Object.values(kinds)) {
			try {
				return await find(engine, name, size);
			} catch (error) {
				if (!(error instanceof WherryError) || !isAbsence(error)) throw error;
			}
		}
		throw new WherryError('not-found', `No such object: ${name}`, {object: name});
	});
};

/** A name that another kind doesn't allow is only not there; an ambiguous one is said. */
const isAbsence = ({code, message, bare}: WherryError): boolean =>
	code === 'not-found' || (code === 'invalid' && !bare && !/multiple IDs/i.test(message));
