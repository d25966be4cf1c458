/** A real pseudo-terminal with an emulator behind it: what a person would see. */
import {setTimeout as sleep} from 'node:timers/promises';
import {type IPty, spawn} from '@lydell/node-pty';
import xterm from '@xterm/headless';

export interface TerminalOptions {
	columns?: number;
	rows?: number;
	/** Undefined takes a variable out. */
	env?: Record<string, string | undefined>;
	cwd?: string;
}

export class TestTerminal {
	readonly #pty: IPty;
	readonly #screen: InstanceType<typeof xterm.Terminal>;
	/** Everything that was written, for what leaves no picture. */
	bytes = '';
	exitCode: number | undefined;
	/** Every line that there ever was. */
	readonly #shown = new Set<string>();

	constructor(file: string, args: string[], options: TerminalOptions = {}) {
		const {columns = 120, rows = 32, env = {}, cwd = process.cwd()} = options;
		this.#screen = new xterm.Terminal({cols: columns, rows, allowProposedApi: true, scrollback: 500});
		// What npm and AVA add would change what the program does; CI must not.
		const {NODE_OPTIONS: _, FORCE_COLOR: __, NO_COLOR: ___, ...inherited} = process.env;
		this.#pty = spawn(file, args, {
			cols: columns,
			rows,
			cwd,
			name: 'xterm-256color',
			env: Object.fromEntries(
				Object.entries({...inherited, CI: '1', ...env}).filter(([, value]) => value !== undefined),
			) as Record<string, string>,
		});
		this.#pty.onData((data) => {
			this.bytes += data;
			this.#screen.write(data, () => {
				for (const line of this.text.split('\n')) this.#shown.add(line);
			});
		});
		this.#pty.onExit(({exitCode}) => {
			this.exitCode = exitCode;
		});
	}

	type(keys: string): void {
		this.#pty.write(keys);
	}

	resize(columns: number, rows: number): void {
		this.#screen.resize(columns, rows);
		this.#pty.resize(columns, rows);
	}

	/** The picture, without trailing spaces. */
	get text(): string {
		const {active} = this.#screen.buffer;
		const lines: string[] = [];
		for (let row = 0; row < this.#screen.rows; row++) {
			lines.push(active.getLine(active.viewportY + row)?.translateToString(true) ?? '');
		}
		return lines.join('\n');
	}

	get alternate(): boolean {
		return this.#screen.buffer.active.type === 'alternate';
	}

	async until(what: RegExp | ((terminal: this) => boolean), seconds = 30): Promise<void> {
		const end = Date.now() + seconds * 1000;
		while (!(typeof what === 'function' ? what(this) : what.test(this.text))) {
			if (Date.now() > end) throw new Error(`never seen: ${what}\n${this.text}`);
			await sleep(20);
		}
	}

	/** Like `until`, for a line that may have gone again. */
	async untilShown(what: RegExp): Promise<void> {
		await this.until(() => [...this.#shown].some((line) => what.test(line)) || what.test(this.text));
	}

	async exited(): Promise<number> {
		await this.until(() => this.exitCode !== undefined);
		return this.exitCode!;
	}

	kill(signal: string): void {
		this.#pty.kill(signal);
	}

	/** Ends what still runs in it. */
	close(): void {
		if (this.exitCode === undefined) this.#pty.kill('SIGKILL');
		this.#screen.dispose();
	}
}
