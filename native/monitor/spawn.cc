#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>

#include "descriptors.h"
#include "kernel/fd.h"
#include "kernel/syscalls.h"
#include "paths.h"
#include "status.h"
#include "without.h"

namespace wherry {

namespace {

constexpr uint64_t kNamespaces =
    CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWCGROUP | CLONE_NEWUSER;
constexpr long kJoinSessionKeyring = 1;  // KEYCTL_JOIN_SESSION_KEYRING

bool make_pipe(int* ours, int* theirs, bool we_read, Failure* failure) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return fail(failure, errno, "pipe");
  *ours = ends[we_read ? 0 : 1];
  *theirs = ends[we_read ? 1 : 0];
  fcntl(*ours, F_SETFL, O_NONBLOCK);
  return true;
}

bool make_streams(ChildState& state, Streams streams, bool console, bool open_stdin, Child* child,
                  Failure* failure) {
  if (!status_pair(&child->status_fd, &state.status_fd)) return fail(failure, errno, "socketpair");
  if (console) return true;
  if (streams == Streams::kInherited) {
    state.foreign_streams = true;
    for (int fd = 0; fd <= 2; fd++) {
      state.pipes[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
      if (state.pipes[fd] < 0) return fail(failure, errno, "duplicate descriptor %d", fd);
    }
    return true;
  }
  if (open_stdin) {
    if (!make_pipe(&child->stdin_w, &state.pipes[0], false, failure)) return false;
  } else {
    state.pipes[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (state.pipes[0] < 0) return fail(failure, errno, "open /dev/null");
  }
  return make_pipe(&child->stdout_r, &state.pipes[1], true, failure) &&
         make_pipe(&child->stderr_r, &state.pipes[2], true, failure);
}

// The child's ends, which the monitor doesn't keep.
void close_childs_ends(ChildState& state) {
  if (state.status_fd >= 0) close(state.status_fd);
  for (int fd : state.mapped_sources) {
    if (fd >= 0) close(fd);
  }
  for (int fd : state.pipes) {
    if (fd >= 0) close(fd);
  }
}

// As fork(2), with a pidfd, namespaces and, when `cgroup` is a v2 cgroup's descriptor, in that cgroup.
// `in_cgroup` tells whether the last worked.
pid_t clone_process(uint64_t flags, int cgroup, int* pidfd, bool* in_cgroup) {
  *in_cgroup = false;
  if (!sys::without.clone3) {
    sys::CloneArgs arguments{};
    arguments.flags = flags | sys::kClonePidfd;
    arguments.pidfd = reinterpret_cast<uint64_t>(pidfd);
    arguments.exit_signal = SIGCHLD;
    if (cgroup >= 0 && !sys::without.into_cgroup) {
      arguments.flags |= sys::kCloneIntoCgroup;
      arguments.cgroup = static_cast<uint64_t>(cgroup);
      *in_cgroup = true;
      long pid = sys::clone3(&arguments);
      if (pid >= 0) return static_cast<pid_t>(pid);
      *in_cgroup = false;
      arguments.flags &= ~sys::kCloneIntoCgroup;
      arguments.cgroup = 0;
    }
    long pid = sys::clone3(&arguments);
    if (pid >= 0 || (errno != ENOSYS && errno != EPERM)) return static_cast<pid_t>(pid);
  }
  return static_cast<pid_t>(syscall(SYS_clone, flags | sys::kClonePidfd | SIGCHLD, 0, pidfd, 0, 0));
}

void close_all_except(std::vector<int> keep) {
  std::sort(keep.begin(), keep.end());
  unsigned next = 0;
  for (int fd : keep) {
    if (fd < 0 || static_cast<unsigned>(fd) < next) continue;
    if (static_cast<unsigned>(fd) > next) sys::close_range(next, static_cast<unsigned>(fd) - 1);
    next = static_cast<unsigned>(fd) + 1;
  }
  sys::close_range(next, ~0U);
}

// What every child does first. The monitor's handlers and ignored signals stay until execve, but nothing is
// blocked; the death signal is asked for again after each change of ids.
bool begin_child(ChildState& state, std::vector<int> keep, Failure* failure) {
  for (int fd = 3; fd < 3 + state.preserved; fd++) keep.push_back(fd);
  keep.insert(keep.end(), {0, 1, 2, state.status_fd, proc_fd(), state.pipes[0], state.pipes[1], state.pipes[2]});
  close_all_except(std::move(keep));
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  restore_descriptor_limit();
  umask(0);
  // Otherwise the keys of whoever started the monitor would be the container's too. A host may forbid keyrings.
  syscall(SYS_keyctl, kJoinSessionKeyring, nullptr, 0, 0, 0);
  if (!set_death_signal(state, failure)) return false;
  state.death_signal_set = false;
  return true;
}

[[noreturn]] void end_child(ChildState& state, const Failure& failure) {
  // After awaitStart nobody listens any more but whoever reads the container's own output.
  if (!send_failure(state.status_fd, failure) && state.ready_sent) dprintf(2, "wherry: %s\n", failure.message.c_str());
  _exit(failure.code);
}

bool open_netns(pid_t pid, int* fd, Failure* failure) {
  char path[48];
  snprintf(path, sizeof path, "%d/ns/net", pid);
  *fd = openat(proc_fd(), path, O_RDONLY | O_CLOEXEC);
  return *fd >= 0 || fail(failure, errno, "open /proc/%s", path);
}

bool write_text(int dir, const char* path, std::string_view text, Failure* failure) {
  Fd fd(openat(dir, path, O_WRONLY | O_CLOEXEC));
  return (fd && write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size())) ||
         fail(failure, errno, "write %s", path);
}

// In a new user namespace: waits until its ids are mapped.
bool become_mapped_root(ChildState& state, Failure* failure) {
  if (!wait_go(state.status_fd)) _exit(125);
  return become_root_of_users(failure);
}

// Maps the ids of a process in a new user namespace, and puts it into cgroups that it may not join itself.
bool place_in_user_namespace(const PlanView& plan, pid_t pid, Failure* failure) {
  static constexpr struct {
    const char* setting;
    const char* file;
  } kMaps[] = {{"gid-map", "gid_map"}, {"uid-map", "uid_map"}};
  for (const auto& map : kMaps) {
    std::string path = std::to_string(pid) + "/" + map.file;
    if (!write_text(proc_fd(), path.c_str(), plan.setting(map.setting), failure)) return false;
  }
  std::string_view files = plan.setting("init-cgroups");
  while (!files.empty()) {
    std::string file(files.substr(0, files.find('\n')));
    files.remove_prefix(std::min(file.size() + 1, files.size()));
    if (!write_text(AT_FDCWD, file.c_str(), std::to_string(pid), failure)) return false;
  }
  return true;
}

// Whether the command will be another process than the one that runs the section.
bool forks_at_exec(const PlanView& plan, Section section) {
  for (const Op& op : plan.section(section)) {
    if (op.code() == OpCode::kJoinContainer && (op.number(0) & CLONE_NEWPID)) return true;
    if (op.code() == OpCode::kJoinNamespace && (op.number(1) & CLONE_NEWPID)) return true;
    if (op.code() == OpCode::kUnshare && (op.number(0) & CLONE_NEWPID)) return true;
  }
  return false;
}

void give_up(Child* child) {
  if (child->helper > 0) kill(child->helper, SIGKILL);
  if (child->pid > 0) kill(child->pid, SIGKILL);
  for (pid_t* pid : {&child->helper, &child->pid}) {
    while (*pid > 0 && waitpid(*pid, nullptr, __WALL) < 0 && errno == EINTR) {
    }
    *pid = -1;
  }
  close_child(*child);
}

}  // namespace

bool clone_init_with(const PlanView& plan, int old_netns_fd, Streams streams, Child* child, Failure* failure) {
  *child = Child();
  child->init = true;
  *failure = Failure();
  open_proc();
  ChildState state;
  state.plan = &plan;
  state.section = Section::kInit;
  state.outlives = plan.setting_number("dies-with-monitor", 1) == 0;
  state.preserved = static_cast<int>(plan.setting_number("preserve-fds", 0));
  auto flags = static_cast<uint64_t>(plan.setting_number("clone-flags", 0)) & kNamespaces;
  const char* join_pid = plan.setting("join-pid");
  const char* join_net = plan.setting("join-net");
  const char* cgroup_folder = plan.setting("cgroup-dir");
  if (old_netns_fd >= 0 || *join_net) flags &= ~static_cast<uint64_t>(CLONE_NEWNET);
  if (*join_pid) flags &= ~static_cast<uint64_t>(CLONE_NEWPID);
  state.own_mounts = flags & CLONE_NEWNS;

  Fd cgroup;
  if (*cgroup_folder) {
    cgroup.reset(open(cgroup_folder, O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!cgroup) return fail(failure, errno, "open the cgroup %s", cgroup_folder);
  }
  // Before anybody who may not reach it: it is waited at by its descriptor.
  Fd start_fifo;
  if (const char* path = plan.setting("start-fifo"); *path) {
    start_fifo.reset(open(path, O_PATH | O_CLOEXEC));
    if (!start_fifo) return fail(failure, errno, "open %s", path);
    state.start_fifo = start_fifo.get();
  }
  if (!make_streams(state, streams, plan.has(Section::kInit, OpCode::kConsole),
                    plan.setting_number("open-stdin", 0) != 0, child, failure)) {
    close_childs_ends(state);
    close_child(*child);
    return false;
  }

  if (!map_sources(state, failure)) {
    close_childs_ends(state);
    close_child(*child);
    return false;
  }

  bool in_cgroup;
  int pidfd = -1;
  pid_t pid = clone_process(flags, cgroup.get(), &pidfd, &in_cgroup);
  if (pid < 0) {
    fail(failure, errno, "clone the container's init");
    close_childs_ends(state);
    close_child(*child);
    return false;
  }
  if (pid == 0) {
    Failure problem;
    problem.section = static_cast<uint32_t>(Section::kInit);
    std::vector<int> keep = state.mapped_sources;
    keep.insert(keep.end(), {old_netns_fd, cgroup.get(), state.start_fifo});
    bool ok = begin_child(state, std::move(keep), &problem);
    // Until its ids are mapped it is nobody.
    if (ok && (flags & CLONE_NEWUSER)) ok = become_mapped_root(state, &problem);
    if (ok && cgroup && !in_cgroup) {
      Fd file(openat(cgroup.get(), "cgroup.procs", O_WRONLY | O_CLOEXEC));
      ok = (file && write(file.get(), "0", 1) == 1) || fail(&problem, errno, "join cgroup %s", cgroup_folder);
    }
    if (ok && old_netns_fd >= 0) {
      ok = setns(old_netns_fd, CLONE_NEWNET) == 0 || fail(&problem, errno, "join the network namespace from before");
    } else if (ok && *join_net) {
      ok = join_namespace_file(join_net, CLONE_NEWNET, &problem);
    }
    if (ok && *join_pid) {
      ok = join_namespace_file(join_pid, CLONE_NEWPID, &problem);
      state.fork_at_exec = state.joined_pids = true;
    }
    if (ok) {
      if (state.own_mounts) clone_shared_sources(state);
      run_child_section(state, &problem);
    }
    end_child(state, problem);
  }
  close_childs_ends(state);
  // The pid is an unreaped child's, so its procfs entry can't be another's.
  if ((flags & CLONE_NEWUSER) && !place_in_user_namespace(plan, pid, failure)) {
    child->pid = pid;
    child->pidfd = pidfd;
    give_up(child);
    return false;
  }
  if (flags & CLONE_NEWUSER) go(*child);
  bool ok = true;
  if (old_netns_fd >= 0) {
    child->netns_fd = fcntl(old_netns_fd, F_DUPFD_CLOEXEC, 3);
    ok = child->netns_fd >= 0 || fail(failure, errno, "duplicate the network namespace");
  } else if (flags & CLONE_NEWNET) {
    ok = open_netns(pid, &child->netns_fd, failure);
  }
  bool ended = !ok && old_netns_fd < 0;
  if (*join_pid || forks_at_exec(plan, Section::kInit)) {
    child->helper = pid;
    close(pidfd);
  } else {
    child->pid = pid;
    child->pidfd = pidfd;
  }
  // An init that failed at once has no namespaces any more, but has told why.
  if (ended) {
    Failure told;
    kill(pid, SIGKILL);
    if (!await_exec(*child, &told) && told.op >= 0) *failure = told;
  }
  if (!ok) give_up(child);
  return ok;
}

bool clone_init(const PlanView& plan, int old_netns_fd, Child* child, Failure* failure) {
  return clone_init_with(plan, old_netns_fd, Streams::kMonitor, child, failure);
}

bool clone_exec_with(const PlanView& plan, const ExecContext& context, Streams streams, Child* child,
                     Failure* failure) {
  *child = Child();
  *failure = Failure();
  open_proc();
  ChildState state;
  state.plan = &plan;
  state.section = Section::kExec;
  state.outlives = plan.setting_number("dies-with-monitor", 1) == 0;
  state.preserved = static_cast<int>(plan.setting_number("preserve-fds", 0));
  state.container = context;
  if (!make_streams(state, streams, plan.has(Section::kExec, OpCode::kConsole), context.open_stdin, child, failure)) {
    close_childs_ends(state);
    close_child(*child);
    return false;
  }
  bool in_cgroup;
  int pidfd = -1;
  pid_t pid = clone_process(0, -1, &pidfd, &in_cgroup);
  if (pid < 0) {
    fail(failure, errno, "clone the process");
    close_childs_ends(state);
    close_child(*child);
    return false;
  }
  if (pid == 0) {
    Failure problem;
    problem.section = static_cast<uint32_t>(Section::kExec);
    if (begin_child(state, {context.init_pidfd}, &problem)) run_child_section(state, &problem);
    end_child(state, problem);
  }
  close_childs_ends(state);
  if (forks_at_exec(plan, Section::kExec)) {
    child->helper = pid;
    close(pidfd);
  } else {
    child->pid = pid;
    child->pidfd = pidfd;
  }
  return true;
}

bool clone_exec(const PlanView& plan, const ExecContext& context, Child* child, Failure* failure) {
  return clone_exec_with(plan, context, Streams::kMonitor, child, failure);
}

}  // namespace wherry
