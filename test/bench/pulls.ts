/**
 * `node pulls.ts [--runs N] [--only ENGINE,...]`, in namespaces of its own (`npm run bench:pulls`): an image of six
 * layers with many files of this host, some 100 to 200 MB compressed, pulled into an empty store from a registry on the
 * loopback; a second one that shares five layers; load, save, and the push of what the registry has. Wall and CPU time,
 * the daemon's included, of engines in turn, on an ext4 with a journal in a file.
 */
import {spawn, spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {parseArgs} from 'node:util';
import {type BenchEngine, end, find, memoryFolder, podman, startDocker, wherry} from './engines.ts';

const {values: flags} = parseArgs({
	options: {
		runs: {type: 'string', default: '2'},
		only: {type: 'string', default: ''},
		megabytes: {type: 'string', default: '500'},
	},
});

const env: NodeJS.ProcessEnv = {...process.env, WHERRY_CONFIG: '/nonexistent'};
delete env.NODE_EXTRA_CA_CERTS;
delete env.NODE_OPTIONS;

const folder = mkdtempSync(join(tmpdir(), 'wherry-bench-'));
const runFolder = mkdtempSync(join(memoryFolder(), 'wherry-bench-'));
const disk = join(folder, 'disk');

function run(command: string, more: NodeJS.ProcessEnv = {}): string {
	const result = spawnSync('sh', ['-ec', command], {
		env: {...env, ...more},
		encoding: 'utf8',
		maxBuffer: 64 << 20,
	});
	if (result.status !== 0) throw new Error(`${command}: ${result.stderr}`);
	return result.stdout;
}

/** Six folders of this host, of 10 to 150 MB each and with many files. */
function sources(megabytes: number): string[] {
	const sizes = run('du -sxm /usr/share/* /usr/lib/* /usr/include 2>/dev/null || true')
		.split('\n')
		.map((line) => line.split('\t'))
		.map(([size, path]) => ({size: Number(size), path: path ?? ''}))
		.filter(({size, path}) => size >= 10 && size <= megabytes / 3 && statSync(path).isDirectory())
		.sort((left, right) => right.size - left.size);
	const chosen: string[] = [];
	let left = megabytes;
	for (const {size, path} of sizes) {
		if (chosen.length === 6 || size > left - 15 * (5 - chosen.length)) continue;
		chosen.push(path);
		left -= size;
	}
	return chosen;
}

const sha256 = (path: string): string => run(`sha256sum ${path}`).slice(0, 64);

/** An OCI layout with two images that share all layers but the last. */
function makeImages(layout: string, paths: readonly string[]): void {
	const blobs = join(layout, 'blobs/sha256');
	mkdirSync(blobs, {recursive: true});
	const put = (bytes: Buffer) => {
		const digest = createHash('sha256').update(bytes).digest('hex');
		writeFileSync(join(blobs, digest), bytes);
		return {digest: `sha256:${digest}`, size: bytes.length};
	};
	const layers = paths.map((path) => {
		run(`tar -C / --numeric-owner -cf ${layout}/layer ${path.slice(1)}; gzip -kn ${layout}/layer`);
		const [diffId, digest] = [sha256(`${layout}/layer`), sha256(`${layout}/layer.gz`)];
		run(`mv ${layout}/layer.gz ${blobs}/${digest}; rm ${layout}/layer`);
		return {diffId: `sha256:${diffId}`, digest: `sha256:${digest}`, size: statSync(join(blobs, digest)).size};
	});
	const manifests = ['one', 'two'].map((tag) => {
		const own = tag === 'one' ? layers.slice(0, 6) : [...layers.slice(0, 5), layers[6]!];
		const config = put(
			Buffer.from(
				JSON.stringify({
					architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
					os: 'linux',
					config: {Cmd: ['sh']},
					rootfs: {type: 'layers', diff_ids: own.map(({diffId}) => diffId)},
					history: own.map(() => ({created: '2024-01-01T00:00:00Z'})),
				}),
			),
		);
		const type = 'application/vnd.oci.image';
		const manifest = put(
			Buffer.from(
				JSON.stringify({
					schemaVersion: 2,
					mediaType: `${type}.manifest.v1+json`,
					config: {mediaType: `${type}.config.v1+json`, ...config},
					layers: own.map(({digest, size}) => ({mediaType: `${type}.layer.v1.tar+gzip`, digest, size})),
				}),
			),
		);
		const annotations = {'org.opencontainers.image.ref.name': tag};
		return {mediaType: `${type}.manifest.v1+json`, ...manifest, annotations};
	});
	writeFileSync(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
	writeFileSync(join(layout, 'index.json'), JSON.stringify({schemaVersion: 2, manifests}));
}

/** CPU seconds of the children that have ended, and of an engine's daemon. */
function cpuTime(engine: string): number {
	const ticks = (pid: string): number[] =>
		readFileSync(`/proc/${pid}/stat`, 'utf8')
			.replace(/^.*\) /, '')
			.split(' ')
			.slice(11, 15)
			.map(Number);
	const [, , user = 0, system = 0] = ticks('self');
	let sum = user + system;
	if (engine === 'docker')
		for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
			try {
				const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
				if (/^\S*(dockerd|containerd)\0/.test(command) && command.includes(folder))
					sum += ticks(pid).reduce((total, each) => total + each, 0);
			} catch {
				// It has ended.
			}
		}
	return sum / 100;
}

interface Result {
	wall: number[];
	cpu: number[];
	peak: number;
}

const results = new Map<string, Map<string, Result>>();

function measure(name: string, engine: string, command: string, own: NodeJS.ProcessEnv): void {
	const before = cpuTime(engine);
	const start = performance.now();
	const peak = join(runFolder, 'peak');
	run(
		`exec python3 -c 'import os,sys,resource,subprocess
status=subprocess.call(["sh","-ec",sys.argv[1]],stdout=subprocess.DEVNULL)
open(sys.argv[2],"w").write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(status)' "$COMMAND" ${peak}`,
		{...own, COMMAND: command},
	);
	const wall = (performance.now() - start) / 1000;
	const cpu = cpuTime(engine) - before;
	const row = results.get(name) ?? new Map<string, Result>();
	results.set(name, row);
	const result = row.get(engine) ?? {wall: [], cpu: [], peak: 0};
	row.set(engine, result);
	result.wall.push(wall);
	result.cpu.push(cpu);
	result.peak = Math.max(result.peak, Number(readFileSync(peak, 'utf8')) / 1024);
	process.stderr.write(`${name}, ${engine}: ${wall.toFixed(2)} s, CPU ${cpu.toFixed(2)} s\n`);
}

const engines: BenchEngine[] = [];
let registry: ReturnType<typeof spawn> | undefined;
try {
	run(
		`truncate -s 12G ${folder}/disk.img; mkfs.ext4 -q ${folder}/disk.img; mkdir ${disk}; mount -o loop ${folder}/disk.img ${disk}`,
	);
	const host = '127.0.0.1:5999';
	writeFileSync(
		join(folder, 'registry.yml'),
		`version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: ${folder}/registry}}\nhttp: {addr: '${host}'}\n`,
	);
	registry = spawn('docker-registry', ['serve', join(folder, 'registry.yml')], {stdio: 'ignore', env});
	const layout = join(folder, 'layout');
	const paths = sources(Number(flags.megabytes));
	makeImages(layout, [...paths, '/etc']);
	await sleep(500);
	const image = (tag: string) => `${host}/bench/six:${tag}`;
	for (const tag of ['one', 'two'])
		run(`skopeo copy -q --dest-tls-verify=false oci:${layout}:${tag} docker://${image(tag)}`);
	const bytes = run(`du -sm ${layout}`).split('\t')[0];
	process.stderr.write(`${paths.join(' ')}: ${bytes} MB compressed\n`);

	const only = flags.only.split(',').filter(Boolean);
	const wants = (name: string) => only.length === 0 || only.includes(name);
	if (wants('wherry')) engines.push(wherry(disk, runFolder, env));
	const docker = wants('docker') ? await startDocker(disk, runFolder, env) : undefined;
	if (docker) engines.push(docker);
	const pod = wants('podman') ? podman(disk, runFolder, env) : undefined;
	if (pod) engines.push(pod);
	for (let round = 0; round < Number(flags.runs); round++) {
		for (const {name, command, env: own, pullFlags} of engines) {
			const on = command.join(' ');
			const all = ['one', 'two'].map(image).join(' ');
			const remove = `${on} rmi -f ${all} >/dev/null 2>&1 || true`;
			const archive = join(disk, `${name}.tar`);
			const insecure = name === 'podman' ? '--tls-verify=false' : '';
			run(remove, own);
			run(`sync -f ${disk}`);
			measure('pull, six layers', name, `${on} pull ${pullFlags.join(' ')} ${image('one')}`, own);
			measure('pull, five of six are there', name, `${on} pull ${pullFlags.join(' ')} ${image('two')}`, own);
			measure('push, nothing is new', name, `${on} push -q ${insecure} ${image('one')}`, own);
			measure('save', name, `${on} save -o ${archive} ${image('one')}`, own);
			run(remove, own);
			measure('load', name, `${on} load -q -i ${archive}`, own);
			run(`${remove}; rm -f ${archive}; sync -f ${disk}`, own);
		}
		if (wants('skopeo') && find('skopeo') && find('umoci')) {
			const target = join(disk, 'umoci');
			measure(
				'pull, six layers',
				'skopeo + umoci',
				`skopeo copy -q --src-tls-verify=false docker://${image('one')} oci:${target}:one && umoci unpack --image ${target}:one ${target}.bundle`,
				env,
			);
			run(`rm -rf ${target} ${target}.bundle; sync -f ${disk}`);
		}
	}
	const best = (values: readonly number[]) => Math.min(...values).toFixed(2);
	for (const [name, row] of results)
		for (const [engine, {wall, cpu, peak}] of row)
			process.stdout.write(
				`${name.padEnd(30)}${engine.padEnd(16)}wall ${best(wall).padStart(7)} s   CPU ${best(cpu).padStart(7)} s   peak ${peak.toFixed(0).padStart(5)} MB\n`,
			);
} finally {
	for (const engine of engines) await engine.stop();
	if (registry) await end(registry);
	const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
		.split('\n')
		.map((line) => line.split(' ')[4] ?? '');
	for (const mount of mounts
		.filter((path) => path.startsWith(folder) || path.startsWith(runFolder))
		.reverse())
		spawnSync('umount', ['-l', mount]);
	if (existsSync(folder)) rmSync(folder, {recursive: true, force: true});
	rmSync(runFolder, {recursive: true, force: true});
}
