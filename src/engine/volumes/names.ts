/** Names of volumes, which are names of folders. */
import {WherryError} from '../errors.ts';

export const volumeNamePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/** Gives the name back, or throws docker's words. */
export function checkVolumeName(name: string): string {
	const fail = (reason: string): never => {
		throw new WherryError('invalid', `create ${name}: ${reason}`, {object: name});
	};
	if (name.length === 1) {
		fail('volume name is too short, names should be at least two alphanumeric characters');
	}
	if (!volumeNamePattern.test(name) || name.length > 255) {
		fail(
			`${JSON.stringify(name)} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
		);
	}
	return name;
}
