import {byBytes} from './template/go-value.ts';

/** docker's order of names: numbers inside of them count as numbers, `web9` before `web10`. */
export function naturalOrder(a: string, b: string): number {
	const [left, right] = [a, b].map((text) => text.split(/(\d+)/)) as [string[], string[]];
	for (let at = 0; at < Math.min(left.length, right.length); at++) {
		const [x, y] = [left[at]!, right[at]!];
		// Every second part is a number.
		const order = at % 2 === 1 ? Number(x) - Number(y) : compareText(x, y, left.length, right.length, at);
		if (order !== 0) return order;
	}
	return left.length - right.length || byBytes(a, b);
}

/** A text that ends where the other goes on with digits is decided by those. */
function compareText(x: string, y: string, lengthX: number, lengthY: number, at: number): number {
	if (x === y) return 0;
	const [endX, endY] = [at + 1 < lengthX ? '0' : '', at + 1 < lengthY ? '0' : ''];
	return byBytes(x + endX, y + endY);
}
