/** `wherry oci`: the command line of OCI runtimes, as other engines call it. */
import {appendFileSync, existsSync, writeFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {version} from '../engine/version.ts';
import type {LinuxResources} from '../runtime/oci.ts';
import {printOciJson} from '../runtime/oci-json.ts';
import {type Arguments, type OptionTable, parseArguments, UsageError} from './arguments.ts';
import {freeze, kill, list, processesOf, readResources, update, view} from './control.ts';
import {exec} from './exec.ts';
import {defaultSpec, features} from './features.ts';
import {create, remove, start} from './lifecycle.ts';
import {RuntimeFailure} from './native-runtime.ts';
import {readState} from './state.ts';

const globalOptions: OptionTable = {
	root: 'value',
	log: 'value',
	'log-format': 'value',
	debug: 'flag',
	'systemd-cgroup': 'flag',
	'cgroup-manager': 'value',
	rootless: 'value',
	criu: 'value',
	'v|version': 'flag',
	'h|help': 'flag',
};

const createOptions: OptionTable = {
	'b|bundle': 'value',
	'console-socket': 'value',
	'pid-file': 'value',
	'preserve-fds': 'value',
	'no-pivot': 'flag',
	'no-new-keyring': 'flag',
};

interface Call {
	root: string;
	systemdCgroup: boolean;
	options: Arguments;
	words: readonly string[];
	print: (text: string) => void;
}

interface Command {
	usage: string;
	about: string;
	options: OptionTable;
	/** After this many words everything belongs to the command in the container. */
	leading?: number;
	/** How many words there must be. */
	words: readonly [least: number, most: number];
	run: (call: Call) => Promise<number> | number | undefined;
}

/** `512`, `512M`: bytes, in powers of 1024; -1 is without limit. */
function bytes(text: string): number {
	const match = /^(-?\d+)([kmgt]?)i?b?$/i.exec(text);
	if (!match) throw new Error(`invalid size ${JSON.stringify(text)}`);
	return Number(match[1]) * 1024 ** ['', 'k', 'm', 'g', 't'].indexOf(match[2]!.toLowerCase());
}

function resourcesOf(options: Arguments): LinuxResources {
	const file = options.value('resources');
	if (file !== undefined) return readResources(file);
	const number = (name: string): number | undefined => {
		const value = options.value(name);
		return value === undefined ? undefined : name.startsWith('memory') ? bytes(value) : Number(value);
	};
	const defined = <T extends object>(fields: T): T | undefined => {
		const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
		return entries.length > 0 ? (Object.fromEntries(entries) as T) : undefined;
	};
	const cpu = defined({
		shares: number('cpu-share'),
		quota: number('cpu-quota'),
		period: number('cpu-period'),
		burst: number('cpu-burst'),
		realtimePeriod: number('cpu-rt-period'),
		realtimeRuntime: number('cpu-rt-runtime'),
		cpus: options.value('cpuset-cpus'),
		mems: options.value('cpuset-mems'),
		idle: number('cpu-idle'),
	});
	const memory = defined({
		limit: number('memory'),
		reservation: number('memory-reservation'),
		swap: number('memory-swap'),
	});
	const limit = number('pids-limit');
	const weight = number('blkio-weight');
	return {
		...(cpu ? {cpu} : {}),
		...(memory ? {memory} : {}),
		...(limit === undefined ? {} : {pids: {limit}}),
		...(weight === undefined ? {} : {blockIO: {weight}}),
	} as LinuxResources;
}

function table(rows: readonly (readonly string[])[]): string {
	const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
	return rows
		.map((row) =>
			row
				.map((cell, column) => cell.padEnd(widths[column]! + 3))
				.join('')
				.trimEnd(),
		)
		.join('\n');
}

const createWith = (call: Call, foreground: boolean): Promise<number> =>
	create({
		root: call.root,
		id: call.words[0],
		bundle: call.options.value('bundle') ?? '.',
		systemdCgroup: call.systemdCgroup,
		consoleSocket: call.options.value('console-socket'),
		pidFile: call.options.value('pid-file'),
		preserveFds: Number(call.options.value('preserve-fds') ?? 0),
		foreground,
	});

const commands: Readonly<Record<string, Command>> = {
	create: {
		usage: '[--bundle DIR] [--console-socket PATH] [--pid-file PATH] [--preserve-fds N] ID',
		about: 'make a container that waits for its start',
		options: createOptions,
		words: [1, 1],
		run: (call) => createWith(call, false),
	},
	start: {
		usage: 'ID',
		about: 'let the command of a created container run',
		options: {},
		words: [1, 1],
		run: async ({root, words}) => {
			await start(root, words[0]!);
			return 0;
		},
	},
	run: {
		usage: '[--detach] [--keep] [OPTIONS of create] ID',
		about: 'create and start; without --detach wait, and delete',
		options: {...createOptions, 'd|detach': 'flag', keep: 'flag', 'no-subreaper': 'flag'},
		words: [1, 1],
		run: async (call) => {
			const {root, options, words} = call;
			if (options.flag('detach')) {
				await createWith(call, false);
				await start(root, words[0]!);
				return 0;
			}
			const status = await createWith(call, true);
			if (!options.flag('keep')) await remove(root, words[0]!, true);
			return status;
		},
	},
	exec: {
		usage:
			'[--process FILE] [--tty] [--detach] [--env K=V] [--cwd DIR] [--user UID[:GID]] ... ID COMMAND [ARG...]',
		about: 'run one more process in a container',
		options: {
			'console-socket': 'value',
			cwd: 'value',
			'e|env': 'list',
			't|tty': 'flag',
			'u|user': 'value',
			'g|additional-gids': 'list',
			'p|process': 'value',
			'd|detach': 'flag',
			'pid-file': 'value',
			'process-label': 'value',
			apparmor: 'value',
			'no-new-privs': 'flag',
			'c|cap': 'list',
			'preserve-fds': 'value',
			cgroup: 'list',
			'ignore-paused': 'flag',
		},
		leading: 1,
		words: [1, Number.POSITIVE_INFINITY],
		run: ({root, options, words}) =>
			exec({
				root,
				id: words[0]!,
				processFile: options.value('process'),
				args: words.slice(1),
				env: options.list('env'),
				cwd: options.value('cwd'),
				user: options.value('user'),
				additionalGids: options.list('additional-gids'),
				capabilities: options.list('cap'),
				tty: options.flag('tty'),
				noNewPrivileges: options.flag('no-new-privs'),
				detach: options.flag('detach'),
				pidFile: options.value('pid-file'),
				consoleSocket: options.value('console-socket'),
				preserveFds: Number(options.value('preserve-fds') ?? 0),
			}),
	},
	state: {
		usage: 'ID',
		about: 'print the state of a container as JSON',
		options: {},
		words: [1, 1],
		run: ({root, words, print}) => {
			print(JSON.stringify(view(root, readState(root, words[0]!)), undefined, 2));
			return 0;
		},
	},
	kill: {
		usage: '[--all] ID [SIGNAL]',
		about: 'send a signal, TERM unless another is named',
		options: {'a|all': 'flag'},
		words: [1, 2],
		run: ({root, options, words}) => {
			kill(root, words[0]!, words[1] ?? 'TERM', options.flag('all'));
			return 0;
		},
	},
	delete: {
		usage: '[--force] ID',
		about: 'remove what is left of a container that has ended',
		options: {'f|force': 'flag'},
		words: [1, 1],
		run: async ({root, options, words}) => {
			await remove(root, words[0]!, options.flag('force'));
			return 0;
		},
	},
	list: {
		usage: '[--format table|json] [--quiet]',
		about: 'list the containers below the root',
		options: {'f|format': 'value', 'q|quiet': 'flag'},
		words: [0, 0],
		run: ({root, options, print}) => {
			const views = list(root);
			if (options.flag('quiet')) {
				for (const {id} of views) print(id);
			} else if (options.value('format') === 'json') {
				print(JSON.stringify(views));
			} else if ((options.value('format') ?? 'table') !== 'table') {
				throw new Error('invalid format option');
			} else {
				const rows = views.map((each) => [
					...[each.id, String(each.pid), each.status, each.bundle, each.created, each.owner],
				]);
				print(table([['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER'], ...rows]));
			}
			return 0;
		},
	},
	ps: {
		usage: '[--format json|table] ID',
		about: 'list the processes of a container',
		options: {'f|format': 'value'},
		words: [1, Number.POSITIVE_INFINITY],
		run: ({root, options, words, print}) => {
			const pids = processesOf(readState(root, words[0]!));
			print(options.value('format') === 'json' ? JSON.stringify(pids) : ['PID', ...pids].join('\n'));
			return 0;
		},
	},
	pause: {
		usage: 'ID',
		about: 'freeze all processes',
		options: {},
		words: [1, 1],
		run: ({root, words}) => {
			freeze(root, words[0]!, true);
			return 0;
		},
	},
	resume: {
		usage: 'ID',
		about: 'thaw all processes',
		options: {},
		words: [1, 1],
		run: ({root, words}) => {
			freeze(root, words[0]!, false);
			return 0;
		},
	},
	update: {
		usage: '[--resources FILE] [--memory BYTES] [--cpu-quota N] [--pids-limit N] ... ID',
		about: 'change the limits of a running container',
		options: {
			'r|resources': 'value',
			'blkio-weight': 'value',
			'cpu-period': 'value',
			'cpu-quota': 'value',
			'cpu-burst': 'value',
			'cpu-share': 'value',
			'cpu-rt-period': 'value',
			'cpu-rt-runtime': 'value',
			'cpu-idle': 'value',
			'cpuset-cpus': 'value',
			'cpuset-mems': 'value',
			memory: 'value',
			'memory-reservation': 'value',
			'memory-swap': 'value',
			'pids-limit': 'value',
		},
		words: [1, 1],
		run: ({root, options, words}) => {
			update(root, words[0]!, resourcesOf(options));
			return 0;
		},
	},
	features: {
		usage: '',
		about: 'print what this runtime can do as JSON',
		options: {},
		words: [0, 0],
		run: ({print}) => {
			print(JSON.stringify(features(), undefined, 2));
			return 0;
		},
	},
	spec: {
		usage: '[--bundle DIR]',
		about: 'write a config.json to begin with',
		options: {'b|bundle': 'value'},
		words: [0, 0],
		run: ({options}) => {
			const file = join(resolve(options.value('bundle') ?? '.'), 'config.json');
			if (existsSync(file)) throw new Error(`File ${file} exists. Remove it first`);
			writeFileSync(file, `${printOciJson(defaultSpec(), '\t')}\n`);
			return 0;
		},
	},
};

function usage(): string {
	const rows = Object.entries(commands).map(([name, {about}]) => [`  ${name}`, about]);
	return `Usage:  wherry oci [--root DIR] [--log FILE] [--log-format text|json] [--systemd-cgroup] COMMAND

The command line of OCI runtimes: containers from bundles, for other engines.

Commands:
${table(rows)}`;
}

/** Where engines look for the reason of a failure; stderr has it as well. */
function log(globals: Arguments, message: string): void {
	const file = globals.value('log');
	if (file === undefined) return;
	const time = new Date().toISOString();
	const line =
		globals.value('log-format') === 'json'
			? JSON.stringify({level: 'error', msg: message, time})
			: `time=${JSON.stringify(time)} level=error msg=${JSON.stringify(message)}`;
	try {
		appendFileSync(file, `${line}\n`, {mode: 0o644});
	} catch {
		// Nobody reads it then.
	}
}

export async function ociMain(argv: readonly string[]): Promise<number> {
	const out = (text: string) => void process.stdout.write(`${text}\n`);
	let globals: Arguments | undefined;
	let name: string | undefined;
	try {
		const first = parseArguments(argv, globalOptions, 1);
		globals = first.parsed;
		name = globals.words[0];
		if (globals.flag('version')) {
			out(`wherry oci version ${version()}\nspec: ${defaultSpec().ociVersion}`);
			return 0;
		}
		if (name === undefined || globals.flag('help') || name === 'help') {
			out(usage());
			return 0;
		}
		const command = commands[name];
		if (!command) throw new UsageError(`no such command: ${name}`);
		const table = {...command.options, 'h|help': 'flag'} as const;
		const {parsed, used} = parseArguments(argv.slice(first.used), table, command.leading);
		const words = [...parsed.words, ...argv.slice(first.used + used)];
		if (parsed.flag('help')) {
			out(`Usage:  wherry oci ${name} ${command.usage}\n\nTo ${command.about}.`);
			return 0;
		}
		// After the id `--` only marks the end of the options.
		if (command.leading !== undefined && words[command.leading] === '--') words.splice(command.leading, 1);
		const [least, most] = command.words;
		if (words.length < least || words.length > most) {
			throw new UsageError(`"wherry oci ${name}" is used as: wherry oci ${name} ${command.usage}`);
		}
		const run = process.env.WHERRY_RUN ?? '/run/wherry';
		const root = resolve(globals.value('root') ?? join(run, 'oci'));
		const systemdCgroup = globals.flag('systemd-cgroup') || globals.value('cgroup-manager') === 'systemd';
		return (await command.run({root, systemdCgroup, options: parsed, words, print: out})) ?? 0;
	} catch (error) {
		const message = error instanceof Error ? error.message : String(error);
		if (globals) log(globals, message);
		process.stderr.write(`wherry oci: ${message}\n`);
		if (error instanceof RuntimeFailure && (name === 'exec' || name === 'run'))
			return error.code === 125 ? 255 : error.code;
		return 1;
	}
}
