/**
 * Reads JSON, or a line of JSON for each object, and prints its structure: each path with its type, sorted.
 * `shape values` prints the value of each scalar instead; `shape -PATH...` leaves out all whose path ends with it.
 */
const text = await new Response(process.stdin).text();
const values = process.argv.includes('values');
const left = process.argv.flatMap((word) => (word.startsWith('-') ? [`.${word.slice(1)}`] : []));
const found = new Set();

function walk(value, path) {
	if (Array.isArray(value)) {
		if (value.length === 0) found.add(`${path} []`);
		for (const [at, entry] of value.entries()) walk(entry, values ? `${path}[${at}]` : `${path}[]`);
	} else if (value !== null && typeof value === 'object') {
		if (Object.keys(value).length === 0) found.add(`${path} {}`);
		for (const [key, entry] of Object.entries(value)) {
			const inner = `${path}.${key}`;
			if (!left.some((end) => inner.endsWith(end))) walk(entry, inner);
		}
	} else if (values || value === null) found.add(`${path} ${JSON.stringify(value)}`);
	else found.add(`${path} ${typeof value}`);
}

for (const object of parse()) walk(object, '');
process.stdout.write([...found].sort().join('\n').concat('\n'));

function parse() {
	try {
		return [JSON.parse(text)];
	} catch {
		return text
			.trim()
			.split('\n')
			.map((line) => JSON.parse(line));
	}
}
