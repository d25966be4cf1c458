import {resolve} from 'node:path';
import type {MountSpec} from '../../engine/api.ts';
import {parseRamSize} from '../format/size.ts';

import {parseCsvLine} from './csv.ts';
import {parseBool} from './scalars.ts';

/**
 * A `--mount` value: `type=bind,src=/a,dst=/b,readonly`. Throws docker's words. Which types and modes there are is the
 * engine's to say.
 */
export function parseMount(text: string): MountSpec {
	const mount: MountSpec = {Type: 'volume', Target: ''};
	const type = (): string => mount.Type;
	const volume = (options: NonNullable<MountSpec['VolumeOptions']>): void => {
		mount.VolumeOptions = {...mount.VolumeOptions, ...options};
	};
	const bind = (options: NonNullable<MountSpec['BindOptions']>): void => {
		mount.BindOptions = {...mount.BindOptions, ...options};
	};
	const tmpfs = (options: NonNullable<MountSpec['TmpfsOptions']>): void => {
		mount.TmpfsOptions = {...mount.TmpfsOptions, ...options};
	};
	const driver = (options: {Name?: string; Options?: Record<string, string>}): void =>
		volume({DriverConfig: {...mount.VolumeOptions?.DriverConfig, ...options}});

	// What Go's reader says when there is no line.
	if (text === '') throw new Error('EOF');
	for (const field of parseCsvLine(text)) {
		const equals = field.indexOf('=');
		const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
		if (equals < 0) {
			if (key === 'readonly' || key === 'ro') mount.ReadOnly = true;
			else if (key === 'volume-nocopy') volume({NoCopy: true});
			else if (key === 'bind-nonrecursive') bind({NonRecursive: true});
			else if (key === 'bind-create-src') bind({CreateMountpoint: true});
			else throw new Error(`invalid field '${field}' must be a key=value pair`);
			continue;
		}
		const value = field.slice(equals + 1);
		const flag = (): boolean => {
			try {
				return parseBool(value);
			} catch {
				throw new Error(`invalid value for ${key}: ${value}`);
			}
		};
		switch (key) {
			case 'type':
				mount.Type = value.toLowerCase() as MountSpec['Type'];
				break;
			case 'source':
			case 'src':
				mount.Source = value;
				// docker makes `.` and `./x` absolute, nothing else.
				if (value === '.' || value.startsWith('./') || value === '..' || value.startsWith('../')) {
					mount.Source = resolve(value);
				}
				break;
			case 'target':
			case 'dst':
			case 'destination':
				mount.Target = value;
				break;
			case 'readonly':
			case 'ro':
				mount.ReadOnly = flag();
				break;
			case 'consistency':
				mount.Consistency = value.toLowerCase();
				break;
			case 'bind-propagation':
				bind({Propagation: value.toLowerCase()});
				break;
			case 'bind-nonrecursive':
				bind({NonRecursive: flag()});
				break;
			case 'bind-create-src':
				bind({CreateMountpoint: flag()});
				break;
			case 'bind-recursive':
				if (value === 'disabled') bind({NonRecursive: true});
				else if (value === 'writable') bind({ReadOnlyNonRecursive: true});
				else if (value === 'readonly') bind({ReadOnlyForceRecursive: true});
				else if (value !== 'enabled') {
					throw new Error(
						`invalid value for ${key}: ${value} (must be "enabled", "disabled", "writable", or "readonly")`,
					);
				}
				break;
			case 'image-subpath':
				mount.ImageOptions = {Subpath: value};
				break;
			case 'volume-subpath':
				volume({Subpath: value});
				break;
			case 'volume-nocopy':
				try {
					volume({NoCopy: parseBool(value)});
				} catch {
					throw new Error(`invalid value for volume-nocopy: ${value}`);
				}
				break;
			case 'volume-label': {
				const [name, content] = pair(value);
				volume({Labels: {...mount.VolumeOptions?.Labels, ...(name === '' ? {} : {[name]: content})}});
				break;
			}
			case 'volume-driver':
				driver({Name: value});
				break;
			case 'volume-opt': {
				const [name, content] = pair(value);
				driver({
					Options: {...mount.VolumeOptions?.DriverConfig?.Options, ...(name === '' ? {} : {[name]: content})},
				});
				break;
			}
			case 'tmpfs-size':
				try {
					tmpfs({SizeBytes: parseRamSize(value)});
				} catch {
					throw new Error(`invalid value for ${key}: ${value}`);
				}
				break;
			case 'tmpfs-mode':
				if (!/^[0-7]+$/.test(value)) throw new Error(`invalid value for ${key}: ${value}`);
				tmpfs({Mode: Number.parseInt(value, 8)});
				break;
			default:
				throw new Error(`unexpected key '${key}' in '${field}'`);
		}
	}
	if ((type() as string) === '') throw new Error('type is required');
	if (mount.Target === '') throw new Error('target is required');
	if (mount.VolumeOptions && type() !== 'volume')
		throw new Error(`cannot mix 'volume-*' options with mount type '${type()}'`);
	if (mount.BindOptions && type() !== 'bind')
		throw new Error(`cannot mix 'bind-*' options with mount type '${type()}'`);
	if (mount.ImageOptions && type() !== 'image')
		throw new Error(`cannot mix 'image-*' options with mount type '${type()}'`);
	if (mount.TmpfsOptions && type() !== 'tmpfs')
		throw new Error(`cannot mix 'tmpfs-*' options with mount type '${type()}'`);
	if (mount.BindOptions?.ReadOnlyNonRecursive && !mount.ReadOnly) {
		throw new Error("option 'bind-recursive=writable' requires 'readonly' to be specified in conjunction");
	}
	if (mount.BindOptions?.ReadOnlyForceRecursive) {
		if (!mount.ReadOnly) {
			throw new Error("option 'bind-recursive=readonly' requires 'readonly' to be specified in conjunction");
		}
		if (mount.BindOptions.Propagation !== 'rprivate') {
			throw new Error(
				"option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified in conjunction",
			);
		}
	}
	return mount;
}

function pair(text: string): [string, string] {
	const equals = text.indexOf('=');
	return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
}
