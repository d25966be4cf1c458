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
	});
	t.like(parseBind('/src:/t:ro,rslave,z'), {readOnly: true, propagation: 'rslave', mode: 'ro,rslave,z'});
	t.like(parseBind('data:/t:nocopy'), {type: 'volume', source: 'data', noCopy: true, propagation: ''});
	t.like(parseBind('/only'), {type: 'volume', source: '', target: '/only'});
});

test('a -v that makes no sense is refused in docker’s words', (t) => {
	const refused = (bind: string, message: string | RegExp) => t.throws(() => parseBind(bind), {message});
	refused('a:b:c:d', "invalid volume specification: 'a:b:c:d'");
	refused(':/x', "invalid volume specification: ':/x'");
	refused('/a:b', /invalid mount path: 'b' mount path must be absolute/);
	refused('/a:/', /destination can't be '\/'/);
	refused('/a:/x/..', /destination can't be '\/'/);
	refused('/a:/b:rw,ro', 'invalid mode: rw,ro');
	refused('/a:/b:nonsense', /invalid mode: nonsense/);
	refused('data:/b:rslave', /invalid mode: rslave/);
	refused('v:/b', 'create v: volume name is too short, names should be at least two alphanumeric characters');
	refused('../x:/b', /^create \.\.\/x: "\.\.\/x" includes invalid characters for a local volume name/);
});

test('nothing but views of the host is mounted into /proc, not even for an image', (t) => {
	const refused = (host: Partial<HostConfig>, volumes: string[], message: string) =>
		t.throws(() => wanted(host, volumes), {message});
	refused({Binds: ['/x:/proc']}, [], '"/proc" cannot be mounted because it is not of type proc');
	refused({}, ['/a/../proc'], '"/proc" cannot be mounted because it is not of type proc');
	refused({Tmpfs: {'/proc/sys': ''}}, [], '"/proc/sys" cannot be mounted because it is inside /proc');
	t.is(wanted({Binds: ['/lxcfs/uptime:/proc/uptime', '/proc:/proc', '/x:/process']}).length, 3);
});

test('--mount says what docker’s says', (t) => {
	const bind: MountSpec = {Type: 'bind', Source: '/s', Target: '/t'};
	t.like(parseMount({...bind, ReadOnly: true}), {type: 'bind', readOnly: true, makeSource: false});
	t.like(parseMount({Type: 'tmpfs', Target: '/t', TmpfsOptions: {SizeBytes: 1024, Mode: 0o700}}), {
		type: 'tmpfs',
		mode: 'size=1024,mode=700',
	});
	t.like(parseMount({Type: 'volume', Target: '/t', VolumeOptions: {NoCopy: true}}), {
		source: '',
		noCopy: true,
	});
	const refused = (mount: MountSpec, message: RegExp) => t.throws(() => parseMount(mount), {message});
	refused({...bind, Source: ''}, /invalid mount config for type "bind": field Source must not be empty/);
	refused({...bind, Source: 'rel'}, /invalid mount path: 'rel' mount path must be absolute/);
	refused({...bind, Target: ''}, /field Target must not be empty/);
	refused({...bind, VolumeOptions: {}}, /field VolumeOptions must not be specified/);
	refused({Type: 'tmpfs', Source: '/x', Target: '/t'}, /field Source must not be specified/);
	refused({...bind, BindOptions: {Propagation: 'odd'}}, /invalid propagation mode: odd/);
	refused(
		{Type: 'volume', Source: 'vol', Target: '/t', VolumeOptions: {Subpath: '../../etc'}},
		/subpath must be a relative path within the volume/,
	);
});

test('a tmpfs takes only options of a tmpfs', (t) => {
	t.like(wanted({Tmpfs: {'/t': 'rw,size=64m,mode=1777,noexec'}})[0], {mode: 'rw,size=64m,mode=1777,noexec'});
	t.throws(() => wanted({Tmpfs: {'/t': 'lowerdir=/etc'}}), {
		message: 'invalid tmpfs option ["lowerdir=/etc"]',
	});
});

test('one target has one mount, and a volume of the image gives way', (t) => {
	t.throws(() => wanted({Binds: ['/a:/x', 'vol:/x/']}), {message: 'Duplicate mount point: /x'});
	t.throws(() => wanted({Binds: ['/a:/x'], Tmpfs: {'/x': ''}}), {message: 'Duplicate mount point: /x'});
	t.deepEqual(
		wanted({Binds: ['/a:/x']}, ['/x', '/y', '/z'], ['/z']).map(({type, target}) => [type, target]),
		[
			['bind', '/x'],
			['volume', '/y'],
		],
	);
});

test('a volume that an image declares is never a bind of the host', (t) => {
	t.like(wanted({}, ['/etc:/host'])[0], {type: 'volume', source: '', target: '/etc:/host'});
	t.throws(() => wanted({}, ['relative']), {message: /must be absolute/});
});

test('--volumes-from has a container and a mode', (t) => {
	t.deepEqual(parseVolumesFrom('db'), {container: 'db', mode: 'rw'});
	t.deepEqual(parseVolumesFrom('db:ro'), {container: 'db', mode: 'ro'});
	t.throws(() => parseVolumesFrom(':ro'));
	t.throws(() => parseVolumesFrom('db:odd'), {message: 'invalid mode: odd'});
});
