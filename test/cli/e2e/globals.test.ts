import {spawnSync} from 'node:child_process';
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {Command} from '../../e2e/command.ts';

const wherry = new Command();

test.after.always(async (t) => {
	t.deepEqual(await wherry.end(), []);
});

const launcher = new URL('../../../src/wherry.sh', import.meta.url).pathname;

/** With other variables, on the same folders. */
function withEnv(
	env: NodeJS.ProcessEnv,
	...args: string[]
): {code: number | null; stdout: string; stderr: string} {
	const {status, stdout, stderr} = spawnSync(launcher, args, {
		env: {...wherry.env, ...env},
		encoding: 'utf8',
	});
	return {code: status, stdout, stderr};
}

test('docker’s flags before the command are taken where they mean something', async (t) => {
	for (const line of [
		['-D', 'ps', '-q'],
		['-l', 'WARN', 'ps', '-q'],
		['--log-level=error', 'ps', '-q'],
		['--config', '/nowhere', 'ps', '-q'],
		['--tls=false', 'ps', '-q'],
		['-c', 'default', 'ps', '-q'],
	])
		t.like(await wherry.result(line), {code: 0, stdout: '', stderr: ''}, line.join(' '));
	t.like(await wherry.result(['-l', 'loud', 'ps']), {
		code: 1,
		stderr: 'unable to parse logging level: loud\n',
	});
	// Behind the command they are unknown, as docker has it.
	t.is((await wherry.result(['ps', '-D'])).code, 125);
});

test('flags and variables that choose another daemon are refused, nothing is done', async (t) => {
	for (const line of [
		['-H', 'tcp://other:2375', 'ps'],
		['--host=ssh://other', 'ps'],
		['--context', 'other', 'ps'],
		['--tlsverify', 'ps'],
		['--tlscacert', '/ca.pem', 'ps'],
	]) {
		const {code, stdout, stderr} = await wherry.result(line);
		t.deepEqual([code, stdout], [125, ''], line.join(' '));
		t.regex(stderr, /^wherry: --[a-z]+ is not supported: .*there is no daemon\n$/, line.join(' '));
	}
	for (const [name, value] of [
		['DOCKER_HOST', 'tcp://other:2375'],
		['DOCKER_CONTEXT', 'other'],
	] as const) {
		t.deepEqual(withEnv({[name]: value}, 'ps'), {
			code: 1,
			stdout: '',
			stderr: `wherry: ${name} is ${value}, and wherry works on this host only: unset ${name} to do so\n`,
		});
		t.is(withEnv({[name]: value}, 'ps', '--help').code, 0);
	}
	const here = {
		DOCKER_HOST: 'unix:///var/run/docker.sock',
		DOCKER_CONTEXT: 'default',
		DOCKER_API_VERSION: '1.41',
		DOCKER_TLS_VERIFY: '1',
	};
	t.like(withEnv(here, 'ps', '-q'), {code: 0, stderr: ''});
});

test('--config is where docker’s configuration is read, before DOCKER_CONFIG', (t) => {
	const [one, other] = ['one', 'other'].map((name) => join(wherry.folder, name)) as [string, string];
	for (const [folder, format] of [
		[one, '{{.Driver}}'],
		[other, '{{.Scope}}'],
	] as const) {
		mkdirSync(folder, {recursive: true});
		writeFileSync(join(folder, 'config.json'), JSON.stringify({networksFormat: format}));
	}
	const list = ['network', 'ls', '-f', 'name=none'];
	t.is(withEnv({DOCKER_CONFIG: one}, ...list).stdout, 'null\n');
	t.is(withEnv({DOCKER_CONFIG: one}, '--config', other, ...list).stdout, 'local\n');
});

test('DOCKER_DEFAULT_PLATFORM stands for --platform', (t) => {
	const wrong = withEnv({DOCKER_DEFAULT_PLATFORM: 'nonsense'}, 'create', 'wherry/base', 'true');
	t.is(wrong.code, 125);
	t.regex(wrong.stderr, /error parsing specified platform: "nonsense": unknown operating system/);
	const line = ['run', '--rm', '--network=none', '--platform', 'linux', 'wherry/base', 'true'];
	const given = withEnv({DOCKER_DEFAULT_PLATFORM: 'nonsense'}, ...line);
	t.is(given.code, 0, given.stderr);
});
