/** What beginners' tutorials have people type, one line after the other, by somebody who calls wherry docker. */
import {spawnSync} from 'node:child_process';
import {mkdirSync, symlinkSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {Command} from '../../e2e/command.ts';
import {pushBusybox} from '../../e2e/images.ts';
import {startRegistry} from '../../setup/registry.ts';
import {TestTerminal} from '../../tui/terminal.ts';

const wherry = new Command();
const launcher = new URL('../../../src/wherry.sh', import.meta.url).pathname;

test.before(async () => {
	const bin = join(wherry.folder, 'bin');
	mkdirSync(bin, {recursive: true});
	symlinkSync(launcher, join(bin, 'wherry'));
	wherry.env.PATH = `${bin}:${process.env.PATH}`;
	const registry = await startRegistry();
	const image = await pushBusybox(registry.host, 'library/busybox:latest');
	await wherry.output('pull', '-q', image);
	await wherry.output('tag', image, 'busybox');
	await wherry.output('rmi', image);
	await registry.stop();
});

test.after.always(async (t) => {
	t.deepEqual(await wherry.end(), []);
});

const shell = (line: string): {stdout: string; stderr: string; status: number | null} =>
	spawnSync('bash', ['-O', 'expand_aliases', '-c', `alias docker=wherry\n${line}`], {
		env: wherry.env,
		cwd: wherry.folder,
		encoding: 'utf8',
		input: '',
	});

const id = /^[0-9a-f]{64}\n$/;

/** A line and what it prints; a number is its status, with an error. */
const lines: [line: string, answer: string | RegExp | [status: number, error: RegExp]][] = [
	// A first look.
	['docker --version', /^wherry version \d/],
	['docker images', /^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE\nbusybox +latest +[0-9a-f]{12} /],
	['docker images busybox -q | wc -l', '1\n'],
	['docker run busybox echo "hello from busybox"', 'hello from busybox\n'],
	['docker ps', /^CONTAINER ID +IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES\n$/],
	['docker ps -a', / busybox +"echo 'hello from bu…" .* Exited \(0\) .* ago /],
	['docker rm $(docker ps -aq) | wc -l', '1\n'],
	['docker run --rm busybox uname -s', 'Linux\n'],
	['docker ps -aq | wc -l', '0\n'],
	['docker run --rm busybox sh -c "exit 3"', [3, /^$/]],

	// Streams.
	['docker run --rm -a stdout busybox sh -c "echo out; echo err >&2"', 'out\n'],
	['docker run --rm -a stderr busybox sh -c "echo out; echo err >&2" 2>&1', 'err\n'],
	['echo typed | docker run --rm -i -a stdin -a stdout busybox cat', 'typed\n'],
	['echo typed | docker run --rm -i busybox tr a-z A-Z', 'TYPED\n'],
	['docker run -it --rm busybox true', [1, /^the input device is not a TTY\n$/]],

	// In the background; short flags in one.
	['docker run -itd --name shell busybox', id],
	['docker inspect -f "{{.Config.Tty}} {{.Config.OpenStdin}} {{.State.Running}}" shell', 'true true true\n'],
	['docker run -dt="true" --name typed busybox', id],
	['docker inspect -f "{{.Config.Tty}}" typed', 'true\n'],
	['docker run -d="x" busybox', [125, /^invalid argument "x" for "-d, --detach" flag: strconv.ParseBool/]],
	['docker exec shell sh -c "echo $((6 * 7)) > /answer; cat /answer"', '42\n'],
	['docker exec -i shell cat < /dev/null', ''],
	['docker stop -t 0 shell typed', 'shell\ntyped\n'],
	['docker start shell', 'shell\n'],
	['docker exec shell cat /answer', '42\n'],
	[
		'docker rm shell',
		[1, /^Error: cannot remove container "\/shell": container is running: stop the container/],
	],
	['docker rm -f shell', 'shell\n'],
	['docker ps -aq | xargs docker-not-an-alias 2>/dev/null || docker ps -aq | xargs wherry rm | wc -l', '1\n'],

	// Flags behind the image are the command's; what stands behind -- is no flag.
	['docker run --rm busybox echo --rm -d --name x', '--rm -d --name x\n'],
	['docker run --rm -- busybox echo -- x', '-- x\n'],
	['docker run --rm -e A=1 -e B busybox sh -c "echo $A-$B" ', '-\n'],
	["B=2 docker run --rm -e A=1 -e B busybox sh -c 'echo $A-$B'", '1-2\n'],
	['docker run --rm -w /tmp -u 1000:100 busybox sh -c "pwd; id -u; id -g"', '/tmp\n1000\n100\n'],
	['docker run --rm --entrypoint /bin/echo busybox -n entry', 'entry'],
	['docker run --rm "busybox@$(docker inspect -f "{{.Id}}" busybox)" true', [125, /./]],
	['docker run --rm "$(docker images -q busybox)" echo by id', 'by id\n'],
	['docker run --rm "$(docker images -q --no-trunc busybox)" echo by whole id', 'by whole id\n'],

	// What it says later.
	["docker run -d --name talk busybox sh -c 'for i in 1 2; do echo line $i; done; echo bad >&2'", id],
	['docker wait talk', '0\n'],
	['docker logs talk 2>/dev/null', 'line 1\nline 2\n'],
	['docker logs --tail 2 talk 2>/dev/null | tail -n 1', 'line 2\n'],
	['docker start -a talk 2>&1 | sort -u', 'bad\nline 1\nline 2\n'],
	['docker create -i --name parrot busybox cat', id],
	['echo again | docker start -ai parrot', 'again\n'],
	['echo more | docker start -i parrot', 'more\n'],
	['docker logs parrot', 'again\nmore\n'],
	['docker rm talk parrot', 'talk\nparrot\n'],

	// Folders and volumes.
	['mkdir src && echo content > src/file', ''],
	['docker run --rm -v "$PWD/src":/src busybox cat /src/file', 'content\n'],
	['docker run --rm -v "$PWD/src":/src:ro busybox touch /src/x', [1, /Read-only file system/]],
	['docker volume create my-vol', 'my-vol\n'],
	['docker run --rm -v my-vol:/data busybox sh -c "echo kept > /data/file"', ''],
	['docker run --rm --mount source=my-vol,target=/app busybox cat /app/file', 'kept\n'],
	['docker volume ls', 'DRIVER    VOLUME NAME\nlocal     my-vol\n'],
	['docker volume rm my-vol', 'my-vol\n'],

	// Networks.
	['docker network ls --format "{{.Name}} {{.Driver}}"', 'bridge bridge\nhost host\nnone null\n'],
	['docker network create -d bridge my-net', id],
	['docker run -d --net my-net --name busybox1 busybox sleep 1000', id],
	['docker run -d --network=my-net --name busybox2 busybox sleep 1000', id],
	['docker exec busybox1 ping -c 1 -W 5 busybox2 | grep -c "1 packets received"', '1\n'],
	['docker run --rm --net=none busybox ip -o link | wc -l', '1\n'],
	[
		'docker run --rm --net container:busybox1 busybox hostname | grep -cx "$(docker inspect -f "{{.Config.Hostname}}" busybox1)"',
		'1\n',
	],
	['docker network rm my-net', [1, /has active endpoints/]],
	['docker rm -f busybox1 busybox2', 'busybox1\nbusybox2\n'],
	['docker network rm my-net', 'my-net\n'],

	// Ports.
	['docker run -dP --expose 80 --name web busybox nc -ll -p 80 -e echo served', id],
	['[ "$(docker port web 80 | head -1 | sed "s/.*://")" -ge 32768 ] && echo high', 'high\n'],
	['docker ps --format "{{.Ports}}" | grep -c -- "->80/tcp"', '1\n'],
	['busybox nc -w 5 127.0.0.1 "$(docker port web 80 | head -1 | sed "s/.*://")"', 'served\n'],
	['docker stop -t 0 web', 'web\n'],

	// Names.
	['docker tag busybox my/box:v1', ''],
	['docker images my/box', /\nmy\/box +v1 /],
	['docker run --rm my/box:v1 echo tagged', 'tagged\n'],
	['docker rmi my/box:v1', 'Untagged: my/box:v1\n'],
	['docker rename web site && docker ps -a --format "{{.Names}}"', 'site\n'],
	[
		'docker run --name site busybox',
		[125, /^wherry: Error: Conflict\. The container name "\/site" is already in use by/],
	],
	['docker rmi busybox', [1, /^Error: conflict: unable to remove repository reference "busybox"/]],
	['docker rm site', 'site\n'],
	[
		'docker run busybox:nosuch@tag true',
		[125, /^wherry: invalid reference format\n\nRun 'wherry run --help' for/],
	],
	['docker inspect nothing', [1, /^Error: No such object: nothing\n$/]],
	['docker container ls --all --quiet', ''],
];

test('the lines of tutorials do what tutorials say', (t) => {
	for (const [line, answer] of lines) {
		const {stdout, stderr, status} = shell(line);
		if (Array.isArray(answer)) {
			t.is(status, answer[0], `${line}\n${stderr}`);
			t.regex(stderr, answer[1], line);
			continue;
		}
		t.is(status, 0, `${line}\n${stderr}`);
		if (typeof answer === 'string') t.is(stdout, answer, line);
		else t.regex(stdout, answer, line);
	}
});

test('an interactive shell is left with its status, and found again', async (t) => {
	const terminal = (...args: string[]) =>
		new TestTerminal(launcher, args, {env: {WHERRY_ROOT: wherry.root, WHERRY_RUN: wherry.run}});
	const first = terminal('run', '-it', '--name', 'desk', 'busybox');
	await first.until(/# $/m);
	first.type('echo mine > /note; exit 4\r');
	t.is(await first.exited(), 4);
	const second = terminal('start', '-ai', 'desk');
	await second.until(/# $/m);
	second.type('cat /note; exit\r');
	await second.until(/^mine/m);
	t.is(await second.exited(), 0);
	t.is(await wherry.output('rm', 'desk'), 'desk');
});
