/**
 * What stands before the command, and docker's variables.
 *
 * DOCKER_CONFIG, DOCKER_DEFAULT_PLATFORM and what docker's configuration file says are honoured. DOCKER_HOST and
 * DOCKER_CONTEXT choose a daemon: one on this host is what wherry stands for, another one is refused, since it
 * would be this host's containers that are touched instead. What only tells a client how to talk to a daemon
 * (DOCKER_API_VERSION, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH, DOCKER_CUSTOM_HEADERS) means nothing here.
 */
import {resolve} from 'node:path';
import {CliError} from './errors.ts';
import type {FlagValues} from './parse/flag-values.ts';

/** logrus' names, which docker's client takes in any case. */
const levels = ['panic', 'fatal', 'error', 'warn', 'warning', 'info', 'debug', 'trace'];

/** Does what the global flags say. Errors then show where they come from when debugging was asked for. */
export function applyGlobals(globals: FlagValues, env: NodeJS.ProcessEnv): void {
	const level = globals.string('log-level').toLowerCase();
	if (!levels.includes(level)) {
		throw new CliError(`unable to parse logging level: ${globals.string('log-level')}`);
	}
	if (globals.bool('debug') || level === 'debug' || level === 'trace') env.WHERRY_DEBUG = '1';
	if (globals.changed('config')) env.DOCKER_CONFIG = resolve(globals.string('config'));
}

/** Throws when the environment wants a daemon on another host. */
export function refuseOtherHosts(env: NodeJS.ProcessEnv): void {
	const elsewhere =
		env.DOCKER_HOST && !/^(unix|fd):\/\//.test(env.DOCKER_HOST)
			? 'DOCKER_HOST'
			: env.DOCKER_CONTEXT && env.DOCKER_CONTEXT !== 'default'
				? 'DOCKER_CONTEXT'
				: undefined;
	if (elsewhere === undefined) return;
	throw new CliError(
		`wherry: ${elsewhere} is ${env[elsewhere]}, and wherry works on this host only: unset ${elsewhere} to do so`,
	);
}
