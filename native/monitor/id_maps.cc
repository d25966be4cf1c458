// Binds with id maps of their own: the mount is made and mapped before the child is, by a process that may.
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "child.h"
#include "kernel/syscalls.h"
#include "mount_api.h"
#include "paths.h"

namespace wherry {

namespace {

bool write_map(pid_t pid, const char* file, std::string_view text, Failure* failure) {
  std::string path = std::to_string(pid) + "/" + file;
  Fd fd(openat(proc_fd(), path.c_str(), O_WRONLY | O_CLOEXEC));
  return (fd && write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size())) ||
         fail(failure, errno, "write the %s of a mount", file);
}

// A user namespace with these maps, which nobody is in.
bool make_user_namespace(std::string_view uids, std::string_view gids, Fd* users, Failure* failure) {
  auto pid = static_cast<pid_t>(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
  if (pid < 0) return fail(failure, errno, "make a user namespace for a mount");
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    for (;;) pause();
  }
  bool ok = write_map(pid, "uid_map", uids, failure) && write_map(pid, "gid_map", gids, failure);
  if (ok) {
    std::string path = std::to_string(pid) + "/ns/user";
    users->reset(openat(proc_fd(), path.c_str(), O_RDONLY | O_CLOEXEC));
    ok = *users || fail(failure, errno, "open the user namespace of a mount");
  }
  kill(pid, SIGKILL);
  while (waitpid(pid, nullptr, __WALL) < 0 && errno == EINTR) {
  }
  return ok;
}

bool map_source(const Op& op, Fd* mount, Failure* failure) {
  const char* source = op.path(0);
  const char* file = op.path(6);
  Fd users;
  if (*file) {
    users.reset(open(file, O_RDONLY | O_CLOEXEC));
    if (!users) return fail(failure, errno, "open namespace %s", file);
  } else if (!make_user_namespace(op.text(4), op.text(5), &users, failure)) {
    return false;
  }
  mount->reset(clone_tree(AT_FDCWD, source, op.number(2) & MS_REC));
  if (!*mount) return fail(failure, errno, "bind %s", source);
  return map_ids(mount->get(), users.get(), op.number(7) != 0) ||
         fail(failure, errno, "map the ids of the mount on %s (its file system, or the kernel, may not be able to)", op.path(1));
}

}  // namespace

bool map_sources(ChildState& state, Failure* failure) {
  const auto& ops = state.plan->section(state.section);
  for (size_t index = 0; index < ops.size(); index++) {
    if (ops[index].code() != OpCode::kBindMapped) continue;
    Fd mount;
    if (!map_source(ops[index], &mount, failure)) {
      failure->section = static_cast<uint32_t>(state.section);
      failure->op = static_cast<int32_t>(index);
      return false;
    }
    state.mapped_sources.resize(ops.size(), -1);
    state.mapped_sources[index] = mount.release();
  }
  return true;
}

}  // namespace wherry
