/** Namespaces of others, mounts with id maps of their own, and calls that an agent answers, on the real kernel. */
import {spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {chownSync, mkdirSync, readFileSync, readlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {Spec} from '../../src/runtime/oci.ts';
import {Runtime} from './bundle.ts';

/** A process in namespaces of its own, for as long as the test. Its ids 0 to 999 are 300000 to 300999. */
async function donor(t: ExecutionContext, ...flags: string[]): Promise<number> {
	const child = spawn('unshare', [...flags, 'sh', '-c', 'echo ready; exec sleep 1000'], {
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	t.teardown(() => child.kill('SIGKILL'));
	await once(child.stdout!, 'data');
	if (flags.includes('--user')) {
		writeFileSync(`/proc/${child.pid}/gid_map`, '0 300000 1000\n');
		writeFileSync(`/proc/${child.pid}/uid_map`, '0 300000 1000\n');
	}
	return child.pid!;
}

const namespaces = (spec: Spec, paths: Record<string, string>): void => {
	spec.linux!.namespaces = spec
		.linux!.namespaces!.filter(({type}) => !(type in paths))
		.concat(Object.entries(paths).map(([type, path]) => ({type, path})) as never);
};

test('a container joins a user namespace, and its other new namespaces belong to that', async (t) => {
	const runtime = new Runtime(t);
	const pid = await donor(t, '--user', '--net');
	const command =
		'cat /proc/self/uid_map; id -u; readlink /proc/self/ns/user /proc/self/ns/net; echo $$; cat /proc/sys/kernel/hostname; stat -c %u:%a /proc/1; sleep 1000';
	const bundle = runtime.bundle('users', ['sh', '-c', command], (spec) => {
		namespaces(spec, {user: `/proc/${pid}/ns/user`, network: `/proc/${pid}/ns/net`});
		spec.process!.user = {uid: 7, gid: 8};
	});
	spawnSync('chown', ['-R', '300000:300000', join(bundle, 'rootfs')]);
	runtime.output('create', '--bundle', bundle, 'joins');
	const state = runtime.state('joins');
	t.is(state.status, 'created');
	for (const type of ['user', 'net']) {
		t.is(readlinkSync(`/proc/${state.pid}/ns/${type}`), readlinkSync(`/proc/${pid}/ns/${type}`), type);
	}
	for (const type of ['pid', 'mnt', 'uts', 'ipc']) {
		t.not(readlinkSync(`/proc/${state.pid}/ns/${type}`), readlinkSync(`/proc/self/ns/${type}`), type);
	}
	t.regex(readFileSync(`/proc/${state.pid}/status`, 'utf8'), /\nUid:\t300007\t300007\t300007/);
	t.regex(readFileSync(`/proc/${state.pid}/status`, 'utf8'), /\nNSpid:\t\d+\t1\n/);
	runtime.output('start', 'joins');
	t.is(runtime.output('exec', 'joins', 'id', '-u'), '7');
	t.is(
		runtime.output('exec', 'joins', 'readlink', '/proc/self/ns/user'),
		readlinkSync(`/proc/${pid}/ns/user`),
	);
	runtime.output('delete', '--force', 'joins');

	const mapped = runtime.bundle('mapped', ['sh'], (spec) => {
		namespaces(spec, {user: `/proc/${pid}/ns/user`});
		spec.linux!.uidMappings = [{containerID: 0, hostID: 1, size: 1}];
	});
	t.regex(runtime.call('create', '--bundle', mapped, 'no').stderr, /has its id maps: none can be given/);
	const gone = runtime.bundle('gone', ['sh'], (spec) => namespaces(spec, {user: '/proc/self/ns/nothing'}));
	t.regex(runtime.call('create', '--bundle', gone, 'no').stderr, /join namespace \/proc\/self\/ns\/nothing/);
	t.is(runtime.output('list', '-q'), '');
});

test('a container joins a mount namespace and changes nothing there', async (t) => {
	const runtime = new Runtime(t);
	const pid = await donor(t, '--mount', '--propagation', 'private');
	const tree = join(runtime.folder, 'tree');
	mkdirSync(tree);
	const enter = (...words: string[]) =>
		spawnSync('nsenter', [`--mount=/proc/${pid}/ns/mnt`, ...words], {encoding: 'utf8'});
	t.is(enter('mount', '-t', 'tmpfs', 'theirs', tree).status, 0);
	enter('sh', '-c', `echo mine > ${tree}/file`);
	const mounts = readFileSync(`/proc/${pid}/mountinfo`, 'utf8');
	const command = `cat ${tree}/file; readlink /proc/self/ns/mnt; pwd`;
	const bundle = runtime.bundle('mounts', ['sh', '-c', command], (spec) => {
		namespaces(spec, {mount: `/proc/${pid}/ns/mnt`});
		spec.process!.cwd = tree;
	});
	const {stdout, stderr} = runtime.call('run', '--bundle', bundle, 'theirs');
	t.is(stdout, `mine\n${readlinkSync(`/proc/${pid}/ns/mnt`)}\n${tree}\n`, stderr);
	t.is(readFileSync(`/proc/${pid}/mountinfo`, 'utf8'), mounts);
});

test('binds have id maps of their own, with and without users of the container’s own', (t) => {
	const runtime = new Runtime(t);
	const data = join(runtime.folder, 'data');
	mkdirSync(join(data, 'inner'), {recursive: true});
	for (const [name, id] of [
		['zero', 0],
		['five', 5],
		['far', 400000],
	] as const) {
		writeFileSync(join(data, name), '');
		chownSync(join(data, name), id, id);
	}
	const command =
		'cd /data && stat -c "%n %u:%g" zero five far && touch made && stat -c "%u:%g" made; stat -c "plain %u" /plain/five; touch /half/new && stat -c "half %u" /half/new';
	// Id 0 of the disk is 1000 behind the mount.
	const shift = [{containerID: 0, hostID: 1000, size: 100}];
	const bundle = runtime.bundle('maps', ['sh', '-c', command], (spec) => {
		spec.root!.readonly = false;
		spec.process!.user = {uid: 1003, gid: 1003};
		spec.process!.capabilities = {bounding: [], effective: [], permitted: []};
		spec.mounts!.push(
			{
				destination: '/data',
				type: 'bind',
				source: data,
				options: ['rbind'],
				uidMappings: shift,
				gidMappings: shift,
			},
			{destination: '/plain', type: 'bind', source: data, options: ['bind', 'ro']},
			{
				destination: '/half',
				type: 'bind',
				source: join(data, 'inner'),
				options: ['bind', 'ridmap'],
				uidMappings: shift,
				gidMappings: shift,
			},
		);
	});
	chownSync(data, 3, 3);
	chownSync(join(data, 'inner'), 3, 3);
	const {stdout, stderr} = runtime.call('run', '--bundle', bundle, 'maps');
	t.is(stdout, 'zero 1000:1000\nfive 1005:1005\nfar 65534:65534\n1003:1003\nplain 5\nhalf 1003\n', stderr);
	// What was made through the mount has the disk's id.
	t.is(spawnSync('stat', ['-c', '%u:%g', join(data, 'made')], {encoding: 'utf8'}).stdout, '3:3\n');

	// Without maps the option means the container's own: root's files are its root's.
	const users = runtime.bundle(
		'users',
		['sh', '-c', 'stat -c "%n %u" /data/zero /data/five /plain/zero'],
		(spec) => {
			const map = [{containerID: 0, hostID: 300000, size: 1000}];
			spec.linux!.namespaces!.push({type: 'user'});
			Object.assign(spec.linux!, {uidMappings: map, gidMappings: map});
			spec.mounts!.push(
				{destination: '/data', type: 'bind', source: data, options: ['bind', 'idmap']},
				{destination: '/plain', type: 'bind', source: data, options: ['bind']},
			);
		},
	);
	spawnSync('chown', ['-R', '300000:300000', join(users, 'rootfs')]);
	const own = runtime.call('run', '--bundle', users, 'users');
	t.is(own.stdout, '/data/zero 0\n/data/five 5\n/plain/zero 65534\n', own.stderr);

	for (const [name, mount, message] of [
		['half', {type: 'bind', source: data, uidMappings: shift}, /id maps for uids and gids are needed/],
		['none', {type: 'bind', source: data, options: ['idmap']}, /id maps for uids and gids are needed/],
		[
			'tmpfs',
			{type: 'tmpfs', source: 'x', uidMappings: shift, gidMappings: shift},
			/only binds can have id maps/,
		],
		[
			'source',
			{type: 'bind', source: '/nowhere', options: ['bind'], uidMappings: shift, gidMappings: shift},
			/bind \/nowhere: no such file or directory/i,
		],
	] as const) {
		const wrong = runtime.bundle(name, ['sh'], (spec) => {
			spec.mounts!.push({destination: '/data', ...mount} as never);
		});
		const {status, stderr: words} = runtime.call('create', '--bundle', wrong, name);
		t.is(status, 1, name);
		t.regex(words, message, name);
	}
	t.is(runtime.output('list', '-q'), '');
});

/** Takes each listener and what comes with it, and answers every call with -1 and the errno 88. */
const agent = `
import array, fcntl, json, os, socket, struct, sys, threading
path, log = sys.argv[1], open(sys.argv[2], 'a', buffering=1)
def serve(fd):
    while True:
        request = bytearray(80)
        try:
            fcntl.ioctl(fd, 0xc0502100, request)
        except OSError:
            return
        id, pid = struct.unpack_from('QI', request)
        number = struct.unpack_from('i', request, 16)[0]
        log.write(json.dumps({'call': number, 'pid': pid}) + '\\n')
        try:
            fcntl.ioctl(fd, 0xc0182101, bytearray(struct.pack('QqiI', id, 0, -88, 0)))
        except OSError:
            pass
server = socket.socket(socket.AF_UNIX)
server.bind(path)
server.listen()
print('ready', flush=True)
while True:
    peer, _ = server.accept()
    data, control, _, _ = peer.recvmsg(65536, socket.CMSG_SPACE(4))
    fd = array.array('i', control[0][2])[0]
    log.write(data.decode() + '\\n')
    threading.Thread(target=serve, args=(fd,), daemon=True).start()
`;

test('calls with SCMP_ACT_NOTIFY are answered by the agent at listenerPath', async (t) => {
	const runtime = new Runtime(t);
	const [socket, log] = [join(runtime.folder, 'agent'), join(runtime.folder, 'agent.log')];
	const helper = spawn('python3', ['-c', agent, socket, log], {stdio: ['ignore', 'pipe', 'inherit']});
	t.teardown(() => helper.kill('SIGKILL'));
	await once(helper.stdout!, 'data');
	const told = () =>
		readFileSync(log, 'utf8')
			.split('\n')
			.filter(Boolean)
			.map((line) => JSON.parse(line) as Record<string, unknown> & {state: Record<string, unknown>});
	const listens =
		(names: string[], noNewPrivileges: boolean) =>
		(spec: Spec): void => {
			spec.annotations = {'org.example.a': 'b'};
			spec.process!.noNewPrivileges = noNewPrivileges;
			spec.linux!.seccomp = {
				defaultAction: 'SCMP_ACT_ALLOW',
				listenerPath: socket,
				listenerMetadata: 'the "metadata"',
				syscalls: [{names, action: 'SCMP_ACT_NOTIFY'}],
			};
		};
	const command = 'mkdir /tmp/x; echo ends; sleep 1000';
	for (const noNewPrivileges of [true, false]) {
		const name = `n${Number(noNewPrivileges)}`;
		writeFileSync(log, '');
		const bundle = runtime.bundle(
			name,
			['sh', '-c', command],
			listens(['mkdir', 'mkdirat'], noNewPrivileges),
		);
		spawnSync('ln', ['-s', 'busybox', join(bundle, 'rootfs/bin/mkdir')]);
		runtime.output('create', '--bundle', bundle, name);
		const {pid} = runtime.state(name);
		const {ociVersion} = JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8'));
		t.deepEqual(told(), [
			{
				pid,
				ociVersion,
				fds: ['seccompFd'],
				metadata: 'the "metadata"',
				state: {
					ociVersion,
					id: name,
					bundle,
					status: 'creating',
					annotations: {'org.example.a': 'b'},
					pid,
				},
			},
		]);
		// Neither thread nor descriptor of the hand-over is left.
		t.regex(readFileSync(`/proc/${pid}/status`, 'utf8'), /\nThreads:\t1\n/);
		runtime.output('start', name);
		const exec = runtime.call('exec', name, 'sh', '-c', 'mkdir /tmp/y');
		t.regex(exec.stderr, /can't create directory '\/tmp\/y': Socket operation on non-socket/);
		const [, ...later] = told();
		const [of] = later.filter(({fds}) => fds);
		t.like(of?.state, {id: name, status: 'running', pid});
		t.not(of?.pid, pid);
		t.true(later.filter(({call}) => call).length >= 1);
		runtime.output('delete', '--force', name);
	}

	// Also calls by which a container is started may wait for the agent.
	const early = runtime.bundle('early', ['sh', '-c', 'echo it runs'], listens(['fchdir', 'umask'], true));
	const outcome = runtime.call('run', '--bundle', early, 'early');
	t.true(
		told().some(({state}) => state?.id === 'early'),
		outcome.stderr,
	);

	const cases: [string, (spec: Spec) => void, RegExp][] = [
		[
			'path',
			(spec) => {
				listens(['mkdir'], true)(spec);
				delete spec.linux!.seccomp!.listenerPath;
			},
			/SCMP_ACT_NOTIFY needs a listenerPath/,
		],
		[
			'default',
			(spec) => {
				listens(['mkdir'], true)(spec);
				spec.linux!.seccomp!.defaultAction = 'SCMP_ACT_NOTIFY';
			},
			/cannot be used as default action/,
		],
		[
			'nobody',
			(spec) => {
				listens(['mkdir'], true)(spec);
				spec.linux!.seccomp!.listenerPath = join(runtime.folder, 'no-agent');
			},
			/connect to .*no-agent: no such file or directory/i,
		],
	];
	for (const [name, change, message] of cases) {
		const {status, stderr} = runtime.call('create', '--bundle', runtime.bundle(name, ['sh'], change), name);
		t.is(status, 1, name);
		t.regex(stderr, message, name);
	}
	t.is(runtime.output('list', '-q'), '');
});
