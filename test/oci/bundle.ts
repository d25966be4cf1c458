/** Bundles and the command line of the OCI runtime, on a root of its own. */
import {spawnSync} from 'node:child_process';
import {
	chmodSync,
	closeSync,
	copyFileSync,
	mkdirSync,
	mkdtempSync,
	openSync,
	readFileSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import type {Spec} from '../../src/runtime/oci.ts';

export const runtimePath = new URL('../../src/wherry-oci.sh', import.meta.url).pathname;

export class Runtime {
	readonly folder: string;
	readonly env: NodeJS.ProcessEnv;
	#calls = 0;

	constructor(t: ExecutionContext) {
		this.folder = mkdtempSync(join(tmpdir(), 'wherry-oci-'));
		// Who has only the ids of a user namespace must get to the bundle.
		chmodSync(this.folder, 0o711);
		this.env = {...process.env, WHERRY_ROOT: join(this.folder, 'root'), WHERRY_RUN: join(this.folder, 'run')};
		delete this.env.NODE_OPTIONS;
		t.teardown(() => {
			for (const id of this.call('list', '-q').stdout.split('\n').filter(Boolean))
				this.call('delete', '--force', id);
			rmSync(this.folder, {recursive: true, force: true});
		});
	}

	/** Into files: a container that goes on has the streams of the command that made it, and pipes would not end. */
	call(...words: string[]): {status: number | null; stdout: string; stderr: string} {
		const [out, err] = [join(this.folder, `out-${++this.#calls}`), join(this.folder, `err-${this.#calls}`)];
		const [stdout, stderr] = [openSync(out, 'w'), openSync(err, 'w')];
		const {status} = spawnSync(runtimePath, words, {env: this.env, stdio: ['ignore', stdout, stderr]});
		closeSync(stdout);
		closeSync(stderr);
		return {status, stdout: readFileSync(out, 'utf8'), stderr: readFileSync(err, 'utf8')};
	}

	/** What a successful command prints. */
	output(...words: string[]): string {
		const {status, stdout, stderr} = this.call(...words);
		if (status !== 0) throw new Error(`wherry oci ${words.join(' ')} ended with ${status}: ${stderr}`);
		return stdout.trim();
	}

	state(id: string): {status: string; pid: number; bundle: string; annotations?: Record<string, string>} {
		return JSON.parse(this.output('state', id));
	}

	/** A folder with busybox as its root file system and the spec of `spec`, changed. Returns its path. */
	bundle(name: string, args: readonly string[], change: (spec: Spec) => void = () => {}): string {
		const bundle = join(this.folder, name);
		mkdirSync(join(bundle, 'rootfs/bin'), {recursive: true});
		copyFileSync('/bin/busybox', join(bundle, 'rootfs/bin/busybox'));
		for (const applet of ['sh', 'cat', 'id', 'sleep', 'stat', 'ls', 'readlink', 'stty', 'tty']) {
			symlinkSync('busybox', join(bundle, 'rootfs/bin', applet));
		}
		this.output('spec', '--bundle', bundle);
		const file = join(bundle, 'config.json');
		const spec = JSON.parse(readFileSync(file, 'utf8')) as Spec;
		spec.process!.args = [...args];
		spec.process!.terminal = false;
		change(spec);
		writeFileSync(file, JSON.stringify(spec));
		return bundle;
	}
}
