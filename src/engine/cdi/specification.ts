/**
 * Specifications of the Container Device Interface (github.com/cncf-tags/container-device-interface, SPEC.md):
 * files in which vendors say what a container needs to use a device. Only root's files count: hooks in them run
 * as root on the host.
 */
import {readdirSync, readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import type {Hook, Hooks} from '../../runtime/oci.ts';
import {isErrno} from '../errors.ts';
import {parseYaml, type YamlValue} from './yaml.ts';

export interface DeviceNode {
	path: string;
	hostPath: string;
	type: string | undefined;
	major: number | undefined;
	minor: number | undefined;
	fileMode: number | undefined;
	permissions: string;
	uid: number | undefined;
	gid: number | undefined;
}

export interface EditMount {
	hostPath: string;
	containerPath: string;
	type: string;
	options: string[];
}

export interface ContainerEdits {
	env: string[];
	deviceNodes: DeviceNode[];
	mounts: EditMount[];
	hooks: {name: keyof Hooks; hook: Hook}[];
	additionalGids: number[];
}

export interface Specification {
	file: string;
	/** `vendor.com/class`. */
	kind: string;
	/** Of all its devices. */
	edits: ContainerEdits;
	devices: ReadonlyMap<string, ContainerEdits>;
}

/** Later ones win over earlier ones. WHERRY_CDI_DIRS has others, separated by colons. */
export function cdiFolders(env: NodeJS.ProcessEnv = process.env): string[] {
	return (env.WHERRY_CDI_DIRS || '/etc/cdi:/var/run/cdi').split(':').filter(Boolean);
}

class Reader {
	readonly #where: string;
	readonly #value: YamlValue | undefined;

	constructor(where: string, value: YamlValue | undefined) {
		this.#where = where;
		this.#value = value;
	}

	fail(message: string): never {
		throw new Error(this.#where === '' ? message : `${this.#where}: ${message}`);
	}

	get(key: string): Reader {
		const value = this.#value;
		if (value === null || typeof value !== 'object' || Array.isArray(value))
			this.fail('a mapping was expected');
		const where = this.#where === '' ? key : `${this.#where}.${key}`;
		return new Reader(where, Object.hasOwn(value, key) ? value[key] : undefined);
	}

	get absent(): boolean {
		return this.#value === undefined || this.#value === null;
	}

	list(): Reader[] {
		if (this.absent) return [];
		if (!Array.isArray(this.#value)) this.fail('a list was expected');
		return this.#value.map((item, index) => new Reader(`${this.#where}[${index}]`, item));
	}

	text(): string {
		return typeof this.#value === 'string' ? this.#value : this.fail('a text was expected');
	}

	optionalText(): string | undefined {
		return this.absent ? undefined : this.text();
	}

	texts(): string[] {
		return this.list().map((item) => item.text());
	}

	number(): number | undefined {
		if (this.absent) return undefined;
		const value = this.#value;
		return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
			? value
			: this.fail('a whole number was expected');
	}

	path(): string {
		const text = this.text();
		return text.startsWith('/') ? text : this.fail(`${JSON.stringify(text)} is not an absolute path`);
	}
}

const hookNames = [
	'prestart',
	'createRuntime',
	'createContainer',
	'startContainer',
	'poststart',
	'poststop',
] as const;

function readHook(reader: Reader): ContainerEdits['hooks'][number] {
	const name = reader.get('hookName').text();
	if (!(hookNames as readonly string[]).includes(name)) reader.fail(`unknown hook ${JSON.stringify(name)}`);
	const timeout = reader.get('timeout').number();
	return {
		name: name as keyof Hooks,
		hook: {
			path: reader.get('path').path(),
			args: reader.get('args').texts(),
			env: reader.get('env').texts(),
			...(timeout === undefined ? {} : {timeout}),
		},
	};
}

function readNode(reader: Reader): DeviceNode {
	const path = reader.get('path').path();
	const permissions = reader.get('permissions').optionalText() ?? 'rwm';
	if (!/^[rwm]{1,3}$/.test(permissions)) reader.fail(`invalid permissions ${JSON.stringify(permissions)}`);
	const type = reader.get('type').optionalText();
	if (type && !['b', 'c', 'u', 'p'].includes(type)) reader.fail(`invalid type ${JSON.stringify(type)}`);
	return {
		path,
		hostPath: reader.get('hostPath').absent ? path : reader.get('hostPath').path(),
		type: type || undefined,
		major: reader.get('major').number(),
		minor: reader.get('minor').number(),
		fileMode: reader.get('fileMode').number(),
		permissions,
		uid: reader.get('uid').number(),
		gid: reader.get('gid').number(),
	};
}

function readEdits(reader: Reader): ContainerEdits {
	if (reader.absent) return {env: [], deviceNodes: [], mounts: [], hooks: [], additionalGids: []};
	return {
		env: reader
			.get('env')
			.list()
			.map((item) => {
				const text = item.text();
				return /^[^=]+=/.test(text) ? text : item.fail(`invalid variable ${JSON.stringify(text)}`);
			}),
		deviceNodes: reader.get('deviceNodes').list().map(readNode),
		mounts: reader
			.get('mounts')
			.list()
			.map((item) => ({
				hostPath: item.get('hostPath').text(),
				containerPath: item.get('containerPath').path(),
				type: item.get('type').optionalText() ?? 'bind',
				options: item.get('options').texts(),
			})),
		hooks: reader.get('hooks').list().map(readHook),
		additionalGids: reader
			.get('additionalGids')
			.list()
			.map((item) => item.number() ?? 0),
	};
}

const kindPattern = /^[A-Za-z](?:[\w.-]*[A-Za-z0-9])?\/[A-Za-z](?:[\w.-]*[A-Za-z0-9])?$/;
const namePattern = /^[A-Za-z0-9](?:[\w.:-]*[A-Za-z0-9])?$/;

/** Throws Error with the place that is wrong. */
export function parseSpecification(file: string, text: string): Specification {
	const value = file.endsWith('.json') ? (JSON.parse(text) as YamlValue) : parseYaml(text);
	const reader = new Reader('', value);
	const version = reader.get('cdiVersion').text();
	if (!/^(0\.[3-9]|1)\.\d+$/.test(version)) reader.fail(`version ${version} is not known`);
	const kind = reader.get('kind').text();
	if (!kindPattern.test(kind)) reader.fail(`invalid kind ${JSON.stringify(kind)}`);
	const devices = new Map<string, ContainerEdits>();
	for (const device of reader.get('devices').list()) {
		const name = device.get('name').text();
		if (!namePattern.test(name)) device.fail(`invalid name ${JSON.stringify(name)}`);
		if (devices.has(name)) device.fail(`the device ${JSON.stringify(name)} is there twice`);
		devices.set(name, readEdits(device.get('containerEdits')));
	}
	return {file, kind, edits: readEdits(reader.get('containerEdits')), devices};
}

export interface Specifications {
	readonly found: readonly Specification[];
	/** Files that can't be read, with the reason. */
	readonly problems: readonly string[];
}

/** Those of the last folder come first. */
export function readSpecifications(folders: readonly string[]): Specifications {
	const found: Specification[] = [];
	const problems: string[] = [];
	for (const folder of folders.toReversed()) {
		let names: string[];
		try {
			names = readdirSync(folder).sort();
		} catch (error) {
			if (isErrno(error, 'ENOENT', 'ENOTDIR')) continue;
			throw error;
		}
		for (const name of names) {
			if (!/\.(json|yaml|yml)$/.test(name)) continue;
			const file = join(folder, name);
			try {
				const {uid, mode} = statSync(file);
				if (uid !== 0 || mode & 0o022) throw new Error("others than root can write it, so it isn't used");
				found.push(parseSpecification(file, readFileSync(file, 'utf8')));
			} catch (error) {
				problems.push(`${file}: ${(error as Error).message}`);
			}
		}
	}
	return {found, problems};
}
