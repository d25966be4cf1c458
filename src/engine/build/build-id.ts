import {randomHex} from '../../kernel/random.ts';

/** As BuildKit's: 25 letters and digits. */
export const newBuildId = (): string =>
	BigInt(`0x${randomHex(20)}`)
		.toString(36)
		.padStart(25, '0')
		.slice(-25);
