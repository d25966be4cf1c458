/** `--change`, in cases as docker 20.10 has been seen to do them with a container that has a command and a PATH. */
import {readFileSync} from 'node:fs';
import test from 'ava';
import type {ImageConfig} from '../../../src/engine/api.ts';
import {applyConfigChanges, keepCommand} from '../../../src/engine/images/config-changes.ts';

/** The changes, separated by bars, and what of the configuration differs, or the error. */
type Case = [changes: string, result: ImageConfig | string];

const cases = JSON.parse(
	readFileSync(new URL('config-changes-cases.json', import.meta.url), 'utf8'),
) as Case[];

const own: ImageConfig = {Cmd: ['sh', '-c', 'x'], Env: ['PATH=/bin'], User: '', Labels: {}, Volumes: null};

const isEmpty = (value: unknown): boolean =>
	value === null ||
	value === '' ||
	value === undefined ||
	(typeof value === 'object' && Object.keys(value).length === 0);

function change(text: string): ImageConfig | string {
	let config: ImageConfig;
	try {
		config = keepCommand(applyConfigChanges(own, text.split('|')), own);
	} catch (error) {
		return (error as Error).message;
	}
	const differing = Object.entries(config).filter(
		([key, value]) => JSON.stringify(value) !== JSON.stringify(own[key as keyof ImageConfig]),
	);
	return Object.fromEntries(differing.filter(([key, value]) => !isEmpty(value) || key === 'Cmd'));
}

test('changes of a configuration are docker’s', (t) => {
	for (const [text, result] of cases) t.deepEqual(change(text), result, JSON.stringify(text));
});

test('a stop signal and a shell of the image count, and nothing that is given is changed', (t) => {
	t.deepEqual(change('STOPSIGNAL SIGUSR1'), {StopSignal: 'SIGUSR1'});
	t.is(change('STOPSIGNAL SIGNOPE'), 'Invalid signal: SIGNOPE');
	t.deepEqual(applyConfigChanges({Shell: ['/bin/bash', '-lc']}, ['CMD a b']).Cmd, [
		'/bin/bash',
		'-lc',
		'a b',
	]);
	t.is(own.Cmd?.length, 3);
	t.is(applyConfigChanges(own, []), own);
});
