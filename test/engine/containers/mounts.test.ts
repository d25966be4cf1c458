import test from 'ava';
import type {ContainerConfig, HostConfig, MountSpec} from '../../../src/engine/api.ts';
import {
	parseBind,
	parseMount,
	parseVolumesFrom,
	wantedMounts,
} from '../../../src/engine/containers/mounts.ts';

const wanted = (host: Partial<HostConfig>, volumes: string[] = [], taken: string[] = []) =>
	wantedMounts(
		{Volumes: Object.fromEntries(volumes.map((path) => [path, {}]))} as unknown as ContainerConfig,
		{Binds: null, ...host} as HostConfig,
		new Set(taken),
	);

test('-v is a bind, a named volume or an anonymous one', (t) => {
	t.like(parseBind('/a/../src/:/target//x/'), {
		type: 'bind',
		source: '/src',
		target: '/target/x',
		readOnly: false,
		makeSource: true,
	});
	t.like(parseBind('/src:/t:ro,rslave,z'), {readOnly: true, propagation: 'rslave', mode: 'ro,rslave,z'});
	t.like(parseBind('data:/t:nocopy'), {type: 'volume', source: 'data', noCopy: true, propagation: ''});
	t.like(parseBind('/only'), {type: 'volume', source: '', target: '/only'});
	t.like(parseBind('data:/t', 'local'), {driver: 'local'});
	t.false('driver' in parseBind('/src:/t', 'local'));
	for (const mode of ['consistent', 'cached', 'delegated', 'Z', 'private', 'rw,shared,z', '']) {
		t.is(parseBind(mode === '' ? '/a:/b' : `/a:/b:${mode}`).mode, mode);
	}
});

const inMount = (type: string, reason: string) => `invalid mount config for type "${type}": ${reason}`;
const atRoot = "invalid specification: destination can't be '/'";
const nameRule =
	'includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path';

test('a -v that makes no sense is refused in docker’s words', (t) => {
	const plain = (spec: string) => `invalid volume specification: '${spec}'`;
	const cases: [bind: string, message: string][] = [
		['a:b:c:d', plain('a:b:c:d')],
		[':/x', plain(':/x')],
		['/x:rw', plain('/x:rw')],
		['/x:shared', plain('/x:shared')],
		['/tmp:', plain('/tmp:')],
		['/a:b', `${plain('/a:b')}: ${inMount('bind', "invalid mount path: 'b' mount path must be absolute")}`],
		[
			'vol:b',
			`${plain('vol:b')}: ${inMount('volume', "invalid mount path: 'b' mount path must be absolute")}`,
		],
		['/a:/', `${plain('/a:/')}: ${inMount('bind', atRoot)}`],
		['/a:/..', `${plain('/a:/..')}: ${inMount('bind', atRoot)}`],
		['vol:/x/..', `${plain('vol:/x/..')}: ${inMount('volume', atRoot)}`],
		['/a:/b:rw,ro', 'invalid mode: rw,ro'],
		['/a:/b:nonsense', 'invalid mode: nonsense'],
		['/a:/b:shared,rslave', 'invalid mode: shared,rslave'],
		['/a:/b:default', 'invalid mode: default'],
		[
			'data:/b:rslave',
			`${plain('data:/b:rslave')}: ${inMount('volume', 'field BindOptions must not be specified')}`,
		],
		[
			'/a:/b:nocopy',
			`${plain('/a:/b:nocopy')}: ${inMount('bind', 'field VolumeOptions must not be specified')}`,
		],
		['v:/b', 'create v: volume name is too short, names should be at least two alphanumeric characters'],
		['../x:/b', `create ../x: "../x" ${nameRule}`],
	];
	for (const [bind, message] of cases) t.throws(() => parseBind(bind), {message}, bind);
});

test('nothing but views of the host is mounted into /proc, not even for an image', (t) => {
	const refused = (host: Partial<HostConfig>, volumes: string[], message: string) =>
		t.throws(() => wanted(host, volumes), {message});
	refused({Binds: ['/x:/proc']}, [], '"/proc" cannot be mounted because it is not of type proc');
	refused({}, ['/a/../proc'], '"/proc" cannot be mounted because it is not of type proc');
	refused({Tmpfs: {'/proc/sys': ''}}, [], '"/proc/sys" cannot be mounted because it is inside /proc');
	t.is(wanted({Binds: ['/lxcfs/uptime:/proc/uptime', '/proc:/proc', '/x:/process']}).length, 3);
});

test('--mount becomes what the engine mounts', (t) => {
	const bind: MountSpec = {Type: 'bind', Source: '/s', Target: '/t'};
	t.like(parseMount({...bind, ReadOnly: true}), {type: 'bind', readOnly: true, makeSource: false});
	t.like(parseMount({...bind, BindOptions: {NonRecursive: true}}), {recursive: false, mode: ''});
	t.is(parseMount({...bind, ReadOnly: true, BindOptions: {ReadOnlyNonRecursive: true}}).below, 'writable');
	t.is(parseMount({...bind, ReadOnly: true, BindOptions: {ReadOnlyForceRecursive: true}}).below, 'readonly');
	t.true(parseMount({...bind, BindOptions: {CreateMountpoint: true}}).makeSource);
	const sizes: [number, string][] = [
		[1024, '1k'],
		[3 << 20, '3m'],
		[2 ** 31, '2g'],
		[1025, '1025'],
	];
	for (const [SizeBytes, text] of sizes) {
		t.is(parseMount({Type: 'tmpfs', Target: '/t', TmpfsOptions: {SizeBytes}}).mode, `size=${text}`);
	}
	t.is(
		parseMount({Type: 'tmpfs', Target: '/t', ReadOnly: true, TmpfsOptions: {SizeBytes: 1024, Mode: 0o700}})
			.mode,
		'ro,mode=700,size=1k',
	);
	t.like(parseMount({Type: 'volume', Target: '/t', VolumeOptions: {NoCopy: true}}), {
		source: '',
		noCopy: true,
	});
	const subpath = (Subpath: string) =>
		parseMount({Type: 'volume', Source: 'vol', Target: '/t', VolumeOptions: {Subpath}}).subpath;
	t.deepEqual(['a/../b/', './x', '.', 'a/..', '...'].map(subpath), ['b', 'x', undefined, undefined, '...']);
	t.like(parseMount({Type: 'image', Source: 'busybox', Target: '/i', ImageOptions: {Subpath: 'bin'}}), {
		type: 'image',
		readOnly: true,
		subpath: 'bin',
	});
});

test('a --mount that makes no sense is refused in docker’s words', (t) => {
	const bind = {Type: 'bind', Source: '/s', Target: '/t'};
	const volume = {Type: 'volume', Source: 'vol', Target: '/t'};
	const cases: [mount: object, type: string, reason: string][] = [
		[{...bind, Source: ''}, 'bind', 'field Source must not be empty'],
		[{...bind, Source: 'rel'}, 'bind', "invalid mount path: 'rel' mount path must be absolute"],
		[{...bind, Target: ''}, 'bind', 'field Target must not be empty'],
		[{...bind, Target: '/'}, 'bind', atRoot],
		[{...bind, VolumeOptions: {}}, 'bind', 'field VolumeOptions must not be specified'],
		[{...bind, TmpfsOptions: {}}, 'bind', 'field TmpfsOptions must not be specified'],
		[{...bind, BindOptions: {Propagation: 'odd'}}, 'bind', 'invalid propagation mode: odd'],
		[{Type: 'tmpfs', Source: '/x', Target: '/t'}, 'tmpfs', 'field Source must not be specified'],
		[{Type: 'tmpfs', Target: '/t', BindOptions: {}}, 'tmpfs', 'field BindOptions must not be specified'],
		[{...volume, Target: 'rel'}, 'volume', "invalid mount path: 'rel' mount path must be absolute"],
		[{...volume, BindOptions: {}}, 'volume', 'field BindOptions must not be specified'],
		[
			{...volume, Source: '', VolumeOptions: {Subpath: 'x'}},
			'volume',
			'must not set Subpath when using anonymous volumes',
		],
		...['../../etc', '/etc', 'a/../../b', '..'].map((Subpath): [object, string, string] => [
			{...volume, VolumeOptions: {Subpath}},
			'volume',
			'subpath must be a relative path within the volume',
		]),
		[{Type: 'image', Target: '/t'}, 'image', 'field Source must not be empty'],
		[
			{Type: 'image', Source: 'x', Target: '/t', ImageOptions: {Subpath: '../x'}},
			'image',
			'subpath must be a relative path within the volume',
		],
		[{Type: 'npipe', Source: 'x', Target: '/t'}, 'npipe', 'mount type unknown'],
	];
	for (const [mount, type, reason] of cases) {
		t.throws(() => parseMount(mount as MountSpec), {message: inMount(type, reason)}, JSON.stringify(mount));
	}
	t.throws(() => parseMount({Type: 'volume', Source: 'a/b', Target: '/t'}), {
		message: `create a/b: "a/b" ${nameRule}`,
	});
});

test('a tmpfs takes only options of a tmpfs', (t) => {
	const options = 'rw,size=64m,mode=1777,noexec,uid=5,nr_inodes=10%';
	t.like(wanted({Tmpfs: {'/t': options}})[0], {mode: options});
	t.true(wanted({Tmpfs: {'/t': 'exec,ro'}})[0]!.readOnly);
	const refused = (target: string, words: string, message: string) =>
		t.throws(() => wanted({Tmpfs: {[target]: words}}), {message});
	refused('/t', 'lowerdir=/etc', 'invalid tmpfs option ["lowerdir" "/etc"]');
	refused('/t', 'size=1m,nonsense', 'invalid tmpfs option ["nonsense"]');
	refused('/t', 'bind', 'invalid tmpfs option ["bind"]');
	refused('t', '', "invalid mount path: 't' mount path must be absolute");
	refused('', '', "invalid mount path: '' mount path must be absolute");
	refused('/', '', atRoot);
});

test('one target has one mount, and a volume of the image gives way', (t) => {
	const twice = {message: 'Duplicate mount point: /x'};
	t.throws(() => wanted({Binds: ['/a:/x', 'vol:/x/']}), twice);
	t.throws(() => wanted({Binds: ['/a:/x'], Tmpfs: {'/x': ''}}), twice);
	t.throws(() => wanted({Binds: ['/a:/x'], Mounts: [{Type: 'volume', Target: '/x'}]}), twice);
	t.deepEqual(
		wanted({Mounts: [{Type: 'volume', Target: '/x'}], Tmpfs: {'/x': '', '/y': ''}}).map(({type}) => type),
		['volume', 'tmpfs'],
	);
	t.deepEqual(
		wanted({Binds: ['/a:/x']}, ['/x', '/y', '/z'], ['/z']).map(({type, target}) => [type, target]),
		[
			['bind', '/x'],
			['volume', '/y'],
		],
	);
});

test('a volume that an image declares is never a bind of the host, and is always below the root', (t) => {
	t.like(wanted({}, ['/etc:/host'])[0], {type: 'volume', source: '', target: '/etc:/host'});
	t.is(wanted({}, ['relative/../path'])[0]!.target, '/path');
	for (const path of ['/', '.', '..', '/..'])
		t.throws(() => wanted({}, [path]), {message: inMount('volume', atRoot)});
});

test('--volumes-from has a container and a mode', (t) => {
	t.deepEqual(parseVolumesFrom('db'), {container: 'db', mode: 'rw'});
	t.deepEqual(parseVolumesFrom('db:'), {container: 'db', mode: 'rw'});
	t.deepEqual(parseVolumesFrom('db:ro,z'), {container: 'db', mode: 'ro,z'});
	t.throws(() => parseVolumesFrom(''), {message: 'volumes-from specification cannot be an empty string'});
	for (const mode of ['odd', 'rslave', 'nocopy', 'ro,rw'])
		t.throws(() => parseVolumesFrom(`db:${mode}`), {message: `invalid mode: ${mode}`});
});
