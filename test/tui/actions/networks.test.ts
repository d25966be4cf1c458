import test from 'ava';
import {createCommand, networkLines, readNetworkForm} from '../../../src/tui/actions/networks.ts';
import {selectedContainer, selectedMember, selectedNetwork} from '../../../src/tui/panes/index.ts';
import {busyEngine, container, FakeEngine, network} from '../fake-engine.ts';
import {openUi} from '../harness.ts';

const ESC = '\u001b';
const EMPTY = {
	name: '',
	driver: 'bridge',
	subnet: '',
	gateway: '',
	options: '',
	internal: false,
	ipv6: false,
};

const FORMS: [values: Record<string, string | boolean>, command: string][] = [
	[{name: 'web'}, 'network create web'],
	[{name: ' web ', driver: ''}, 'network create web'],
	[
		{name: 'lan', driver: 'macvlan', options: 'parent=eth0 macvlan_mode=bridge'},
		'network create -d macvlan -o parent=eth0 -o macvlan_mode=bridge lan',
	],
	[
		{name: 'six', subnet: '10.9.0.0/16 fd00:9::/64', gateway: '10.9.0.1', internal: true, ipv6: true},
		'network create --subnet 10.9.0.0/16 --subnet fd00:9::/64 --gateway 10.9.0.1 --internal --ipv6 six',
	],
];

for (const [values, command] of FORMS) {
	test(`the form ${JSON.stringify(values)} is wherry ${command}`, (t) => {
		const request = readNetworkForm({...EMPTY, ...values});
		if (typeof request === 'string') t.fail(request);
		else t.is(createCommand(request).join(' '), command);
	});
}

const WRONG: [values: Record<string, string | boolean>, message: string][] = [
	[{}, 'The name is empty.'],
	[{name: 'x', gateway: '10.9.0.1'}, 'A gateway needs its subnet.'],
	[{name: 'x', options: 'parent'}, 'parent: options are KEY=value.'],
	[{name: 'x', options: '"a'}, 'A quote is not closed.'],
];

for (const [values, message] of WRONG) {
	test(`the form ${JSON.stringify(values)} says ${message}`, (t) => {
		t.is(readNetworkForm({...EMPTY, ...values}), message);
	});
}

test('a network is created by the form, selected, and removed after a question', async (t) => {
	const fake = busyEngine();
	const {store, type} = await openUi(fake);
	await type('3', 'A', 'mine', '\t\t', '10.9.0.0/16', '\t\t\t', ' ', '\r');
	t.deepEqual(fake.calls, ['network create {"name":"mine","subnets":["10.9.0.0/16"],"internal":true}']);
	t.is(store.state.command, 'wherry network create --subnet 10.9.0.0/16 --internal mine');
	t.is(selectedNetwork(store.state)?.Name, 'mine');
	await type('d', '\r', 'd', 'y');
	t.is(fake.calls[1], 'network rm mine');
	t.is(store.state.command, 'wherry network rm mine');
});

test('the networks that every host has are not removed', async (t) => {
	const fake = busyEngine();
	const {store, type} = await openUi(fake);
	await type('3', 'j', 'd');
	t.is(store.state.dialog, undefined);
	t.is(store.state.message?.text, 'Error: bridge is a pre-defined network and cannot be removed');
});

test('a refusal because of its containers says which, and the key that helps', async (t) => {
	const fake = busyEngine();
	const {store, type} = await openUi(fake);
	await type('3', 'd');
	t.like(store.state.dialog, {lines: ['Remove back (bridge)?', 'In use by db, web.']});
	fake.error = Object.assign(new Error('network back has active endpoints (name:"db" id:"00")'), {
		code: 'denied',
	});
	await type('y');
	t.is(store.state.message?.text, 'Error: network back is in use by db, web; U disconnects');
});

test('pruning names what goes, and says when nothing would', async (t) => {
	const fake = busyEngine();
	const {store, type} = await openUi(fake);
	await type('3', 'D');
	t.like(store.state.dialog, {lines: ['No container, running or not, is on these:', '  lan']});
	await type('\r');
	t.deepEqual(fake.calls, []);
	await type('D', 'y');
	t.deepEqual(fake.calls, ['network prune']);
	t.is(store.state.command, 'wherry network prune -f');
	fake.networks = fake.networks.filter(({Name}) => Name !== 'lan');
	await type('D');
	t.is(store.state.message?.text, 'Every network is in use.');
});

test('connecting: a container is chosen by typing, aliases and an address by a form', async (t) => {
	const fake = busyEngine();
	const {store, type} = await openUi(fake);
	const frozen = fake.rows.find(({Names}) => Names[0] === '/frozen')!.Id;
	await type('3', 'C');
	t.deepEqual(store.state.dialog?.kind === 'pick' ? store.state.dialog.items.map(({label}) => label) : [], [
		'frozen',
		'new',
	]);
	await type('fro', '\r', 'ice cold', '\t', '10.213.2.9', '\r');
	t.deepEqual(fake.calls, [
		`network connect back ${frozen} {"Aliases":["ice","cold"],"IPAMConfig":{"IPv4Address":"10.213.2.9"}}`,
	]);
	t.is(store.state.command, 'wherry network connect --alias ice --alias cold --ip 10.213.2.9 back frozen');
	await type('C', `${ESC}[B`, '\r', '\r');
	t.regex(fake.calls[1]!, /^network connect back .* \{\}$/);
	t.is(store.state.command, 'wherry network connect back new');
});

test('Enter takes nothing where nothing matches, and Esc leaves', async (t) => {
	const fake = busyEngine();
	const {store, type} = await openUi(fake);
	await type('3', 'C', 'nobody', '\r');
	t.is(store.state.dialog?.kind, 'pick');
	await type(ESC);
	t.is(store.state.dialog, undefined);
	t.deepEqual(fake.calls, []);
});

test('containers of the host’s own network or another’s are not offered, host and none connect nobody', async (t) => {
	const fake = new FakeEngine();
	fake.rows = [
		container({name: 'a', HostConfig: {NetworkMode: 'host'}}),
		container({name: 'b', HostConfig: {NetworkMode: `container:${'1'.repeat(64)}`}}),
	];
	const {store, type} = await openUi(fake);
	await type('3', 'C');
	t.is(store.state.message?.text, 'No container is left to connect to bridge.');
	await type('j', 'C');
	t.is(store.state.message?.text, "Error: containers can't be connected to host");
});

test('disconnecting asks for the container where there are several, and then whether', async (t) => {
	const fake = busyEngine();
	const {store, type} = await openUi(fake);
	const [web, db] = fake.rows.map(({Id}) => Id);
	await type('3', 'U');
	t.is(store.state.dialog?.kind, 'pick');
	await type('\r', '\r');
	t.deepEqual(fake.calls, []);
	await type('U', '\r', 'y');
	t.deepEqual(fake.calls, [`network disconnect back ${db}`]);
	t.is(store.state.command, 'wherry network disconnect back db');
	// One member: no choice.
	await type('jj', 'U');
	t.like(store.state.dialog, {
		kind: 'confirm',
		lines: ['Disconnect web from front?', 'It gives 10.213.1.2 back.'],
	});
	await type('y');
	t.is(fake.calls[1], `network disconnect front ${web}`);
});

test('members are reached with Enter or 0, leave with U, and lead to their containers', async (t) => {
	const fake = busyEngine();
	const {store, type} = await openUi(fake);
	await type('3', '0');
	t.is(store.state.focus, 'members');
	await type(ESC);
	t.is(store.state.focus, 'networks');
	await type('\r', 'j');
	t.is(selectedMember(store.state)?.container, fake.rows[0]);
	await type('U', 'y');
	t.deepEqual(fake.calls, [`network disconnect back ${fake.rows[0]!.Id}`]);
	store.update((state) => ({...state, hideStopped: true}));
	await type('G', '\r');
	t.is(store.state.focus, 'containers');
	t.is(selectedContainer(store.state)?.Names[0], '/job');
	await type('0');
	t.is(store.state.focus, 'logs');
});

test('the members follow the selected network', async (t) => {
	const {store, type} = await openUi(busyEngine());
	await type('3');
	t.is(selectedMember(store.state)?.endpoint.IPAddress, '10.213.2.2');
	await type('j');
	t.is(selectedMember(store.state), undefined);
	await type('j');
	t.is(selectedMember(store.state)?.endpoint.IPAddress, '10.213.1.2');
});

test('all about a network is what inspect says, in lines', (t) => {
	const lines = networkLines(
		network('x', '10.0.0.0/8', {
			IPAM: {
				Driver: 'default',
				Options: null,
				Config: [
					{
						Subnet: '10.0.0.0/8',
						Gateway: '10.0.0.1',
						IPRange: '10.1.0.0/16',
						AuxiliaryAddresses: {router: '10.0.0.9'},
					},
				],
			},
			Options: {parent: 'eth0'},
		}),
		[],
	);
	t.deepEqual(
		lines.slice(4).map(({name, text}) => `${name} ${text}`.trim()),
		[
			'Subnet 10.0.0.0/8',
			'Gateway 10.0.0.1',
			'Range 10.1.0.0/16',
			'Reserved 10.0.0.9 router',
			'Internal no',
			'IPv6 no',
			'Options',
			'parent=eth0',
		],
	);
});
