import {existsSync, readFileSync} from 'node:fs';
import test from 'ava';
import {initialState} from '../../../src/engine/containers/record.ts';
import {humanDuration, statusText} from '../../../src/engine/containers/status.ts';
import {timestamp} from '../../../src/engine/files.ts';

const oracle = new URL('../../../../shared/reference/oracle/human-duration.jsonl', import.meta.url);

test('durations are rounded as docker rounds them', (t) => {
	const known: {ns: number; s: string}[] = [
		{ns: 0, s: 'Less than a second'},
		{ns: 1e9, s: '1 second'},
		{ns: 59e9, s: '59 seconds'},
		{ns: 90e9, s: 'About a minute'},
		{ns: 3599e9, s: '59 minutes'},
		{ns: 5400e9, s: '2 hours'},
		{ns: 86_400e9, s: '24 hours'},
		{ns: 1_209_600e9, s: '2 weeks'},
		{ns: 5_184_000e9, s: '2 months'},
	];
	const more = existsSync(oracle)
		? readFileSync(oracle, 'utf8')
				.trim()
				.split('\n')
				.map((line) => JSON.parse(line) as {ns: number; s: string})
		: [];
	for (const {ns, s} of [...known, ...more]) t.is(humanDuration(ns / 1e6), s, String(ns));
});

test('a status says how long it has lasted', (t) => {
	const now = 1_700_000_000_000;
	const ago = (seconds: number) => timestamp(BigInt(now - seconds * 1000) * 1_000_000n);
	const text = (state: Partial<typeof initialState>) => statusText({...initialState, ...state}, now);
	t.is(text({}), 'Created');
	t.is(text({status: 'running', startedAt: ago(120)}), 'Up 2 minutes');
	t.is(text({status: 'paused', startedAt: ago(5)}), 'Up 5 seconds (Paused)');
	t.is(text({status: 'restarting', exitCode: 1, finishedAt: ago(5)}), 'Restarting (1) 5 seconds ago');
	t.is(text({status: 'exited', exitCode: 137, finishedAt: ago(7200)}), 'Exited (137) 2 hours ago');
});
