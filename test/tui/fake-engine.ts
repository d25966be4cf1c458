/**
 * An engine for frames and keys: it holds rows and remembers what it was asked for. What the real engine does
 * is tested with the real engine (ui.e2e.test.ts).
 */
import type {ContainerSummary, Engine, EngineEvent, ImageSummary, LogEntry} from '../../src/engine/api.ts';
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

export class FakeEngine {
	rows: ContainerSummary[] = [];
	images: ImageSummary[] = [];
	logs = new Map<string, LogEntry[]>();
	/** `stop <id>` and so on. */
	calls: string[] = [];
	/** How often everything was read. */
	fullReads = 0;
	error: Error | undefined;
	#wake: (() => void) | undefined;
	#queue: (EngineEvent[] | {gap: true})[] = [];

	emit(...events: {Type?: EngineEvent['Type']; Action: string; id: string}[]): void {
		this.#push(
			events.map(({Type = 'container', Action, id}) => ({
				Type,
				Action,
				Actor: {ID: id, Attributes: {}},
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
			remove: async (reference: string) => {
				await done('rmi', reference);
				return [{Untagged: reference}];
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
		const events = {
			async *stream({signal}: {signal?: AbortSignal} = {}) {
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
			events,
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
			Ports: [{PrivatePort: 80, PublicPort: 8080, Type: 'tcp'}],
		}),
		container({
			name: 'db',
			Image: 'postgres:16',
			State: 'running',
			Status: 'Up 2 hours (healthy)',
			StartedAt: NOW - 7200,
			Created: NOW - 7300,
		}),
		container({
			name: 'job',
			State: 'exited',
			Status: 'Exited (137) 5 minutes ago',
			FinishedAt: NOW - 300,
			Created: NOW - 7400,
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
	const web = fake.rows[0]!.Id;
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
