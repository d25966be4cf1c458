/** The clock of the production bundle in place of `performance` (bundle-plugins.mjs). */

/** Milliseconds since the machine's start, and its parts: to be compared with each other. */
export const ownPerformance = {now: (): number => Number(process.hrtime.bigint()) / 1e6};
