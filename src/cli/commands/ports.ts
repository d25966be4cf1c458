import {CliError, rangeError, syntaxError} from '../errors.ts';
import type {CommandAction} from '../face.ts';
import {naturalOrder} from '../format/natural-order.ts';
import {printLine} from '../output.ts';

type Ports = Record<string, {HostIp: string; HostPort: string}[] | null>;

const joined = ({HostIp, HostPort}: {HostIp: string; HostPort: string}): string =>
	HostIp.includes(':') ? `[${HostIp}]:${HostPort}` : `${HostIp}:${HostPort}`;

/** docker's lines: all, or where one port of the container is published. Throws docker's words. */
export function portLines(ports: Ports, container: string, wanted?: string): string[] {
	if (wanted === undefined) {
		return Object.entries(ports)
			.flatMap(([port, bindings]) => (bindings ?? []).map((binding) => `${port} -> ${joined(binding)}`))
			.sort(naturalOrder);
	}
	const [number = '', protocol] = wanted.split('/', 2);
	if (!/^\d+$/.test(number) || Number(number) > 65_535) {
		const problem = /^\d+$/.test(number) ? rangeError('ParseUint', number) : syntaxError('ParseUint', number);
		throw new CliError(`Error: invalid port (${number}): ${problem}`);
	}
	const bindings = ports[`${number}/${protocol || 'tcp'}`] ?? [];
	if (bindings.length === 0) {
		throw new CliError(`Error: No public port '${wanted}' published for ${container}`);
	}
	return bindings.map(joined).sort(naturalOrder);
}

export const port: CommandAction = async ({args}, open) => {
	const [container, wanted] = args as [string, string?];
	const engine = await open();
	const {NetworkSettings} = await engine.containers.inspect(container);
	const ports = (NetworkSettings as {Ports?: Ports} | undefined)?.Ports ?? {};
	for (const line of portLines(ports, container, wanted)) printLine(line);
	return 0;
};
