/** What is in registries, and lists that are put together for them. */

export interface ListPlatform {
	architecture: string;
	os: string;
	'os.version'?: string;
	'os.features'?: string[];
	variant?: string;
}

/** A manifest or an index, byte for byte as its registry has it. */
export interface RegistryDocument {
	/** In full. */
	name: string;
	mediaType: string;
	digest: string;
	bytes: Buffer;
}

export interface CombineOptions {
	/** Names that the result gets, the first one's repository first. */
	tags: readonly string[];
	/** Manifests of the first name's repository. */
	descriptors: readonly {digest: string}[];
	/** What the first name means already comes first. */
	append: boolean;
	/** Only these, `os/architecture[/variant]`; empty: all. */
	platforms: readonly string[];
	/** `index:KEY` or `manifest-descriptor[PLATFORM]:KEY`. */
	annotations: Readonly<Record<string, string>>;
	/** A manifest alone becomes an index of one. */
	preferIndex: boolean;
	/** Nothing is pushed. */
	dryRun: boolean;
	onProgress?: (text: string) => void;
}

/** Images of registries that are not fetched. */
export interface RegistryImages {
	read(reference: string): Promise<RegistryDocument>;
	/** Configurations of images by their platforms. */
	configurations(reference: string): Promise<Record<string, object>>;
	/** Makes an index of images, or copies one, and pushes it. */
	combine(sources: readonly string[], options: CombineOptions): Promise<RegistryDocument>;
}

/** One manifest of a list, as docker's `manifest inspect --verbose` shows it. */
export interface ManifestEntry {
	/** In full: `docker.io/library/x:1`. */
	Ref: string;
	Descriptor: {mediaType: string; digest: string; size: number; platform?: ListPlatform};
	/** base64; empty when only what the list says was asked for. */
	Raw: string;
}

export interface ManifestList {
	entries: ManifestEntry[];
	/** The list as it would be pushed. */
	bytes: Buffer;
}

/** A manifest that is in the list's repository now. */
export interface ManifestPushEvent {
	/** `docker.io/library/x@sha256:...` */
	ref: string;
	digest: string;
}

/** Manifest lists that are put together on this host and pushed; the images are in a registry. */
export interface ManifestLists {
	/** Of a list that is here or in a registry, or of one manifest. `whole`: with the manifests of a list. */
	inspect(
		reference: string,
		options?: {list?: string; insecure?: boolean; whole?: boolean},
	): Promise<ManifestEntry | ManifestList>;
	/** Resolves to the list's full name. */
	create(
		list: string,
		manifests: readonly string[],
		options?: {amend?: boolean; insecure?: boolean},
	): Promise<string>;
	annotate(list: string, manifest: string, platform: Partial<ListPlatform>): Promise<void>;
	/** Resolves to the digest of the list. */
	push(
		list: string,
		options?: {insecure?: boolean; purge?: boolean; onProgress?: (event: ManifestPushEvent) => void},
	): Promise<string>;
	remove(list: string): Promise<void>;
}

export interface RegistrySearchResult {
	Name: string;
	Description: string;
	StarCount: number;
	IsOfficial: boolean;
	IsAutomated: boolean;
}

/** What concerns a registry as a whole. `server` is a host with or without a scheme; empty is Docker Hub. */
export interface Registries {
	/**
	 * Keeps credentials that the registry takes, in docker's configuration or with its credential helper. `stored` is
	 * the file when anybody who reads it has them.
	 */
	login(
		server: string,
		credentials: {username: string; password: string; identityToken?: string},
	): Promise<{stored: string | undefined}>;
	/** Forgets them; false when there were none. */
	logout(server: string): Promise<boolean>;
	/** Those that are kept. */
	credentials(
		server: string,
	): Promise<{username: string; password: string; identityToken?: string} | undefined>;
	/** Docker Hub's search; with `host/` before the term, the names in the catalogue of that registry. */
	search(term: string, options?: {limit?: number}): Promise<RegistrySearchResult[]>;
}
