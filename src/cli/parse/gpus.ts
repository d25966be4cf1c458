import type {DeviceRequest} from '../../engine/api.ts';
import {parseCsvLine} from './csv.ts';

/** `all`, a number, or `device=0,driver=nvidia,capabilities=compute`. Throws docker's words. */
export function parseGpus(text: string): DeviceRequest {
	const request: DeviceRequest = {Driver: '', Count: 0, DeviceIDs: null, Capabilities: null, Options: {}};
	const seen = new Set<string>();
	const fields = parseCsvLine(text);
	for (const field of fields) {
		const equals = field.indexOf('=');
		const key = equals < 0 ? field : field.slice(0, equals);
		const value = field.slice(equals + 1);
		if (seen.has(key)) throw new Error(`gpu request key '${key}' can be specified only once`);
		seen.add(key);
		if (equals < 0) {
			seen.add('count');
			request.Count = parseCount(key);
			continue;
		}
		switch (key) {
			case 'driver':
				request.Driver = value;
				break;
			case 'count':
				request.Count = parseCount(value);
				break;
			case 'device':
				request.DeviceIDs = value.split(',');
				break;
			case 'capabilities':
				request.Capabilities = [[...value.split(','), 'gpu']];
				break;
			case 'options':
				for (const option of parseCsvLine(value)) {
					const at = option.indexOf('=');
					request.Options![at < 0 ? option : option.slice(0, at)] = at < 0 ? '' : option.slice(at + 1);
				}
				break;
			default:
				throw new Error(`unexpected key '${key}' in '${field}'`);
		}
	}
	if (!seen.has('count') && request.DeviceIDs === null) request.Count = 1;
	request.Capabilities ??= [['gpu']];
	return request;
}

function parseCount(text: string): number {
	if (text === 'all') return -1;
	if (!/^[+-]?\d+$/.test(text)) {
		throw new Error(`invalid count (${text}): value must be either "all" or an integer: invalid syntax`);
	}
	return Number(text);
}
