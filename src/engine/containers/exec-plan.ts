/** The plan of a process that is started in a container that runs. */
import {capabilityNames} from '../../runtime/capabilities.ts';
import {compileExec} from '../../runtime/compile.ts';
import type {Spec} from '../../runtime/oci.ts';
import type {Plan} from '../../runtime/plan/encode.ts';
import type {ExecOptions} from '../api.ts';
import type {Paths} from '../paths.ts';
import {containerCgroups, groupsOf, seccompProgram} from './bundle.ts';
import type {ContainerRecord} from './record.ts';
import {specHost} from './spec-host.ts';

/** `user`, `user:group`; without a group named, --group-add of the container holds for the same user only. */
export function execPlan(paths: Paths, record: ContainerRecord, spec: Spec, options: ExecOptions): Plan {
	const host = specHost();
	const capabilities = options.privileged
		? capabilityNames.slice(0, host.lastCapability + 1)
		: (spec.process?.capabilities?.bounding ?? []);
	return compileExec({
		spec,
		cgroups: containerCgroups(record),
		user: {spec: options.user || record.Config.User, groups: groupsOf(record, spec)},
		argv: options.argv,
		env: options.env ?? [],
		cwd: options.workingDir || undefined,
		tty: options.tty ?? false,
		rows: options.rows ?? 0,
		columns: options.columns ?? 0,
		seccomp: options.privileged ? undefined : seccompProgram(paths, spec),
		capabilities,
	});
}
