import {spawnSync} from 'node:child_process';
import test, {type ExecutionContext} from 'ava';
import {monitorPath} from '../../src/kernel/locate.ts';
import {encodePlan} from '../../src/runtime/plan/encode.ts';
import {Bench} from './plan-runner.ts';

function bench(t: ExecutionContext): Bench {
	const box = new Bench();
	t.teardown(() => box.remove());
	return box;
}

/** One line for each plan: `ok` or what is wrong. */
function check(box: Bench, plans: readonly Uint8Array[]): {code: number | null; lines: string[]} {
	const result = spawnSync(monitorPath(), ['run-plan', '--check', ...plans.map((plan) => box.save(plan))], {
		encoding: 'utf8',
	});
	return {code: result.status, lines: result.stdout.split('\n').slice(0, -1)};
}

const example = (box: Bench): Buffer =>
	encodePlan({
		...box.plan({argv: ['sh', '-c', 'a \n b'], env: ['PATH=/bin', 'EMPTY='], groups: ['x', '7']}),
		network: [{op: 'netlink', where: 1, protocol: 0, messages: Buffer.from([0, 1, 2, 0, 255]), flags: 1}],
	});

test('what the encoder writes is read, and nothing else', (t) => {
	const box = bench(t);
	const good = example(box);
	const other = Buffer.from(good);
	other.writeUInt32LE(2, 4);
	const twice = Buffer.concat([good.subarray(0, 12), good.subarray(12), good.subarray(12)]);
	twice.writeUInt32LE(2 * good.readUInt32LE(8), 8);
	const {lines} = check(box, [
		good,
		encodePlan({}),
		Buffer.alloc(0),
		Buffer.from('WPLN'),
		good.subarray(0, -1),
		Buffer.concat([good, Buffer.of(0)]),
		other,
		twice,
		encodePlan({init: [{op: 'hostname', name: 'a\0b'}]}),
		encodePlan({init: [{op: 'exec', argv: ['a\0b'], env: []}]}),
	]);
	t.deepEqual(
		lines.map((line) => line.replace(/ \(section.*/, '')),
		[
			'ok',
			'ok',
			'malformed plan: not a plan',
			'malformed plan: another version',
			'malformed plan: cut short',
			'malformed plan: bytes after its end',
			'malformed plan: another version',
			'malformed plan: twice the same section',
			'malformed plan: argument is not what the operation takes',
			'malformed plan: argument is not what the operation takes',
		],
	);
});

test('every beginning of a plan is told from the plan', (t) => {
	const box = bench(t);
	const plan = encodePlan({
		init: [{op: 'exec', argv: ['sh', '-c'], env: ['A=b']}],
		stop: [{op: 'removeFile', path: '/x'}],
	});
	const cuts = Array.from(plan, (_, length) => plan.subarray(0, length));
	const {code, lines} = check(box, cuts);
	t.is(code, 1);
	t.is(lines.length, plan.length);
	t.true(lines.every((line) => line.startsWith('malformed plan: ')));
});

test('damaged plans never crash the decoder', (t) => {
	const box = bench(t);
	const good = example(box);
	// xorshift32, so that a failure can be seen again.
	let state = 0x9e3779b9;
	const random = (below: number): number => {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		return (state >>> 0) % below;
	};
	const values = [0, 1, 4, 0x7f, 0x80, 0xff];
	for (let round = 0; round < 10; round++) {
		const plans = Array.from({length: 200}, () => {
			const plan = Buffer.from(good);
			for (let count = 1 + random(4); count > 0; count--) {
				const at = random(plan.length - 4);
				if (random(3) === 0) plan.writeUInt32LE([0, 1, 0x7fffffff, 0xffffffff, plan.length][random(5)]!, at);
				else plan[at] = random(2) === 0 ? values[random(values.length)]! : random(256);
			}
			return random(4) === 0 ? plan.subarray(0, random(plan.length)) : plan;
		});
		const {code, lines} = check(box, plans);
		t.true(code === 0 || code === 1, `round ${round} ended with ${code}`);
		t.is(lines.length, plans.length);
	}
});
