/** Debian's docker-registry as a container of ours: an image made of its files, pushed to and pulled from. */
import {execFileSync, spawn} from 'node:child_process';
import {copyFileSync, mkdirSync, readFileSync, realpathSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import test from 'ava';
import {Command, type Result} from '../../e2e/command.ts';
import {pushBusybox} from '../../e2e/images.ts';
import {makeCertificate} from '../../setup/certificate.ts';
import {skopeo, startRegistry} from '../../setup/registry.ts';

const wherry = new Command();
wherry.env.DOCKER_CONFIG = join(wherry.folder, 'docker');
wherry.env.WHERRY_CONFIG = join(wherry.folder, 'settings');
const launcher = new URL('../../../src/wherry.sh', import.meta.url).pathname;
const address = '10.87.21.5';
const open = '10.87.21.6';

/** A command that reads its stdin. */
function withInput(input: Buffer | string, ...args: string[]): Promise<Result> {
	const child = spawn(launcher, args, {env: wherry.env, stdio: ['pipe', 'pipe', 'pipe']});
	child.stdin.end(input);
	let [stdout, stderr] = ['', ''];
	child.stdout.setEncoding('utf8').on('data', (text) => {
		stdout += text;
	});
	child.stderr.setEncoding('utf8').on('data', (text) => {
		stderr += text;
	});
	return new Promise((resolve) =>
		child.on('close', (code, signal) => resolve({code, signal, stdout, stderr})),
	);
}

/** The program and the libraries that it is linked to, where it looks for them. */
function registryTree(): string {
	const tree = join(wherry.folder, 'tree');
	const program = '/usr/bin/docker-registry';
	const linked = execFileSync('ldd', [program], {encoding: 'utf8'}).matchAll(/(\/\S+) \(0x/g);
	for (const path of [program, ...[...linked].map(([, path]) => path!)]) {
		mkdirSync(join(tree, dirname(path)), {recursive: true});
		copyFileSync(realpathSync(path), join(tree, path));
	}
	for (const name of ['etc', 'tmp', 'var/lib/registry']) mkdirSync(join(tree, name), {recursive: true});
	writeFileSync(
		join(tree, 'etc/config.yml'),
		`version: 0.1
log:
  level: error
  accesslog:
    disabled: true
storage:
  filesystem:
    rootdirectory: /var/lib/registry
http:
  addr: ":5000"
`,
	);
	return tree;
}

let image: string;
let digest: string;

test.before(async () => {
	const archive = execFileSync('tar', ['c', '-C', registryTree(), '.'], {maxBuffer: 1 << 28});
	const changes = [
		'ENTRYPOINT ["docker-registry"]',
		'CMD ["serve", "/etc/config.yml"]',
		'ENV PATH=/usr/bin',
		'EXPOSE 5000',
		'VOLUME /var/lib/registry',
	].flatMap((change) => ['-c', change]);
	const imported = await withInput(archive, 'import', ...changes, '-', 'registry:2');
	if (imported.code !== 0) throw new Error(imported.stderr);
	const source = await startRegistry();
	image = await pushBusybox(source.host, 'box:1');
	await wherry.output('pull', '-q', image);
	await wherry.output('save', '-o', join(wherry.folder, 'box.tar'), image);
	digest = skopeo('inspect', '--tls-verify=false', '--format', '{{.Digest}}', `docker://${image}`).trim();
	await source.stop();
});

test.after.always(async (t) => {
	t.deepEqual(await wherry.end(), []);
});

/** Pushes until the program in the container listens. */
async function pushed(name: string): Promise<string> {
	for (;;) {
		const {code, stdout, stderr} = await wherry.result(['push', name]);
		if (code === 0) return stdout;
		if (!/connection refused|connection reset/.test(stderr)) throw new Error(stderr);
		if ((await wherry.output('ps', '-q')) === '') throw new Error('the registry has ended');
	}
}

test.serial('an image goes to a registry in a container and comes back as it was', async (t) => {
	await wherry.output('run', '-d', '--name', 'plain', '-p', '127.0.0.1::5000', 'registry:2');
	const host = (await wherry.output('port', 'plain', '5000')).trim();
	t.regex(host, /^127\.0\.0\.1:\d+$/);
	const name = `${host}/box:1`;
	await wherry.output('tag', image, name);
	const said = await pushed(name);
	t.regex(said, /\n[0-9a-f]{12}: Pushed\n/);
	t.true(said.includes(`\n1: digest: ${digest} size: `), said);
	await wherry.output('rmi', '-f', await wherry.output('images', '-q', name));
	t.is(await wherry.output('images', '-q', name), '');
	t.regex(await wherry.output('pull', name), new RegExp(`\\nDigest: ${digest}\\nStatus: Downloaded newer`));
	t.is(await wherry.output('run', '--rm', name, 'echo', 'there'), 'there');
	t.is(await wherry.output('search', '--format', '{{.Name}}', `${host}/bo`), `${host}/box`);
	// What it keeps is in its volume, and so outlives it.
	await wherry.output('restart', '-t', '0', 'plain');
	t.regex(await pushed(name), /\n[0-9a-f]{12}: Layer already exists\n/);
	await wherry.output('rm', '-fv', 'plain');
});

test.serial('one with TLS and a password is trusted by its certificate and wants the password', async (t) => {
	const secrets = join(wherry.folder, 'secrets');
	mkdirSync(secrets);
	const {key, cert} = makeCertificate(address);
	writeFileSync(join(secrets, 'key'), key);
	writeFileSync(join(secrets, 'cert'), cert);
	// `htpasswd -nbB user secret`, made once.
	const line = 'user:$2y$05$5.q0uu7ZtMeGhfzGK.XNtuHxgg7BFRcfh98cu491VzdWxVaxsaLki\n';
	writeFileSync(join(secrets, 'htpasswd'), line);
	await wherry.output('network', 'create', '--subnet', '10.87.21.0/24', 'trusted');
	const environment = {
		HTTP_TLS_CERTIFICATE: '/secrets/cert',
		HTTP_TLS_KEY: '/secrets/key',
		AUTH: 'htpasswd',
		AUTH_HTPASSWD_REALM: 'test',
		AUTH_HTPASSWD_PATH: '/secrets/htpasswd',
	};
	const variables = Object.entries(environment).flatMap(([name, value]) => [
		'-e',
		`REGISTRY_${name}=${value}`,
	]);
	const place = ['--name', 'locked', '--network', 'trusted', '--ip', address, '-v', `${secrets}:/secrets:ro`];
	await wherry.output('run', '-d', ...place, ...variables, 'registry:2');

	// The same without TLS is none that one talks to, unless the host's settings say so.
	const bare = ['--name', 'bare', '--network', 'trusted', '--ip', open, '-v', `${secrets}:/secrets:ro`];
	await wherry.output('run', '-d', ...bare, ...variables.slice(4), 'registry:2');
	await wherry.output('load', '-q', '-i', join(wherry.folder, 'box.tar'));
	await wherry.output('tag', image, `${open}:5000/box:1`);
	await t.throwsAsync(pushed(`${open}:5000/box:1`), {message: /server gave HTTP response to HTTPS client/});
	mkdirSync(wherry.env.WHERRY_CONFIG!, {recursive: true});
	const settings = JSON.stringify({'insecure-registries': [`${open}/32`]});
	writeFileSync(join(wherry.env.WHERRY_CONFIG!, 'daemon.json'), settings);
	await t.throwsAsync(pushed(`${open}:5000/box:1`), {message: /no basic auth credentials/});
	t.is((await withInput('secret', 'login', '-u', 'user', '--password-stdin', `${open}:5000`)).code, 0);
	t.true((await pushed(`${open}:5000/box:1`)).includes(`\n1: digest: ${digest} size: `));
	t.is(await wherry.output('search', '--format', '{{.Name}}', `${open}:5000/box`), `${open}:5000/box`);
	await wherry.output('logout', `${open}:5000`);
	await wherry.output('rm', '-fv', 'bare');

	const host = `${address}:5000`;
	const name = `${host}/private/box:1`;
	await wherry.output('tag', image, name);
	await t.throwsAsync(pushed(name), {message: /x509: certificate signed by unknown authority/});
	const trusted = join(wherry.env.WHERRY_CONFIG!, 'certs.d', host);
	mkdirSync(trusted, {recursive: true});
	writeFileSync(join(trusted, 'ca.crt'), cert);
	await t.throwsAsync(pushed(name), {message: /no basic auth credentials/});
	const wrong = await withInput('guess', 'login', '-u', 'user', '--password-stdin', host);
	t.is(wrong.code, 1);
	t.regex(wrong.stderr, /login attempt to https:\/\/10\.87\.21\.5:5000\/v2\/ failed with status: 401/);
	const right = await withInput('secret', 'login', '-u', 'user', '--password-stdin', host);
	t.like(right, {code: 0, stdout: 'Login Succeeded\n'});
	t.true((await pushed(name)).includes(`\n1: digest: ${digest} size: `));
	const seen = skopeo(
		...['inspect', '--creds', 'user:secret', '--cert-dir', trusted],
		...['--format', '{{.Digest}}', `docker://${name}`],
	);
	t.is(seen.trim(), digest);
	await wherry.output('rmi', name);
	t.is(await wherry.output('pull', '-q', name), name);
	await wherry.output('logout', host);
	t.regex((await wherry.result(['pull', name])).stderr, /no basic auth credentials/);
	// The password has been in no place but the registry's own.
	t.false(readFileSync(join(wherry.env.DOCKER_CONFIG!, 'config.json'), 'utf8').includes('auth":'));
	await wherry.output('rm', '-fv', 'locked');
	await wherry.output('network', 'rm', 'trusted');
});
