// Runs the section of a child, operation by operation.
#include "child.h"

#include <errno.h>
#include <unistd.h>

#include "status.h"

namespace wherry {

namespace {

bool op_wait(ChildState& state, Failure* failure) {
  // Without a monitor there is nobody to tell, and nothing to run for.
  if (!wait_go(state.status_fd)) _exit(125);
  (void)failure;
  return true;
}

bool run_operation(ChildState& state, const Op& op, size_t index, Failure* failure) {
  switch (op.code()) {
    case OpCode::kJoinCgroups: return op_join_cgroups(state, op, failure);
    case OpCode::kUnshare: return op_unshare(state, op, failure);
    case OpCode::kJoinNamespace: return op_join_namespace(state, op, failure);
    case OpCode::kJoinUsers: return op_join_users(state, op, failure);
    case OpCode::kForkInit: return op_fork_init(state, op, failure);
    case OpCode::kJoinContainer: return op_join_container(state, op, failure);
    case OpCode::kPropagation: return op_propagation(state, op, failure);
    case OpCode::kOverlayRoot: return op_overlay_root(state, op, failure);
    case OpCode::kBindRoot: return op_bind_root(state, op, failure);
    case OpCode::kMount: return op_mount(state, op, failure);
    case OpCode::kBind: return op_bind(state, op, index, failure);
    case OpCode::kBindMapped: return op_bind_mapped(state, op, index, failure);
    case OpCode::kBindBeneath: return op_bind_beneath(state, op, failure);
    case OpCode::kBindImage: return op_bind_image(state, op, failure);
    case OpCode::kMkdir: return op_mkdir(state, op, failure);
    case OpCode::kMknod: return op_mknod(state, op, failure);
    case OpCode::kSymlink: return op_symlink(state, op, failure);
    case OpCode::kBindFromHostDevice: return op_bind_from_host_device(state, op, failure);
    case OpCode::kPivot: return op_pivot(state, op, failure);
    case OpCode::kMask: return op_mask(state, op, failure);
    case OpCode::kReadonly: return op_readonly(state, op, failure);
    case OpCode::kReadonlyRoot: return op_readonly_root(state, op, failure);
    case OpCode::kHostname: return op_hostname(state, op, failure);
    case OpCode::kDomainname: return op_domainname(state, op, failure);
    case OpCode::kSysctl: return op_sysctl(state, op, failure);
    case OpCode::kRlimit: return op_rlimit(state, op, failure);
    case OpCode::kLoopbackUp: return op_loopback_up(state, op, failure);
    case OpCode::kOomScoreAdj: return op_oom_score_adj(state, op, failure);
    case OpCode::kSecurityLabel: return op_security_label(state, op, failure);
    case OpCode::kConsole: return op_console(state, op, failure);
    case OpCode::kStdio: return op_stdio(state, op, failure);
    case OpCode::kWait: return op_wait(state, failure);
    case OpCode::kWorkdir: return op_workdir(state, op, failure);
    case OpCode::kUser: return op_user(state, op, failure);
    case OpCode::kIds: return op_ids(state, op, failure);
    case OpCode::kBoundingSet: return op_bounding_set(state, op, failure);
    case OpCode::kCapabilities: return op_capabilities(state, op, failure);
    case OpCode::kNoNewPrivileges: return op_no_new_privileges(state, op, failure);
    case OpCode::kSeccomp: return op_seccomp(state, op, failure);
    case OpCode::kUmask: return op_umask(state, op, failure);
    case OpCode::kRunHook: return op_run_hook(state, op, failure);
    case OpCode::kTimeOffsets: return op_time_offsets(state, op, failure);
    case OpCode::kPersonality: return op_personality(state, op, failure);
    case OpCode::kIoPriority: return op_io_priority(state, op, failure);
    case OpCode::kScheduler: return op_scheduler(state, op, failure);
    case OpCode::kAwaitStart: return op_await_start(state, op, failure);
    case OpCode::kExec: return op_exec(state, op, failure);
    default: return fail(failure, 0, "operation %s can't run here", op.name());
  }
}

}  // namespace

void run_child_section(ChildState& state, Failure* failure) {
  const auto& ops = state.plan->section(state.section);
  failure->section = static_cast<uint32_t>(state.section);
  for (size_t index = 0; index < ops.size(); index++) {
    failure->op = static_cast<int32_t>(index);
    if (!run_operation(state, ops[index], index, failure)) return;
  }
  failure->op = -1;
  fail(failure, 0, "the plan ends without a command");
}

}  // namespace wherry
