import {spawn} from 'node:child_process';
import {chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {Command, type Result} from '../../e2e/command.ts';
import {pushBusybox} from '../../e2e/images.ts';
import {type Registry, skopeo, startFake, startRegistry} from '../../setup/registry.ts';

const wherry = new Command();
const config = join(wherry.folder, 'docker');
wherry.env.DOCKER_CONFIG = config;
const launcher = new URL('../../../src/wherry.sh', import.meta.url).pathname;
let open: Registry;
let closed: Registry;
let image: string;

test.before(async () => {
	open = await startRegistry();
	// `htpasswd -nbB user secret`, made once.
	closed = await startRegistry({
		htpasswd: 'user:$2y$05$5.q0uu7ZtMeGhfzGK.XNtuHxgg7BFRcfh98cu491VzdWxVaxsaLki',
	});
	image = await pushBusybox(open.host, 'library/box:1');
	await wherry.output('pull', '-q', image);
});

test.after.always(async (t) => {
	t.deepEqual(await wherry.end(), []);
	await open.stop();
	await closed.stop();
});

/** A command with something on its stdin. */
function withInput(input: string, ...args: string[]): Promise<Result> {
	const child = spawn(launcher, args, {env: wherry.env, stdio: ['pipe', 'pipe', 'pipe']});
	child.stdin.end(input);
	let stdout = '';
	let stderr = '';
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

const manifestDigest = (name: string): string =>
	skopeo('inspect', '--tls-verify=false', '--format', '{{.Digest}}', `docker://${name}`).trim();

test.serial(
	'an image is pushed under another name as it was pulled, and a second time nothing is sent',
	async (t) => {
		const name = `${open.host}/mine/box`;
		await wherry.output('tag', image, `${name}:two`);
		const first = await wherry.output('push', `${name}:two`);
		t.regex(first, new RegExp(`^The push refers to repository \\[${name}\\]\n`));
		// It has the layer in another repository already.
		t.regex(first, /\n[0-9a-f]{12}: Preparing\n[0-9a-f]{12}: Mounted from library\/box\n/);
		const digest = manifestDigest(image);
		t.true(first.includes(`\ntwo: digest: ${digest} size: `));
		t.is(manifestDigest(`${name}:two`), digest);

		const second = await wherry.output('push', `${name}:two`);
		t.regex(second, /\n[0-9a-f]{12}: Layer already exists\n/);
		t.notRegex(second, /Pushed|Mounted/);
		t.is(await wherry.output('push', '-q', `${name}:two`), `${name}:two`);
		t.true((await wherry.output('images', '--digests', name)).includes(digest));
		// By digest, as the program is built.
		await wherry.output('rmi', `${name}:two`);
		t.is(await wherry.output('pull', '-q', `${name}@${digest}`), `${name}@${digest}`);
		t.like(await wherry.result(['push', `${name}@${digest}`]), {
			stderr: 'cannot push a digest reference\n',
		});
	},
);

test.serial('all tags of a repository go with -a, and a name that is not there is said', async (t) => {
	const name = `${open.host}/mine/many`;
	await wherry.output('tag', image, `${name}:a`);
	await wherry.output('tag', image, `${name}:b`);
	const {stdout} = await wherry.result(['push', '-a', name]);
	t.regex(stdout, /\na: digest: sha256:[\s\S]*\nb: digest: sha256:/);
	t.deepEqual(JSON.parse(skopeo('list-tags', '--tls-verify=false', `docker://${name}`)).Tags.sort(), [
		'a',
		'b',
	]);
	t.like(await wherry.result(['push', `${name}:none`]), {
		code: 1,
		stdout: `The push refers to repository [${name}]\n`,
		stderr: `tag does not exist: ${name}:none\n`,
	});
	t.like(await wherry.result(['push', `${name}/none`]), {
		code: 1,
		stdout: `Using default tag: latest\nThe push refers to repository [${name}/none]\n`,
		stderr: `An image does not exist locally with the tag: ${name}/none\n`,
	});
	t.like(await wherry.result(['pull', 'scratch']), {
		code: 1,
		stderr: "Error: 'scratch' is a reserved name\n",
	});
	t.like(await wherry.result(['push', '-a', `${name}:a`]), {
		code: 1,
		stderr: "tag can't be used with --all-tags/-a\n",
	});
	t.regex((await wherry.result(['push', 'UPPER'])).stderr, /must be lowercase/);
});

test.serial('login keeps what the registry takes, push and pull use it, logout forgets it', async (t) => {
	const name = `${closed.host}/private/box:1`;
	await wherry.output('tag', image, name);
	const anonymous = await wherry.result(['push', name]);
	t.is(anonymous.code, 1);
	t.regex(anonymous.stderr, /no basic auth credentials/);

	const wrong = await withInput('guess\n', 'login', '-u', 'user', '--password-stdin', closed.host);
	t.is(wrong.code, 1);
	t.regex(
		wrong.stderr,
		new RegExp(`login attempt to http://${closed.host}/v2/ failed with status: 401 Unauthorized`),
	);
	t.false(existsSync(join(config, 'config.json')));

	const right = await withInput('secret\n', 'login', '-u', 'user', '--password-stdin', closed.host);
	t.like(right, {code: 0, stdout: 'Login Succeeded\n'});
	t.regex(right.stderr, /stored unencrypted in '.*config\.json'/);
	t.deepEqual(JSON.parse(readFileSync(join(config, 'config.json'), 'utf8')), {
		auths: {[closed.host]: {auth: Buffer.from('user:secret').toString('base64')}},
	});
	t.is((await wherry.result(['push', name])).code, 0);
	await wherry.output('rmi', name);
	t.is((await wherry.result(['pull', '-q', name])).code, 0);
	t.regex(
		await wherry.output('login', closed.host),
		/^Authenticating with existing credentials\.\.\.\nLogin Succeeded$/,
	);
	t.is(
		await wherry.output('search', '--format', '{{.Name}}', `${closed.host}/box`),
		`${closed.host}/private/box`,
	);

	t.is(await wherry.output('logout', closed.host), `Removing login credentials for ${closed.host}`);
	t.is(await wherry.output('logout', closed.host), `Removing login credentials for ${closed.host}`);
	t.is((await wherry.result(['pull', '-q', name])).code, 1);
	t.like(await wherry.result(['login', closed.host]), {
		code: 1,
		stderr: 'Error: Cannot perform an interactive login from a non TTY device\n',
	});
	t.like(await withInput('x', 'login', '--password-stdin', closed.host), {
		code: 1,
		stderr: 'the --password-stdin option requires --username to be set\n',
	});
});

test.serial('a credential helper gets the password on its stdin, and the file holds none', async (t) => {
	const bin = join(wherry.folder, 'bin');
	const kept = join(wherry.folder, 'kept');
	mkdirSync(bin);
	mkdirSync(config, {recursive: true});
	const script = `#!/bin/sh
case $1 in
store) cat >${kept} ;;
get) cat >/dev/null; [ -f ${kept} ] && cat ${kept} || { echo "credentials not found in native keychain"; exit 1; } ;;
erase) cat >/dev/null; rm -f ${kept} ;;
esac
`;
	writeFileSync(join(bin, 'docker-credential-test'), script);
	chmodSync(join(bin, 'docker-credential-test'), 0o755);
	writeFileSync(join(config, 'config.json'), JSON.stringify({credsStore: 'test', other: 1}));
	const path = wherry.env.PATH;
	wherry.env.PATH = `${bin}:${path}`;
	try {
		const {code, stderr} = await withInput('secret', 'login', '-u', 'user', '--password-stdin', closed.host);
		t.deepEqual([code, stderr], [0, '']);
		t.deepEqual(JSON.parse(readFileSync(kept, 'utf8')), {
			ServerURL: closed.host,
			Username: 'user',
			Secret: 'secret',
		});
		t.deepEqual(JSON.parse(readFileSync(join(config, 'config.json'), 'utf8')), {
			credsStore: 'test',
			other: 1,
			auths: {[closed.host]: {}},
		});
		await wherry.output('tag', image, `${closed.host}/private/box:helper`);
		t.is((await wherry.result(['push', `${closed.host}/private/box:helper`])).code, 0);
		await wherry.output('logout', closed.host);
		t.false(existsSync(kept));
	} finally {
		wherry.env.PATH = path;
	}
});

test.serial('an upload that breaks off goes on where it was', async (t) => {
	const received: Buffer[] = [];
	let cut = false;
	const size = () => received.reduce((total, chunk) => total + chunk.length, 0);
	const fake = await startFake((request, response, host) => {
		const {method, url = ''} = request;
		const place = `http://${host}/v2/x/blobs/uploads/1?state=2`;
		if (method === 'HEAD') return void response.writeHead(404).end();
		if (method === 'POST') return void response.writeHead(202, {location: place}).end();
		if (method === 'GET' && url.includes('uploads')) {
			return void response.writeHead(204, {location: place, range: `0-${size() - 1}`}).end();
		}
		if (method === 'PATCH') {
			const small = Number(request.headers['content-length']) < 100_000;
			request.on('data', (chunk: Buffer) => {
				if (small || cut) return;
				received.push(chunk);
				if (size() < 100_000) return;
				cut = true;
				request.socket.destroy();
			});
			request.on('end', () => response.writeHead(202, {location: place}).end());
			return;
		}
		if (method === 'PUT') {
			request.resume();
			return void request.on('end', () => response.writeHead(201).end());
		}
		response.writeHead(200).end('{}');
	});
	try {
		const name = `${fake.host}/x:1`;
		await wherry.output('tag', image, name);
		const {code, stderr} = await wherry.result(['push', name]);
		t.deepEqual([code, stderr], [0, '']);
		t.true(cut);
		const patches = fake.requests.filter((line) => line.startsWith('PATCH'));
		// The layer twice, the configuration once.
		t.is(patches.length, 3, fake.requests.join('\n'));
	} finally {
		await fake.stop();
	}
});

test.serial('mirrors, insecure registries and what is wrong in the settings', async (t) => {
	const settings = join(wherry.folder, 'settings');
	mkdirSync(settings);
	wherry.env.WHERRY_CONFIG = settings;
	try {
		writeFileSync(
			join(settings, 'daemon.json'),
			JSON.stringify({'registry-mirrors': [`http://${open.host}`]}),
		);
		// Docker Hub's `box` comes from the mirror, which has it as library/box.
		t.regex(
			await wherry.output('pull', 'box:1'),
			/\nStatus: Downloaded newer image for box:1\ndocker\.io\/library\/box:1$/,
		);
		t.is((await wherry.result(['run', '--rm', 'box:1', 'true'])).code, 0);
		writeFileSync(join(settings, 'daemon.json'), '{"registry-mirrors": ["ftp://x"]}');
		t.regex((await wherry.result(['pull', 'other:1'])).stderr, /invalid mirror: unsupported scheme "ftp"/);
		writeFileSync(join(settings, 'daemon.json'), '{');
		t.regex((await wherry.result(['pull', 'other:1'])).stderr, /can't read .*daemon\.json/);
	} finally {
		delete wherry.env.WHERRY_CONFIG;
	}
});

test.serial('all tags are pulled with -a, lists are put together, shown as trees and checked', async (t) => {
	const name = `${open.host}/whole/box`;
	for (const tag of ['a', 'b']) await wherry.output('tag', image, `${name}:${tag}`);
	await wherry.output('push', '-q', '-a', name);
	await wherry.output('rmi', `${name}:a`, `${name}:b`);
	const pulled = await wherry.output('pull', '-a', name);
	for (const tag of ['a', 'b']) t.regex(pulled, new RegExp(`^${tag}: Pulling from whole/box$`, 'm'));
	t.true(pulled.endsWith(`Status: Downloaded newer image for ${name}\n${name}`), pulled);
	t.like(await wherry.result(['pull', '-a', `${name}:a`]), {
		code: 1,
		stderr: "tag can't be used with --all-tags/-a\n",
	});

	const list = `${name}:list`;
	t.is(
		await wherry.output('manifest', 'create', list, `${name}:a`, `${name}:b`),
		`Created manifest list ${list}`,
	);
	await wherry.output('manifest', 'annotate', '--arch', 'arm64', '--variant', 'v8', list, `${name}:b`);
	const shown = JSON.parse(await wherry.output('manifest', 'inspect', list));
	t.deepEqual(
		shown.manifests.map(({platform}: {platform: {architecture: string}}) => platform.architecture).sort(),
		['amd64', 'arm64'],
	);
	t.is(JSON.parse(await wherry.output('manifest', 'inspect', `${name}:a`)).schemaVersion, 2);
	const digest = await wherry.output('manifest', 'push', '--purge', list);
	t.is(manifestDigest(list), digest);
	t.like(await wherry.result(['manifest', 'push', list]), {code: 1, stderr: `No such manifest: ${list}\n`});
	t.like(await wherry.result(['manifest', 'rm', 'x', list]), {
		code: 1,
		stderr: `No such manifest: docker.io/library/x:latest\nNo such manifest: ${list}\n`,
	});

	await wherry.output('pull', '-q', '--platform', 'all', list);
	const tree = await wherry.output('images', '--tree', list);
	t.regex(tree, /^IMAGE +ID +DISK USAGE +CONTENT SIZE +EXTRA\n/);
	t.regex(tree, new RegExp(`\\n${list} [\\s\\S]*\\n[├└]─ linux/`));
	t.regex(await wherry.output('system', 'check', '--images'), /\nok +names +[\s\S]*All is fine\.$/);
	await wherry.output('rmi', '-f', list, `${name}:a`, `${name}:b`);
});
