import {normalize} from 'node:path';

/** Paths are put together as text: `join` takes longer than reading the file. */
const plain = (path: string): string => {
	const normal = normalize(path);
	return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
};

/**
 * Where everything is. `root` (WHERRY_ROOT, /var/lib/wherry) survives a reboot, `run` (WHERRY_RUN,
 * /run/wherry) doesn't. Everything is 0700 root's, but layer roots and volumes, which containers enter by mount.
 */
export class Paths {
	readonly root: string;
	readonly run: string;

	constructor(root: string, run: string) {
		this.root = plain(root);
		this.run = plain(run);
	}

	static fromEnvironment(env: NodeJS.ProcessEnv = process.env): Paths {
		return new Paths(env.WHERRY_ROOT || '/var/lib/wherry', env.WHERRY_RUN || '/run/wherry');
	}

	/** An OCI image layout: oci-layout, index.json, blobs/sha256. */
	get images(): string {
		return `${this.root}/images`;
	}
	/** Downloads under way and their state, by digest. */
	get ingest(): string {
		return `${this.root}/ingest`;
	}
	/** `layers/<64 hex of the diff id or chain id>/` with `fs/` and `layer.json`. */
	get layers(): string {
		return `${this.root}/layers`;
	}
	layer(key: string): string {
		return `${this.layers}/${key}`;
	}
	get containers(): string {
		return `${this.root}/containers`;
	}
	/** container.json, config.json, state.json, upper/, work/, hostname, hosts, resolv.conf, <id>-json.log*. */
	container(id: string): string {
		return `${this.containers}/${id}`;
	}
	/** One file per name, made exclusively, that holds the id. */
	get names(): string {
		return `${this.root}/names`;
	}
	get volumes(): string {
		return `${this.root}/volumes`;
	}
	/** `_data/`, volume.json, lock, references/<container id>. */
	volume(name: string): string {
		return `${this.volumes}/${name}`;
	}
	/** `<name>/<user>`: who has the file system of a volume mounted, since this boot. */
	get volumeMounts(): string {
		return `${this.run}/volumes`;
	}
	/** `<name>.json` of each network, and `<network id>/leases/<address>`. */
	get networks(): string {
		return `${this.root}/networks`;
	}
	/** `<network id>`: what of a network the kernel has, since this boot. */
	get networkStamps(): string {
		return `${this.run}/networks`;
	}
	get events(): string {
		return `${this.root}/events`;
	}
	/** `<milliseconds>-<id>.json` of each build that has ended, the last few. */
	get builds(): string {
		return `${this.root}/builds`;
	}
	/** The same of each build that runs, which its process writes anew as it goes on. */
	get runBuilds(): string {
		return `${this.run}/builds`;
	}
	get cache(): string {
		return `${this.root}/cache`;
	}
	/** monitor.plan, stop.plan, attach.sock, attributes (JSON members for the monitor's events). */
	runContainer(id: string): string {
		return `${this.run}/containers/${id}`;
	}
	get locks(): string {
		return `${this.run}/locks`;
	}
	lock(name: string): string {
		return `${this.locks}/${name}`;
	}
	/** An empty folder on which every container's mount namespace mounts its root. */
	get mountpoint(): string {
		return `${this.run}/rootfs`;
	}
}
