// The command: where it starts, and its start.
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "kernel/syscalls.h"
#include "paths.h"
#include "status.h"
#include "without.h"

namespace wherry {

namespace {

constexpr char kOutside[] = "current working directory is outside of container mount namespace root";
constexpr char kDefaultPath[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// The kernel writes `(unreachable)` in front of a folder that is not below the root: one reached by a
// descriptor that leaked.
bool inside_root() {
  char path[4096];
  long length = syscall(SYS_getcwd, path, sizeof path);
  return length > 0 && path[0] == '/';
}

// Without data() when it is not set.
std::string_view environment(const std::vector<std::string_view>& env, std::string_view name) {
  for (std::string_view entry : env) {
    if (entry.size() > name.size() && entry[name.size()] == '=' && entry.substr(0, name.size()) == name) {
      return entry.substr(name.size() + 1);
    }
  }
  return {};
}

// Whether a file can be run: 0 or an errno. The effective ids count, as they do for execve.
int runnable(const char* path) {
  struct stat info;
  if (stat(path, &info) < 0) return errno;
  if (S_ISDIR(info.st_mode)) return EISDIR;
  if (syscall(439 /* faccessat2 */, AT_FDCWD, path, X_OK, AT_EACCESS) == 0) return 0;
  if (errno == ENOSYS || errno == EPERM) return info.st_mode & 0111 ? 0 : EACCES;
  return errno;
}

bool find_program(const std::string& name, std::string_view path, std::string* found, Failure* failure) {
  if (name.find('/') != std::string::npos) {
    int err = runnable(name.c_str());
    *found = name;
    if (!err) return true;
    if (err == ENOENT || err == ENOTDIR) {
      fail(failure, err, "exec: \"%s\": stat %s", name.c_str(), name.c_str());
    } else {
      fail(failure, err, "exec: \"%s\"", name.c_str());
    }
    failure->code = err == ENOENT || err == ENOTDIR ? 127 : 126;
    return false;
  }
  for (size_t at = 0; !name.empty() && !path.empty() && at <= path.size();) {
    size_t colon = path.find(':', at);
    if (colon == std::string_view::npos) colon = path.size();
    std::string folder(path.substr(at, colon - at));
    at = colon + 1;
    std::string candidate = (folder.empty() ? "." : folder) + "/" + name;
    if (runnable(candidate.c_str()) == 0) {
      *found = candidate;
      return true;
    }
  }
  fail(failure, 0, "exec: \"%s\": executable file not found in $PATH", name.c_str());
  failure->err = ENOENT;
  failure->code = 127;
  return false;
}

// Forks the process that runs the command, as a child of the monitor, in the pid namespace that was joined;
// up to here nobody in there could see it. By now it has no more privileges than the command will have.
bool fork_into_pid_namespace(ChildState& state, Failure* failure) {
  int pidfd = -1;
  sys::CloneArgs arguments{};
  arguments.flags = sys::kClonePidfd | sys::kCloneParent;
  arguments.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  long pid = sys::without.clone3 ? -1 : sys::clone3(&arguments);
  if (pid < 0) {
    // docker's seccomp profile answers ENOSYS for clone3, because a filter can't see its flags.
    pid = syscall(SYS_clone, sys::kClonePidfd | sys::kCloneParent | SIGCHLD, 0, &pidfd, 0, 0);
  }
  if (pid < 0) return fail(failure, errno, "fork into the pid namespace");
  if (pid == 0) return true;
  if (send_pid(state.status_fd, static_cast<pid_t>(pid), pidfd)) _exit(0);
  kill(static_cast<pid_t>(pid), SIGKILL);
  _exit(125);
}

// Only 0, 1 and 2, those that are preserved and the status socket, which closes itself, go on.
bool close_others(ChildState& state, Failure* failure) {
  const int kStatus = 3 + state.preserved;
  if (state.status_fd != kStatus) {
    if (dup3(state.status_fd, kStatus, O_CLOEXEC) < 0) return fail(failure, errno, "dup3");
    state.status_fd = kStatus;
  }
  if (!sys::without.close_range && sys::close_range(static_cast<unsigned>(kStatus) + 1, ~0U) == 0) return true;
  // The limit of the plan may be below what was opened before it was set.
  constexpr int kMany = 1 << 16;
  for (int fd = kStatus + 1; fd < kMany; fd++) close(fd);
  return true;
}

void reset_signals() {
  struct sigaction standard = {};
  standard.sa_handler = SIG_DFL;
  for (int signal = 1; signal < 65; signal++) sigaction(signal, &standard, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace

bool op_umask(ChildState& state, const Op& op, Failure*) {
  umask(static_cast<mode_t>(op.number(0)) & 0777);
  state.umask_set = true;
  return true;
}

bool op_workdir(ChildState& state, const Op& op, Failure* failure) {
  if (state.root < 0) return fail(failure, 0, "the plan has no root");
  const char* path = op.path(0);
  // Magic links are not followed: a path through /proc/self/fd would lead to what the descriptor refers to.
  Fd folder(op.number(1) ? make_in_root(state.root, path, Make::kFolder, 0755)
                         : open_in_root(state.root, path, O_PATH | O_DIRECTORY));
  if (!folder || fchdir(folder.get()) < 0) {
    int err = errno;
    if (op.number(1) && err == ENOTDIR) return fail(failure, 0, "Cannot mkdir: %s is not a directory", path);
    fail(failure, err, "chdir to cwd (\"%s\") set in config.json failed", path);
    failure->code = exit_code_for(err);
    return false;
  }
  return inside_root() || fail(failure, 0, "%s", kOutside);
}

bool op_fork_init(ChildState& state, const Op&, Failure* failure) {
  if (!fork_into_pid_namespace(state, failure)) return false;
  state.fork_at_exec = false;
  return set_death_signal(state, failure);
}

bool op_await_start(ChildState& state, const Op&, Failure* failure) {
  const Op& last = state.plan->section(state.section).back();
  if (last.code() != OpCode::kExec || last.list(0).empty()) return fail(failure, 0, "no command specified");
  std::string_view path = environment(last.list(1), "PATH");
  std::string program;
  if (!find_program(std::string(last.list(0)[0]), path.data() ? path : kDefaultPath, &program, failure)) return false;
  if (state.fork_at_exec) {
    if (!fork_into_pid_namespace(state, failure)) return false;
    state.fork_at_exec = false;
  }
  if (!send_waiting(state.status_fd)) _exit(125);
  state.ready_sent = true;
  char way[40];
  snprintf(way, sizeof way, "self/fd/%d", state.start_fifo);
  Fd fifo;
  do {
    fifo.reset(openat(proc_fd(), way, O_WRONLY | O_CLOEXEC));
  } while (!fifo && errno == EINTR);
  return (fifo && write(fifo.get(), "0", 1) == 1) || fail(failure, errno, "wait for the start");
}

bool op_exec(ChildState& state, const Op& op, Failure* failure) {
  if (op.list(0).empty()) return fail(failure, 0, "no command specified");
  if (!inside_root()) return fail(failure, 0, "%s", kOutside);
  std::string home = "HOME=" + state.identity.home;
  std::vector<char*> argv, env;
  for (std::string_view item : op.list(0)) argv.push_back(const_cast<char*>(item.data()));
  bool has_home = !environment(op.list(1), "HOME").empty();
  for (std::string_view item : op.list(1)) {
    if (has_home || item != "HOME=") env.push_back(const_cast<char*>(item.data()));
  }
  if (!has_home) env.push_back(home.data());
  argv.push_back(nullptr);
  env.push_back(nullptr);

  std::string_view path = environment(op.list(1), "PATH");
  std::string program;
  if (!find_program(std::string(op.list(0)[0]), path.data() ? path : kDefaultPath, &program, failure)) return false;
  if (!state.umask_set) umask(0022);
  if (!close_others(state, failure)) return false;
  if (state.fork_at_exec) {
    if (!fork_into_pid_namespace(state, failure)) return false;
    state.fork_at_exec = false;
    state.death_signal_set = false;  // not inherited
  }
  if (!start_session(state, failure)) return false;
  if (!state.death_signal_set && !set_death_signal(state, failure)) return false;
  if (!state.ready_sent) send_ready(state.status_fd);
  reset_signals();
  execve(program.c_str(), argv.data(), env.data());
  int err = errno;
  fail(failure, err, "exec %s", program.c_str());
  failure->code = err == ENOENT ? 127 : 126;
  return false;
}

}  // namespace wherry
