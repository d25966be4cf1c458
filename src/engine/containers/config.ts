/** docker's `Config` of a container, from what the user set and what the image says. Pure. */
import {posix} from 'node:path';
import type {ContainerConfig, HealthConfig, ImageConfig} from '../api.ts';
import {WherryError} from '../errors.ts';
import {checkHealth} from './health.ts';
import {signalNumber} from './signals.ts';

const variableName = (entry: string): string => {
	const split = entry.indexOf('=');
	return split < 0 ? entry : entry.slice(0, split);
};

/** The user's variables, then those of the image that the user hasn't set. */
export function mergeEnv(user: readonly string[], image: readonly string[]): string[] {
	const names = new Set(user.map(variableName));
	return [...user, ...image.filter((entry) => !names.has(variableName(entry)))];
}

function mergeHealth(
	user: HealthConfig | undefined,
	image: HealthConfig | undefined,
): HealthConfig | undefined {
	if (!user || !image) return user ?? image;
	const merged: HealthConfig = {...image};
	if (user.Test?.length) merged.Test = user.Test;
	for (const key of ['Interval', 'Timeout', 'StartPeriod', 'StartInterval', 'Retries'] as const) {
		if (user[key]) merged[key] = user[key];
	}
	return merged;
}

function union(
	a: Record<string, object> | null | undefined,
	b: Record<string, object> | null | undefined,
): Record<string, object> | undefined {
	const merged = {...b, ...a};
	return Object.keys(merged).length > 0 ? merged : undefined;
}

/** A command given without an entry point replaces only the image's command; an entry point drops it. */
function mergeCommand(
	user: Partial<ContainerConfig>,
	image: ImageConfig,
): Pick<ContainerConfig, 'Cmd' | 'Entrypoint'> {
	let Cmd = user.Cmd?.length ? user.Cmd : null;
	let Entrypoint = user.Entrypoint ?? null;
	if (!Entrypoint?.length) {
		Cmd ??= image.Cmd?.length ? image.Cmd : null;
		Entrypoint ??= image.Entrypoint?.length ? image.Entrypoint : null;
	}
	// docker's way to say "no entry point".
	if (Entrypoint?.length === 0 || (Entrypoint?.length === 1 && Entrypoint[0] === '')) Entrypoint = null;
	return {Cmd, Entrypoint};
}

/** As Go's path.Clean has an absolute path; another one is refused, and shown as it was given. */
const cleanPath = (path: string): string =>
	path.startsWith('/') ? posix.normalize(path).replace(/(?<=.)\/$/, '') : path;

/** Everything but the host name, which depends on the id and the network. */
export function mergeConfig(
	user: Partial<ContainerConfig>,
	image: ImageConfig,
	imageName: string,
): ContainerConfig {
	const exposed = union(user.ExposedPorts, image.ExposedPorts);
	const health = mergeHealth(user.Healthcheck, image.Healthcheck);
	const stopSignal = user.StopSignal || image.StopSignal;
	const shell = user.Shell ?? image.Shell;
	return {
		Hostname: user.Hostname ?? '',
		Domainname: user.Domainname ?? '',
		User: user.User || image.User || '',
		AttachStdin: user.AttachStdin ?? false,
		AttachStdout: user.AttachStdout ?? false,
		AttachStderr: user.AttachStderr ?? false,
		...(exposed ? {ExposedPorts: exposed} : {}),
		Tty: user.Tty ?? false,
		OpenStdin: user.OpenStdin ?? false,
		StdinOnce: user.StdinOnce ?? false,
		Env: mergeEnv(user.Env ?? [], image.Env ?? []),
		...mergeCommand(user, image),
		...(health ? {Healthcheck: health} : {}),
		...(user.HealthcheckOnFailureAction ? {HealthcheckOnFailureAction: user.HealthcheckOnFailureAction} : {}),
		Image: imageName,
		Volumes: union(user.Volumes, image.Volumes) ?? null,
		WorkingDir: cleanPath(user.WorkingDir || image.WorkingDir || ''),
		Labels: {...image.Labels, ...user.Labels},
		...(stopSignal ? {StopSignal: stopSignal} : {}),
		...(user.StopTimeout === undefined ? {} : {StopTimeout: user.StopTimeout}),
		...(shell ? {Shell: shell} : {}),
	};
}

/** Throws `invalid` in docker's words. */
export function checkConfig(config: ContainerConfig): void {
	const fail = (message: string): never => {
		throw new WherryError('invalid', message);
	};
	if (!config.Entrypoint?.length && !config.Cmd?.length) fail('no command specified');
	if (config.WorkingDir && !config.WorkingDir.startsWith('/')) {
		fail(`the working directory '${config.WorkingDir}' is invalid, it needs to be an absolute path`);
	}
	for (const entry of config.Env) {
		if (entry === '' || entry.startsWith('=')) fail(`invalid environment variable: ${entry}`);
	}
	if (config.StopSignal) signalNumber(config.StopSignal);
	if (config.Healthcheck || config.HealthcheckOnFailureAction) checkHealth(config);
	// sethostname(2): at most 64 bytes.
	if (Buffer.byteLength(config.Hostname) > 64)
		fail(`invalid hostname: ${config.Hostname}: more than 64 bytes`);
	const texts = [
		config.User,
		config.WorkingDir,
		config.Hostname,
		config.Domainname,
		...(config.Cmd ?? []),
		...(config.Entrypoint ?? []),
		...config.Env,
	];
	if (texts.some((text) => text.includes('\0')))
		fail('invalid container config: a value contains a NUL byte');
	const hostname = `${config.Hostname}${config.Domainname}`;
	// docker takes anything; a line's end would be another line of /etc/hosts.
	if (/[\n\r]/.test(hostname)) fail(`invalid hostname: ${hostname}`);
}
