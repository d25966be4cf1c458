/** A map with its keys in order, as Go writes maps. */
export function sortedKeys<T>(map: Readonly<Record<string, T>>): Record<string, T> {
	const keys = Object.keys(map);
	if (keys.every((key, at) => at === 0 || keys[at - 1]! < key)) return map;
	return Object.fromEntries(keys.sort().map((key) => [key, map[key]!]));
}
