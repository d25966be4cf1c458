/** Health checks: docker's rules for what is checked, and what the monitor gets to know of it. Pure. */
import type {MonitorState} from '../../runtime/monitor-protocol.ts';
import type {MonitorSettings} from '../../runtime/plan/sections.ts';
import type {HealthConfig, HealthState} from '../api.ts';
import {WherryError} from '../errors.ts';
import type {ConfigSettings} from './record.ts';

const millisecond = 1_000_000;
const second = 1000 * millisecond;

const defaults = {
	Interval: 30 * second,
	Timeout: 30 * second,
	StartPeriod: 0,
	StartInterval: 5 * second,
	Retries: 3,
} as const;

const durations = ['Interval', 'Timeout', 'StartPeriod', 'StartInterval'] as const;

export const unhealthyActions = ['none', 'kill', 'restart', 'stop'] as const;

const defaultShell = ['/bin/sh', '-c'];

/** The command that tells whether the container is well; undefined when nobody asks. */
export function probeCommand(config: ConfigSettings): string[] | undefined {
	const [kind, ...words] = config.Healthcheck?.Test ?? [];
	if (kind === 'CMD' && words.length > 0) return words;
	if (kind === 'CMD-SHELL') return [...(config.Shell?.length ? config.Shell : defaultShell), ...words];
	return undefined;
}

/** Go's words for a duration in nanoseconds: `1m30s`, `1.5s`, `250ms`. */
export function durationWords(nanoseconds: number): string {
	if (nanoseconds === 0) return '0s';
	const trimmed = (value: number, digits: number): string =>
		value.toFixed(digits).replace(/0+$/, '').replace(/\.$/, '');
	if (nanoseconds < 1000) return `${nanoseconds}ns`;
	if (nanoseconds < millisecond) return `${trimmed(nanoseconds / 1000, 3)}µs`;
	if (nanoseconds < second) return `${trimmed(nanoseconds / millisecond, 6)}ms`;
	const whole = Math.trunc(nanoseconds / second);
	const rest = `${whole % 60}${trimmed((nanoseconds % second) / second, 9).slice(1)}s`;
	if (whole < 60) return rest;
	const hours = Math.trunc(whole / 3600);
	return `${hours > 0 ? `${hours}h` : ''}${Math.trunc(whole / 60) % 60}m${rest}`;
}

type HealthSettings = Pick<MonitorSettings, Extract<keyof MonitorSettings, `health-${string}`>>;

/** `log` is where the last results are kept. */
export function healthSettings(config: ConfigSettings, log: string): HealthSettings {
	const health = config.Healthcheck ?? {};
	const of = (key: keyof typeof defaults): number => health[key] || defaults[key];
	return {
		'health-interval': String(of('Interval')),
		'health-timeout': String(of('Timeout')),
		'health-start-period': String(of('StartPeriod')),
		'health-start-interval': String(of('StartInterval')),
		'health-retries': String(of('Retries')),
		'health-timeout-words': durationWords(of('Timeout')),
		'health-log': log,
		'health-on-failure': config.HealthcheckOnFailureAction ?? 'none',
	};
}

/** Throws `invalid` in docker's words, and podman's for what docker doesn't have. */
export function checkHealth(config: ConfigSettings): void {
	const fail = (message: string): never => {
		throw new WherryError('invalid', message);
	};
	const health: HealthConfig = config.Healthcheck ?? {};
	for (const key of durations) {
		const value = health[key] ?? 0;
		if (!Number.isFinite(value)) fail(`${key} in Healthcheck is not a duration`);
		if (value !== 0 && value < millisecond) fail(`${key} in Healthcheck cannot be less than 1ms`);
	}
	if ((health.Retries ?? 0) < 0) fail('Retries in Healthcheck cannot be negative');
	if (health.Test?.some((word) => word.includes('\0'))) fail('the health check has a NUL byte');
	const action = config.HealthcheckOnFailureAction ?? 'none';
	if (!(unhealthyActions as readonly string[]).includes(action)) {
		fail(
			`invalid on-failure action "${action}" for health check: supported actions are ${unhealthyActions.join(',')}`,
		);
	}
	if (action !== 'none' && !probeCommand(config)) {
		fail(`cannot set on-failure action to ${action} without a health check`);
	}
}

function readResult(line: string): HealthState['Log'][number] | undefined {
	try {
		const {Start, End, ExitCode, Output} = JSON.parse(line) as HealthState['Log'][number];
		return {Start: String(Start), End: String(End), ExitCode: Number(ExitCode), Output: String(Output)};
	} catch {
		return undefined;
	}
}

/** docker's State.Health from the state and the text of the log; undefined when nobody has ever checked. */
export function healthState(
	{health, failingStreak = 0}: Pick<MonitorState, 'health' | 'failingStreak'>,
	log: string | undefined,
): HealthState | undefined {
	if (health === undefined) return undefined;
	const results = (log ?? '').split('\n').filter(Boolean).map(readResult);
	return {
		Status: health,
		FailingStreak: failingStreak,
		Log: results.filter((result) => result !== undefined),
	};
}
