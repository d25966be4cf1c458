import {native} from './native.ts';

/** isatty(3). Node's own way to ask brings streams and sockets, which take 6 ms to load. */
export const isTerminal = (fd: number): boolean => native.terminalSize(fd) !== undefined;
