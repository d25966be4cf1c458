/** Network namespaces of the tests' own, in which monitors, clients and servers run. */
import {type ChildProcess, execFileSync, spawn} from 'node:child_process';
import {once} from 'node:events';

interface Teardown {
	teardown(fn: () => void | Promise<void>): void;
}

// The packages of the tests bring another program that is called nft.
const env = {...process.env, PATH: `/usr/sbin:/usr/bin:/sbin:/bin:${process.env.PATH}`};

let made = 0;

export class NetworkNamespace {
	/** The namespace's file. */
	readonly path: string;
	readonly #children: ChildProcess[] = [];

	/** A new one, or that of a process. */
	constructor(t: Teardown, pid?: number) {
		const name = `wherry-test-${process.pid}-${++made}`;
		this.path = pid ? `/proc/${pid}/ns/net` : `/run/netns/${name}`;
		if (!pid) execFileSync('ip', ['netns', 'add', name], {env});
		t.teardown(async () => {
			for (const child of this.#children) {
				if (child.exitCode !== null || child.signalCode !== null) continue;
				child.kill('SIGKILL');
				await once(child, 'close');
			}
			if (!pid) execFileSync('ip', ['netns', 'delete', name], {env});
		});
		if (!pid) this.run('ip', 'link', 'set', 'lo', 'up');
	}

	/** The command that runs something in it. */
	get prefix(): [string, ...string[]] {
		return ['nsenter', `--net=${this.path}`];
	}

	/** Runs a command to its end and gives its output; throws when it fails. */
	run(...argv: string[]): string {
		const [program, ...rest] = [...this.prefix, ...argv];
		return execFileSync(program!, rest, {encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'pipe']});
	}

	/** Starts a program that ends with the test. */
	spawn(...argv: string[]): ChildProcess {
		const [program, ...rest] = [...this.prefix, ...argv];
		const child = spawn(program!, rest, {env, stdio: ['pipe', 'pipe', 'inherit']});
		this.#children.push(child);
		return child;
	}

	/** Runs a Node script (a module) in it and gives what it writes. */
	async node(script: string, {input = ''} = {}): Promise<string> {
		const child = this.spawn(process.execPath, '--input-type=module', '-e', script);
		child.stdin!.end(input);
		let output = '';
		child.stdout!.setEncoding('utf8');
		child.stdout!.on('data', (text: string) => {
			output += text;
		});
		const [code] = (await once(child, 'close')) as [number | null];
		if (code !== 0) throw new Error(`the script ended with ${code}: ${output}`);
		return output;
	}

	/** Starts a Node script and waits for its first line. */
	async server(script: string, ...args: string[]): Promise<{child: ChildProcess; first: string}> {
		const child = this.spawn(process.execPath, '--input-type=module', '-e', script, ...args);
		child.stdout!.setEncoding('utf8');
		const [text] = (await once(child.stdout!, 'data')) as [string];
		return {child, first: text.trim()};
	}
}
