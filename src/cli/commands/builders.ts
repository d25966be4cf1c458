import {CliError} from '../errors.ts';

/** `--builder`: there is the one that is always there. */
export function checkBuilder(name: string): void {
	if (name !== '' && name !== 'default') throw new CliError(`ERROR: no builder "${name}" found`);
}
