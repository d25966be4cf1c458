/** docker's words for how a container is: `Up 2 minutes`, `Exited (0) 3 hours ago`. Pure. */
import type {MonitorState} from '../../runtime/monitor-protocol.ts';
import {zeroTime} from './record.ts';

/** docker's rounded duration, from milliseconds. */
export function humanDuration(milliseconds: number): string {
	const seconds = Math.trunc(milliseconds / 1000);
	if (seconds < 1) return 'Less than a second';
	if (seconds === 1) return '1 second';
	if (seconds < 60) return `${seconds} seconds`;
	const minutes = Math.trunc(milliseconds / 60_000);
	if (minutes === 1) return 'About a minute';
	if (minutes < 60) return `${minutes} minutes`;
	const hours = Math.trunc(milliseconds / 3_600_000 + 0.5);
	if (hours === 1) return 'About an hour';
	if (hours < 48) return `${hours} hours`;
	if (hours < 24 * 7 * 2) return `${Math.trunc(hours / 24)} days`;
	if (hours < 24 * 30 * 2) return `${Math.trunc(hours / 24 / 7)} weeks`;
	if (hours < 24 * 365 * 2) return `${Math.trunc(hours / 24 / 30)} months`;
	return `${Math.trunc(milliseconds / 3_600_000 / 24 / 365)} years`;
}

/** Milliseconds since the epoch; 0 for a time that never was. */
export function milliseconds(time: string): number {
	if (time === zeroTime) return 0;
	const value = Date.parse(time);
	return Number.isNaN(value) ? 0 : value;
}

function healthText({health}: MonitorState): string {
	if (!health) return '';
	return health === 'starting' ? ' (health: starting)' : ` (${health})`;
}

export function statusText(state: MonitorState, now = Date.now()): string {
	const since = (time: string) => humanDuration(Math.max(0, now - milliseconds(time)));
	switch (state.status) {
		case 'running':
			return `Up ${since(state.startedAt)}${healthText(state)}`;
		case 'paused':
			return `Up ${since(state.startedAt)} (Paused)`;
		case 'restarting':
			return `Restarting (${state.exitCode}) ${since(state.finishedAt)} ago`;
		case 'created':
			return 'Created';
		default:
			return state.finishedAt === zeroTime ? '' : `Exited (${state.exitCode}) ${since(state.finishedAt)} ago`;
	}
}
