declare const process: NodeJS.Process & {env: {WHERRY_VERSION?: string}};

/** Put in by the bundler; from the sources it is a development version. */
export const wherryVersion: string = process.env.WHERRY_VERSION ?? '0.0.0-dev';
