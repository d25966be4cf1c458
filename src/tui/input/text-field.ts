/** One line of editable text: pure steps from keys. The cursor counts UTF-16 units and never splits a pair. */
import type {InputEvent} from './event.ts';

export interface TextField {
	value: string;
	cursor: number;
}

/** More than fits any name, reference or command that a person types. */
const LIMIT = 4096;

export function textField(value = ''): TextField {
	return {value, cursor: value.length};
}

/** The field after the event, or undefined when the event isn't for it. */
export function editText(field: TextField, event: InputEvent): TextField | undefined {
	if (event.type === 'paste')
		return insert(field, event.text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').trim());
	if (event.type !== 'key') return undefined;
	const {value, cursor} = field;
	switch (event.key) {
		case 'left':
		case 'ctrl-b':
			return {value, cursor: before(value, cursor)};
		case 'right':
		case 'ctrl-f':
			return {value, cursor: after(value, cursor)};
		case 'home':
		case 'ctrl-a':
			return {value, cursor: 0};
		case 'end':
		case 'ctrl-e':
			return {value, cursor: value.length};
		case 'backspace':
		case 'ctrl-h': {
			const start = before(value, cursor);
			return {value: value.slice(0, start) + value.slice(cursor), cursor: start};
		}
		case 'delete':
		case 'ctrl-d':
			return {value: value.slice(0, cursor) + value.slice(after(value, cursor)), cursor};
		case 'ctrl-u':
			return {value: value.slice(cursor), cursor: 0};
		case 'ctrl-k':
			return {value: value.slice(0, cursor), cursor};
		case 'ctrl-w':
		case 'alt-backspace': {
			const start = value.slice(0, cursor).replace(/\S+\s*$/, '').length;
			return {value: value.slice(0, start) + value.slice(cursor), cursor: start};
		}
		default:
			return event.text === '' ? undefined : insert(field, event.text);
	}
}

function insert({value, cursor}: TextField, text: string): TextField {
	const room = Math.max(0, LIMIT - value.length);
	const added = text.slice(0, room);
	return {value: value.slice(0, cursor) + added + value.slice(cursor), cursor: cursor + added.length};
}

function before(value: string, cursor: number): number {
	const character = [...value.slice(Math.max(0, cursor - 2), cursor)].at(-1);
	return cursor - (character?.length ?? 0);
}

function after(value: string, cursor: number): number {
	const point = value.codePointAt(cursor);
	return point === undefined ? cursor : cursor + (point > 0xffff ? 2 : 1);
}
