import type {CommandAction} from '../face.ts';
import {printLine, writeOut} from '../output.ts';
import {wherryVersion} from '../version.ts';

export const versionLine = (): string => `wherry version ${wherryVersion}`;

/** docker's layout, without a server: the engine is in this process. */
export const version: CommandAction = async (line) => {
	const os = 'linux';
	const architectures: Record<string, string> = {x64: 'amd64', ia32: '386'};
	const architecture = architectures[process.arch] ?? process.arch;
	const engine = {
		Version: wherryVersion,
		NodeVersion: process.versions.node,
		V8Version: process.versions.v8,
		Os: os,
		Arch: architecture,
	};
	const format = line.flags.string('format');
	if (format !== '') {
		const {formatValue} = await import('../format/value.ts');
		printLine(formatValue(format, {Client: engine, Server: engine}));
		return 0;
	}
	const rows = [
		['Version:', engine.Version],
		['Node version:', engine.NodeVersion],
		['OS/Arch:', `${os}/${architecture}`],
	];
	for (const title of ['Client:', '\nEngine: in this process']) {
		writeOut(`${title}\n${rows.map(([name, value]) => ` ${name!.padEnd(18)} ${value}`).join('\n')}\n`);
	}
	return 0;
};
