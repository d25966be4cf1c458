import type {Engine} from '../../engine/api.ts';
import {WherryError} from '../../engine/errors.ts';
import {CliError} from '../errors.ts';
import {type CommandAction, describe} from '../face.ts';
import {goJson} from '../format/template/go-value.ts';
import {executeTemplate, parseTemplate, TemplateError} from '../format/value.ts';
import {printError, writeOut} from '../output.ts';

type Kind = 'container' | 'image' | 'network' | 'volume';
type Find = (engine: Engine, name: string, size: boolean) => Promise<unknown>;

const kinds: Record<Kind, Find> = {
	container: (engine, name, size) => engine.containers.inspect(name, {size}),
	image: (engine, name) => engine.images.inspect(name),
	network: (engine, name) => engine.networks.inspect(name),
	volume: (engine, name) => engine.volumes.inspect(name),
};

/** Go prints the nil of these as an empty list or map; everything else that is nil as `<nil>`. */
const nilLists = new Set(
	'Binds VolumesFrom CapAdd CapDrop ExtraHosts GroupAdd SecurityOpt Devices DeviceCgroupRules DeviceRequests Ulimits MaskedPaths ReadonlyPaths Dns DnsOptions DnsSearch Links Cmd Entrypoint OnBuild Env Shell ExecIDs Mounts RepoTags RepoDigests Aliases DNSNames SecondaryIPAddresses SecondaryIPv6Addresses BlkioWeightDevice BlkioDeviceReadBps BlkioDeviceWriteBps BlkioDeviceReadIOps BlkioDeviceWriteIOps Args'.split(
		' ',
	),
);
const nilMaps = new Set(
	'Volumes Labels Options ExposedPorts PortBindings Ports Sysctls Tmpfs Annotations StorageOpt Networks Containers DriverOpts AuxiliaryAddresses'.split(
		' ',
	),
);

const nilText = (field: string): string =>
	nilLists.has(field) ? '[]' : nilMaps.has(field) ? 'map[]' : '<nil>';

/** Shows what is found, then says what is not; docker's order and statuses. */
async function show(
	line: Parameters<CommandAction>[0],
	open: () => Promise<Engine>,
	find: Find,
): Promise<number> {
	const {flags, args} = line;
	const format = flags.string('format');
	let template: ReturnType<typeof parseTemplate> | undefined;
	if (format !== '' && format !== 'json') {
		try {
			template = parseTemplate(format);
		} catch (error) {
			throw new CliError((error as Error).message, 64);
		}
	}
	const engine = await open();
	const found: unknown[] = [];
	const problems: unknown[] = [];
	const lines: string[] = [];
	for (const name of args) {
		try {
			const value = await find(engine, name, flags.bool('size'));
			if (template)
				lines.push(
					executeTemplate(template, value, {
						missingKeyFails: true,
						nilText,
						isMap: (field) => nilMaps.has(field),
					}),
				);
			else found.push(value);
		} catch (error) {
			problems.push(error);
		}
	}
	if (template) writeOut(lines.length > 0 ? lines.map((text) => `${text}\n`).join('') : '\n');
	else if (format === 'json') writeOut(`${goJson(found)}\n`);
	else writeOut(found.length === 0 ? '[]\n' : `${goJson(found, 4)}\n`);
	for (const problem of problems) {
		printError(problem instanceof TemplateError ? problem.message : describe(problem));
	}
	return problems.length > 0 ? 1 : 0;
}

export const inspectContainers: CommandAction = (line, open) => show(line, open, kinds.container);
export const inspectImages: CommandAction = (line, open) => show(line, open, kinds.image);
export const inspectNetworks: CommandAction = (line, open) => show(line, open, kinds.network);
export const inspectVolumes: CommandAction = (line, open) => show(line, open, kinds.volume);

/** Any kind: the first that has the name, in docker's order. */
export const inspect: CommandAction = async (line, open) => {
	const type = line.flags.string('type');
	if (line.flags.changed('type')) {
		if (!Object.hasOwn(kinds, type)) {
			const later = ['node', 'plugin', 'secret', 'service', 'task', 'config'].includes(type);
			throw new CliError(
				later
					? `wherry inspect: --type ${type} is not supported yet`
					: `${JSON.stringify(type)} is not a valid value for --type`,
			);
		}
		return await show(line, open, kinds[type as Kind]);
	}
	return await show(line, open, async (engine, name, size) => {
		for (const find of Object.values(kinds)) {
			try {
				return await find(engine, name, size);
			} catch (error) {
				// A name that another kind doesn't allow is only not there.
				const other =
					error instanceof WherryError && (error.code === 'not-found' || error.code === 'invalid');
				if (!other) throw error;
			}
		}
		throw new WherryError('not-found', `No such object: ${name}`, {object: name});
	});
};
