/** System errors as docker's programs word them: `open /x: no such file or directory`. */

const words: Record<string, string> = {
	EACCES: 'permission denied',
	EBUSY: 'device or resource busy',
	EDQUOT: 'disk quota exceeded',
	EEXIST: 'file exists',
	EFBIG: 'file too large',
	EINVAL: 'invalid argument',
	EIO: 'input/output error',
	EISDIR: 'is a directory',
	ELOOP: 'too many levels of symbolic links',
	EMFILE: 'too many open files',
	EMLINK: 'too many links',
	ENAMETOOLONG: 'file name too long',
	ENOENT: 'no such file or directory',
	ENOSPC: 'no space left on device',
	ENOTDIR: 'not a directory',
	ENXIO: 'no such device or address',
	EOPNOTSUPP: 'operation not supported',
	EPERM: 'operation not permitted',
	EPIPE: 'broken pipe',
	EROFS: 'read-only file system',
	EXDEV: 'invalid cross-device link',
};

/** Whether it is one of a system call. */
export const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
	error instanceof Error && typeof (error as NodeJS.ErrnoException).errno === 'number';

/** The message of an error of node:fs or of the addon; that of any other as it is. */
export function systemWords(error: unknown): string {
	const {code, syscall, path, message} = error as NodeJS.ErrnoException;
	const reason = words[code ?? ''];
	if (reason === undefined || !syscall) return message;
	return path === undefined ? `${syscall}: ${reason}` : `${syscall} ${path}: ${reason}`;
}
