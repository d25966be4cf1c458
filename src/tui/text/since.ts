/** Spans of time as people type them. Pure. */

/** `90` to `90s`, `300` to `5m`. */
export function sinceText(seconds: number): string {
	for (const [unit, size] of [
		['d', 86_400],
		['h', 3600],
		['m', 60],
	] as const)
		if (seconds % size === 0) return `${seconds / size}${unit}`;
	return `${seconds}s`;
}

/** `90s`, `5m`, `1h30m`, `2d` to seconds. Undefined for anything else. */
export function sinceSeconds(text: string): number | undefined {
	const parts = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text.trim());
	if (!parts || text.trim() === '') return undefined;
	const [days = 0, hours = 0, minutes = 0, seconds = 0] = parts.slice(1).map((part) => Number(part ?? 0));
	const sum = days * 86_400 + hours * 3600 + minutes * 60 + seconds;
	return sum > 0 && sum < 1e9 ? sum : undefined;
}
