/** A map with its keys in order, as Go writes maps. */
export function sortedKeys<T>(map: Readonly<Record<string, T>>): Record<string, T> {
	const keys = Object.keys(map);
	if (keys.length < 2) return map;
	return Object.fromEntries(keys.sort().map((key) => [key, map[key]!]));
}
