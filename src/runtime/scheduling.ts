/** `config.json`'s personality, I/O priority and scheduler as operations (runtime-spec, config.md). */
import type {Process, Spec} from './oci.ts';
import type {Op} from './plan/ops.ts';

/** Numbers of <sched.h>, <linux/sched.h>, <linux/ioprio.h> and <sys/personality.h>. */
const schedulerPolicies: Record<string, number> = {
	SCHED_OTHER: 0,
	SCHED_FIFO: 1,
	SCHED_RR: 2,
	SCHED_BATCH: 3,
	SCHED_ISO: 4,
	SCHED_IDLE: 5,
	SCHED_DEADLINE: 6,
};
const schedulerFlags: Record<string, number> = {
	SCHED_FLAG_RESET_ON_FORK: 1,
	SCHED_FLAG_RECLAIM: 2,
	SCHED_FLAG_DL_OVERRUN: 4,
	SCHED_FLAG_KEEP_POLICY: 8,
	SCHED_FLAG_KEEP_PARAMS: 16,
	SCHED_FLAG_UTIL_CLAMP_MIN: 32,
	SCHED_FLAG_UTIL_CLAMP_MAX: 64,
};
const ioClasses: Record<string, number> = {IOPRIO_CLASS_RT: 1, IOPRIO_CLASS_BE: 2, IOPRIO_CLASS_IDLE: 3};
const personalities: Record<string, number> = {LINUX: 0, LINUX32: 8};

function named(table: Record<string, number>, name: string, what: string): number {
	const value = table[name];
	if (value === undefined) throw new Error(`unknown ${what} ${JSON.stringify(name)}`);
	return value;
}

/** How the kernel runs the process; before it loses the privilege to say so. */
export function schedulingOps(spec: Spec, process: Process): Op[] {
	const ops: Op[] = [];
	const {scheduler, ioPriority} = process;
	if (spec.linux?.personality) {
		ops.push({
			op: 'personality',
			persona: named(personalities, spec.linux.personality.domain, 'personality'),
		});
	}
	if (ioPriority) {
		const level = ioPriority.priority ?? 0;
		ops.push({op: 'ioPriority', class: named(ioClasses, ioPriority.class, 'I/O priority class'), level});
	}
	if (scheduler) {
		let flags = 0;
		for (const flag of scheduler.flags ?? []) flags |= named(schedulerFlags, flag, 'scheduler flag');
		ops.push({
			op: 'scheduler',
			policy: named(schedulerPolicies, scheduler.policy, 'scheduling policy'),
			flags,
			nice: scheduler.nice ?? 0,
			priority: scheduler.priority ?? 0,
			runtime: scheduler.runtime ?? 0,
			deadline: scheduler.deadline ?? 0,
			period: scheduler.period ?? 0,
		});
	}
	return ops;
}
