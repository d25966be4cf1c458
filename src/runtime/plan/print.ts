import type {Plan} from './encode.ts';
import {opSchemas} from './ops.ts';

const printable = /^[\x20-\x7e]*$/;

function printValue(value: unknown): string {
	if (typeof value === 'number' || typeof value === 'bigint') {
		return value > 4095 || value < -1 ? `0x${BigInt.asUintN(64, BigInt(value)).toString(16)}` : String(value);
	}
	if (Array.isArray(value)) return `[${value.map(printValue).join(' ')}]`;
	if (value instanceof Uint8Array) return `<${value.byteLength} bytes>`;
	const text = String(value);
	return printable.test(text) && text !== '' && !/[ "[\]]/.test(text) ? text : JSON.stringify(text);
}

/** A plan as text, one operation a line: `  12 mkdir path=/dev mode=493`. */
export function printPlan(plan: Plan): string {
	const lines: string[] = [];
	for (const [section, ops] of Object.entries(plan)) {
		if (!ops?.length) continue;
		lines.push(`${section}:`);
		ops.forEach((op, index) => {
			const values = op as unknown as Record<string, unknown>;
			const args = opSchemas[op.op].args.map(([name]) => `${name}=${printValue(values[name])}`);
			lines.push(`  ${String(index).padStart(3)} ${[op.op, ...args].join(' ')}`);
		});
	}
	return `${lines.join('\n')}\n`;
}
