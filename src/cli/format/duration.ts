/** Durations: docker's coarse words, and Go's exact notation. */
const units: [string, bigint][] = [
	['ns', 1n],
	['us', 1_000n],
	['µs', 1_000n],
	['μs', 1_000n],
	['ms', 1_000_000n],
	['s', 1_000_000_000n],
	['m', 60_000_000_000n],
	['h', 3_600_000_000_000n],
];

/** `About a minute`, `3 hours`, `2 weeks`: go-units' HumanDuration of so many seconds. */
export function humanDuration(seconds: number): string {
	const whole = Math.trunc(seconds);
	if (whole < 1) return 'Less than a second';
	if (whole === 1) return '1 second';
	if (whole < 60) return `${whole} seconds`;
	const minutes = Math.trunc(seconds / 60);
	if (minutes === 1) return 'About a minute';
	if (minutes < 60) return `${minutes} minutes`;
	// Rounded, unlike the minutes.
	const hours = Math.trunc(seconds / 3600 + 0.5);
	if (hours === 1) return 'About an hour';
	if (hours < 48) return `${hours} hours`;
	if (hours < 24 * 7 * 2) return `${Math.trunc(hours / 24)} days`;
	if (hours < 24 * 30 * 2) return `${Math.trunc(hours / 24 / 7)} weeks`;
	if (hours < 24 * 365 * 2) return `${Math.trunc(hours / 24 / 30)} months`;
	return `${Math.trunc(seconds / 3600 / 24 / 365)} years`;
}

/** Go's time.ParseDuration, in nanoseconds: `1h30m`, `-1.5s`. Throws Go's words. */
export function parseDuration(text: string): bigint {
	const quoted = JSON.stringify(text);
	let rest = text;
	let sign = 1n;
	if (/^[+-]/.test(rest)) {
		if (rest[0] === '-') sign = -1n;
		rest = rest.slice(1);
	}
	if (rest === '0') return 0n;
	if (rest === '') throw new Error(`time: invalid duration ${quoted}`);
	let total = 0n;
	while (rest !== '') {
		const number = /^(\d*)(?:\.(\d*))?/.exec(rest)!;
		if (!number[1] && !number[2]) throw new Error(`time: invalid duration ${quoted}`);
		rest = rest.slice(number[0].length);
		const name = /^[^.\d]*/.exec(rest)![0];
		if (name === '') throw new Error(`time: missing unit in duration ${quoted}`);
		const unit = units.find(([key]) => key === name);
		if (!unit) throw new Error(`time: unknown unit ${JSON.stringify(name)} in duration ${quoted}`);
		rest = rest.slice(name.length);
		total += BigInt(number[1] || '0') * unit[1];
		const fraction = (number[2] ?? '').slice(0, 18);
		if (fraction) total += (BigInt(fraction) * unit[1]) / 10n ** BigInt(fraction.length);
	}
	if (total > 2n ** 63n - 1n) throw new Error(`time: invalid duration ${quoted}`);
	return sign * total;
}

/** Go's Duration.String of nanoseconds: `1h30m0s`, `1.5s`, `200ms`, `0s`. */
export function formatGoDuration(nanoseconds: bigint): string {
	if (nanoseconds === 0n) return '0s';
	const sign = nanoseconds < 0n ? '-' : '';
	const total = nanoseconds < 0n ? -nanoseconds : nanoseconds;
	/** So many of a unit, with what is left after the point. */
	const decimal = (unit: bigint, name: string, value = total): string => {
		const digits = String(unit).length - 1;
		const fraction = String(value % unit)
			.padStart(digits, '0')
			.replace(/0+$/, '');
		return `${value / unit}${digits > 0 && fraction !== '' ? `.${fraction}` : ''}${name}`;
	};
	if (total < 1_000n) return `${sign}${total}ns`;
	if (total < 1_000_000n) return sign + decimal(1_000n, 'µs');
	if (total < 1_000_000_000n) return sign + decimal(1_000_000n, 'ms');
	const [hours, rest] = [total / 3_600_000_000_000n, total % 3_600_000_000_000n];
	const [minutes, seconds] = [rest / 60_000_000_000n, rest % 60_000_000_000n];
	const parts = [hours > 0n ? `${hours}h` : '', hours > 0n || minutes > 0n ? `${minutes}m` : ''];
	return sign + parts.join('') + decimal(1_000_000_000n, 's', seconds);
}
