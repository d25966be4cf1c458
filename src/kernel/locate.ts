import {existsSync, readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';

let built: string | undefined;

/** The folder with what `native/build.mjs` built, from the sources as from the bundle in dist/. */
function builtFolder(): string {
	built ??= process.env.WHERRY_NATIVE || findBuilt();
	return built;
}

function findBuilt(): string {
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

/** The program that users call. */
export function launcherPath(): string {
	for (const relative of ['../src/wherry.sh', '../wherry.sh', '../../src/wherry.sh']) {
		const path = fileURLToPath(new URL(relative, import.meta.url));
		if (existsSync(path)) return path;
	}
	throw new Error('the launcher of wherry, src/wherry.sh, is not there');
}

/** What `native/build.mjs` wrote about its build. */
export interface BuildInfo {
	readonly compiler: string;
	/** Of the executables; `dynamic` where the C library is there as a shared one only. */
	readonly linking: 'static-pie' | 'static' | 'dynamic';
	readonly sanitizers: boolean;
	readonly architecture: string;
}

export function buildInfo(): BuildInfo | undefined {
	try {
		return JSON.parse(readFileSync(`${builtFolder()}/build-info.json`, 'utf8')) as BuildInfo;
	} catch {
		return undefined;
	}
}
