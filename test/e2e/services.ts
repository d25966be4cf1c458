/** Three services whose images are built of a Debian tree with apt inside of RUN, and what their clients see. */
import {execFile} from 'node:child_process';
import {mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import type {ExecutionContext} from 'ava';
import {eventually} from '../setup/netns.ts';
import {Command} from './command.ts';

const dockerfile = `ARG BASE
FROM $BASE AS base
COPY --chmod=755 <<EOF /usr/sbin/policy-rc.d
#!/bin/sh
# Nothing is started while it is installed.
exit 101
EOF
RUN echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/unsafe && apt-get update

FROM base AS nginx
RUN apt-get install -y --no-install-recommends nginx-light && rm -rf /var/cache/apt/archives/*
COPY <<EOF /var/www/html/index.html
served by nginx
EOF
EXPOSE 80
STOPSIGNAL SIGQUIT
CMD ["nginx", "-g", "daemon off;"]

FROM base AS redis
RUN apt-get install -y --no-install-recommends redis-server && rm -rf /var/cache/apt/archives/*
WORKDIR /data
RUN chown redis:redis /data
VOLUME /data
USER redis
EXPOSE 6379
ENTRYPOINT ["redis-server", "--bind", "0.0.0.0", "--protected-mode", "no"]

FROM base AS node
RUN apt-get install -y --no-install-recommends nodejs && rm -rf /var/cache/apt/archives/*
WORKDIR /app
COPY --chown=www-data server.js .
USER www-data
ENV PORT=3000
EXPOSE $PORT
CMD ["node", "server.js"]
`;

const server = `const {createServer} = require('node:http');
createServer((_, answer) => answer.end(\`served by node as \${process.getuid()}\\n\`)).listen(process.env.PORT);
`;

const run = promisify(execFile);

/** `base` is an image of the command's with a minimal Debian. The packages come through the network `outer`. */
export async function tryServices(
	t: ExecutionContext,
	command: Command,
	base: string,
	outer: string | undefined,
) {
	const context = join(command.folder, 'services');
	mkdirSync(context);
	writeFileSync(join(context, 'Dockerfile'), dockerfile);
	writeFileSync(join(context, 'server.js'), server);
	// RUN has the builder's network, which is one with a way out.
	const builder = new Command(outer === undefined ? {} : {namespace: outer});
	t.teardown(() => rmSync(builder.folder, {recursive: true}));
	Object.assign(builder.env, {WHERRY_ROOT: command.root, WHERRY_RUN: command.run});
	const network = ['--network', 'host', '--allow', 'network.host'];
	const started = async (target: string, port: number): Promise<string> => {
		const build = [
			'build',
			...network,
			'--build-arg',
			`BASE=${base}`,
			'--target',
			target,
			'-t',
			target,
			context,
		];
		const {code, stderr} = await builder.result(build);
		t.is(code, 0, stderr.slice(-2000));
		await command.output('run', '-d', '--name', target, '-p', `127.0.0.1::${port}`, target);
		return command.output('port', target, String(port));
	};
	const answers = async (wanted: string | RegExp, program: string, ...words: string[]): Promise<void> => {
		let said = '';
		await eventually(async () => {
			said = (await run(program, words)).stdout;
		}, 60_000);
		if (typeof wanted === 'string') t.is(said, wanted);
		else t.regex(said, wanted);
	};

	await answers('served by nginx\n', 'curl', '-sSf', `http://${await started('nginx', 80)}/`);
	await answers(/^served by node as 33\n$/, 'curl', '-sSf', `http://${await started('node', 3000)}/`);
	const [host = '', port = ''] = (await started('redis', 6379)).split(':');
	const client = ['-h', host, '-p', port];
	await answers('PONG\n', 'redis-cli', ...client, 'ping');
	await answers('OK\n', 'redis-cli', ...client, 'set', 'boat', 'wherry');
	await answers('OK\n', 'redis-cli', ...client, 'save');
	await command.output('restart', 'redis');
	const [, again = ''] = (await command.output('port', 'redis', '6379')).split(':');
	await answers('wherry\n', 'redis-cli', '-h', host, '-p', again, 'get', 'boat');
	t.regex(await command.output('logs', 'redis'), /Ready to accept connections/);
}
