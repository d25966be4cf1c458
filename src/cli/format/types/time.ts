/** Types of Go's own packages that docker's API is made of. */
import {formatGoDuration} from '../duration.ts';
import {define, extend} from '../template/types.ts';
import {goTimeText} from '../time.ts';

const zeroTime = '0001-01-01T00:00:00Z';

/** A time in JSON is RFC 3339; one that isn't there is Go's zero time. */
const rfc3339 = (data: unknown): string => (typeof data === 'string' && data !== '' ? data : zeroTime);

const milliseconds = (data: unknown): number => Date.parse(rfc3339(data));

define({
	'time.Time': '',
	'time.Duration': '=int64',
	'fs.FileMode': '=uint32',
	'digest.Digest': '=string',
});

extend('time.Time', {
	text: (data) => goTimeText(rfc3339(data)),
	methods: {
		Unix: {params: [], call: (data) => Math.floor(milliseconds(data) / 1000)},
		UnixMilli: {params: [], call: (data) => milliseconds(data)},
		Year: {params: [], call: (data) => Number(rfc3339(data).slice(0, 4))},
		IsZero: {params: [], call: (data) => milliseconds(data) === Date.parse(zeroTime)},
		String: {params: [], call: (data) => goTimeText(rfc3339(data))},
	},
});

extend('time.Duration', {
	text: (data) => formatGoDuration(BigInt(data as number)),
	methods: {
		Seconds: {params: [], call: (data) => Number(data) / 1e9},
		String: {params: [], call: (data) => formatGoDuration(BigInt(data as number))},
	},
});

/** `-rw-r--r--`, of permissions alone. */
extend('fs.FileMode', {
	text: (data) =>
		`-${[...'rwxrwxrwx'].map((letter, at) => (Number(data) & (0o400 >> at) ? letter : '-')).join('')}`,
});

extend('digest.Digest', {text: (data) => String(data)});
