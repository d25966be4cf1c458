import test from 'ava';
import {foreignFailure, runsArchitecture} from '../../../src/engine/build/foreign.ts';
import {hostPlatform} from '../../../src/engine/images/platform.ts';

/** As the kernel tells a registration. */
const registration = (flags: string, magic: string, state = 'enabled'): string =>
	`${state}\ninterpreter /usr/libexec/qemu-binfmt/x\nflags: ${flags}\noffset 0\nmagic ${magic}\nmask ffffffffffffff00fffffffffffffffffeffffff\n`;

const arm64 = '7f454c460201010000000000000000000200b700';
const arm = '7f454c4601010100000000000000000002002800';
const s390x = '7f454c4602020100000000000000000000020016';

test('an interpreter counts that is for the processor, enabled, and opened when it was registered', (t) => {
	t.true(runsArchitecture([registration('OCF', arm), registration('F', arm64)], 'arm64'));
	t.true(runsArchitecture([registration('POCF', s390x)], 's390x'));
	for (const [flags, magic, state] of [
		['OC', arm64],
		['OCF', arm],
		['OCF', s390x],
		['OCF', arm64, 'disabled'],
		['F', '7f454c46'],
	] as const)
		t.false(runsArchitecture([registration(flags, magic, state)], 'arm64'), `${flags} ${magic} ${state}`);
	t.false(runsArchitecture(['enabled\ninterpreter /usr/bin/python3\nflags: F\nextension .py\n'], 'arm64'));
	t.false(runsArchitecture([registration('F', arm64)], 'unheard'));
});

test('what fails on this host’s own platform fails for its own reasons', (t) => {
	t.is(foreignFailure(hostPlatform(), new Error('x')), undefined);
	t.is(foreignFailure({os: 'linux', architecture: 'unheard'}, new Error('x'))?.code, 'unsupported');
	t.regex(
		foreignFailure({os: 'windows', architecture: 'amd64'}, new Error('x'))!.message,
		/it is for windows$/,
	);
});
