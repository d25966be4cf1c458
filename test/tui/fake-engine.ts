/**
 * An engine for frames and keys: it holds rows and remembers what it was asked for. What the real engine does
 * is tested with the real engine (ui.test.ts).
 */
import type {
	BuildRecord,
	ContainerProcesses,
	ContainerStats,
	ContainerSummary,
	EndpointSettings,
	Engine,
	EngineEvent,
	FileChange,
	ImageSummary,
	LogEntry,
	NetworkCreateOptions,
	NetworkRecord,
	VolumeSummary,
} from '../../src/engine/api.ts';
import {analyseLayers} from '../../src/engine/images/layer-files.ts';
import {emptyNetwork} from '../../src/engine/networks/record.ts';
import {Paths} from '../../src/engine/paths.ts';

export const NOW = 1_800_000_000;

export function container(change: Partial<ContainerSummary> & {name: string}): ContainerSummary {
	const {name, ...rest} = change;
	return {
		Id: Buffer.from(name.padEnd(32, '.')).toString('hex').slice(0, 64),
		Names: [`/${name}`],
		Image: 'alpine:3.20',
		ImageID: `sha256:${'ab'.repeat(32)}`,
		Command: 'sh',
		Created: NOW - 3600,
		Ports: [],
		Labels: {},
		State: 'running',
		Status: 'Up 3 minutes',
		StartedAt: NOW - 180,
		HostConfig: {NetworkMode: 'none'},
		NetworkSettings: {Networks: {}},
		Mounts: [],
		...rest,
	};
}

export function image(change: Partial<ImageSummary>): ImageSummary {
	return {
		Id: `sha256:${'cd'.repeat(32)}`,
		RepoTags: ['alpine:3.20'],
		RepoDigests: [],
		Created: NOW - 86_400 * 20,
		Size: 7_800_000,
		Labels: null,
		Containers: 0,
		...change,
	};
}

const idOf = (name: string): string => Buffer.from(name.padEnd(32, '.')).toString('hex').slice(0, 64);

export function network(name: string, subnet: string, change: Partial<NetworkRecord> = {}): NetworkRecord {
	return {
		...emptyNetwork(name, idOf(name)),
		IPAM: {Driver: 'default', Options: null, Config: subnet === '' ? [] : [{Subnet: subnet}]},
		...change,
	};
}

/** What a container's row says of a network that it is on; no address while it isn't up. */
export function endpoint(address: string, change: object = {}): Record<string, unknown> {
	return {
		IPAMConfig: null,
		Links: null,
		Aliases: null,
		NetworkID: '',
		EndpointID: '',
		Gateway: '',
		IPAddress: address,
		MacAddress: address === '' ? '' : '02:42:0a:d5:00:02',
		IPPrefixLen: address === '' ? 0 : 24,
		IPv6Gateway: '',
		GlobalIPv6Address: '',
		GlobalIPv6PrefixLen: 0,
		DNSNames: null,
		...change,
	};
}

export function volume(change: Partial<VolumeSummary> & {Name: string}): VolumeSummary {
	return {
		Driver: 'local',
		Mountpoint: `/var/lib/wherry/volumes/${change.Name}/_data`,
		Labels: null,
		Options: null,
		Scope: 'local',
		CreatedAt: new Date((NOW - 7200) * 1000).toISOString(),
		...change,
	};
}

/** A sample; the same numbers give the same bytes each second. */
export function stats(
	id: string,
	second: number,
	change: {cpu?: number; memory?: number} = {},
): ContainerStats {
	const {cpu = 10, memory = 50 << 20} = change;
	const usage = (total: number) => ({
		cpu_usage: {total_usage: total, usage_in_kernelmode: 0, usage_in_usermode: total},
		system_cpu_usage: total === 0 ? 0 : 1e9,
		online_cpus: 2,
		throttling_data: {periods: 0, throttled_periods: 0, throttled_time: 0},
	});
	const io = (op: string, value: number) => ({major: 8, minor: 0, op, value});
	return {
		id,
		name: '/x',
		read: new Date((NOW + second) * 1000).toISOString(),
		preread: new Date((NOW + second - 1) * 1000).toISOString(),
		num_procs: 0,
		pids_stats: {current: 3 + (second % 5), limit: 100},
		cpu_stats: usage(cpu * 5e6),
		precpu_stats: usage(0),
		memory_stats: {usage: memory, limit: 512 << 20, stats: {}},
		blkio_stats: {
			io_service_bytes_recursive: [io('Read', second * 4000), io('Write', second * second * 100)],
			io_serviced_recursive: null,
		},
		networks: {
			eth0: {
				...{rx_bytes: second * 1500, rx_packets: 0, rx_errors: 0, rx_dropped: 0},
				...{tx_bytes: second * 90_000, tx_packets: 0, tx_errors: 0, tx_dropped: 0},
			},
		},
	};
}

const BUILT_IN = [
	network('bridge', '10.213.0.0/24'),
	network('host', '', {Driver: 'host'}),
	network('none', '', {Driver: 'null'}),
];

export class FakeEngine {
	rows: ContainerSummary[] = [];
	images: ImageSummary[] = [];
	networks: NetworkRecord[] = [...BUILT_IN];
	volumes: VolumeSummary[] = [];
	/** By container. */
	processes = new Map<string, ContainerProcesses>();
	changes = new Map<string, FileChange[]>();
	samples: ContainerStats[][] = [];
	/** What `inspect` of a container says, when it isn't made of its row. */
	inspected: Record<string, unknown> | undefined;
	/** Of `inspect`, `top` and `changes`. */
	detailError: Error | undefined;
	logs = new Map<string, LogEntry[]>();
	builds: BuildRecord[] = [];
	layers: Parameters<typeof analyseLayers>[0] = [];
	/** Ids of images whose layers were asked for. */
	layersRead: string[] = [];
	/** `stop <id>` and so on. */
	calls: string[] = [];
	/** How often everything was read. */
	fullReads = 0;
	/** Nanoseconds since the epoch: since when events were asked for. */
	followedFrom: bigint | undefined;
	error: Error | undefined;
	#wake: (() => void) | undefined;
	#queue: (EngineEvent[] | {gap: true})[] = [];

	emit(...events: {Type?: EngineEvent['Type']; Action: string; id: string; container?: string}[]): void {
		this.#push(
			events.map(({Type = 'container', Action, id, container}) => ({
				Type,
				Action,
				Actor: {ID: id, Attributes: {...(container === undefined ? {} : {container})}},
				scope: 'local',
				time: NOW,
				timeNano: BigInt(Date.now()) * 1_000_000n,
			})),
		);
	}

	gap(): void {
		this.#push({gap: true});
	}

	#push(batch: EngineEvent[] | {gap: true}): void {
		this.#queue.push(batch);
		this.#wake?.();
	}

	get engine(): Engine {
		const done = async (...words: string[]): Promise<void> => {
			this.calls.push(words.join(' '));
			if (this.error) throw this.error;
		};
		const self = this;
		const containers = {
			create: async (options: {image: string; name?: string; config?: {Cmd?: string[] | null}}) => {
				await done(
					'create',
					options.image,
					...(options.name ? [options.name] : []),
					...(options.config?.Cmd ?? []),
				);
				const row = container({
					name: options.name ?? 'fresh',
					Image: options.image,
					State: 'created',
					Status: 'Created',
				});
				this.rows.push(row);
				return {id: row.Id, warnings: []};
			},
			start: (id: string) => done('start', id),
			stop: (id: string) => done('stop', id),
			restart: (id: string) => done('restart', id),
			kill: (id: string, signal: string) => done('kill', id, signal),
			pause: (id: string) => done('pause', id),
			unpause: (id: string) => done('unpause', id),
			rename: (id: string, name: string) => done('rename', id, name),
			remove: (id: string, {force, volumes}: {force: boolean; volumes: boolean}) =>
				done('remove', id, ...(force ? ['force'] : []), ...(volumes ? ['volumes'] : [])),
			inspect: async (id: string) => {
				if (self.detailError) throw self.detailError;
				if (self.inspected) return self.inspected;
				const row = self.rows.find(({Id}) => Id === id)!;
				return {
					Id: id,
					Name: row.Names[0],
					State: {Status: row.State, Running: row.State === 'running', ExitCode: 0, Error: ''},
					Config: {Image: row.Image, Env: ['PATH=/bin', 'GREETING=a=b', 'EMPTY='], Labels: {}, Tty: false},
					HostConfig: {Binds: ['data:/data', '/srv:/srv:ro'], Memory: 0},
					Mounts: row.Mounts,
				};
			},
			top: async (id: string) => {
				if (self.detailError) throw self.detailError;
				return self.processes.get(id) ?? {Titles: [], Processes: []};
			},
			changes: async (id: string) => {
				if (self.detailError) throw self.detailError;
				return self.changes.get(id) ?? [];
			},
			async *stats(_: string[] | undefined, {signal, stream}: {signal?: AbortSignal; stream?: boolean} = {}) {
				for (const batch of self.samples) yield batch;
				if (stream === false) return;
				await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve()));
			},
			list: async ({filters}: {filters?: {id?: string[]}} = {}) => {
				if (!filters) self.fullReads++;
				return self.rows.filter((row) => !filters?.id || filters.id.includes(row.Id));
			},
			async *logs(id: string) {
				const entries = self.logs.get(id) ?? [];
				if (entries.length > 0) yield entries;
			},
		};
		const images = {
			list: async () => this.images,
			inspect: async (id: string) => ({...this.images.find(({Id}) => Id === id), Config: {Cmd: ['sh']}}),
			remove: async (reference: string) => {
				await done('rmi', reference);
				return [{Untagged: reference}];
			},
			previewRemoval: async (references: readonly string[]) => ({
				ImagesDeleted: references.map((reference) => ({Deleted: reference})),
				SpaceReclaimed: 15_000_000,
				failures: [],
			}),
			layers: async (id: string) => {
				self.layersRead.push(id);
				return {id, ...analyseLayers(self.layers)};
			},
			tag: (reference: string, target: string) => done('tag', reference, target),
			pull: async (reference: string) => {
				await done('pull', reference);
				return {id: 'x', digest: 'x', reference, changed: true};
			},
			ensureBase: async () => {
				await done('ensureBase');
				return 'x';
			},
		};
		const networks = {
			list: async ({filters}: {filters?: {dangling?: string[]}} = {}) => {
				if (!filters?.dangling) return self.networks;
				const used = new Set(self.rows.flatMap((row) => Object.keys(row.NetworkSettings.Networks)));
				return self.networks.filter((one) => !used.has(one.Name) && !BUILT_IN.includes(one));
			},
			inspect: async (name: string) => ({...self.networks.find(({Name}) => Name === name), Containers: {}}),
			create: async (options: NetworkCreateOptions) => {
				const {name, subnets = []} = options;
				await done('network create', JSON.stringify(options));
				const made = network(name, subnets.join(' '));
				self.networks = [...self.networks, made].sort((a, b) => (a.Name < b.Name ? -1 : 1));
				return {id: made.Id, warnings: []};
			},
			remove: (name: string) => done('network rm', name),
			prune: async () => {
				await done('network prune');
				return {NetworksDeleted: ['x']};
			},
			connect: (name: string, id: string, settings?: EndpointSettings) =>
				done('network connect', name, id, JSON.stringify(settings)),
			disconnect: (name: string, id: string) => done('network disconnect', name, id),
		};
		const volumes = {
			list: async () => self.volumes,
			inspect: async (name: string) => self.volumes.find(({Name}) => Name === name),
			create: async (options: object) => {
				await done('volume create', JSON.stringify(options));
				const made = volume({Name: (options as {name?: string}).name ?? 'made-up'});
				self.volumes = [...self.volumes, made];
				return made;
			},
			remove: (name: string) => done('volume rm', name),
			prune: async ({filters}: {filters?: object} = {}) => {
				await done('volume prune', JSON.stringify(filters));
				return {VolumesDeleted: ['x', 'y'], SpaceReclaimed: 12_000};
			},
		};
		const events = {
			async *stream({signal, since, until}: {signal?: AbortSignal; since?: bigint; until?: bigint} = {}) {
				if (until !== undefined) return;
				self.followedFrom = since;
				signal?.addEventListener('abort', () => self.#wake?.());
				while (!signal?.aborted) {
					const batch = self.#queue.shift();
					if (batch) yield batch;
					else
						await new Promise<void>((resolve) => {
							self.#wake = resolve;
						});
				}
			},
		};
		return {
			paths: new Paths('/nowhere', '/nowhere'),
			containers,
			images,
			networks,
			volumes,
			events,
			builds: {
				list: async () => this.builds,
				cancel: async (id: string) => void this.calls.push(`cancel ${id}`),
				remove: async (id: string) => void this.calls.push(`remove ${id}`),
				follow: async function* (this: {list(): Promise<BuildRecord[]>}) {
					yield await this.list();
				},
			},
			buildCache: async () => [
				{
					Id: 'sha256:aa',
					Description: 'RUN make',
					Size: 12_000_000,
					Shared: false,
					CreatedAt: '',
					LastUsedAt: (NOW - 600) * 1000,
				},
				{
					Id: 'sha256:bb',
					Description: 'COPY . /app',
					Size: 3000,
					Shared: true,
					CreatedAt: '',
					LastUsedAt: (NOW - 900) * 1000,
				},
			],
			/** Goes on until it is given up. */
			build: ({signal}: {signal?: AbortSignal}) =>
				new Promise((_, reject) => {
					signal?.addEventListener('abort', () => reject(new Error('cancelled')));
				}),
			close: async () => {},
		} as unknown as Engine;
	}
}

/** A state with something of everything. */
export function busyEngine(): FakeEngine {
	const fake = new FakeEngine();
	fake.rows = [
		container({
			name: 'web',
			Image: 'nginx:1.27',
			Command: "nginx -g 'daemon off;'",
			Ports: [
				{IP: '0.0.0.0', PrivatePort: 80, PublicPort: 8080, Type: 'tcp'},
				{IP: '::', PrivatePort: 80, PublicPort: 8080, Type: 'tcp'},
			],
			HostConfig: {NetworkMode: 'front'},
			NetworkSettings: {
				Networks: {
					front: endpoint('10.213.1.2', {Aliases: ['www'], DNSNames: ['web', '7765622e2e2e', 'www']}),
					back: endpoint('10.213.2.3'),
				},
			},
		}),
		container({
			name: 'db',
			Image: 'postgres:16',
			State: 'running',
			Status: 'Up 2 hours (healthy)',
			StartedAt: NOW - 7200,
			Created: NOW - 7300,
			Ports: [{PrivatePort: 5432, Type: 'tcp'}],
			HostConfig: {NetworkMode: 'back'},
			NetworkSettings: {
				Networks: {
					back: endpoint('10.213.2.2', {GlobalIPv6Address: 'fd00:213::2', GlobalIPv6PrefixLen: 64}),
				},
			},
		}),
		container({
			name: 'job',
			State: 'exited',
			Status: 'Exited (137) 5 minutes ago',
			FinishedAt: NOW - 300,
			Created: NOW - 7400,
			HostConfig: {NetworkMode: 'back'},
			NetworkSettings: {Networks: {back: endpoint('')}},
		}),
		container({name: 'frozen', State: 'paused', Status: 'Up 3 minutes (Paused)', Created: NOW - 7500}),
		container({name: 'new', State: 'created', Status: 'Created', Created: NOW - 7600}),
	];
	fake.images = [
		image({
			RepoTags: ['nginx:1.27', 'nginx:latest'],
			Id: `sha256:${'11'.repeat(32)}`,
			Size: 187_000_000,
			Containers: 1,
		}),
		image({
			RepoTags: ['wherry/base:latest'],
			Id: `sha256:${'22'.repeat(32)}`,
			Size: 4_200_000,
			Created: NOW - 60,
		}),
		image({RepoTags: [], Id: `sha256:${'33'.repeat(32)}`, Size: 1_000}),
	];
	fake.networks = [
		network('back', '10.213.2.0/24', {
			EnableIPv6: true,
			Internal: true,
			IPAM: {
				Driver: 'default',
				Options: null,
				Config: [
					{Subnet: '10.213.2.0/24', Gateway: '10.213.2.1'},
					{Subnet: 'fd00:213::/64', Gateway: 'fd00:213::1'},
				],
			},
			Labels: {tier: 'back'},
		}),
		BUILT_IN[0]!,
		network('front', '10.213.1.0/24'),
		BUILT_IN[1]!,
		network('lan', '192.168.7.0/24', {Driver: 'macvlan', Options: {parent: 'eth0'}}),
		BUILT_IN[2]!,
	];
	const web = fake.rows[0]!.Id;
	const mount = (Name: string, Destination: string, RW: boolean) =>
		({
			Type: 'volume',
			Name,
			Source: '',
			Destination,
			Driver: 'local',
			Mode: '',
			RW,
			Propagation: '',
		}) as const;
	fake.rows[0]!.Mounts = [mount('site', '/usr/share/nginx/html', false)];
	fake.rows[1]!.Mounts = [mount('pgdata', '/var/lib/postgresql/data', true), mount('site', '/site', true)];
	fake.volumes = [
		volume({Name: 'e'.repeat(64), Labels: {'com.docker.volume.anonymous': ''}}),
		volume({Name: 'pgdata', Labels: {keep: 'yes'}}),
		volume({Name: 'scratch', Options: {type: 'tmpfs', device: 'tmpfs', o: 'size=100m'}}),
		volume({Name: 'site', CreatedAt: new Date((NOW - 60) * 1000).toISOString()}),
	];
	fake.processes.set(web, {
		Titles: ['PID'],
		Processes: [
			['4285', '4280', 'root', 'Ss', '0.3', '0.1', '5120', '1', '00:00:01', 'nginx: master process nginx'],
			['4290', '4285', 'nginx', 'R', '61.0', '1.2', '204800', '4', '01:02:03', 'nginx: worker process'],
			['4291', '4285', 'nginx', 'S', '0.0', '0.2', '10240', '4', '1-00:00:00', 'nginx: cache manager'],
		],
	});
	fake.changes.set(web, [
		{Kind: 0, Path: '/var/cache'},
		{Kind: 1, Path: '/var/cache/nginx'},
		{Kind: 1, Path: '/run/nginx.pid'},
		{Kind: 2, Path: '/etc/nginx/conf.d/default.conf'},
	]);
	fake.samples = Array.from({length: 90}, (_, second) => [
		stats(web, second, {
			cpu: 40 + 35 * Math.sin(second / 7),
			memory: (100 << 20) + (second << 20) * 2,
		}),
		stats(fake.rows[1]!.Id, second, {cpu: 180, memory: 310 << 20}),
	]);
	fake.logs.set(
		web,
		Array.from({length: 40}, (_, index) => ({
			stream: index % 7 === 6 ? ('stderr' as const) : ('stdout' as const),
			time: new Date((NOW - 40 + index) * 1000).toISOString(),
			line: `GET /page/${index} 200\n`,
		})),
	);
	return fake;
}
