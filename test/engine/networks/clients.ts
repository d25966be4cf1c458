/** Clients and servers of the tests of published ports. */
import {readdirSync, readFileSync} from 'node:fs';
import type {ExecutionContext} from 'ava';
import {busybox, makeNamespace, type RemoteEngine, startEngine} from '../../setup/netns.ts';

export const server = ['nc', '-ll', '-p', '80', '-e', '/bin/sh', '-c', 'echo served'];
export const binds = ['/bin/busybox:/bin/busybox:ro'];
type Bindings = Record<string, {HostIp: string; HostPort: string}[]>;
export const publishing = (bindings: Bindings, argv = server) =>
	busybox(argv, {hostConfig: {Binds: binds, PortBindings: bindings}});
export const port = (hostIp: string, hostPort: number): Bindings => ({
	'80/tcp': [{HostIp: hostIp, HostPort: String(hostPort)}],
});

export async function setUp(t: ExecutionContext) {
	const host = makeNamespace(t);
	return {host, engine: await startEngine(t, host)};
}

/** A client: family, address, port, and the address that it is bound to, if it is. What it has at its ends. */
const client = `
import json, socket, sys
family, address, port, bound = sys.argv[1:]
s = socket.socket(socket.AF_INET6 if family == '6' else socket.AF_INET)
s.settimeout(5)
if bound: s.bind((bound, 0))
s.connect((address, int(port)))
print(json.dumps({'from': s.getsockname()[0], 'to': list(s.getpeername()[:2]), 'answer': s.recv(100).decode().strip()}))
`;
interface Seen {
	from: string;
	to: [string, number];
	answer: string;
}
export const asks = async (
	host: Pick<ReturnType<typeof makeNamespace>, 'run'>,
	address: string,
	at: number,
	options: {family?: 4 | 6; bound?: string} = {},
): Promise<Seen> => {
	const {family = 4, bound = ''} = options;
	return JSON.parse(
		await host.run('python3', '-c', client, String(family), address, String(at), bound),
	) as Seen;
};
export const gatewayOf = async (engine: RemoteEngine, id: string): Promise<string> =>
	(await engine.call<{NetworkSettings: {Gateway: string}}>('containers.inspect', id)).NetworkSettings.Gateway;

/** The links by which a monitor holds the programs at the top of cgroup v2. */
export function linksOf(engine: RemoteEngine, id: string): string[] {
	const {monitorPid} = JSON.parse(readFileSync(`${engine.root}/containers/${id}/state.json`, 'utf8'));
	return readdirSync(`/proc/${monitorPid}/fdinfo`)
		.map((fd) => readFileSync(`/proc/${monitorPid}/fdinfo/${fd}`, 'utf8'))
		.filter((text) => text.includes('link_type:\tcgroup'))
		.map((text) => /link_id:\t(\d+)/.exec(text)![1]!)
		.sort();
}
