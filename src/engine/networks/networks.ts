/** The networks of an engine. Each operation is a module of its own, loaded when it is first used. */
import type {
	EndpointSettings,
	Filters,
	NetworkCreateOptions,
	NetworkInspect,
	NetworkRecord,
	Networks,
} from '../api.ts';
import type {EngineContext} from '../containers/context.ts';

export class LocalNetworks implements Networks {
	readonly #context: EngineContext;

	constructor(context: EngineContext) {
		this.#context = context;
	}

	async create(options: NetworkCreateOptions): Promise<{id: string; warnings: string[]}> {
		return (await import('./create.ts')).createNetwork(this.#context, options);
	}

	async list(options: {filters?: Filters} = {}): Promise<NetworkRecord[]> {
		return (await import('./list.ts')).listNetworks(this.#context, options.filters ?? {});
	}

	async inspect(network: string): Promise<NetworkInspect> {
		return (await import('./list.ts')).inspectNetwork(this.#context, network);
	}

	async remove(network: string, options: {force?: boolean} = {}): Promise<void> {
		return (await import('./remove.ts')).removeNetwork(this.#context, network, options);
	}

	async prune(options: {filters?: Filters} = {}): Promise<{NetworksDeleted: string[]}> {
		return (await import('./remove.ts')).pruneNetworks(this.#context, options.filters ?? {});
	}

	async connect(network: string, container: string, settings: EndpointSettings = {}): Promise<void> {
		return (await import('./connect.ts')).connectContainer(this.#context, network, container, settings);
	}

	async disconnect(network: string, container: string, options: {force?: boolean} = {}): Promise<void> {
		return (await import('./connect.ts')).disconnectContainer(this.#context, network, container, options);
	}
}
