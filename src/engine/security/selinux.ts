/**
 * SELinux labels of containers as container-selinux has them (lxc_contexts(5), container_selinux(8)): each
 * container has a pair of categories of its own, so that one can't reach the files of another.
 */
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {WherryError} from '../errors.ts';
import {readIfThere} from '../files.ts';

export interface Labels {
	/** Empty: none is set, the process keeps that of who starts it. */
	process: string;
	/** Of the files that it sees as its own. */
	mount: string;
}

export interface LabelContexts {
	process: string;
	file: string;
}

const categories = 1024;

/** What hosts without the policy's file get: the same that it says where it is. */
const usualContexts: LabelContexts = {
	process: 'system_u:system_r:container_t:s0',
	file: 'system_u:object_r:container_file_t:s0',
};

export const selinuxEnabled = (): boolean => existsSync('/sys/fs/selinux/enforce');

/** lxc_contexts: lines such as `process = "system_u:system_r:container_t:s0"`. */
export function parseContexts(text: string): LabelContexts {
	const value = (key: string): string | undefined =>
		new RegExp(`^\\s*${key}\\s*=\\s*"?([^"\\s#]+)"?\\s*(?:#.*)?$`, 'm').exec(text)?.[1];
	return {
		process: value('process') ?? usualContexts.process,
		file: value('file') ?? usualContexts.file,
	};
}

export function hostContexts(): LabelContexts {
	const config = readIfThere('/etc/selinux/config') ?? '';
	const type = /^\s*SELINUXTYPE\s*=\s*(\S+)/m.exec(config)?.[1] ?? 'targeted';
	return parseContexts(readIfThere(join('/etc/selinux', type, 'contexts/lxc_contexts')) ?? '');
}

interface Context {
	user: string;
	role: string;
	type: string;
	level: string;
}

/** `user:role:type[:level]`; the level may have colons itself. */
function splitContext(text: string): Context {
	const [user = '', role = '', type = '', ...level] = text.split(':');
	return {user, role, type, level: level.join(':')};
}

const joinContext = ({user, role, type, level}: Context): string =>
	[user, role, type, ...(level ? [level] : [])].join(':');

/** The categories of a label, `c1,c2`; undefined when it has none. */
export const categoriesOf = (label: string): string | undefined => /:(c\d+,c\d+)$/.exec(label)?.[1];

/** A pair that nobody has, the smaller one first. */
export function freeCategories(taken: ReadonlySet<string>, random: () => number = Math.random): string {
	for (let attempt = 0; attempt < 10_000; attempt++) {
		const [a, b] = [0, 0].map(() => Math.trunc(random() * categories)).sort((x, y) => x - y);
		const pair = `c${a},c${b}`;
		if (a !== b && !taken.has(pair)) return pair;
	}
	throw new WherryError('exhausted', 'no pair of SELinux categories is free');
}

const fields = ['user', 'role', 'type', 'level', 'filetype'];

/**
 * The labels for `label=` options. Throws `invalid`. `label=disable` takes the process out, and gives its files
 * the categories that no container has.
 */
export function containerLabels(
	options: readonly string[],
	contexts: LabelContexts,
	pair: () => string,
): Labels {
	const process = splitContext(contexts.process);
	const file = splitContext(contexts.file);
	if (options.includes('disable')) {
		return {process: '', mount: joinContext({...file, level: `s0:c${categories - 2},c${categories - 1}`})};
	}
	let levelGiven = false;
	for (const option of options) {
		if (option === 'nested') continue;
		const colon = option.indexOf(':');
		const key = option.slice(0, colon);
		const value = option.slice(colon + 1);
		if (colon < 0 || !fields.includes(key)) {
			throw new WherryError(
				'invalid',
				`bad label option ${JSON.stringify(option)}, valid options 'disable', 'nested' or 'user, role, level, type, filetype' followed by ':' and a value`,
			);
		}
		if (value === '' || /[\s,"]/.test(key === 'level' ? value.replaceAll(',', '') : value)) {
			throw new WherryError('invalid', `bad label option ${JSON.stringify(option)}`);
		}
		if (key === 'filetype') file.type = value;
		else process[key as keyof Context] = value;
		if (key === 'level') {
			levelGiven = true;
			file.level = value;
		}
	}
	if (!levelGiven) {
		const level = `s0:${pair()}`;
		process.level = level;
		file.level = level;
	}
	return {process: joinContext(process), mount: joinContext(file)};
}
