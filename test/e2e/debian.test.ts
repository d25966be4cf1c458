/** A minimal Debian, made by debootstrap, through a real registry: what its packages rely on is there. */
import {execFile, execFileSync} from 'node:child_process';
import {copyFileSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import test from 'ava';
import {startRegistry} from '../setup/registry.ts';
import {Command} from './command.ts';
import {pushFolder} from './images.ts';
import {tryServices} from './services.ts';

test('a Debian tree is pushed, pulled and run: apt-get, su, ps and a file capability; services are built of it', async (t) => {
	t.timeout(15 * 60_000);
	const work = mkdtempSync(join(tmpdir(), 'wherry-debian-'));
	t.teardown(() => rmSync(work, {recursive: true, force: true}));
	const tree = join(work, 'tree');
	// The tests run in a network namespace without a way out; see run.mjs.
	const outer = process.env.WHERRY_TEST_NET;
	const enter = outer ? ['nsenter', `--net=${outer}`] : [];
	const [program, ...words] = [...enter, 'debootstrap', '--variant=minbase', '--include=procps,libcap2-bin'];
	// Not synchronously: AVA has to hear that this may take long.
	await promisify(execFile)(program!, [...words, 'bookworm', tree], {maxBuffer: 64 << 20});
	copyFileSync(join(tree, 'bin/true'), join(tree, 'usr/local/bin/capable'));
	execFileSync('setcap', ['cap_net_raw+ep', join(tree, 'usr/local/bin/capable')]);
	const registry = await startRegistry();
	t.teardown(() => registry.stop());
	const image = await pushFolder(tree, registry.host, 'debian:minimal', {cmd: ['bash']});
	const command = new Command();
	t.teardown(async () => void (await command.end()));
	await command.output('pull', '-q', image);

	const inside = (...argv: string[]): Promise<string> =>
		command.output('run', '--rm', '--network', 'none', image, ...argv);
	t.regex(await inside('apt-get', '--version'), /^apt 2\./);
	t.is(await inside('su', '-s', '/bin/sh', '-c', 'id -un; echo $HOME', 'daemon'), 'daemon\n/usr/sbin');
	t.regex(await inside('ps', '-e', '-o', 'pid,comm'), /^\s*PID COMMAND\n\s*1 ps$/);
	t.is(await inside('getcap', '/usr/local/bin/capable'), '/usr/local/bin/capable cap_net_raw=ep');
	t.is(
		await inside('stat', '-c', '%a %U:%G', '/usr/bin/passwd', '/tmp', '/etc/shadow'),
		'4755 root:root\n1777 root:root\n640 root:shadow',
	);
	t.is(await inside('dpkg', '--audit'), '');
	await tryServices(t, command, image, outer);
	t.deepEqual(await command.end(), []);
});
