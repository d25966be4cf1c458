import test from 'ava';
import {
	assembleDeviceFilter,
	defaultDeviceRules,
	devicePolicy,
	deviceRules,
	deviceRulesV1,
	parseDeviceCgroupRule,
} from '../../../src/runtime/cgroups/device-filter.ts';
import type {LinuxDeviceCgroup} from '../../../src/runtime/oci.ts';
import {runDeviceFilter} from './ebpf-simulator.ts';

const types = {b: 1, c: 2} as const;
const bits: Record<string, number> = {m: 1, r: 2, w: 4};
const accessOf = (letters: string) => [...letters].reduce((sum, letter) => sum | bits[letter]!, 0);

function allowed(rules: readonly LinuxDeviceCgroup[], question: string): boolean {
	const [type, numbers, letters] = question.split(' ') as ['b' | 'c', string, string];
	const [major, minor] = numbers.split(':').map(Number) as [number, number];
	const program = assembleDeviceFilter(rules);
	return runDeviceFilter(program, {type: types[type], access: accessOf(letters), major, minor}) === 1;
}

/** The kernel's v1 list, as its documentation describes it, fed with the writes. */
function allowedV1(rules: readonly LinuxDeviceCgroup[], question: string): boolean {
	const [type, numbers, letters] = question.split(' ') as ['b' | 'c', string, string];
	const [major, minor] = numbers.split(':') as [string, string];
	let byDefault = true;
	const exceptions: {type: string; major: string; minor: string; access: string}[] = [];
	for (const {file, line} of deviceRulesV1(rules)) {
		if (line === 'a') {
			byDefault = file === 'devices.allow';
			exceptions.length = 0;
			continue;
		}
		const [kind, which, access] = line.split(' ') as [string, string, string];
		const [a, b] = which.split(':') as [string, string];
		exceptions.push({type: kind, major: a, minor: b, access});
	}
	const matches = exceptions.filter(
		(one) => one.type === type && ['*', major].includes(one.major) && ['*', minor].includes(one.minor),
	);
	return byDefault
		? !matches.some(({access}) => [...letters].some((letter) => access.includes(letter)))
		: matches.some(({access}) => [...letters].every((letter) => access.includes(letter)));
}

const rule = (allow: boolean, text: string): LinuxDeviceCgroup => ({...parseDeviceCgroupRule(text), allow});

const policies: Record<string, {rules: LinuxDeviceCgroup[]; yes: string[]; no: string[]}> = {
	'a default container': {
		rules: deviceRules({}),
		yes: [
			'c 1:3 rwm',
			'c 1:3 r',
			'c 1:5 rw',
			'c 1:7 w',
			'c 1:8 r',
			'c 1:9 r',
			'c 5:0 rw',
			'c 5:1 rw',
			'c 5:2 rw',
			'c 136:0 rw',
			'c 136:4000 rwm',
			'b 8:0 m',
			'c 10:229 m',
			'b 259:4294967295 m',
		],
		no: [
			'b 8:0 r',
			'b 8:0 w',
			'b 8:0 rw',
			'b 8:0 rm',
			'c 1:1 r',
			'c 1:2 w',
			'c 10:229 r',
			'c 10:200 rw',
			'c 137:0 r',
			'b 1:3 r',
			'c 4294967295:0 r',
		],
	},
	'a privileged container': {
		rules: deviceRules({privileged: true}),
		yes: ['b 8:0 rwm', 'c 1:1 r', 'c 4294967295:4294967295 rwm'],
		no: [],
	},
	'no rules': {rules: [], yes: [], no: ['c 1:3 r', 'c 1:3 m', 'b 8:0 m']},
	'a device given to read': {
		rules: deviceRules({devices: [{type: 'b', major: 8, minor: 1, permissions: 'r'}]}),
		yes: ['b 8:1 r', 'b 8:1 m'],
		no: ['b 8:1 w', 'b 8:1 rw', 'b 8:0 r', 'c 8:1 r'],
	},
	'two rules that together allow': {
		rules: [...defaultDeviceRules, rule(true, 'c 10:200 r'), rule(true, 'c 10:200 w')],
		yes: ['c 10:200 rw', 'c 10:200 r', 'c 10:200 w'],
		no: ['c 10:201 rw'],
	},
	'a rule for all types of a major number': {
		rules: deviceRules({cgroupRules: ['a 7:* rwm']}),
		yes: ['b 7:0 rwm', 'c 7:255 rwm'],
		no: ['b 6:0 r'],
	},
	'a rule that takes one back': {
		rules: [rule(false, 'a *:* rwm'), rule(true, 'c 1:3 rwm'), rule(false, 'c 1:3 w')],
		yes: ['c 1:3 r', 'c 1:3 m', 'c 1:3 rm'],
		no: ['c 1:3 w', 'c 1:3 rw'],
	},
	'all but some': {
		rules: [rule(true, 'a *:* rwm'), rule(false, 'b *:* w'), rule(false, 'c 1:1 rwm')],
		yes: ['b 8:0 r', 'b 8:0 rm', 'c 1:3 rwm'],
		no: ['b 8:0 w', 'b 8:0 rw', 'c 1:1 r', 'c 1:1 m'],
	},
	'a number with the highest bit': {
		rules: [rule(true, 'c 4294967295:2147483648 r')],
		yes: ['c 4294967295:2147483648 r'],
		no: ['c 4294967295:2147483647 r', 'c 4294967294:2147483648 r', 'c 4294967295:2147483648 rw'],
	},
};
for (const [title, {rules, yes, no}] of Object.entries(policies)) {
	test(`${title}: both device filters allow and deny what they should`, (t) => {
		for (const question of yes) {
			t.true(allowed(rules, question), `v2 ${question}`);
			t.true(allowedV1(rules, question), `v1 ${question}`);
		}
		for (const question of no) {
			t.false(allowed(rules, question), `v2 ${question}`);
			t.false(allowedV1(rules, question), `v1 ${question}`);
		}
	});
}

test('both device filters agree on every access to many devices', (t) => {
	for (const {rules} of Object.values(policies)) {
		for (const type of ['b', 'c']) {
			for (const major of [0, 1, 5, 7, 8, 10, 136, 4294967295]) {
				for (const minor of [0, 1, 2, 3, 5, 200, 229, 2147483648]) {
					for (const letters of ['r', 'w', 'm', 'rw', 'rm', 'wm', 'rwm']) {
						const question = `${type} ${major}:${minor} ${letters}`;
						if (allowed(rules, question) !== allowedV1(rules, question)) t.fail(question);
					}
				}
			}
		}
	}
	t.pass();
});

test('an unknown type of device is denied by a default filter', (t) => {
	const program = assembleDeviceFilter(defaultDeviceRules);
	for (const type of [0, 3, 0xffff]) t.is(runDeviceFilter(program, {type, access: 1, major: 1, minor: 3}), 0);
});

test('the writes and the program of a default container', (t) => {
	t.snapshot(deviceRulesV1(deviceRules({devices: [{type: 'c', major: 10, minor: 200, permissions: 'rw'}]})));
	t.snapshot(assembleDeviceFilter(defaultDeviceRules).toString('hex').match(/.{16}/g));
});

test('a full access that is denied last leaves nothing', (t) => {
	t.deepEqual(devicePolicy([rule(true, 'c 1:3 rwm'), {allow: false}]), {
		allowByDefault: false,
		exceptions: [],
	});
});

for (const text of [
	'',
	'c',
	'c 1:3',
	'd 1:3 r',
	'c 1:3 x',
	'c 1:3 rwmm',
	'c 1 r',
	'c -1:3 r',
	'c 1:3  r',
	'c 4294967296:0 r',
	' c 1:3 r',
	'c 1:3 r\n',
]) {
	test(`${JSON.stringify(text)} is no device rule`, (t) => {
		t.throws(() => parseDeviceCgroupRule(text), {message: `invalid device cgroup rule format: '${text}'`});
	});
}
