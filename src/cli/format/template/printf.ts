import {goNumber, goPrint, isMap, Struct, typeName} from './go-value.ts';

/** Go's fmt.Sprintf. */
export function sprintf(format: string, args: readonly unknown[]): string {
	let out = '';
	let next = 0;
	let last = 0;
	let indexed = false;
	for (;;) {
		const percent = format.indexOf('%', last);
		if (percent < 0) break;
		out += format.slice(last, percent);
		const explicit = /^%\[(\d+)\]/.exec(format.slice(percent));
		let spec = format.slice(percent);
		let skip = 0;
		if (explicit) {
			next = Number(explicit[1]) - 1;
			indexed = true;
			spec = `%${spec.slice(explicit[0].length)}`;
			skip = explicit[0].length - 1;
		}
		const match = /^%([-+# 0]*)(\*|\d+)?(\.(\*|\d+)?)?([\s\S]?)/u.exec(spec)!;
		last = percent + match[0].length + skip;
		const flags = match[1]!;
		let left = flags.includes('-');
		const star = (text: string | undefined): number | undefined => {
			if (text === undefined) return undefined;
			return text === '*' ? Number(args[next++]) : Number(text);
		};
		let width = star(match[2]);
		if (width !== undefined && width < 0) {
			left = true;
			width = -width;
		}
		const precision = match[3] === undefined ? undefined : (star(match[4]) ?? 0);
		const verb = match[5]!;
		if (verb === '') {
			out += '%!(NOVERB)';
			break;
		}
		if (verb === '%') {
			out += '%';
			continue;
		}
		if ((width ?? 0) > 1e6 || Number.isNaN(width)) {
			out += '%!(BADWIDTH)';
			width = undefined;
		}
		if (next >= args.length) {
			out += indexed ? `%!${verb}(BADINDEX)` : `%!${verb}(MISSING)`;
			continue;
		}
		const value = args[next++];
		const {text, numeric} = formatOne(verb, flags, precision, value);
		const length = [...text].length;
		if (width === undefined || length >= width) out += text;
		else if (left) out += text + ' '.repeat(width - length);
		else if (flags.includes('0') && numeric) {
			const sign = /^[+-]/.test(text) ? text[0]! : '';
			out += sign + '0'.repeat(width - length) + text.slice(sign.length);
		} else if (flags.includes('0') && !numeric && verb === 's') out += '0'.repeat(width - length) + text;
		else out += ' '.repeat(width - length) + text;
	}
	out += format.slice(last);
	if (!indexed && next < args.length) {
		const extra = args
			.slice(next)
			.map((v) => (v === null || v === undefined ? '<nil>' : `${typeName(v)}=${goPrint(v)}`));
		out += `%!(EXTRA ${extra.join(', ')})`;
	}
	return out;
}

function formatOne(
	verb: string,
	flags: string,
	precision: number | undefined,
	value: unknown,
): {text: string; numeric: boolean} {
	const string = (text: string): {text: string; numeric: boolean} => ({text, numeric: false});
	const number = (text: string): {text: string; numeric: boolean} => {
		if (!text.startsWith('-')) {
			if (flags.includes('+')) return {text: `+${text}`, numeric: true};
			if (flags.includes(' ')) return {text: ` ${text}`, numeric: true};
		}
		return {text, numeric: true};
	};
	const bad = (): {text: string; numeric: boolean} =>
		string(
			value === null || value === undefined
				? `%!${verb}(<nil>)`
				: `%!${verb}(${typeName(value)}=${goPrint(value)})`,
		);

	if (verb === 'T') return string(typeName(value));
	if (verb === 'v') {
		if (flags.includes('#')) return string(goSyntax(value));
		if (typeof value === 'number' || typeof value === 'bigint') return number(goPrint(value));
		const text = flags.includes('+') && value instanceof Struct ? namedFields(value) : goPrint(value);
		return string(
			precision !== undefined && typeof value === 'string' ? [...text].slice(0, precision).join('') : text,
		);
	}
	// Verbs other than v go into lists and maps.
	if (Array.isArray(value))
		return string(`[${value.map((v) => formatOne(verb, flags, precision, v).text).join(' ')}]`);
	if (isMap(value)) {
		const parts = Object.keys(value)
			.sort()
			.map(
				(key) =>
					`${formatOne(verb, flags, precision, key).text}:${formatOne(verb, flags, precision, value[key]).text}`,
			);
		return string(`map[${parts.join(' ')}]`);
	}
	if (typeof value === 'boolean') return verb === 't' ? string(String(value)) : bad();
	if (typeof value === 'string') {
		const cut = precision === undefined ? value : [...value].slice(0, precision).join('');
		if (verb === 's') return string(cut);
		if (verb === 'q') return string(flags.includes('#') && !cut.includes('`') ? `\`${cut}\`` : goQuote(cut));
		if (verb === 'x' || verb === 'X') {
			const hex = Buffer.from(cut).toString('hex');
			return string(verb === 'X' ? hex.toUpperCase() : hex);
		}
		return bad();
	}
	if (typeof value !== 'number' && typeof value !== 'bigint') return bad();
	if (typeof value === 'bigint' || Number.isInteger(value)) {
		const integer = BigInt(value);
		const radix = (base: number, prefix: string): {text: string; numeric: boolean} => {
			const digits = (integer < 0n ? -integer : integer).toString(base).padStart(precision ?? 0, '0');
			return number(`${integer < 0n ? '-' : ''}${flags.includes('#') ? prefix : ''}${digits}`);
		};
		switch (verb) {
			case 'd':
				return radix(10, '');
			case 'b':
				return radix(2, '0b');
			case 'o':
				return radix(8, '0');
			case 'O':
				return number(`${integer < 0n ? '-' : ''}0o${(integer < 0n ? -integer : integer).toString(8)}`);
			case 'x':
				return radix(16, '0x');
			case 'X': {
				const {text} = radix(16, '0x');
				return {text: text.toUpperCase(), numeric: true};
			}
			case 'c':
				return string(String.fromCodePoint(Number(integer)));
			case 'q':
				return string(`'${String.fromCodePoint(Number(integer))}'`);
			case 'U':
				return string(`U+${integer.toString(16).toUpperCase().padStart(4, '0')}`);
			default:
				// A whole number may be a float that was computed; Go would know, we allow both.
				if (!'eEfFgG'.includes(verb) || typeof value === 'bigint') return bad();
		}
	}
	const float = Number(value);
	switch (verb) {
		case 'f':
		case 'F':
			return number(float.toFixed(Math.min(precision ?? 6, 100)));
		case 'e':
		case 'E': {
			const text = float.toExponential(Math.min(precision ?? 6, 100)).replace(/e([+-])(\d)$/, 'e$10$2');
			return number(verb === 'E' ? text.toUpperCase() : text);
		}
		case 'g':
		case 'G': {
			if (precision === undefined) return number(goNumber(float));
			const digits = Math.min(100, Math.max(1, precision));
			const exponent = float === 0 ? 0 : Number(float.toExponential(digits - 1).split('e')[1]);
			const plain =
				exponent < -4 || exponent >= digits
					? float.toExponential(digits - 1)
					: float.toFixed(digits - 1 - exponent);
			const [mantissa, power] = plain.split('e') as [string, string | undefined];
			const short = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa;
			return number(power === undefined ? short : `${short}e${power[0]}${power.slice(1).padStart(2, '0')}`);
		}
		default:
			return bad();
	}
}

function namedFields(value: Struct): string {
	return `{${value
		.entries()
		.map(([name, field]) => `${name}:${goPrint(field)}`)
		.join(' ')}}`;
}

/** strconv.Quote. */
export function goQuote(text: string): string {
	// A pattern of Unicode properties takes a millisecond to compile, and most texts need none.
	if (/^[ !#-[\]-~]*$/.test(text)) return `"${text}"`;
	const escapes: Record<string, string> = {
		'\x07': '\\a',
		'\b': '\\b',
		'\f': '\\f',
		'\n': '\\n',
		'\r': '\\r',
		'\t': '\\t',
		'\v': '\\v',
		'\\': '\\\\',
		'"': '\\"',
	};
	const body = text.replace(/[\\"]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, (char) => {
		const short = escapes[char];
		if (short) return short;
		const code = char.codePointAt(0)!;
		if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`;
		return code > 0xffff
			? `\\U${code.toString(16).padStart(8, '0')}`
			: `\\u${code.toString(16).padStart(4, '0')}`;
	});
	return `"${body}"`;
}

function goSyntax(value: unknown): string {
	if (value === null || value === undefined) return '<nil>';
	if (typeof value === 'string') return goQuote(value);
	if (Array.isArray(value)) return `${typeName(value)}{${value.map(goSyntax).join(', ')}}`;
	if (isMap(value)) {
		const parts = Object.keys(value)
			.sort()
			.map((key) => `${goQuote(key)}:${goSyntax(value[key])}`);
		return `${typeName(value)}{${parts.join(', ')}}`;
	}
	return goPrint(value);
}
