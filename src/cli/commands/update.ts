import type {ContainerUpdate, PublishChange} from '../../engine/api.ts';
import {CliError} from '../errors.ts';
import {type CommandAction, describe} from '../face.ts';
import {printError, printLine} from '../output.ts';
import type {FlagValues} from '../parse/flag-values.ts';
import {parsePublishAll} from '../parse/publish-port.ts';
import {parseRestartPolicy} from './run-options.ts';

const numbers = {
	BlkioWeight: 'blkio-weight',
	CpuPeriod: 'cpu-period',
	CpuQuota: 'cpu-quota',
	CpuRealtimePeriod: 'cpu-rt-period',
	CpuRealtimeRuntime: 'cpu-rt-runtime',
	CpuShares: 'cpu-shares',
	Memory: 'memory',
	MemoryReservation: 'memory-reservation',
	MemorySwap: 'memory-swap',
	NanoCpus: 'cpus',
	PidsLimit: 'pids-limit',
} as const;

/** What the flags change of limits and policy; undefined when there is none of them. Throws docker's words. */
export function updateOf(flags: FlagValues): ContainerUpdate | undefined {
	const update: ContainerUpdate = {};
	for (const [key, flag] of Object.entries(numbers)) {
		if (flags.changed(flag)) Object.assign(update, {[key]: flags.number(flag)});
	}
	if (flags.changed('cpuset-cpus')) update.CpusetCpus = flags.string('cpuset-cpus');
	if (flags.changed('cpuset-mems')) update.CpusetMems = flags.string('cpuset-mems');
	const restart = flags.string('restart');
	if (restart !== '') update.RestartPolicy = parseRestartPolicy(restart);
	const others = flags.changed('restart') || flags.changed('kernel-memory');
	return Object.keys(update).length > 0 || others ? update : undefined;
}

/** The ports that are published and taken back. */
function publishOf(flags: FlagValues): PublishChange | undefined {
	if (!flags.changed('publish-add') && !flags.changed('publish-rm')) return undefined;
	return {
		add: parsePublishAll(flags.list('publish-add')),
		remove: parsePublishAll(flags.list('publish-rm')),
	};
}

export const update: CommandAction = async ({flags, args}, open) => {
	let limits: ContainerUpdate | undefined;
	let publish: PublishChange | undefined;
	try {
		limits = updateOf(flags);
		publish = publishOf(flags);
	} catch (error) {
		throw new CliError((error as Error).message);
	}
	if (!limits && !publish) throw new CliError('you must provide one or more flags when using this command');
	const {containers} = await open();
	const warnings: string[] = [];
	const errors: string[] = [];
	for (const name of args) {
		try {
			if (limits) warnings.push(...(await containers.update(name, limits)).warnings);
			if (publish) warnings.push(...(await containers.updatePublished(name, publish)).warnings);
			printLine(name);
		} catch (error) {
			errors.push(describe(error));
		}
	}
	// docker's places: what the kernel can't do goes to stdout.
	for (const warning of warnings) printLine(warning);
	for (const error of errors) printError(error);
	return errors.length > 0 ? 1 : 0;
};
