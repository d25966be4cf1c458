/**
 * Errors are values: a code that programs can test, the object, and the cause. Faces turn them into words
 * once; the message is docker's wording where docker has one, without any prefix.
 */
export type ErrorCode =
	/** The object is not there (docker's 404). */
	| 'not-found'
	/** The state forbids it: name taken, in use, already running (409). */
	| 'conflict'
	/** The input is wrong (400). */
	| 'invalid'
	/** The registry or the host refuses (401, 403, EPERM). */
	| 'denied'
	/** Known, but not supported yet. */
	| 'unsupported'
	/** A peer can't be reached or breaks off. */
	| 'unavailable'
	/** Bytes are not what they must be: digest, format. */
	| 'corrupt'
	/** No space, no memory, too many. */
	| 'exhausted'
	/** The container's command can't be run; exitCode is 126 or 127. */
	| 'command'
	| 'cancelled'
	| 'internal';

export class WherryError extends Error {
	override readonly name = 'WherryError';
	readonly code: ErrorCode;
	/** The id, name or reference of the object that it is about. */
	readonly object: string | undefined;
	/** docker's exit code for `run` and `exec`, where it differs from the face's default. */
	readonly exitCode: number | undefined;
	/** docker's client says this by itself, before it asks its daemon: shown without a prefix. */
	readonly bare: boolean;

	constructor(
		code: ErrorCode,
		message: string,
		options: {object?: string | undefined; exitCode?: number | undefined; cause?: unknown; bare?: true} = {},
	) {
		super(message, options.cause === undefined ? undefined : {cause: options.cause});
		this.code = code;
		this.object = options.object;
		this.exitCode = options.exitCode;
		this.bare = options.bare ?? false;
	}
}

/** Whether an unknown thrown value is a system error with this code: `isErrno(error, 'ENOENT')`. */
export function isErrno(error: unknown, ...codes: string[]): error is NodeJS.ErrnoException {
	return error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? '');
}
