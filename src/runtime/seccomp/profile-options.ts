import type {NativeArch} from './syscalls.ts';

/** What decides which rules of a profile apply. */
export interface ProfileOptions {
	/** `CAP_*` names that the container has in its bounding set. */
	readonly capabilities: readonly string[];
	readonly arch: NativeArch;
	/** The running kernel, `[6, 18]`. */
	readonly kernel: readonly [number, number];
}

/** docker's names of the architectures. */
export const dockerArch: Readonly<Record<NativeArch, string>> = {x64: 'amd64', arm64: 'arm64'};

export function kernelAtLeast(kernel: readonly [number, number], wanted: readonly [number, number]): boolean {
	return kernel[0] > wanted[0] || (kernel[0] === wanted[0] && kernel[1] >= wanted[1]);
}
