/** Resolves after so many milliseconds. For what runs before the first frame: node:timers/promises takes 2 ms to load. */
export const pause = (milliseconds: number): Promise<void> =>
	new Promise((resolve) => {
		setTimeout(resolve, milliseconds);
	});
