import test from 'ava';
import {networkRow, networkView} from '../../../src/cli/commands/networks.ts';
import {portLines} from '../../../src/cli/commands/ports.ts';
import {createOptions} from '../../../src/cli/commands/run-options.ts';
import {naturalOrder} from '../../../src/cli/format/natural-order.ts';
import {displayPorts} from '../../../src/cli/format/ports.ts';
import {formatList} from '../../../src/cli/format/table.ts';
import {parseCommandLine} from '../../../src/cli/parse/command-line.ts';
import type {NetworkRecord, PortSummary} from '../../../src/engine/api.ts';

const options = (...words: string[]) => {
	const {flags, args} = parseCommandLine(['run', ...words, 'image']);
	return createOptions(flags, args, {});
};

/** The first line of what is said. */
const message = (action: () => unknown): string => {
	try {
		action();
	} catch (error) {
		return (error as Error).message.split('\n')[0]!;
	}
	return 'no error';
};

test('networks and what is asked of each are what docker sends', (t) => {
	for (const [words, mode, networks] of [
		[[], 'default', undefined],
		[['--network', 'host'], 'host', undefined],
		[['--network', 'a'], 'a', undefined],
		[['--network', 'a', '--network', 'b'], 'a', {a: {}, b: {}}],
		[['--net', 'a', '--network', 'b'], 'b', {a: {}, b: {}}],
		[
			[
				...['--network', 'b', '--network'],
				'name=a,alias=x,alias=y,ip=1.2.3.4,ip6=::5,mac-address=02:42:ac:11:00:02,driver-opt=Key=Val,gw-priority=3,link-local-ip=169.254.1.1',
			],
			'b',
			{
				b: {},
				a: {
					IPAMConfig: {IPv4Address: '1.2.3.4', IPv6Address: '::5', LinkLocalIPs: ['169.254.1.1']},
					Aliases: ['x', 'y'],
					MacAddress: '02:42:ac:11:00:02',
					GwPriority: 3,
					DriverOpts: {Key: 'Val'},
				},
			},
		],
		[
			[
				...['--network', 'a', '--ip', '1.2.3.4', '--ip6', '::1', '--mac-address', '02-42-ac-11-00-02'],
				...['--network-alias', 'q', '--net-alias', 'r'],
			],
			'a',
			{
				a: {
					IPAMConfig: {IPv4Address: '1.2.3.4', IPv6Address: '::1'},
					Aliases: ['q', 'r'],
					MacAddress: '02-42-ac-11-00-02',
				},
			},
		],
		[['--mac-address', '0242.ac11.0002'], 'default', {default: {MacAddress: '0242.ac11.0002'}}],
	] as [string[], string, object | undefined][]) {
		const {hostConfig, networks: found} = options(...words);
		t.is(hostConfig.NetworkMode, mode, words.join(' '));
		t.deepEqual(found as object | undefined, networks, words.join(' '));
	}
});

test('names, hosts and links land where docker puts them', (t) => {
	t.like(
		options(
			...['--dns', '1.1.1.1', '--dns', '::1', '--dns-search', 'a.b', '--dns-search', '.'],
			...['--dns-option', 'ndots:2', '--dns-opt', 'rotate', '--link', 'l', '--link', 'l:m'],
			...['--add-host', 'a:1.2.3.4', '--add-host', 'b=[::1]', '--add-host', 'c:host-gateway'],
			...['--add-host', 'd:::2', '-h', 'box', '--domainname', 'example.test'],
		),
		{
			config: {...options().config, Hostname: 'box', Domainname: 'example.test'},
			hostConfig: {
				...options().hostConfig,
				Dns: ['1.1.1.1', '::1'],
				DnsSearch: ['a.b', '.'],
				DnsOptions: ['ndots:2', 'rotate'],
				Links: ['l', 'l:m'],
				ExtraHosts: ['a:1.2.3.4', 'b:::1', 'c:host-gateway', 'd:::2'],
			},
		},
	);
});

test('published and exposed ports are what docker sends', (t) => {
	const {config, hostConfig} = options(
		...['-p', 'published=8080,target=80', '-p', 'target=81,mode=host,protocol=udp', '-p', '80', '-P'],
		...['-p', '127.0.0.1:9000-9001:90-91', '-p', '[::1]::7', '--expose', '99', '--expose', '100-101/udp'],
	);
	t.deepEqual(hostConfig.PortBindings, {
		'80/tcp': [
			{HostIp: '', HostPort: '8080'},
			{HostIp: '', HostPort: ''},
		],
		'81/udp': [{HostIp: '', HostPort: ''}],
		'90/tcp': [{HostIp: '127.0.0.1', HostPort: '9000'}],
		'91/tcp': [{HostIp: '127.0.0.1', HostPort: '9001'}],
		'7/tcp': [{HostIp: '::1', HostPort: ''}],
	});
	t.true(hostConfig.PublishAllPorts);
	t.deepEqual(
		Object.keys(config.ExposedPorts!).sort(),
		['100/udp', '101/udp', '7/tcp', '80/tcp', '81/udp', '90/tcp', '91/tcp', '99/tcp'].sort(),
	);
});

test('what is wrong about networks is said in docker words', (t) => {
	const flag = (value: string, name: string, problem: string): string =>
		`invalid argument ${JSON.stringify(value)} for "--${name}" flag: ${problem}`;
	for (const [words, expected] of [
		[
			['--network', 'a', '--network', 'host'],
			'conflicting options: cannot attach both user-defined and non-user-defined network-modes',
		],
		[['--network', 'a', '--network', 'a'], 'network "a" is specified multiple times'],
		[['--network', ''], 'no name set for network'],
		[['--network-alias', 'a'], 'network-scoped aliases are only supported for user-defined networks'],
		[['--mac-address', 'foo'], 'foo is not a valid mac address'],
		[['--network', 'name=a,mac-address=x'], 'x is not a valid mac address'],
		[['--network', 'name=a,ip=foo'], 'invalid IPv4 address: foo'],
		[['--network', 'name=a,ip6=1.2.3.4'], 'invalid IPv6 address: 1.2.3.4'],
		[['--network', 'name=a,foo=x'], flag('name=a,foo=x', 'network', 'invalid field key foo')],
		[['--network', 'alias=x'], flag('alias=x', 'network', 'network name/id is not specified')],
		[['--network', 'name=a,b'], flag('name=a,b', 'network', 'invalid field b')],
		[
			['--network', 'name=a,gw-priority=x'],
			flag('name=a,gw-priority=x', 'network', 'invalid gw-priority (x): invalid syntax'),
		],
		[
			['--network', 'name=a,driver-opt=x'],
			flag('name=a,driver-opt=x', 'network', 'invalid key/value pair format in driver options'),
		],
		[
			['--network', 'name=a,ip=1.2.3.4', '--ip', '1.2.3.5'],
			'conflicting options: cannot specify both --ip and per-network IPv4 address',
		],
		[
			['--network', 'name=a,alias=b', '--network-alias', 'c'],
			'conflicting options: cannot specify both --network-alias and per-network alias',
		],
		[['--ip', 'foo', '--network', 'n'], 'invalid IPv4 address: foo'],
		[['--ip6', '1.2.3.4', '--network', 'n'], 'invalid IPv6 address: 1.2.3.4'],
		[['--ip', '1.2.3.4'], 'Error: user specified IP address is supported on user defined networks only'],
		[
			['--network', 'host', '--mac-address', '02:42:ac:11:00:02'],
			'Error: conflicting options: mac-address and the network mode',
		],
		[['--dns', 'foo'], flag('foo', 'dns', 'IP address is not correctly formatted: foo')],
		[['--dns-search', '..'], flag('..', 'dns-search', '.. is not a valid domain')],
		[['--link', 'a:b:c'], flag('a:b:c', 'link', 'bad format for links: a:b:c')],
		[['--link', ''], flag('', 'link', 'empty string specified for links')],
		[['--add-host', 'a'], flag('a', 'add-host', 'bad format for add-host: "a"')],
		[['--add-host', 'a:b'], flag('a:b', 'add-host', 'invalid IP address in add-host: "b"')],
		[['--add-host', 'a:b:c'], flag('a:b:c', 'add-host', 'invalid IP address in add-host: "b:c"')],
		[['-p', 'published=8080'], 'no port specified: published=8080'],
		[['-p', 'published=1,target=2,foo=3'], "invalid publish opts: unknown field 'foo'"],
		[['-p', '=8080,target=1'], "invalid publish opts format (should be name=value but got '=8080')"],
		[['-p', 'foo'], 'invalid containerPort: foo'],
		[['-p', '70000:80'], 'invalid hostPort: 70000'],
		[['-p', '1-3:1-2'], 'invalid ranges specified for container and host Ports: 1-2 and 1-3'],
		[['--expose', '80:80'], 'invalid port format for --expose: 80:80'],
	] as [string[], string][]) {
		t.is(
			message(() => options(...words)),
			expected,
			words.join(' '),
		);
	}
	for (const [words, expected] of [
		[['--gateway', 'foo'], flag('foo', 'gateway', 'invalid string being converted to IP address: foo')],
		[
			['--ip-range', '10.0.0.0/33'],
			flag('10.0.0.0/33', 'ip-range', 'invalid string being converted to CIDR: 10.0.0.0/33'),
		],
		[['--label', '=x'], flag('=x', 'label', "invalid label '=x': empty name")],
	] as [string[], string][]) {
		t.is(
			message(() => parseCommandLine(['network', 'create', ...words, 'n'])),
			expected,
		);
	}
});

const bound = (IP: string, PrivatePort: number, PublicPort: number, Type: PortSummary['Type'] = 'tcp') => ({
	IP,
	PrivatePort,
	PublicPort,
	Type,
});

test('ports in lists have the order and the ranges of docker', (t) => {
	// docker's own output for these.
	for (const [ports, expected] of [
		[
			[80, 81, 82].flatMap((port) => [bound('0.0.0.0', port, 7920 + port), bound('::', port, 7920 + port)]),
			'0.0.0.0:8000->80/tcp, [::]:8000->80/tcp, 0.0.0.0:8001->81/tcp, [::]:8001->81/tcp, 0.0.0.0:8002->82/tcp, [::]:8002->82/tcp',
		],
		[
			[
				...[bound('0.0.0.0', 80, 80), bound('::', 80, 80), bound('0.0.0.0', 81, 81), bound('::', 81, 81)],
				...[443, 445].map((PrivatePort) => ({PrivatePort, Type: 'tcp' as const})),
				{PrivatePort: 444, Type: 'udp'},
			],
			'443/tcp, 0.0.0.0:80-81->80-81/tcp, [::]:80-81->80-81/tcp, 445/tcp, 444/udp',
		],
		[
			[
				...[bound('0.0.0.0', 80, 80), bound('0.0.0.0', 90, 90), bound('0.0.0.0', 85, 85, 'udp')],
				...[7, 9, 100].map((PrivatePort) => ({PrivatePort, Type: 'tcp' as const})),
			],
			'7/tcp, 0.0.0.0:80->80/tcp, 9/tcp, 100/tcp, 0.0.0.0:90->90/tcp, 0.0.0.0:85->85/udp',
		],
		[
			[
				...[bound('127.0.0.1', 53, 53, 'udp'), bound('127.0.0.1', 53, 53)],
				...[bound('::1', 54, 54), bound('0.0.0.0', 53, 5353, 'udp')],
			],
			'127.0.0.1:53->53/tcp, 127.0.0.1:53->53/udp, [::1]:54->54/tcp, 0.0.0.0:5353->53/udp',
		],
	] as [PortSummary[], string][]) {
		t.is(displayPorts(ports), expected);
	}
});

test('port prints what docker prints', (t) => {
	const ports = {
		'80/tcp': [
			{HostIp: '0.0.0.0', HostPort: '8080'},
			{HostIp: '::', HostPort: '8080'},
		],
		'443/tcp': null,
		'9/udp': [{HostIp: '127.0.0.1', HostPort: '10'}],
		'100/tcp': [{HostIp: '127.0.0.1', HostPort: '9'}],
	};
	t.deepEqual(portLines(ports, 'x'), [
		'9/udp -> 127.0.0.1:10',
		'80/tcp -> 0.0.0.0:8080',
		'80/tcp -> [::]:8080',
		'100/tcp -> 127.0.0.1:9',
	]);
	t.deepEqual(portLines(ports, 'x', '80'), ['0.0.0.0:8080', '[::]:8080']);
	t.deepEqual(portLines(ports, 'x', '9/udp'), ['127.0.0.1:10']);
	for (const [port, expected] of [
		['80/udp', "Error: No public port '80/udp' published for x"],
		['443', "Error: No public port '443' published for x"],
		['foo', 'Error: invalid port (foo): strconv.ParseUint: parsing "foo": invalid syntax'],
		['70000', 'Error: invalid port (70000): strconv.ParseUint: parsing "70000": value out of range'],
	] as const) {
		t.is(
			message(() => portLines(ports, 'x', port)),
			expected,
		);
	}
});

const network = (Name: string, more: Partial<NetworkRecord> = {}): NetworkRecord => ({
	Name,
	Id: 'ab'.repeat(32),
	Created: '2024-01-02T03:04:05.120000000Z',
	Scope: 'local',
	Driver: 'bridge',
	EnableIPv4: true,
	EnableIPv6: false,
	IPAM: {Driver: 'default', Options: {}, Config: []},
	Internal: false,
	Attachable: false,
	Ingress: false,
	ConfigFrom: {Network: ''},
	ConfigOnly: false,
	Options: {},
	Labels: {a: '1', b: '2'},
	...more,
});

test('network ls has the columns and fields of docker', (t) => {
	const list = [network('bridge'), network('n9', {Internal: true, EnableIPv6: true})];
	const rows = (trunc: boolean) => list.map((each) => networkRow(each, trunc));
	t.is(
		formatList(networkView, rows(true), {format: ''}),
		'NETWORK ID     NAME      DRIVER    SCOPE\nabababababab   bridge    bridge    local\nabababababab   n9        bridge    local\n',
	);
	t.is(
		formatList(networkView, rows(false).slice(1), {format: 'json'}),
		`{"CreatedAt":"2024-01-02 03:04:05.12 +0000 UTC","Driver":"bridge","ID":"${'ab'.repeat(32)}","IPv4":"true","IPv6":"true","Internal":"true","Labels":"a=1,b=2","Name":"n9","Scope":"local"}\n`,
	);
	t.is(
		formatList(networkView, rows(true), {format: 'table {{.ID}} {{.CreatedAt}} {{.IPv6}} {{.Label "a"}}'}),
		'NETWORK ID CREATED AT IPV6 a\nabababababab 2024-01-02 03:04:05.12 +0000 UTC false 1\nabababababab 2024-01-02 03:04:05.12 +0000 UTC true 1\n',
	);
	t.is(
		message(() => formatList(networkView, rows(true), {format: '{{.Nope}}'})),
		'template parsing error: template: :1:2: executing "" at <.Nope>: can\'t evaluate field Nope in type *network.networkContext',
	);
});

test('numbers in names count as numbers', (t) => {
	const names = ['n10', 'n9', 'n', 'a2b10', 'a2b9', 'bridge', 'Z', 'n9x', '10', '9'];
	t.deepEqual(names.toSorted(naturalOrder), [
		'9',
		'10',
		'Z',
		'a2b9',
		'a2b10',
		'bridge',
		'n',
		'n9',
		'n9x',
		'n10',
	]);
});
