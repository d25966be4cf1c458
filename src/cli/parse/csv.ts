/** One line of RFC 4180 fields, as Go's encoding/csv reads it: docker's `--mount` and lists. */
export function parseCsvLine(text: string): string[] {
	const fields: string[] = [];
	let at = 0;
	for (;;) {
		let field = '';
		if (text[at] === '"') {
			at++;
			for (;;) {
				const quote = text.indexOf('"', at);
				if (quote < 0)
					throw new Error(
						`parse error on line 1, column ${text.length + 1}: extraneous or missing " in quoted-field`,
					);
				field += text.slice(at, quote);
				at = quote + 1;
				if (text[at] !== '"') break;
				field += '"';
				at++;
			}
			if (at < text.length && text[at] !== ',') {
				throw new Error(`parse error on line 1, column ${at}: extraneous or missing " in quoted-field`);
			}
		} else {
			const comma = text.indexOf(',', at);
			const end = comma < 0 ? text.length : comma;
			field = text.slice(at, end);
			const quote = field.indexOf('"');
			if (quote >= 0)
				throw new Error(`parse error on line 1, column ${at + quote + 1}: bare " in non-quoted-field`);
			at = end;
		}
		fields.push(field);
		if (at >= text.length) return fields;
		at++;
	}
}
