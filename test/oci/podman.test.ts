import {spawnSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {Runtime, runtimePath} from './bundle.ts';

// podman's default limits are above what root may have on some machines.
const settings = `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
`;

test('podman runs its containers with this runtime', (t) => {
	const runtime = new Runtime(t);
	const {folder} = runtime;
	// Its sockets have long paths below this one.
	const home = mkdtempSync(join(tmpdir(), 'wp-'));
	t.teardown(() => rmSync(home, {recursive: true, force: true}));
	writeFileSync(join(folder, 'containers.conf'), settings);
	const env = {...runtime.env, CONTAINERS_CONF: join(folder, 'containers.conf'), TMPDIR: home};
	const podman = (...words: string[]) => {
		const where = ['--root', `${home}/root`, '--runroot', `${home}/run`, '--tmpdir', `${home}/tmp`];
		// Where a hybrid host's v2 hierarchy has no controllers podman takes it for the only one.
		const script =
			'if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi; exec podman "$@"';
		const out = join(folder, 'podman-out');
		const {status} = spawnSync(
			'unshare',
			[
				'--mount',
				'--propagation',
				'private',
				'sh',
				'-c',
				`${script} >${out} 2>&1`,
				'sh',
				...where,
				'--runtime',
				runtimePath,
				...words,
			],
			{env, stdio: 'ignore'},
		);
		return {status, text: readFileSync(out, 'utf8')};
	};
	const bundle = runtime.bundle('image', ['sh']);
	t.is(spawnSync('tar', ['-C', join(bundle, 'rootfs'), '-cf', join(folder, 'image.tar'), '.']).status, 0);
	const imported = podman('import', join(folder, 'image.tar'), 'box:latest');
	t.is(imported.status, 0, imported.text);

	const options = [
		'--rm',
		'--network',
		'none',
		'--memory',
		'64m',
		'--pids-limit',
		'50',
		'--read-only',
		'--tmpfs',
		'/tmp',
	];
	const ran = podman(
		'run',
		...options,
		'box:latest',
		'sh',
		'-c',
		'id -u; echo x >/tmp/x && cat /tmp/x; exit 6',
	);
	t.deepEqual([ran.status, ran.text], [6, '0\nx\n']);
	const missing = podman('run', '--rm', '--network', 'none', 'box:latest', 'no-such-command');
	t.is(missing.status, 127);
	t.regex(missing.text, /"no-such-command": executable file not found in \$PATH/);

	t.is(podman('run', '-d', '--name', 'up', '--network', 'none', 'box:latest', 'sleep', '1000').status, 0);
	t.regex(podman('ps', '--format', '{{.Names}} {{.Status}}').text, /^up Up /);
	t.deepEqual(podman('exec', 'up', 'sh', '-c', 'echo in; exit 4'), {status: 4, text: 'in\n'});
	t.is(podman('pause', 'up').status, 0);
	t.is(podman('unpause', 'up').status, 0);
	t.is(podman('rm', '-f', '-t', '0', 'up').status, 0);
	t.is(podman('ps', '-aq').text, '');
});
