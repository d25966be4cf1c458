import test from 'ava';
import {containerRow, containerView} from '../../../src/cli/commands/container-list.ts';
import {imageRow, imageView, namesOf} from '../../../src/cli/commands/image-list.ts';
import {alignColumns, formatList} from '../../../src/cli/format/table.ts';
import type {ContainerSummary, ImageSummary} from '../../../src/engine/api.ts';

const config = `sha256:${'a'.repeat(10)}${'b'.repeat(54)}`;
const now = 1_800_000_000;

const containers: ContainerSummary[] = [
	{
		Id: '0123456789abcdef'.repeat(4),
		Names: ['/web', '/other/alias'],
		Image: 'docker.io/nginx:1.27',
		ImageID: config,
		Command: '/docker-entrypoint.sh nginx -g "daemon off;"',
		Created: 1_700_000_000,
		Ports: [
			{IP: '0.0.0.0', PrivatePort: 80, PublicPort: 8080, Type: 'tcp'},
			{IP: '::', PrivatePort: 80, PublicPort: 8080, Type: 'tcp'},
			{PrivatePort: 443, Type: 'tcp'},
			{IP: '0.0.0.0', PrivatePort: 9000, PublicPort: 9000, Type: 'tcp'},
			{IP: '0.0.0.0', PrivatePort: 9001, PublicPort: 9001, Type: 'tcp'},
			{PrivatePort: 444, Type: 'tcp'},
			{PrivatePort: 53, Type: 'udp'},
		],
		Labels: {b: '2', a: '1', c: ''},
		State: 'running',
		Status: 'Up 2 minutes (healthy)',
		HostConfig: {NetworkMode: 'bridge'},
		NetworkSettings: {Networks: {zed: {}, bridge: {}}},
		Mounts: [
			{
				Type: 'volume',
				Name: 'a-volume-with-a-long-name',
				Source: '/x',
				Destination: '/d',
				Driver: 'local',
				Mode: '',
				RW: true,
				Propagation: '',
			},
			{Type: 'bind', Source: '/etc', Destination: '/e', Mode: 'ro', RW: false, Propagation: 'rprivate'},
		],
		SizeRw: 12_345,
		SizeRootFs: 123_456_789,
	},
	{
		Id: 'fedcba9876543210'.repeat(4),
		Names: ['/job'],
		Image: config,
		ImageID: config,
		Command: 'true',
		Created: 1_600_000_000,
		Ports: [],
		Labels: {},
		State: 'exited',
		Status: 'Exited (0) 3 hours ago',
		HostConfig: {NetworkMode: 'none'},
		NetworkSettings: {Networks: {none: {}}},
		Mounts: [],
	},
	{
		Id: '11'.repeat(32),
		Names: ['/dig'],
		Image: `busybox:1.36@${config}`,
		ImageID: `sha256:${'c'.repeat(64)}`,
		Command: 'sh -c \'echo ü 漢字 "x"\t\'',
		Created: 1_690_000_000,
		Ports: [{IP: '127.0.0.1', PrivatePort: 5432, PublicPort: 5432, Type: 'tcp'}],
		Labels: {x: 'y'},
		State: 'created',
		Status: 'Created',
		HostConfig: {NetworkMode: 'host'},
		NetworkSettings: {Networks: {host: {}}},
		Mounts: [],
	},
];

const rows = (trunc: boolean) => containers.map((container) => containerRow(container, {trunc, now}));

test("ps has docker's columns, widths and cuts", (t) => {
	// docker's own output for the same containers.
	t.is(
		formatList(containerView(false), rows(true), {format: ''}),
		`\
CONTAINER ID   IMAGE          COMMAND                  CREATED       STATUS                   PORTS                                                                                            NAMES
0123456789ab   nginx:1.27     "/docker-entrypoint.…"   3 years ago   Up 2 minutes (healthy)   53/udp, 443-444/tcp, 0.0.0.0:9000-9001->9000-9001/tcp, 0.0.0.0:8080->80/tcp, [::]:8080->80/tcp   web
fedcba987654   aaaaaaaaaabb   "true"                   6 years ago   Exited (0) 3 hours ago                                                                                                    job
111111111111   busybox:1.36   "sh -c 'echo ü 漢字 …"   3 years ago   Created                  127.0.0.1:5432->5432/tcp                                                                         dig
`,
	);
});

test('ps --no-trunc -s, -q and templates show what docker shows', (t) => {
	const text = formatList(containerView(true), rows(false), {format: ''});
	t.regex(text, /"sh -c 'echo ü 漢字 \\"x\\"\\t'" /);
	t.regex(text, /other\/alias,web +12\.3kB \(virtual 123MB\)\n/);
	t.is(
		formatList(containerView(false), rows(true), {format: '', quiet: true}),
		'0123456789ab\nfedcba987654\n111111111111\n',
	);
	t.is(
		formatList(containerView(false), rows(true), {
			format: 'table {{.ID}}\\t{{.Names | upper}} {{json .Labels}}',
		}),
		'CONTAINER ID   NAMES LABELS\n0123456789ab   WEB "a=1,b=2,c="\nfedcba987654   JOB ""\n111111111111   DIG "x=y"\n',
	);
	t.is(
		formatList(containerView(false), rows(true).slice(0, 1), {
			format: '{{.Label "b"}}{{.Label "no"}}|{{.Mounts}}',
		}),
		'2|a-volume-with-…,/etc\n',
	);
	const json = JSON.parse(
		formatList(containerView(false), rows(true).slice(0, 1), {format: 'json'}),
	) as Record<string, string>;
	t.like(json, {
		ID: '0123456789ab',
		LocalVolumes: '1',
		Networks: 'zed,bridge',
		Size: '12.3kB (virtual 123MB)',
	});
	t.true(
		formatList(containerView(false), rows(true), {format: 'json'}).includes(String.raw`8080-\u003e80/tcp`),
	);
	t.throws(() => formatList(containerView(false), rows(true), {format: '{{.Foo}}'}), {
		message: `failed to execute template: template: :1:2: executing "" at <.Foo>: can't evaluate field Foo in type *formatter.ContainerContext`,
	});
	t.throws(() => formatList(containerView(false), rows(true), {format: '{{.Foo'}), {
		message: 'failed to parse template: template: :1: unclosed action',
	});
});

test('an empty list is its headings alone', (t) => {
	t.is(
		formatList(containerView(false), [], {format: ''}),
		'CONTAINER ID   IMAGE     COMMAND   CREATED   STATUS    PORTS     NAMES\n',
	);
});

test('names cannot send commands to the terminal', (t) => {
	const evil = {...containers[1]!, Names: ['/a\x1b[2Jb'], Labels: {x: '\x07'}};
	const text = formatList(containerView(false), [containerRow(evil, {trunc: true, now})], {format: ''});
	t.notRegex(text, /\x1b/);
});

const images: ImageSummary[] = [
	{
		Id: config,
		RepoTags: ['nginx:1.27', 'nginx:latest', 'localhost:5000/a/b:v1'],
		RepoDigests: [`nginx@sha256:${'d'.repeat(64)}`],
		Created: 1_700_000_000,
		Size: 187_654_321,
		Labels: {},
		Containers: -1,
	},
	{
		Id: `sha256:${'e'.repeat(64)}`,
		RepoTags: [],
		RepoDigests: [`busybox@sha256:${'f'.repeat(64)}`],
		Created: 1_600_000_000,
		Size: 4_261_550,
		Labels: null,
		Containers: -1,
	},
	{
		Id: `sha256:${'9'.repeat(64)}`,
		RepoTags: [],
		RepoDigests: [],
		Created: 0,
		Size: 0,
		Labels: null,
		Containers: 2,
	},
];

test('images has a row per name, with and without digests', (t) => {
	const list = (digests: boolean): string =>
		formatList(
			imageView(digests),
			images.flatMap((image) =>
				namesOf(image, digests).map((named) => imageRow(image, named, {trunc: true, now})),
			),
			{format: ''},
		);
	t.is(
		list(false),
		`\
REPOSITORY           TAG       IMAGE ID       CREATED        SIZE
nginx                1.27      aaaaaaaaaabb   3 years ago    188MB
nginx                latest    aaaaaaaaaabb   3 years ago    188MB
localhost:5000/a/b   v1        aaaaaaaaaabb   3 years ago    188MB
busybox              <none>    eeeeeeeeeeee   6 years ago    4.26MB
<none>               <none>    999999999999   57 years ago   0B
`,
	);
	const [, tagged, , , onlyDigest] = list(true).split('\n');
	t.true(tagged!.startsWith(`nginx                1.27      sha256:${'d'.repeat(64)}   aaaaaaaaaabb`));
	t.true(onlyDigest!.startsWith(`busybox              <none>    sha256:${'f'.repeat(64)}`));
});

test('columns are runs of lines that go on', (t) => {
	t.is(
		alignColumns('a\tb\tc\nlong cell here\tx\ty'),
		'a                b         c\nlong cell here   x         y\n',
	);
	t.is(alignColumns('a\tb\nalone\nc\td'), 'a         b\nalone\nc         d\n');
});
