/** The plan of a process that is started in a container that runs. */
import {capabilityNames} from '../../runtime/capabilities.ts';
import {compileExec} from '../../runtime/compile.ts';
import type {Spec} from '../../runtime/oci.ts';
import type {Plan} from '../../runtime/plan/encode.ts';
import type {ExecOptions} from '../api.ts';
import type {Paths} from '../paths.ts';
import {execCgroups} from './cgroup.ts';
import type {ContainerRecord} from './record.ts';
import {seccompProgram} from './seccomp.ts';
import {specHost} from './spec-host.ts';

/** Of --group-add, and those that come with devices. */
export const groupsOf = ({HostConfig}: ContainerRecord, spec: Spec): string[] => [
	...(HostConfig.GroupAdd ?? []),
	...(spec.process?.user.additionalGids ?? []).map(String),
];

/** `user`, `user:group`; without a group named, --group-add of the container holds for the same user only. */
export function execPlan(paths: Paths, record: ContainerRecord, spec: Spec, options: ExecOptions): Plan {
	const capabilities = options.privileged
		? capabilityNames.slice(0, specHost().lastCapability + 1)
		: (spec.process?.capabilities?.bounding ?? []);
	// A container with a terminal names it to its own process only.
	const ownTerm =
		record.Config.Tty && !options.tty && !record.Config.Env.some((entry) => entry.startsWith('TERM='));
	return compileExec({
		spec,
		cgroups: execCgroups(record),
		user: {spec: options.user || record.Config.User, groups: groupsOf(record, spec)},
		argv: options.argv,
		env: [...(ownTerm ? ['TERM'] : []), ...(options.env ?? [])],
		cwd: options.workingDir || undefined,
		tty: options.tty ?? false,
		rows: options.rows ?? 0,
		columns: options.columns ?? 0,
		seccomp: options.privileged ? undefined : seccompProgram(paths, spec),
		capabilities,
	});
}
