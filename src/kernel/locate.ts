import {existsSync} from 'node:fs';
import {fileURLToPath} from 'node:url';

/** The folder with what `native/build.mjs` built, from the sources as from the bundle in dist/. */
function builtFolder(): string {
	const override = process.env.WHERRY_NATIVE;
	if (override) return override;
	for (const relative of ['../native/build/Release/', '../../native/build/Release/']) {
		const folder = fileURLToPath(new URL(relative, import.meta.url));
		if (existsSync(folder)) return folder;
	}
	throw new Error('the native part of wherry is not built; run "npm install" in its folder');
}

export const addonPath = (): string => `${builtFolder()}/wherry.node`;
export const monitorPath = (): string => `${builtFolder()}/wherry-monitor`;
/** The init that `run --init` puts at /sbin/docker-init. */
export const initPath = (): string => `${builtFolder()}/wherry-init`;
