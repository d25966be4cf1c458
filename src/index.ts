/** Wherry as a library: `const engine = openEngine()`. */
export type * from './engine/api.ts';
export {openEngine} from './engine/engine.ts';
export {type ErrorCode, WherryError} from './engine/errors.ts';
export {Paths} from './engine/paths.ts';
