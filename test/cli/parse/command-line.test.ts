import test from 'ava';
import {CliError} from '../../../src/cli/errors.ts';
import {parseCommandLine} from '../../../src/cli/parse/command-line.ts';

function failure(line: string[]): {message: string; status: number} {
	try {
		parseCommandLine(line);
	} catch (error) {
		if (error instanceof CliError) return {message: error.message, status: error.status};
		throw error;
	}
	throw new Error(`${line.join(' ')} was accepted`);
}

test('flags are read in every form that pflag takes', (t) => {
	const {flags, args, command} = parseCommandLine([
		'run',
		'-it',
		'--rm',
		'-e',
		'A=b',
		'-eC=d',
		'-e=E=f',
		'--env=G',
		'--env',
		'H',
		'--memory=64m',
		'-c',
		'5',
		'--sig-proxy=false',
		'--cpus',
		'1.5',
		'--network=none',
		'--stop-timeout=-1',
		'-vfoo:/bar',
		'image',
		'-x',
		'--y',
		'--',
		'z',
	]);
	t.is(command.name, 'container run');
	t.is(command.typed, 'run');
	t.true(flags.bool('interactive') && flags.bool('tty') && flags.bool('rm'));
	t.deepEqual(flags.list('env'), ['A=b', 'C=d', 'E=f', 'G', 'H']);
	t.is(flags.number('memory'), 64 * 2 ** 20);
	t.is(flags.number('cpu-shares'), 5);
	t.is(flags.number('cpus'), 1_500_000_000);
	t.is(flags.number('stop-timeout'), -1);
	t.false(flags.bool('sig-proxy'));
	t.deepEqual(flags.list('volume'), ['foo:/bar']);
	// The command's own words are left alone.
	t.deepEqual(args, ['image', '-x', '--y', '--', 'z']);
});

test('flags may follow arguments where docker lets them', (t) => {
	const stop = parseCommandLine(['container', 'stop', 'a', '-t', '3', 'b', '--', '-c']);
	t.deepEqual(stop.args, ['a', 'b', '-c']);
	t.is(stop.flags.number('timeout'), 3);
	const exec = parseCommandLine(['exec', '-u', 'root', 'web', 'ls', '-la']);
	t.deepEqual(exec.args, ['web', 'ls', '-la']);
	t.deepEqual(parseCommandLine(['rm', '-fv', 'x']).args, ['x']);
});

test('filters gather their values', (t) => {
	const {flags} = parseCommandLine([
		'ps',
		'-f',
		'status=exited',
		'--filter=status=created',
		'-f',
		'label=a=b',
	]);
	t.deepEqual(flags.filters('filter'), {status: ['exited', 'created'], label: ['a=b']});
});

test('wrong lines end with docker words and status', (t) => {
	const run =
		"\n\nUsage:  wherry run [OPTIONS] IMAGE [COMMAND] [ARG...]\n\nRun 'wherry run --help' for more information";
	for (const [line, message, status] of [
		[['run', '--foo', 'x'], `unknown flag: --foo${run}`, 125],
		[['run', '-ifoo', 'x'], `unknown shorthand flag: 'f' in -foo${run}`, 125],
		[['run', '--name'], `flag needs an argument: --name${run}`, 125],
		[['run', '-e'], `flag needs an argument: 'e' in -e${run}`, 125],
		[
			['run', '--rm=maybe', 'x'],
			`invalid argument "maybe" for "--rm" flag: strconv.ParseBool: parsing "maybe": invalid syntax${run}`,
			125,
		],
		[
			['run', '-m', 'xx', 'x'],
			`invalid argument "xx" for "-m, --memory" flag: invalid size: 'xx'${run}`,
			125,
		],
		[
			['run', '--cpus', 'xx', 'x'],
			`invalid argument "xx" for "--cpus" flag: failed to parse xx as a rational number${run}`,
			125,
		],
		[
			['run', '--ulimit', 'foo=1', 'x'],
			`invalid argument "foo=1" for "--ulimit" flag: invalid ulimit type: foo${run}`,
			125,
		],
		[
			['run', '-a', 'foo', 'x'],
			`invalid argument "foo" for "-a, --attach" flag: valid streams are STDIN, STDOUT and STDERR${run}`,
			125,
		],
		[
			['run', '-e', '=x', 'x'],
			`invalid argument "=x" for "-e, --env" flag: invalid environment variable: =x${run}`,
			125,
		],
		[
			['run', '-l', '=x', 'x'],
			`invalid argument "=x" for "-l, --label" flag: invalid label '=x': empty name${run}`,
			125,
		],
		[
			['run', '--sysctl', 'foo', 'x'],
			`invalid argument "foo" for "--sysctl" flag: sysctl 'foo' is not allowed${run}`,
			125,
		],
		[
			['run', '--mount', 'type=bind', 'x'],
			`invalid argument "type=bind" for "--mount" flag: target is required${run}`,
			125,
		],
		[
			['run', '--mount', 'foo', 'x'],
			`invalid argument "foo" for "--mount" flag: invalid field 'foo' must be a key=value pair${run}`,
			125,
		],
		[
			['run', '--shm-size', '-1', 'x'],
			`invalid argument "-1" for "--shm-size" flag: invalid size: '-1'${run}`,
			125,
		],
		[
			['ps', '-n', 'xx'],
			`invalid argument "xx" for "-n, --last" flag: strconv.ParseInt: parsing "xx": invalid syntax\n\nUsage:  wherry ps [OPTIONS]\n\nRun 'wherry ps --help' for more information`,
			125,
		],
		[
			['rm'],
			`wherry: 'wherry rm' requires at least 1 argument\n\nUsage:  wherry rm [OPTIONS] CONTAINER [CONTAINER...]\n\nSee 'wherry rm --help' for more information`,
			1,
		],
		[
			['rename', 'a'],
			`wherry: 'wherry rename' requires 2 arguments\n\nUsage:  wherry rename CONTAINER NEW_NAME\n\nRun 'wherry rename --help' for more information`,
			1,
		],
		[
			['ps', 'x'],
			`wherry: 'wherry ps' accepts no arguments\n\nUsage:  wherry ps [OPTIONS]\n\nRun 'wherry ps --help' for more information`,
			1,
		],
		[['foo'], `wherry: unknown command: wherry foo\n\nRun 'wherry --help' for more information`, 1],
		[
			['container', 'foo'],
			`wherry: unknown command: wherry container foo\n\nUsage:  wherry container COMMAND\n\nRun 'wherry container --help' for more information`,
			1,
		],
		[
			['--foo'],
			`unknown flag: --foo\n\nUsage:  wherry [OPTIONS] COMMAND [ARG...]\n\nRun 'wherry --help' for more information`,
			125,
		],
	] as [string[], string, number][]) {
		t.deepEqual(failure(line), {message, status}, line.join(' '));
	}
});

test('a flag that docker has and wherry has not yet is refused by name, wherever it stands', (t) => {
	const daemon = 'the engine runs inside this process, there is no daemon';
	t.deepEqual(failure(['container', 'create', '--use-api-socket', 'x']), {
		message: `wherry container create: --use-api-socket is not supported: there is no API socket; ${daemon}`,
		status: 125,
	});
	t.deepEqual(failure(['-H', 'tcp://x', 'ps']), {
		message: `wherry: --host is not supported: it says where a daemon listens; ${daemon}`,
		status: 125,
	});
	// Asking for help is no use of it.
	t.true(parseCommandLine(['run', '--use-api-socket', '--help']).help);
});

test('flags that docker gave up still work and say so', (t) => {
	const {flags, notes} = parseCommandLine(['stop', '--time=3', 'x']);
	t.is(flags.number('time'), 3);
	t.deepEqual(notes, ['Flag --time has been deprecated, use --timeout instead']);
});

test('-h is help, but the host name of run', (t) => {
	t.true(parseCommandLine(['ps', '-h']).help);
	t.is(parseCommandLine(['run', '-h', 'box', 'x']).flags.string('hostname'), 'box');
});
