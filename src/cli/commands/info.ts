import type {EngineInfo} from '../../engine/api.ts';
import type {CommandAction} from '../face.ts';
import {bytesSize} from '../format/size.ts';
import {printError, printLine, writeOut} from '../output.ts';
import {wherryVersion} from '../version.ts';

/** docker's `ClientInfo`. */
const client = {
	Debug: false,
	Version: wherryVersion,
	Os: 'linux',
	Arch: {x64: 'amd64', ia32: '386'}[process.arch as string] ?? process.arch,
	Context: 'default',
	Plugins: [],
	Warnings: null,
};

type Lists = Record<string, string[] | null>;

/** docker's form of `name=seccomp,profile=builtin`: the name, and below it what it is set to. */
function securityLines(options: readonly string[]): string[] {
	return options.flatMap((option) => {
		const parts = option.split(',').map((part) => part.split('=') as [string, string?]);
		return parts.map(([key, value = '']) =>
			key === 'name' ? `  ${value}` : `   ${key[0]?.toUpperCase()}${key.slice(1)}: ${value}`,
		);
	});
}

const list = (heading: string, items: readonly string[]): string[] =>
	items.length === 0 ? [] : [` ${heading}:`, ...items.map((item) => `  ${item}`)];

const line = (heading: string, value: unknown): string[] =>
	value === undefined || value === '' ? [] : [` ${heading}: ${value}`];

/** docker's layout. */
export function infoText(info: EngineInfo): string {
	const plugins = info.Plugins as Lists;
	const registries = info.RegistryConfig as {
		InsecureRegistryCIDRs: string[];
		Mirrors: string[];
		IndexConfigs: Record<string, {Secure: boolean}>;
	};
	const insecure = Object.entries(registries.IndexConfigs).flatMap(([name, {Secure}]) =>
		Secure ? [] : [name],
	);
	const limits = info.LogDefaults as Record<string, string>;
	const lines = [
		'Client:',
		` Version:    ${client.Version}`,
		` Context:    ${client.Context}`,
		` Debug Mode: ${client.Debug}`,
		'',
		'Server:',
		...line('Containers', info.Containers),
		...line(' Running', info.ContainersRunning),
		...line(' Paused', info.ContainersPaused),
		...line(' Stopped', info.ContainersStopped),
		...line('Images', info.Images),
		...line('Server Version', info.ServerVersion),
		...line('Storage Driver', info.Driver),
		...(info.DriverStatus as [string, string][]).map(([name, value]) => `  ${name}: ${value}`),
		...line('Logging Driver', info.LoggingDriver),
		...Object.entries(limits).map(([name, value]) => `  ${name}: ${value}`),
		...line('Cgroup Driver', info.CgroupDriver),
		...line('Cgroup Version', info.CgroupVersion),
		' Plugins:',
		...line(' Volume', plugins.Volume?.join(' ')),
		...line(' Network', plugins.Network?.join(' ')),
		...line(' Log', plugins.Log?.join(' ')),
		...list('CDI spec directories', info.CDISpecDirs as string[]),
		...line('Swarm', (info.Swarm as {LocalNodeState: string}).LocalNodeState),
		...line('Runtimes', Object.keys(info.Runtimes as object).join(' ')),
		...line('Default Runtime', info.DefaultRuntime),
		...line('Init Binary', info.InitBinary),
		...line('containerd version', (info.ContainerdCommit as {ID: string}).ID),
		...line('runc version', (info.RuncCommit as {ID: string}).ID),
		...line('init version', (info.InitCommit as {ID: string}).ID),
		' Security Options:',
		...securityLines(info.SecurityOptions as string[]),
		...line('Kernel Version', info.KernelVersion),
		...line('Operating System', info.OperatingSystem),
		...line('OSType', info.OSType),
		...line('Architecture', info.Architecture),
		...line('CPUs', info.NCPU),
		...line('Total Memory', bytesSize(info.MemTotal)),
		...line('Name', info.Name),
		...line('ID', info.ID),
		...line('Docker Root Dir', info.DockerRootDir),
		...line('Run Dir', info.RunDir),
		...line('Debug Mode', info.Debug),
		...line('HTTP Proxy', info.HttpProxy),
		...line('HTTPS Proxy', info.HttpsProxy),
		...line('No Proxy', info.NoProxy),
		...line('Experimental', info.ExperimentalBuild),
		...list('Insecure Registries', [...insecure, ...registries.InsecureRegistryCIDRs]),
		...list('Registry Mirrors', registries.Mirrors),
		...line('Live Restore Enabled', info.LiveRestoreEnabled),
	];
	return `${lines.join('\n')}\n\n`;
}

export const info: CommandAction = async ({flags}, open) => {
	const format = flags.string('format');
	if (format === '') {
		const value = await (await open()).info();
		writeOut(infoText(value));
		for (const warning of value.Warnings) printError(`WARNING: ${warning}`);
		return 0;
	}
	const {systemText} = await import('../format/system-value.ts');
	const print = systemText(format, 'system.dockerInfo', '');
	printLine(print({...(await (await open()).info()), ClientInfo: client}));
	return 0;
};
