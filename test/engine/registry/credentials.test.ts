import {chmodSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {dockerCredentials} from '../../../src/engine/registry/credentials.ts';

function folder(t: ExecutionContext): string {
	const path = mkdtempSync(join(tmpdir(), 'wherry-docker-'));
	t.teardown(() => rmSync(path, {recursive: true, force: true}));
	return path;
}

function configured(t: ExecutionContext, config: object | string): (domain: string) => Promise<unknown> {
	const path = folder(t);
	writeFileSync(join(path, 'config.json'), typeof config === 'string' ? config : JSON.stringify(config));
	return dockerCredentials({...process.env, DOCKER_CONFIG: path});
}

const auth = (pair: string) => ({auth: Buffer.from(pair).toString('base64')});

test('credentials are found under the keys that docker login writes', async (t) => {
	const find = configured(t, {
		auths: {
			'https://index.docker.io/v1/': auth('hub:secret:with:colons'),
			'localhost:5000': auth('local:1'),
			'https://quay.io/v2/': auth('quay:2'),
			'ghcr.io': {identitytoken: 'refresh', ...auth('x:')},
		},
	});
	t.deepEqual(await find('docker.io'), {username: 'hub', password: 'secret:with:colons'});
	t.deepEqual(await find('localhost:5000'), {username: 'local', password: '1'});
	t.deepEqual(await find('quay.io'), {username: 'quay', password: '2'});
	t.deepEqual(await find('ghcr.io'), {username: 'x', password: '', identityToken: 'refresh'});
	t.is(await find('example.com'), undefined);
	t.is(await find('constructor'), undefined);
});

test('without a file everybody is anonymous', async (t) => {
	t.is(await dockerCredentials({DOCKER_CONFIG: folder(t)})('docker.io'), undefined);
});

test('with a file that is not JSON everybody is anonymous, too: the command line warns of it', async (t) => {
	t.is(await configured(t, '{nope')('docker.io'), undefined);
});

test.serial('a credential helper is asked for the registry', async (t) => {
	const path = folder(t);
	const helper = join(path, 'docker-credential-test');
	writeFileSync(
		helper,
		`#!/bin/sh
read -r registry
case "$1 $registry" in
"get example.com") echo '{"Username":"me","Secret":"s3"}';;
"get token.example.com") echo '{"Username":"<token>","Secret":"r3"}';;
"get broken.example.com") echo 'no keyring' >&2; exit 2;;
*) echo 'credentials not found in native keychain'; exit 1;;
esac
`,
	);
	chmodSync(helper, 0o755);
	const before = process.env.PATH;
	process.env.PATH = `${path}:${before}`;
	t.teardown(() => {
		process.env.PATH = before;
	});
	writeFileSync(
		join(path, 'config.json'),
		JSON.stringify({
			credHelpers: {
				'example.com': 'test',
				'broken.example.com': 'test',
				'bad.example.com': '../evil',
				'lost.example.com': 'lost',
			},
			credsStore: 'test',
			auths: {'other.example.com': auth('from:file')},
		}),
	);
	const find = dockerCredentials({...process.env, DOCKER_CONFIG: path});
	t.deepEqual(await find('example.com'), {username: 'me', password: 's3'});
	t.deepEqual(await find('token.example.com'), {username: '', password: '', identityToken: 'r3'});
	t.deepEqual(await find('other.example.com'), {username: 'from', password: 'file'});
	t.is(await find('unknown.example.com'), undefined);
	await t.throwsAsync(find('broken.example.com'), {
		code: 'denied',
		message: 'error getting credentials - err: exit status 2, out: `no keyring`',
	});
	await t.throwsAsync(find('lost.example.com'), {
		code: 'denied',
		message:
			'error getting credentials - err: exec: "docker-credential-lost": executable file not found in $PATH, out: ``',
	});
	await t.throwsAsync(find('bad.example.com'), {code: 'invalid'});
});
