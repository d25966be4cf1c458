import {execFile, spawnSync} from 'node:child_process';
import {generateKeyPairSync} from 'node:crypto';
import {existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {connect} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import {answerOf, KeyAgents} from '../../../src/engine/build/key-agent.ts';
import {parseSshKey, readSshKey, sshString} from '../../../src/engine/build/ssh-keys.ts';

const run = promisify(execFile);
const hasOpenSsh =
	spawnSync('ssh-add', ['-h']).error === undefined && spawnSync('ssh-keygen', ['-h']).error === undefined;

function folderFor(t: ExecutionContext): string {
	const folder = mkdtempSync(join(tmpdir(), 'wherry-agent-'));
	t.teardown(() => rmSync(folder, {recursive: true, force: true}));
	return folder;
}

const pem = (type: 'ed25519' | 'rsa'): string => {
	const {privateKey} =
		type === 'rsa' ? generateKeyPairSync('rsa', {modulusLength: 2048}) : generateKeyPairSync('ed25519');
	return privateKey.export({type: 'pkcs8', format: 'pem'}).toString();
};

test('an agent tells its keys, signs with them only, and fails what else it is asked', (t) => {
	const keys = [parseSshKey(pem('ed25519'), 'one'), parseSshKey(pem('rsa'), 'two')];
	const list = answerOf(keys, Buffer.from([11]));
	t.deepEqual([list[0], list.readUInt32BE(1)], [12, 2]);
	const ask = (blob: Buffer, flags: number): Buffer =>
		answerOf(
			keys,
			Buffer.concat([Buffer.from([13]), sshString(blob), sshString('data'), Buffer.from([0, 0, 0, flags])]),
		);
	t.is(ask(keys[0]!.blob, 0)[0], 14);
	t.true(ask(keys[1]!.blob, 2).includes('rsa-sha2-256'));
	t.true(ask(keys[1]!.blob, 4).includes('rsa-sha2-512'));
	t.true(ask(keys[1]!.blob, 0).includes('ssh-rsa'));
	// A key of somebody else's, a message that ends early, a wish to add or remove keys.
	const refused = [ask(Buffer.from('other'), 0)];
	for (const message of [[13, 0, 0, 0, 9, 1], [17], [19], [27], []])
		refused.push(answerOf(keys, Buffer.from(message)));
	for (const answer of refused) t.deepEqual([...answer], [5]);
});

test('what is no key, or is encrypted, is refused without a word of its content', (t) => {
	const folder = folderFor(t);
	const file = (name: string, text: string): string => {
		writeFileSync(join(folder, name), text);
		return join(folder, name);
	};
	const {privateKey} = generateKeyPairSync('ed25519');
	const encrypted = privateKey.export({type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x'});
	const cases: [string, RegExp][] = [
		[file('empty', ''), /no key found/],
		[file('locked', encrypted.toString()), /passphrase protected; add it to a key agent/],
		[
			file(
				'old',
				'-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n',
			),
			/passphrase/,
		],
		[
			file(
				'short',
				`-----BEGIN OPENSSH PRIVATE KEY-----\n${Buffer.from('openssh-key-v1\0\0\0\0\u0004none').toString('base64')}\n-----END OPENSSH PRIVATE KEY-----\n`,
			),
			/no private key/,
		],
		[
			file('garbage', '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n'),
			/it is no private key$/,
		],
		[join(folder, 'missing'), /failed to read .*missing/],
	];
	for (const [path, message] of cases) t.throws(() => readSshKey(path), {message}, path);
});

test('a socket for a container is its user’s, and what is no message ends the connection', async (t) => {
	const folder = folderFor(t);
	writeFileSync(join(folder, 'key'), pem('ed25519'));
	const agents = new KeyAgents({default: {keys: [join(folder, 'key')]}}, folder);
	const path = await agents.socketFor('default', {uid: 5, gid: 6, mode: 0o640});
	const {uid, gid, mode} = statSync(path);
	t.deepEqual([uid, gid, mode & 0o777], [5, 6, 0o640]);
	const near = (await agents.path('default'))!;
	t.true(near.length < 108);
	t.is(await agents.path('other'), undefined);
	const socket = connect(near);
	socket.write(Buffer.from([255, 255, 255, 255, 11]));
	await new Promise((resolve) => socket.on('close', resolve).on('error', () => {}));
	agents.close();
	t.false(existsSync(near));
});

(hasOpenSsh ? test : test.skip)('OpenSSH takes the agent’s keys and signatures of every kind', async (t) => {
	const folder = folderFor(t);
	const kinds: string[][] = [
		['ed25519'],
		['rsa', '-b', '2048'],
		['ecdsa', '-b', '256'],
		['ecdsa', '-b', '384'],
		['ecdsa', '-b', '521'],
		['rsa', '-b', '2048', '-m', 'PEM'],
		['ecdsa', '-m', 'PKCS8'],
	];
	const keys = await Promise.all(
		kinds.map(async (kind, at) => {
			const path = join(folder, `key-${at}`);
			await run('ssh-keygen', ['-q', '-N', '', '-C', `comment ${at}`, '-f', path, '-t', ...kind]);
			return path;
		}),
	);
	const locked = join(folder, 'locked');
	await run('ssh-keygen', ['-q', '-N', 'secret', '-f', locked, '-t', 'ed25519']);
	t.throws(() => readSshKey(locked), {message: /passphrase protected/});
	const agents = new KeyAgents({default: {keys}}, folder);
	t.teardown(() => agents.close());
	const env = {...process.env, SSH_AUTH_SOCK: (await agents.path('default'))!};
	const {stdout} = await run('ssh-add', ['-L'], {env});
	const told = stdout.trim().split('\n');
	for (const [at, path] of keys.entries())
		t.is(told[at]!.split(' ')[1], readFileSync(`${path}.pub`, 'utf8').split(' ')[1], kinds[at]!.join(' '));
	t.regex(told[0]!, /comment 0$/);
	// It has the agent sign, and verifies.
	await t.notThrowsAsync(run('ssh-add', ['-T', ...keys.map((path) => `${path}.pub`)], {env}));
});
