// Cgroups and namespaces of a child.
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "child.h"
#include "donor.h"
#include "kernel/fd.h"
#include "mount_api.h"
#include "paths.h"

namespace wherry {

bool op_join_cgroups(ChildState&, const Op& op, Failure* failure) {
  for (std::string_view file : op.list(0)) {
    Fd fd(open(file.data(), O_WRONLY | O_CLOEXEC));
    if (!fd || write(fd.get(), "0", 1) != 1) return fail(failure, errno, "join cgroup %s", file.data());
  }
  return true;
}

bool op_unshare(ChildState& state, const Op& op, Failure* failure) {
  if (unshare(static_cast<int>(op.number(0))) < 0) return fail(failure, errno, "unshare");
  if (op.number(0) & CLONE_NEWNS) {
    state.own_mounts = true;
    clone_shared_sources(state);
  }
  if (op.number(0) & CLONE_NEWPID) state.fork_at_exec = true;
  return true;
}

bool join_namespace_file(const char* path, int flag, Failure* failure) {
  Fd fd;
  if (std::string_view donor = donor_file(path); !donor.empty()) {
    const char* kind = flag == CLONE_NEWNET ? "net" : flag == CLONE_NEWPID ? "pid" : "ipc";
    if (!open_donor_namespace(std::string(donor), kind, &fd, failure)) return false;
  } else {
    fd.reset(open(path, O_RDONLY | O_CLOEXEC));
  }
  return (fd && setns(fd.get(), flag) == 0) || fail(failure, errno, "join namespace %s", path);
}

bool op_join_namespace(ChildState& state, const Op& op, Failure* failure) {
  auto flag = static_cast<int>(op.number(1));
  if (!join_namespace_file(op.path(0), flag, failure)) return false;
  if (flag & CLONE_NEWPID) state.fork_at_exec = true;
  return true;
}

bool become_root_of_users(Failure* failure) {
  syscall(SYS_setgroups, 0, nullptr);
  // The namespace need not have a root.
  bool ok = (syscall(SYS_setresgid, 0, 0, 0) == 0 && syscall(SYS_setresuid, 0, 0, 0) == 0) || errno == EINVAL;
  if (!ok) return fail(failure, errno, "become root of the user namespace");
  // Its entries in procfs belong to the host's root while it is not dumpable, and it writes some of them.
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  return true;
}

bool op_join_users(ChildState& state, const Op& op, Failure* failure) {
  const char* users = op.path(0);
  const char* mounts = op.path(1);
  Fd user_file, mount_file;
  if (*users) user_file.reset(open(users, O_RDONLY | O_CLOEXEC));
  if (*users && !user_file) return fail(failure, errno, "join namespace %s", users);
  if (*mounts) mount_file.reset(open(mounts, O_RDONLY | O_CLOEXEC));
  if (*mounts && !mount_file) return fail(failure, errno, "join namespace %s", mounts);
  // First with the rights of the host, which are over all namespaces.
  if (*mounts) {
    if (setns(mount_file.get(), CLONE_NEWNS) < 0) return fail(failure, errno, "join namespace %s", mounts);
    // The kernel has put both root and current folder to the namespace's root.
    state.root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (state.root < 0) return fail(failure, errno, "open the root of %s", mounts);
  }
  if (!*users) return true;
  if (setns(user_file.get(), CLONE_NEWUSER) < 0) return fail(failure, errno, "join namespace %s", users);
  return become_root_of_users(failure);
}

bool op_join_container(ChildState& state, const Op& op, Failure* failure) {
  auto flags = static_cast<int>(op.number(0));
  const ExecContext& container = state.container;
  if (container.init_pid <= 0) return fail(failure, 0, "there is no container to join");
  if (setns(container.init_pidfd, flags) < 0) {
    if (errno == ESRCH) return fail(failure, errno, "the container has ended");
    // A kernel before 5.8 wants namespace files. The init is not reaped yet, so its pid is still its own.
    static constexpr struct {
      int flag;
      const char* name;
    } kNamespaces[] = {{CLONE_NEWUSER, "user"}, {CLONE_NEWIPC, "ipc"}, {CLONE_NEWUTS, "uts"}, {CLONE_NEWNET, "net"},
                       {CLONE_NEWPID, "pid"},   {CLONE_NEWCGROUP, "cgroup"}, {CLONE_NEWNS, "mnt"}};
    Fd files[sizeof kNamespaces / sizeof *kNamespaces];
    size_t count = 0;
    for (const auto& entry : kNamespaces) {
      if (!(flags & entry.flag)) continue;
      char path[48];
      snprintf(path, sizeof path, "%d/ns/%s", container.init_pid, entry.name);
      files[count].reset(openat(proc_fd(), path, O_RDONLY | O_CLOEXEC));
      if (!files[count]) return fail(failure, errno, "open the namespace /proc/%s", path);
      count++;
    }
    for (size_t index = 0; index < count; index++) {
      if (setns(files[index].get(), 0) < 0) return fail(failure, errno, "join the container's namespaces");
    }
  }
  if (flags & CLONE_NEWPID) state.fork_at_exec = true;
  if (flags & CLONE_NEWNS) {
    // The kernel has put both root and current folder to the container's root.
    state.root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (state.root < 0) return fail(failure, errno, "open the container's root");
  }
  return true;
}

}  // namespace wherry
