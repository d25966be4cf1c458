import test from 'ava';
import {
	capabilityMask,
	capabilityNames,
	capabilitySet,
	defaultCapabilities,
	kernelCapabilityMask,
	knownMask,
	maskNames,
} from '../../src/runtime/capabilities.ts';

const without = (list: readonly string[], ...names: string[]) =>
	list.filter((name) => !names.includes(name)).sort();
const plus = (list: readonly string[], ...names: string[]) => [...list, ...names].sort();

const cases: [title: string, request: Parameters<typeof capabilitySet>[0], expected: string[]][] = [
	['nothing asked', {}, [...defaultCapabilities].sort()],
	['nulls', {add: null, drop: null}, [...defaultCapabilities].sort()],
	['one added', {add: ['NET_ADMIN']}, plus(defaultCapabilities, 'CAP_NET_ADMIN')],
	[
		'one added with prefix, in small letters',
		{add: ['cap_net_admin']},
		plus(defaultCapabilities, 'CAP_NET_ADMIN'),
	],
	['one added that is there', {add: ['CHOWN', 'chown']}, [...defaultCapabilities].sort()],
	['one dropped', {drop: ['mknod']}, without(defaultCapabilities, 'CAP_MKNOD')],
	['one added and dropped', {add: ['MKNOD'], drop: ['MKNOD']}, [...defaultCapabilities].sort()],
	['all added', {add: ['all']}, [...capabilityNames].sort()],
	['all added, one dropped', {add: ['ALL'], drop: ['SYS_ADMIN']}, without(capabilityNames, 'CAP_SYS_ADMIN')],
	['all dropped', {drop: ['ALL']}, []],
	['all dropped, one added', {add: ['NET_RAW'], drop: ['All']}, ['CAP_NET_RAW']],
	['all added and all dropped', {add: ['ALL'], drop: ['ALL']}, [...capabilityNames].sort()],
	['privileged', {privileged: true, drop: ['ALL']}, [...capabilityNames].sort()],
];
for (const [title, request, expected] of cases) {
	test(`capabilities with ${title}`, (t) => {
		const set = capabilitySet(request);
		t.deepEqual([...set].sort(), expected);
		t.deepEqual(set, maskNames(capabilityMask(set)), 'in the order of their numbers');
	});
}

test("an unknown capability is refused in docker's words", (t) => {
	t.throws(() => capabilitySet({add: ['foo']}), {message: 'invalid CapAdd: unknown capability: "CAP_FOO"'});
	t.throws(() => capabilitySet({drop: ['CAP_bar']}), {
		message: 'invalid CapDrop: unknown capability: "CAP_BAR"',
	});
	t.throws(() => capabilitySet({add: ['']}), {message: 'invalid CapAdd: unknown capability: "CAP_"'});
	t.throws(() => capabilityMask(['CHOWN']), {message: 'unknown capability: "CHOWN"'});
});

test('a mask has a bit for each number', (t) => {
	t.is(capabilityNames.length, 41);
	t.is(capabilityMask([]), 0n);
	t.is(capabilityMask(['CAP_CHOWN', 'CAP_CHECKPOINT_RESTORE']), (1n << 40n) | 1n);
	t.is(capabilityMask(capabilityNames), (1n << 41n) - 1n);
	t.is(capabilityMask(defaultCapabilities), 0xa80425fbn, 'what /proc shows in a default container');
	t.is(knownMask(37), 0x3fffffffffn);
	t.true((kernelCapabilityMask() & 0xa80425fbn) === 0xa80425fbn);
});
