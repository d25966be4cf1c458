import type {CommandAction} from '../face.ts';
import {printLine, writeOut} from '../output.ts';
import {wherryVersion} from '../version.ts';

export const versionLine = (): string => `wherry version ${wherryVersion}`;

/** The version of docker's API whose documents `inspect`, `info` and all the formats show. */
const apiVersion = '1.50';
const oldestApi = '1.24';

const architecture = {x64: 'amd64', ia32: '386'}[process.arch as string] ?? process.arch;

/** docker's document; the engine is in this process and has its version. */
async function document(): Promise<object> {
	const {release} = await import('node:os');
	const common = {Version: wherryVersion, ApiVersion: apiVersion, GitCommit: '', GoVersion: ''};
	const engine = {
		...common,
		MinAPIVersion: oldestApi,
		Os: 'linux',
		Arch: architecture,
		KernelVersion: release(),
	};
	const {Version, ...details} = engine;
	return {
		Client: {...common, DefaultAPIVersion: apiVersion, Os: 'linux', Arch: architecture, Context: 'default'},
		Server: {
			Platform: {Name: ''},
			Components: [
				{
					Name: 'Engine',
					Version,
					Details: {...details, Experimental: 'false', NodeVersion: process.versions.node},
				},
			],
			...engine,
		},
	};
}

const rows = (indent: string, pairs: readonly [string, string][]): string =>
	pairs.map(([name, value]) => `${`${indent}${name}:`.padEnd(20)}${value}\n`).join('');

/** docker's layout. */
export const version: CommandAction = async ({flags}) => {
	const format = flags.string('format');
	if (format !== '') {
		const {systemText} = await import('../format/system-value.ts');
		const print = systemText(format, 'system.versionInfo', 'version');
		printLine(print(await document()));
		return 0;
	}
	const platform: [string, string][] = [
		// What scripts that were written for docker look for, as far as there is such a thing here.
		['Go version', 'none'],
		['Git commit', 'unknown'],
		['Node version', process.versions.node],
		['OS/Arch', `linux/${architecture}`],
	];
	writeOut(
		`Client:\n${rows(' ', [['Version', wherryVersion], ['API version', apiVersion], ...platform, ['Context', 'default']])}\n` +
			`Server: in this process\n Engine:\n${rows('  ', [['Version', wherryVersion], ['API version', `${apiVersion} (minimum version ${oldestApi})`], ...platform, ['Experimental', 'false']])}`,
	);
	return 0;
};
