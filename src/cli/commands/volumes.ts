import type {VolumeSummary} from '../../engine/api.ts';
import {WherryError} from '../../engine/errors.ts';
import {listFormat} from '../config-file.ts';
import {CliError} from '../errors.ts';
import {type CommandAction, describe, forEachObject} from '../face.ts';
import {labelHeading, labelList, labelOf, printable} from '../format/names.ts';
import {formatList, type ListView} from '../format/table.ts';
import {printError, printLine, writeOut} from '../output.ts';
import {keyValues} from '../parse/flag-values.ts';

export const volumeView: ListView = {
	type: '*formatter.volumeContext',
	headings: {
		Name: 'VOLUME NAME',
		Driver: 'DRIVER',
		Scope: 'SCOPE',
		Availability: 'AVAILABILITY',
		Group: 'GROUP',
		Labels: 'LABELS',
		Label: labelHeading,
		Links: 'LINKS',
		Mountpoint: 'MOUNTPOINT',
		Size: 'SIZE',
		Status: 'STATUS',
	},
	table: '{{.Driver}}\t{{.Name}}',
	quietField: 'Name',
	raw: 'name: {{.Name}}\ndriver: {{.Driver}}\n',
	quietRaw: 'name: {{.Name}}',
};

/** A volume as docker's templates see it. */
export function volumeRow(volume: VolumeSummary): Record<string, unknown> {
	return {
		Availability: 'N/A',
		Driver: volume.Driver,
		Group: 'N/A',
		Label: labelOf(volume.Labels),
		Labels: printable(labelList(volume.Labels)),
		Links: 'N/A',
		Mountpoint: volume.Mountpoint,
		Name: volume.Name,
		Scope: volume.Scope,
		Size: 'N/A',
		Status: 'N/A',
	};
}

export const listVolumes: CommandAction = async ({flags}, open) => {
	const engine = await open();
	const volumes = await engine.volumes.list({filters: flags.filters('filter')});
	volumes.sort((a, b) => (a.Name < b.Name ? -1 : a.Name > b.Name ? 1 : 0));
	const quiet = flags.bool('quiet');
	const options = {format: listFormat('volumesFormat', flags.string('format'), quiet), quiet};
	writeOut(formatList(volumeView, volumes.map(volumeRow), options));
	return 0;
};

export const createVolume: CommandAction = async ({flags, args}, open) => {
	const name = flags.string('name');
	if (name !== '' && args[0] !== undefined) {
		throw new CliError(
			'conflicting options: cannot specify a volume-name through both --name and as a positional arg',
		);
	}
	const engine = await open();
	const volume = await engine.volumes.create({
		name: args[0] ?? name,
		driver: flags.string('driver'),
		labels: keyValues(flags.list('label')),
		options: flags.map('opt'),
	});
	printLine(volume.Name);
	return 0;
};

/** Only volumes of a swarm can be changed, and there are none. */
export const updateVolume: CommandAction = async ({args}, open) => {
	await (await open()).volumes.inspect(args[0]!);
	throw new CliError('can only update cluster volumes');
};

export const removeVolumes: CommandAction = async ({flags, args}, open) => {
	const engine = await open();
	const force = flags.bool('force');
	return await forEachObject(
		args,
		async (name) => {
			try {
				await engine.volumes.remove(name, {force});
			} catch (error) {
				if (!force || !(error instanceof WherryError) || error.code !== 'not-found') throw error;
				printError(describe(error));
				return undefined;
			}
			return name;
		},
		printLine,
	);
};
