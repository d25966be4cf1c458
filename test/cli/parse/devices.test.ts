import test from 'ava';
import {parseOperationsDevice, parseRateDevice, parseWeightDevice} from '../../../src/cli/parse/block-io.ts';
import {parseGpus} from '../../../src/cli/parse/gpus.ts';

const gpus = (more: object): object => ({
	...{Driver: '', Count: 0, DeviceIDs: null, Capabilities: [['gpu']], Options: {}},
	...more,
});

test('requests for GPUs are read as docker reads them', (t) => {
	t.deepEqual<object, object>(parseGpus('all'), gpus({Count: -1}));
	t.deepEqual<object, object>(parseGpus('2'), gpus({Count: 2}));
	t.deepEqual<object, object>(parseGpus('count=3,driver=nvidia'), gpus({Count: 3, Driver: 'nvidia'}));
	t.deepEqual<object, object>(parseGpus('driver=nvidia'), gpus({Count: 1, Driver: 'nvidia'}));
	t.deepEqual<object, object>(parseGpus('"device=0,GPU-1"'), gpus({DeviceIDs: ['0', 'GPU-1']}));
	t.deepEqual<object, object>(
		parseGpus('all,"capabilities=compute,utility","options=a=b,c"'),
		gpus({Count: -1, Capabilities: [['compute', 'utility', 'gpu']], Options: {a: 'b', c: ''}}),
	);
	for (const [text, message] of [
		['x', 'invalid count (x): value must be either "all" or an integer: invalid syntax'],
		['count=1,count=2', "gpu request key 'count' can be specified only once"],
		['1,count=2', "gpu request key 'count' can be specified only once"],
		['kind=x', "unexpected key 'kind' in 'kind=x'"],
	] as const) {
		t.throws(() => parseGpus(text), {message});
	}
});

test('limits of block devices are read as docker reads them', (t) => {
	t.deepEqual(parseWeightDevice('/dev/a:500'), {Path: '/dev/a', Weight: 500});
	t.deepEqual(parseWeightDevice('/dev/a:0'), {Path: '/dev/a', Weight: 0});
	t.deepEqual(parseRateDevice('/dev/a:1mb'), {Path: '/dev/a', Rate: 1 << 20});
	t.deepEqual(parseRateDevice('/dev/a:7'), {Path: '/dev/a', Rate: 7});
	t.deepEqual(parseOperationsDevice('/dev/a:30'), {Path: '/dev/a', Rate: 30});
	const rate = (text: string): string =>
		`invalid rate for device: ${text}. The correct format is <device-path>:<number>[<unit>]. Number must be a positive integer. Unit is optional and can be kb, mb, or gb`;
	for (const [parse, text, message] of [
		[parseWeightDevice, '/dev/a', 'bad format: /dev/a'],
		[parseWeightDevice, 'dev/a:500', 'bad format for device path: dev/a:500'],
		[parseWeightDevice, '/dev/a:5', 'invalid weight for device: /dev/a:5'],
		[parseWeightDevice, '/dev/a:1001', 'invalid weight for device: /dev/a:1001'],
		[parseWeightDevice, '/dev/a:', 'invalid weight for device: /dev/a:'],
		[parseRateDevice, '/dev/a:-1', rate('/dev/a:-1')],
		[parseRateDevice, '/dev/a:1zb', rate('/dev/a:1zb')],
		[
			parseOperationsDevice,
			'/dev/a:1k',
			'invalid rate for device: /dev/a:1k. The correct format is <device-path>:<number>. Number must be a positive integer',
		],
	] as const) {
		t.throws(() => parse(text), {message});
	}
});
