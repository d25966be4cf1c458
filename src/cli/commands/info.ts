import type {EngineInfo} from '../../engine/api.ts';
import type {CommandAction} from '../face.ts';
import {bytesSize} from '../format/size.ts';
import {formatValue} from '../format/value.ts';
import {printError, printLine, writeOut} from '../output.ts';
import {wherryVersion} from '../version.ts';

/** Fields with a heading of their own, in docker's order; the rest follows by name. */
const known: [field: keyof EngineInfo & string, heading: string][] = [
	['Containers', 'Containers'],
	['ContainersRunning', ' Running'],
	['ContainersPaused', ' Paused'],
	['ContainersStopped', ' Stopped'],
	['Images', 'Images'],
	['ServerVersion', 'Engine Version'],
	['Driver', 'Storage Driver'],
	['LoggingDriver', 'Logging Driver'],
	['CgroupDriver', 'Cgroup Driver'],
	['CgroupVersion', 'Cgroup Version'],
	['SecurityOptions', 'Security Options'],
	['KernelVersion', 'Kernel Version'],
	['OperatingSystem', 'Operating System'],
	['OSType', 'OSType'],
	['Architecture', 'Architecture'],
	['NCPU', 'CPUs'],
	['MemTotal', 'Total Memory'],
	['Name', 'Name'],
	['ID', 'ID'],
];

export function infoText(info: EngineInfo): string {
	const lines = [`Client:`, ` Version:    ${wherryVersion}`, '', 'Engine: in this process'];
	const named = new Set<string>(['Warnings', ...known.map(([field]) => field)]);
	for (const [field, heading] of known) {
		const value = info[field];
		if (value === undefined) continue;
		if (Array.isArray(value)) lines.push(` ${heading}:`, ...value.map((item) => `  ${String(item)}`));
		else lines.push(` ${heading}: ${field === 'MemTotal' ? bytesSize(value as number) : String(value)}`);
	}
	for (const [field, value] of Object.entries(info)) {
		if (named.has(field) || value === null || value === undefined) continue;
		const heading = field.replace(/(?<=[a-z])(?=[A-Z])/g, ' ');
		if (typeof value === 'object') {
			lines.push(` ${heading}:`);
			if (Array.isArray(value) && value.every((item) => Array.isArray(item) && item.length === 2)) {
				for (const [name, item] of value as [string, string][]) lines.push(`  ${name}: ${item}`);
				continue;
			}
			for (const [key, item] of Object.entries(value)) {
				const text = Array.isArray(item)
					? item.join(' ')
					: typeof item === 'object'
						? JSON.stringify(item)
						: String(item);
				lines.push(Array.isArray(value) ? `  ${text}` : `  ${key}: ${text}`);
			}
		} else lines.push(` ${heading}: ${String(value)}`);
	}
	return `${lines.join('\n')}\n`;
}

export const info: CommandAction = async ({flags}, open) => {
	const format = flags.string('format');
	const engine = await open();
	const value = await engine.info();
	if (format !== '') {
		printLine(formatValue(format, {...value, ClientInfo: {Version: wherryVersion}}));
		return 0;
	}
	writeOut(infoText(value));
	for (const warning of value.Warnings) printError(`WARNING: ${warning}`);
	return 0;
};
