/** Hooks of `config.json` as operations of the plan (runtime-spec, "POSIX-platform Hooks"). */
import type {Hook, Hooks} from './oci.ts';
import type {Op} from './plan/ops.ts';

/** The version of the runtime specification that states and specs of ours name. */
export const ociVersion = '1.2.0';

/** What a hook is told on its stdin besides the pid. */
export interface HookSubject {
	readonly id: string;
	/** Absolute. */
	readonly bundle: string;
	readonly annotations: Readonly<Record<string, string>>;
}

/** The state of the container in two parts, between which the pid goes. */
function stateParts(subject: HookSubject, status: string): string[] {
	const {id, bundle, annotations} = subject;
	const [before, after] = JSON.stringify({ociVersion, id, status, pid: '@', bundle, annotations}).split(
		'"@"',
	);
	return [before!, after!];
}

const hookOps = (hooks: readonly Hook[] | undefined, subject: HookSubject, status: string): Op[] =>
	(hooks ?? []).map((hook) => ({
		op: 'runHook',
		path: hook.path,
		argv: hook.args ?? [],
		env: hook.env ?? [],
		timeout: hook.timeout ?? 0,
		state: stateParts(subject, status),
	}));

/** By the place in the plan where they belong. */
export function hooksByPlace(hooks: Hooks, subject: HookSubject) {
	return {
		created: [
			...hookOps(hooks.prestart, subject, 'creating'),
			...hookOps(hooks.createRuntime, subject, 'creating'),
		],
		beforePivot: hookOps(hooks.createContainer, subject, 'creating'),
		beforeExec: hookOps(hooks.startContainer, subject, 'created'),
		started: hookOps(hooks.poststart, subject, 'running'),
		stop: hookOps(hooks.poststop, subject, 'stopped'),
	};
}
