/** Values of flags about names and addresses, checked where docker's client checks them, in its words. */
import {ipVersion} from '../../engine/networks/address.ts';

/** `--dns` and others that take one address. */
export function checkAddress(text: string): string {
	if (ipVersion(text.trim()) === 0) throw new Error(`IP address is not correctly formatted: ${text}`);
	return text.trim();
}

const label = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const domain = new RegExp(`^${label}(?:\\.${label})*\\.?$`);

/** `--dns-search`; a dot alone stands for no search domain. */
export function checkSearchDomain(text: string): string {
	const name = text.trim();
	if (name === '.') return name;
	if (name.length > 255 || !/[a-zA-Z]/.test(name) || !domain.test(name))
		throw new Error(`${text} is not a valid domain`);
	return name;
}

/** `--link`: `name` or `name:alias`; what the names may be is for the engine to say. */
export function checkLink(text: string): string {
	if (text === '') throw new Error('empty string specified for links');
	if (text.split(':').length > 2) throw new Error(`bad format for links: ${text}`);
	return text;
}

/** `--add-host`: `host=address` or `host:address`, the address also in brackets; stored with a colon. */
export function parseExtraHost(text: string): string {
	const at = text.includes('=') ? text.indexOf('=') : text.indexOf(':');
	const host = text.slice(0, Math.max(0, at));
	if (host === '' || host.includes(':')) throw new Error(`bad format for add-host: ${JSON.stringify(text)}`);
	const address = text.slice(at + 1).replace(/^\[(.+)\]$/, '$1');
	if (address !== 'host-gateway' && ipVersion(address) === 0) {
		throw new Error(`invalid IP address in add-host: ${JSON.stringify(address)}`);
	}
	return `${host}:${address}`;
}
