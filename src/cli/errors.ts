/** What ends a command with a message and a status of its own. */
export class CliError extends Error {
	readonly status: number;
	/** The whole text for stderr; empty says nothing. */
	constructor(message: string, status = 1) {
		super(message);
		this.status = status;
	}
}

/** What the user asked for is wrong before the engine is asked: the message has no prefix. */
export class UsageError extends Error {}

/** A `--format` that is wrong, in Go's words. */
export class TemplateError extends Error {
	/** What came out before it. */
	readonly written: string;

	constructor(message: string, written = '') {
		super(message);
		this.written = written;
	}
}

/** docker's `strconv` words, which its flags' errors are made of. */
export const syntaxError = (parser: string, text: string): string =>
	`strconv.${parser}: parsing ${JSON.stringify(text)}: invalid syntax`;

export const rangeError = (parser: string, text: string): string =>
	`strconv.${parser}: parsing ${JSON.stringify(text)}: value out of range`;
