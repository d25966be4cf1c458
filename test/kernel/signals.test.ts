import {constants} from 'node:os';
import test from 'ava';
import {signalNumbers} from '../../src/kernel/signals.ts';

test('the numbers of signals are those of this machine', (t) => {
	t.deepEqual({...signalNumbers}, {...constants.signals});
});
