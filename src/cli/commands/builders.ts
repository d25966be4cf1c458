/** The builder: there is one, which is this program, and it is always there. */
import {CliError} from '../errors.ts';
import type {CommandAction} from '../face.ts';
import {printLine, writeOut} from '../output.ts';
import {wherryVersion} from '../version.ts';

/** `--builder`: there is the one that is always there. */
export function checkBuilder(name: string): void {
	if (name !== '' && name !== 'default') throw new CliError(`ERROR: no builder "${name}" found`);
}

/** What runs here without an interpreter, as buildx lists it. */
async function platforms(): Promise<string> {
	const {formatPlatform, hostPlatform} = await import('../../engine/images/platform.ts');
	const {obstacleTo} = await import('../../engine/build/foreign.ts');
	const host = hostPlatform();
	const others = ['amd64', '386', 'arm64', 'arm', 'riscv64', 'ppc64le', 's390x', 'mips64le', 'loong64']
		.map((architecture) => ({os: 'linux', architecture}))
		.filter((platform) => platform.architecture !== host.architecture && obstacleTo(platform) === undefined);
	return [host, ...others].map(formatPlatform).join(', ');
}

export const listBuilders: CommandAction = async ({flags}) => {
	const {formatList} = await import('../format/table.ts');
	const node = {
		Name: 'default',
		DriverEndpoint: 'wherry',
		LastActivity: '',
		Status: 'running',
		Buildkit: wherryVersion,
		Platforms: await platforms(),
		Error: '',
		Builder: {
			Name: 'default',
			Driver: 'wherry',
			Nodes: [{Name: 'default', Endpoint: 'default'}],
			Dynamic: false,
		},
	};
	const view = {
		type: '*commands.lsContext',
		headings: {
			Name: 'NAME/NODE',
			DriverEndpoint: 'DRIVER/ENDPOINT',
			LastActivity: 'LAST ACTIVITY',
			Status: 'STATUS',
			Buildkit: 'BUILDKIT',
			Platforms: 'PLATFORMS',
			Error: 'ERROR',
		},
		table: '{{.Name}}\t{{.DriverEndpoint}}\t{{.Status}}\t{{.Buildkit}}\t{{.Platforms}}',
		quietField: 'Name',
	};
	const format = flags.string('format');
	const isTable = format.startsWith('table');
	const rows = isTable
		? [
				{...node, Name: 'default*', Status: '', Buildkit: '', Platforms: ''},
				{...node, Name: ' \\_ default', DriverEndpoint: ' \\_ default'},
			]
		: [node];
	writeOut(formatList(view, rows, {format}));
	return 0;
};

export const inspectBuilder: CommandAction = async ({args, flags}) => {
	checkBuilder(args[0] ?? flags.string('builder'));
	const line = (name: string, value: string): string => `${`${name}:`.padEnd(18)}${value}\n`;
	writeOut(
		`Name:   default\nDriver: wherry\n\nNodes:\n${line('Name', 'default')}${line('Endpoint', 'default')}${line('Status', 'running')}${line('BuildKit version', wherryVersion)}${line('Platforms', await platforms())}`,
	);
	return 0;
};

export const useBuilder: CommandAction = async ({args}) => {
	checkBuilder(args[0]!);
	return 0;
};

export const builderVersion: CommandAction = async () => {
	printLine(`wherry ${wherryVersion}`);
	return 0;
};
