/** 4, 6, or 0 for what is no address. node:net takes 2 ms to load, and few command lines have an address. */
export const isIP = (text: string): number => process.getBuiltinModule('node:net').isIP(text);
