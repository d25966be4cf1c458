export type * from './engine/api.ts';
export {WherryError, type ErrorCode} from './engine/errors.ts';
