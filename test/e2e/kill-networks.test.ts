/**
 * kill -9 of commands about networks, of monitors, and of both, at random points: the next command understands
 * and repairs it, and in the end nothing is left. The seed is printed, so that a failure can be looked at again.
 */
import test from 'ava';
import {makeNamespace, nft, startEngine} from '../setup/netns.ts';
import {Host} from './broken-off.ts';
import {random} from './random.ts';

const rounds = Number(process.env.WHERRY_TEST_ROUNDS ?? 64);
/** On a machine that is very slow it may be fewer. */
const longest = Number(process.env.WHERRY_TEST_ROUNDS ? Infinity : 90_000);
const together = 8;

test(`kill -9 at ${rounds} random points of network commands leaves what the next command repairs`, async (t) => {
	t.timeout(20 * 60_000);
	const seed = Number(process.env.WHERRY_TEST_SEED ?? Date.now() % 1_000_000);
	t.log(`seed ${seed}`);
	const next = random(seed);
	const namespace = makeNamespace(t);
	// A host that filters what it forwards, as docker makes it: each bridge needs rules there.
	const filter = 'add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }';
	await namespace.run(nft, `add table ip filter; ${filter}`);
	const engine = await startEngine(t, namespace);
	const host = new Host(namespace, engine, () => (next() < 0.3 ? 'always' : 'no'));
	const names = Object.keys(host.operations);

	/** Milliseconds of each command when nobody kills it; and what is there when nothing runs. */
	const durations: Record<string, number> = {};
	for (const name of names) {
		host.round = name;
		await host.breakOff(name, async (args) => {
			const start = performance.now();
			await host.command(...args);
			durations[name] = performance.now() - start;
		});
	}
	await host.clear();
	const before = await host.traces();
	t.deepEqual(host.faults, [], 'without a kill');

	const started = performance.now();
	let round = 0;
	for (; round < rounds && performance.now() - started < longest && host.faults.length === 0; round++) {
		const name = names[Math.floor(next() * names.length)]!;
		// Node's own start takes the first quarter.
		const at = (0.25 + next() * 0.9) * durations[name]!;
		const chance = next();
		const victim = chance < 0.6 ? 'command' : chance < 0.8 ? 'monitor' : 'both';
		host.round = `round ${round}, ${name}, ${victim} after ${at.toFixed(1)} ms`;
		await host.breakOff(name, async (args) => {
			const command = host.start(args);
			const timer = setTimeout(() => {
				if (victim !== 'command') host.killMonitors();
				if (victim !== 'monitor') process.kill(command.pid, 'SIGKILL');
			}, at);
			await command.end;
			clearTimeout(timer);
		});
		if (round % together === together - 1) await host.expectNothingLeft(before);
	}
	await host.expectNothingLeft(before);
	t.deepEqual(host.faults, []);
	t.true(round > 0);
});
