// Who the command is and what it may do.
#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "accounts.h"
#include "child.h"
#include "status.h"

namespace wherry {

namespace {

constexpr int kMaxCapability = 63;

// A pair of 32-bit halves for each set, as version 3 of capget and capset has them.
struct CapabilitySets {
  uint64_t effective, permitted, inheritable;
};

bool get_capabilities(CapabilitySets* sets) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (syscall(SYS_capget, &header, data) < 0) return false;
  auto join = [](uint32_t low, uint32_t high) { return static_cast<uint64_t>(high) << 32 | low; };
  *sets = {join(data[0].effective, data[1].effective), join(data[0].permitted, data[1].permitted),
           join(data[0].inheritable, data[1].inheritable)};
  return true;
}

bool put_capabilities(const CapabilitySets& sets) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2];
  for (int half = 0; half < 2; half++) {
    data[half].effective = static_cast<uint32_t>(sets.effective >> (32 * half));
    data[half].permitted = static_cast<uint32_t>(sets.permitted >> (32 * half));
    data[half].inheritable = static_cast<uint32_t>(sets.inheritable >> (32 * half));
  }
  return syscall(SYS_capset, &header, data) == 0;
}

}  // namespace

bool set_death_signal(ChildState& state, Failure* failure) {
  if (state.outlives) {
    state.death_signal_set = true;
    return true;
  }
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) return fail(failure, errno, "set the parent-death signal");
  // The monitor may have died before: then its end of the socket is closed. (getppid() is 0 in a pid
  // namespace of one's own, whether or not the parent lives.)
  struct pollfd peer = {state.status_fd, 0, 0};
  if (poll(&peer, 1, 0) > 0 && (peer.revents & (POLLHUP | POLLERR))) _exit(125);
  state.death_signal_set = true;
  return true;
}

bool op_user(ChildState& state, const Op& op, Failure* failure) {
  if (state.root < 0) return fail(failure, 0, "the plan has no root");
  if (!resolve_identity(state.root, op.text(0), op.list(1), &state.identity, failure)) return false;
  state.identity_known = true;
  // The command may open its streams again by /proc/self/fd. Files that somebody else gave are left alone.
  for (int fd = 0; fd <= 2; fd++) {
    struct stat info;
    if (fstat(fd, &info) < 0 || info.st_uid == state.identity.uid) continue;
    bool terminal = S_ISCHR(info.st_mode) && isatty(fd);
    if (!terminal && !S_ISFIFO(info.st_mode)) continue;
    if (state.foreign_streams) continue;
    if (fchown(fd, state.identity.uid, static_cast<gid_t>(-1)) < 0 && errno != EPERM && errno != EINVAL &&
        errno != EROFS) {
      return fail(failure, errno, "chown the streams");
    }
  }
  return true;
}

bool op_ids(ChildState& state, const Op&, Failure* failure) {
  if (!state.identity_known) return fail(failure, 0, "the plan changes ids before it resolves the user");
  const Identity& to = state.identity;
  if (syscall(SYS_setgroups, to.groups.size(), to.groups.data()) < 0) return fail(failure, errno, "setgroups");
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0) return fail(failure, errno, "keep capabilities");
  if (syscall(SYS_setresgid, to.gid, to.gid, to.gid) < 0) return fail(failure, errno, "setresgid %u", to.gid);
  if (syscall(SYS_setresuid, to.uid, to.uid, to.uid) < 0) return fail(failure, errno, "setresuid %u", to.uid);
  return set_death_signal(state, failure);
}

bool op_bounding_set(ChildState&, const Op& op, Failure* failure) {
  auto mask = static_cast<uint64_t>(op.number(0));
  for (int capability = 0; capability <= kMaxCapability; capability++) {
    if (mask >> capability & 1) continue;
    int has = prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
    if (has < 0) break;  // past the last one that the kernel knows
    if (has > 0 && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0) {
      return fail(failure, errno, "drop capability %d from the bounding set", capability);
    }
  }
  return true;
}

// What the process doesn't have can't be given; asking for more (privileged) means all that there is.
bool op_capabilities(ChildState& state, const Op& op, Failure* failure) {
  CapabilitySets now;
  if (!get_capabilities(&now)) return fail(failure, errno, "capget");
  CapabilitySets to;
  to.permitted = static_cast<uint64_t>(op.number(1)) & now.permitted;
  to.effective = static_cast<uint64_t>(op.number(0)) & to.permitted;
  to.inheritable = static_cast<uint64_t>(op.number(2)) & now.permitted;
  uint64_t ambient = static_cast<uint64_t>(op.number(3)) & to.permitted & to.inheritable;
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL) {
    return fail(failure, errno, "clear the ambient capabilities");
  }
  if (!put_capabilities(to)) return fail(failure, errno, "capset");
  for (int capability = 0; capability <= kMaxCapability; capability++) {
    if (!(ambient >> capability & 1)) continue;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) < 0) {
      return fail(failure, errno, "raise the ambient capability %d", capability);
    }
  }
  return set_death_signal(state, failure);
}

bool op_no_new_privileges(ChildState&, const Op&, Failure* failure) {
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 || fail(failure, errno, "set no_new_privs");
}

}  // namespace wherry
