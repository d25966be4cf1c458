/** esbuild plugins for the terminal UI's bundle. */
export const tuiPlugins = [];
