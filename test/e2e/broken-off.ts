/**
 * Commands about networks that are killed on the way, and what has to be true after the next one. For
 * kill-networks.test.ts.
 */
import {spawn} from 'node:child_process';
import {readdirSync, readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import type {ContainerInspect} from '../../src/engine/api.ts';
import {busybox, eventually, type Namespace, nft, type RemoteEngine} from '../setup/netns.ts';
import {entries, hasCgroup} from './command.ts';

const launcher = new URL('../../src/wherry.sh', import.meta.url).pathname;

export interface Outcome {
	code: number | null;
	stdout: string;
	stderr: string;
}

/** Of a command that goes on: its process, and its end. */
export interface Started {
	pid: number;
	/** Its output may be held by its container: the end of the process counts. */
	end: Promise<Outcome>;
}

const front = {name: 'front', subnets: ['10.99.1.0/24'], ip: '10.99.1.5'};
const back = {name: 'back', subnets: ['10.99.2.0/24'], ip: '10.99.2.5'};
const more = {'80/tcp': [{HostIp: '', HostPort: '8082'}]};
const third = ['--subnet', '10.99.3.0/24', 'third'];
const program = ['nc', '-ll', '-p', '80', '-e', '/bin/echo', 'served'];
const image = ['-v', '/bin/busybox:/bin/busybox:ro', '--stop-timeout', '0', 'wherry/base', '/bin/busybox'];
const onFront = ['--network', front.name, '--ip', front.ip, '-p', '8080:80', '-p', '5353:53/udp'];
const runWeb = (policy: string): string[] => [
	...['run', '-d', '--name', 'web', '--restart', policy, ...onFront, ...image, ...program],
];

/** One kind of command. */
interface Operation {
	/** Brings the host into the state that it needs. */
	before(): Promise<void>;
	args(): string[];
	/** How it may fail when it is repeated, because the killed one was done already. */
	refusal?: RegExp;
	/** What the repeated command failed with undefined: it has been done. Checks, and does what is next. */
	after(refused: boolean): Promise<void>;
}

const text = (path: string): string => {
	try {
		return readFileSync(path, 'utf8');
	} catch {
		return '';
	}
};

function tree(folder: string, skip: RegExp, below = ''): string[] {
	return entries(join(folder, below)).flatMap((name) => {
		const path = join(below, name);
		if (skip.test(path)) return [];
		return [path, ...tree(folder, skip, path)];
	});
}

export class Host {
	readonly faults: string[] = [];
	/** What it is that goes on, for messages. */
	round = '';
	readonly namespace: Namespace;
	readonly engine: RemoteEngine;
	readonly #policy: () => 'always' | 'no';

	/** `policy` chooses a restart policy for a container. */
	constructor(namespace: Namespace, engine: RemoteEngine, policy: () => 'always' | 'no') {
		this.namespace = namespace;
		this.engine = engine;
		this.#policy = policy;
	}

	get #folder(): string {
		return dirname(this.engine.root);
	}

	fault(text: string): void {
		this.faults.push(`${this.round}: ${text}`);
	}

	start(args: readonly string[]): Started {
		const {NODE_OPTIONS: _, ...env} = this.engine.environment;
		const child = spawn('nsenter', [`--net=${this.namespace.path}`, launcher, ...args], {
			env,
			stdio: ['ignore', 'pipe', 'pipe'],
		});
		const outcome: Outcome = {code: null, stdout: '', stderr: ''};
		child.stdout.setEncoding('utf8').on('data', (part) => {
			outcome.stdout += part;
		});
		child.stderr.setEncoding('utf8').on('data', (part) => {
			outcome.stderr += part;
		});
		return {
			pid: child.pid!,
			end: new Promise((resolve, reject) => {
				child.on('error', reject);
				child.on('exit', (code) => {
					const done = () => resolve({...outcome, code});
					child.on('close', done);
					setTimeout(done, 1000).unref();
				});
			}),
		};
	}

	command(...args: string[]): Promise<Outcome> {
		return this.start(args).end;
	}

	/** One that has to succeed. */
	async must(...args: string[]): Promise<string> {
		const {code, stdout, stderr} = await this.command(...args);
		if (code !== 0) this.fault(`"${args.join(' ')}" ended with ${code}: ${stderr.trim()}`);
		return stdout.trim();
	}

	/** The same in the engine that goes on: what is not about the next command, and faster. */
	async quick(method: string, ...args: unknown[]): Promise<void> {
		await this.engine.call(method, ...args).catch((error) => this.fault(`${method}: ${error.message}`));
	}

	async #runWeb(): Promise<void> {
		const options = busybox(program, {
			name: 'web',
			networks: {front: {IPAMConfig: {IPv4Address: front.ip}}},
			hostConfig: {
				NetworkMode: front.name,
				Binds: ['/bin/busybox:/bin/busybox:ro'],
				RestartPolicy: {Name: this.#policy(), MaximumRetryCount: 0},
				PortBindings: {
					'80/tcp': [{HostIp: '', HostPort: '8080'}],
					'53/udp': [{HostIp: '', HostPort: '5353'}],
				},
			},
		});
		await this.engine.startContainer(options).catch((error) => this.fault(`start: ${error.message}`));
	}

	#connect(network: string, ip: string): Promise<void> {
		return this.quick('networks.connect', network, 'web', {IPAMConfig: {IPv4Address: ip}});
	}

	processes(): {pid: number; command: string}[] {
		return readdirSync('/proc')
			.filter((name) => /^\d+$/.test(name))
			.map((pid) => ({pid: Number(pid), command: text(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim()}))
			.filter(({command}) => command.includes(this.#folder));
	}

	killMonitors(): void {
		for (const {pid, command} of this.processes()) {
			if (!command.includes('wherry-monitor')) continue;
			try {
				process.kill(pid, 'SIGKILL');
			} catch {
				// It has ended by itself.
			}
		}
	}

	inspect(name = 'web'): Promise<ContainerInspect> {
		return this.engine.call<ContainerInspect>('containers.inspect', name);
	}

	async isUp(): Promise<boolean> {
		return (await this.inspect().catch(() => undefined))?.State.Running === true;
	}

	/** The program answers on a published port. */
	async served(port = 8080): Promise<void> {
		const ask = async () => {
			const answer = await this.namespace.run('busybox', 'nc', '-w', '2', '127.0.0.1', String(port));
			if (!answer.includes('served')) throw new Error('no answer');
		};
		await eventually(ask, 20_000).catch((error) => this.fault(`port ${port}: ${error.message}`));
	}

	/** The addresses of the interfaces in the container. */
	async addresses(): Promise<string[]> {
		const {State} = await this.inspect();
		const links = JSON.parse(
			await this.namespace.run('nsenter', `--net=/proc/${State.Pid}/ns/net`, 'ip', '-j', '-4', 'addr'),
		) as {ifname: string; addr_info: {local: string}[]}[];
		return links
			.filter(({ifname}) => ifname !== 'lo')
			.flatMap(({addr_info}) => addr_info.map(({local}) => local))
			.sort();
	}

	async expectAddresses(...expected: string[]): Promise<void> {
		const found = await this.addresses();
		if (found.join() !== expected.join()) this.fault(`addresses ${found} instead of ${expected}`);
	}

	/** It runs, on `front` alone, with its two ports. */
	async webOnFront(): Promise<void> {
		for (const {name, subnets} of [front, back]) {
			const networks = await this.engine.call<{Name: string}[]>('networks.list');
			if (!networks.some(({Name}) => Name === name))
				await this.engine.call('networks.create', {name, subnets});
		}
		const web = await this.inspect().catch(() => undefined);
		const {Networks} = (web?.NetworkSettings ?? {Networks: {}}) as {Networks: Record<string, unknown>};
		if (web?.State.Running && Object.keys(Networks).join() === front.name) return;
		if (web) await this.quick('containers.remove', 'web', {force: true});
		await this.#runWeb();
	}

	async withoutWeb(): Promise<void> {
		await this.webOnFront();
		await this.quick('containers.remove', 'web', {force: true});
	}

	/** After the death of its monitor it is down, or has come back by its policy. */
	async webIsUp(): Promise<void> {
		if (!(await this.isUp())) await this.must('start', 'web');
	}

	async #connectedAgain(network: string, ip: string): Promise<void> {
		await this.must('network', 'disconnect', network, 'web');
		await this.must('network', 'connect', '--ip', ip, network, 'web');
	}

	readonly operations: Record<string, Operation> = {
		run: {
			before: () => this.withoutWeb(),
			args: () => runWeb(this.#policy()),
			refusal: /name "\/web" is already in use/,
			after: async (refused) => {
				if (refused) {
					await this.must('rm', '-f', 'web');
					await this.must(...runWeb(this.#policy()));
				}
				await this.served();
			},
		},
		runRm: {
			before: () => this.webOnFront(),
			args: () => ['run', '--rm', '--network', front.name, '-p', '8083:80', ...image, 'sleep', '0.03'],
			// The one before may still be running.
			refusal: /port is already allocated/,
			after: async () => {
				await eventually(async () => {
					const {code, stderr} = await this.command(...this.operations.runRm!.args());
					if (code !== 0) throw new Error(stderr);
				}, 20_000).catch((error) => this.fault(error.message));
			},
		},
		create: {
			before: async () => {},
			args: () => ['network', 'create', ...third],
			refusal: /network with name third already exists/,
			after: () => this.quick('networks.remove', 'third'),
		},
		networkRm: {
			before: async () => {
				await this.engine.call('networks.create', {name: 'third', subnets: ['10.99.3.0/24']});
				const {id} = await this.engine.runContainer(
					busybox(['true'], {hostConfig: {NetworkMode: 'third', Binds: ['/bin/busybox:/bin/busybox:ro']}}),
				);
				await this.quick('containers.remove', id);
			},
			args: () => ['network', 'rm', 'third'],
			refusal: /[Nn]etwork third not found|No such network: third/,
			after: async () => {
				await this.quick('networks.create', {name: 'third', subnets: ['10.99.3.0/24']});
				await this.quick('networks.remove', 'third');
			},
		},
		connect: {
			before: () => this.webOnFront(),
			args: () => ['network', 'connect', '--ip', back.ip, back.name, 'web'],
			refusal: /already exists in network back/,
			after: async (refused) => {
				await this.webIsUp();
				if (refused) await this.#connectedAgain(back.name, back.ip);
				await this.expectAddresses(front.ip, back.ip);
				await this.served();
				await this.quick('networks.disconnect', back.name, 'web');
				await this.expectAddresses(front.ip);
			},
		},
		disconnect: {
			before: async () => {
				await this.webOnFront();
				await this.#connect(back.name, back.ip);
			},
			args: () => ['network', 'disconnect', front.name, 'web'],
			refusal: /is not connected to network front/,
			after: async () => {
				await this.webIsUp();
				await this.expectAddresses(back.ip);
				await this.served();
				await this.#connect(front.name, front.ip);
				await this.quick('networks.disconnect', back.name, 'web');
				await this.served();
			},
		},
		publish: {
			before: () => this.webOnFront(),
			args: () => ['update', '--publish-add', '8082:80', 'web'],
			refusal: /port is already allocated/,
			after: async () => {
				await this.webIsUp();
				await this.served(8082);
				await this.quick('containers.updatePublished', 'web', {remove: more});
			},
		},
		unpublish: {
			before: async () => {
				await this.webOnFront();
				await this.quick('containers.updatePublished', 'web', {add: more});
			},
			args: () => ['update', '--publish-rm', '8082:80', 'web'],
			refusal: /is not published/,
			after: async () => {
				await this.webIsUp();
				await this.quick('containers.updatePublished', 'web', {add: more});
				await this.served(8082);
				await this.quick('containers.updatePublished', 'web', {remove: more});
			},
		},
		stop: {
			before: () => this.webOnFront(),
			args: () => ['stop', '-t', '0', 'web'],
			after: async () => {
				await this.must('start', 'web');
				await this.expectAddresses(front.ip);
				await this.served();
			},
		},
		start: {
			before: async () => {
				await this.webOnFront();
				await this.quick('containers.stop', 'web', {timeout: 0});
			},
			args: () => ['start', 'web'],
			after: () => this.served(),
		},
		restart: {
			before: () => this.webOnFront(),
			args: () => ['restart', '-t', '0', 'web'],
			after: () => this.served(),
		},
		rm: {
			before: () => this.webOnFront(),
			args: () => ['rm', '-f', 'web'],
			refusal: /No such container: web/,
			after: async () => {},
		},
	};

	/** `kill` is given the command and returns when it is over, one way or the other. */
	async breakOff(name: string, kill: (args: readonly string[]) => Promise<void>): Promise<void> {
		const operation = this.operations[name]!;
		await operation.before();
		if (this.faults.length > 0) return;
		const args = operation.args();
		await kill(args);
		const listed = await this.command('ps', '-a', '--format', '{{.Names}} {{.State}} {{.Ports}}');
		if (listed.code !== 0) this.fault(`ps: ${listed.stderr}`);
		if (args.includes('web') && !['run', 'rm', 'start', 'restart'].includes(name)) await this.webIsUp();
		const {code, stderr} = await this.command(...args);
		if (code !== 0 && !operation.refusal?.test(stderr)) this.fault(`again: ${code}: ${stderr.trim()}`);
		if (this.faults.length > 0) return;
		await operation.after(code !== 0);
		await this.#consistent();
	}

	/** What the kernel and the files have is what running containers have. */
	async #consistent(): Promise<void> {
		const {root} = this.engine;
		const look = (): string[] => {
			const wanted = {leases: [] as string[], links: [] as string[], ports: [] as string[]};
			for (const id of entries(join(this.engine.run, 'containers'))) {
				const state = JSON.parse(text(join(root, 'containers', id, 'network.json')) || '{}');
				for (const {peer, ipv4} of state.endpoints ?? []) {
					wanted.links.push(peer);
					wanted.leases.push(ipv4.address);
				}
				for (const {hostIp, hostPort, protocol} of state.ports ?? []) {
					if (hostIp === '0.0.0.0') wanted.ports.push(`${hostPort}/${protocol}`);
				}
			}
			const found = {
				leases: entries(join(root, 'networks')).flatMap((id) =>
					entries(join(root, 'networks', id, 'leases')),
				),
				links: this.namespace
					.ipJson('link')
					.map(({ifname}) => String(ifname))
					.filter((link) => link.startsWith('wh') && link !== 'wherry0'),
				ports: this.namespace
					.ruleset()
					.nftables.flatMap(({map}) => (map?.name === 'published' ? ((map.elem as unknown[]) ?? []) : []))
					.map((element) => {
						const [{concat}] = element as [{concat: [string, number]}];
						return `${concat[1]}/${concat[0]}`;
					}),
			};
			return Object.keys(wanted).flatMap((key) => {
				const [has, should] = [found[key as 'links'].sort().join(), wanted[key as 'links'].sort().join()];
				return has === should ? [] : [`${key}: ${has || 'none'} instead of ${should || 'none'}`];
			});
		};
		// A container that ends by itself needs a moment.
		let different = look();
		for (let attempt = 0; different.length > 0 && attempt < 100; attempt++) {
			await new Promise((resolve) => setTimeout(resolve, 100));
			different = look();
		}
		for (const line of different) this.fault(line);
	}

	/** Everything is taken away. */
	async clear(): Promise<void> {
		await this.must('ps', '-a');
		const ids = (await this.must('ps', '-aq')).split('\n').filter(Boolean);
		if (ids.length > 0) await this.must('rm', '-f', ...ids);
		await this.must('network', 'prune', '-f');
	}

	/** Every trace that containers and networks leave, as lines. */
	async traces(): Promise<string[]> {
		const {root, run} = this.engine;
		const links = this.namespace.ipJson<{ifname: string; addr_info: {local: string}[]}[]>('addr');
		const rules = (await this.namespace.run(nft, 'list', 'ruleset')).replace(
			/counter packets \d+ bytes \d+/g,
			'counter',
		);
		const ids = new Set(
			entries(root)
				.filter((name) => name.startsWith('events'))
				.flatMap((name) => text(join(root, name)).match(/[0-9a-f]{64}/g) ?? []),
		);
		return [
			...links.map(({ifname, addr_info}) => `link ${ifname} ${addr_info.map(({local}) => local).join(' ')}`),
			...this.namespace.ip('route', 'show', 'table', 'all').split('\n'),
			...rules.split('\n'),
			...tree(root, /^(images|layers|ingest|events|cache|build-cache)/).map((path) => `root ${path}`),
			...tree(run, /^(rootfs|boot)/).map((path) => `run ${path}`),
			...text('/proc/self/mountinfo')
				.split('\n')
				.filter((line) => line.includes(this.#folder))
				.map((line) => `mount ${line}`),
			...this.processes().map(({pid, command}) => `process ${pid} ${command}`),
			...[...ids].filter(hasCgroup).map((id) => `cgroup ${id}`),
		];
	}

	/** Takes everything away; what is there that was not there `before`, or the other way round, is a fault. */
	async expectNothingLeft(before: readonly string[]): Promise<void> {
		await this.clear();
		let after = await this.traces();
		const difference = (): string[] => [
			...after.filter((line) => !before.includes(line)).map((line) => `left: ${line}`),
			...before.filter((line) => !after.includes(line)).map((line) => `lost: ${line}`),
		];
		for (let attempt = 0; difference().length > 0 && attempt < 50; attempt++) {
			await new Promise((resolve) => setTimeout(resolve, 100));
			await this.command('ps');
			after = await this.traces();
		}
		for (const line of difference()) this.fault(line);
	}
}
