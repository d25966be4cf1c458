/** Signals by name, as docker takes them: `TERM`, `SIGTERM`, `15`, `RTMIN+3`. */
import {signalNumbers} from '../../kernel/signals.ts';
import {WherryError} from '../errors.ts';

/** Where glibc begins and ends the real-time signals that programs may use (signal(7)). */
const realTimeMin = 34;
const realTimeMax = 64;

/** Throws `invalid`: `invalid signal: X`. */
export function signalNumber(signal: string): number {
	const invalid = () => new WherryError('invalid', `invalid signal: ${signal}`, {object: signal});
	if (/^[+-]?\d+$/.test(signal)) {
		const number = Number(signal);
		if (number === 0) throw invalid();
		if (number < 0 || number > realTimeMax) {
			throw new WherryError('invalid', `the linux daemon does not support signal ${signal}`, {
				object: signal,
			});
		}
		return number;
	}
	const upper = signal.toUpperCase();
	const name = upper.startsWith('SIG') ? upper.slice(3) : upper;
	const realTime = name.startsWith('RT') ? /^RT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(name) : null;
	if (realTime) {
		const base = realTime[1] === 'MIN' ? realTimeMin : realTimeMax;
		const number = base + Number(`${realTime[2] ?? ''}${realTime[3] ?? 0}`);
		if (number < realTimeMin || number > realTimeMax) throw invalid();
		return number;
	}
	const number = signalNumbers[`SIG${name}`];
	if (number === undefined) throw invalid();
	return number;
}
