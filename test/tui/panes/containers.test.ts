import test from 'ava';
import type {PortSummary} from '../../../src/engine/api.ts';
import {portsText} from '../../../src/tui/panes/containers.ts';

const port = (text: string): PortSummary => {
	const [, ip, host, inside, type] = /^(?:(.*):(\d+)->)?(\d+)\/(\w+)$/.exec(text)!;
	return {
		...(ip === undefined ? {} : {IP: ip}),
		...(host === undefined ? {} : {PublicPort: Number(host)}),
		PrivatePort: Number(inside),
		Type: type as PortSummary['Type'],
	};
};

const SHOWN: [ports: string[], text: string][] = [
	[[], ''],
	[['80/tcp'], '80'],
	[['53/udp'], '53/udp'],
	[['0.0.0.0:8080->80/tcp', ':::8080->80/tcp'], '8080→80'],
	[['127.0.0.1:8080->80/tcp'], '127.0.0.1:8080→80'],
	[['::1:8080->80/tcp'], '[::1]:8080→80'],
	[['443/tcp', '0.0.0.0:8080->80/tcp'], '8080→80 443'],
	[['0.0.0.0:8001->81/tcp', '0.0.0.0:8000->80/tcp', '0.0.0.0:8002->82/tcp'], '8000-8002→80-82'],
	[['0.0.0.0:8000->80/tcp', '0.0.0.0:9001->81/tcp'], '8000→80 9001→81'],
	[['0.0.0.0:53->53/tcp', '0.0.0.0:53->53/udp'], '53→53 53→53/udp'],
	[['0.0.0.0:8000->80/tcp', '0.0.0.0:8001->80/tcp'], '8000→80 8001→80'],
	[['80/tcp', '81/tcp', '82/tcp'], '80-82'],
];

for (const [ports, text] of SHOWN) {
	test(`${ports.join(', ') || 'no ports'} is "${text}"`, (t) => {
		t.is(portsText(ports.map(port)), text);
	});
}
