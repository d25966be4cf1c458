#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <memory>

#include "binding.h"
#include "kernel/fd.h"
#include "kernel/syscalls.h"

extern char **environ;

namespace wherry {
namespace {

struct ProcessStatus {
  char state = 0;
  int64_t start = -1;
};

/** Fields 3 and 22 of /proc/PID/stat; the name in field 2 may hold anything, its `)` is the last one. */
bool read_process(int pid, ProcessStatus &status) {
  std::string path = "/proc/" + std::to_string(pid) + "/stat";
  Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return false;
  char text[2048];
  ssize_t size = read(file.get(), text, sizeof text - 1);
  if (size <= 0) return false;
  text[size] = '\0';
  const char *field = strrchr(text, ')');
  if (field == nullptr) return false;
  for (int number = 2; number < 22; ++number) {
    field = strchr(field + 1, ' ');
    if (field == nullptr) return false;
    if (number == 2) status.state = field[1];
  }
  status.start = strtoll(field + 1, nullptr, 10);
  return true;
}

/** A pidfd of a process that lives and was started then; none when there is no such one. */
Status open_process(int pid, int64_t start, Fd &process) {
  if (pid <= 0) return system_failure(EINVAL, "pidfd_open");
  process.reset(sys::pidfd_open(pid));
  if (!process) return errno == ESRCH ? Status() : system_failure(errno, "pidfd_open");
  // Read after the pidfd is there: if the start fits now, the pidfd is that process.
  ProcessStatus status;
  if (!read_process(pid, status) || status.start != start || status.state == 'Z' || status.state == 'X') process.reset();
  return {};
}

/** processStart(pid): number | undefined */
Napi::Value process_start(const Napi::CallbackInfo &info) {
  int pid;
  ProcessStatus status;
  if (!get_arguments(info, pid) || pid <= 0 || !read_process(pid, status)) return info.Env().Undefined();
  if (status.state == 'Z' || status.state == 'X') return info.Env().Undefined();
  return Napi::Number::New(info.Env(), static_cast<double>(status.start));
}

/** openProcess(pid, start): number | undefined */
Napi::Value open_process_by_start(const Napi::CallbackInfo &info) {
  int pid;
  int64_t start;
  if (!get_arguments(info, pid, start)) return info.Env().Undefined();
  Fd process;
  if (Status failure = open_process(pid, start, process)) return throw_failure(info.Env(), *failure);
  return process ? Napi::Number::New(info.Env(), process.release()) : info.Env().Undefined();
}

/** signalProcess(pid, start, signal): boolean */
Napi::Value signal_process(const Napi::CallbackInfo &info) {
  int pid, signal;
  int64_t start;
  if (!get_arguments(info, pid, start, signal)) return info.Env().Undefined();
  Napi::Env env = info.Env();
  Fd process;
  if (Status failure = open_process(pid, start, process)) return throw_failure(env, *failure);
  if (!process) return Napi::Boolean::New(env, false);
  if (sys::pidfd_send_signal(process.get(), signal) == 0) return Napi::Boolean::New(env, true);
  if (errno == ESRCH) return Napi::Boolean::New(env, false);
  return throw_failure(env, system_failure(errno, "pidfd_send_signal"));
}

/**
 * The program as a read-only mount of its own: a process in a container that reaches it through /proc/PID/exe
 * can't open it for writing (CVE-2019-5736). Where the kernel or the rights for it are missing, the plain file.
 */
Status open_program(const std::string &path, Fd &program) {
  Fd clone(sys::open_tree(AT_FDCWD, path.c_str(), sys::kOpenTreeClone | sys::kOpenTreeCloexec));
  if (clone && sys::mount_setattr(clone.get(), "", AT_EMPTY_PATH, {sys::kAttrRdonly, 0, 0, 0}) == 0) {
    program = std::move(clone);
    return {};
  }
  program.reset(open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!program) return system_failure(errno, "open", path);
  return {};
}

/** Above what the child places at 0 to 3. */
bool move_above_three(Fd &fd) {
  fd.reset(fcntl(fd.get(), F_DUPFD_CLOEXEC, 10));
  return static_cast<bool>(fd);
}

struct Spawn {
  std::vector<char *> arguments;
  std::vector<char *> environment;
  int program, socket, null;
  int number = 0;
  const char *syscall = "";
  /** Of the program's process until it execs. */
  std::vector<char> stack = std::vector<char>(64 << 10);
};

int exec_program(void *argument) {
  auto &spawn = *static_cast<Spawn *>(argument);
  spawn.syscall = "execveat";
  syscall(SYS_execveat, spawn.program, "", spawn.arguments.data(), spawn.environment.data(), AT_EMPTY_PATH);
  spawn.number = errno;
  return 127;
}

/**
 * In a child that shares our memory until its own child execs: only system calls, and what they write is the
 * error. The session is the first one's, who ends: the program is nobody's child and can't get a terminal.
 */
[[noreturn]] void become_program(Spawn &spawn) {
  // Handlers and ignored signals (Node ignores SIGPIPE) are not the program's business.
  for (int signal = 1; signal < 65; ++signal) {
    if (signal == SIGKILL || signal == SIGSTOP || signal == 32 || signal == 33) continue;
    struct sigaction action = {};
    action.sa_handler = SIG_DFL;
    sigaction(signal, &action, nullptr);
  }
  spawn.syscall = "dup2";
  bool placed = dup2(spawn.null, 0) == 0 && dup2(spawn.null, 1) == 1 && dup2(spawn.null, 2) == 2 &&
                dup2(spawn.socket, 3) == 3;
  if (placed) {
    unsigned keep = static_cast<unsigned>(spawn.program);
    spawn.syscall = "close_range";
    if (sys::close_range(4, keep - 1) == 0 && sys::close_range(keep + 1, ~0u) == 0) {
      sigset_t none;
      sigemptyset(&none);
      sigprocmask(SIG_SETMASK, &none, nullptr);
      setsid();
      spawn.syscall = "clone";
      // As vfork, on a stack of its own: a vfork in a vfork's child is more than the sanitizers can follow.
      char *top = spawn.stack.data() + spawn.stack.size();
      if (clone(exec_program, top, CLONE_VM | CLONE_VFORK | SIGCHLD, &spawn) > 0) _exit(0);
    }
  }
  spawn.number = errno;
  _exit(127);
}

Status wait_for_first(pid_t pid, const std::string &executable) {
  while (waitpid(pid, nullptr, 0) < 0) {
    if (errno != EINTR) return system_failure(errno, "waitpid", executable);
  }
  return {};
}

Status spawn_monitor(const std::string &executable, const std::vector<std::string> &argv, Fd &ours) {
  Fd program;
  if (Status failure = open_program(executable, program)) return failure;
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return system_failure(errno, "socketpair");
  Fd parent_end(pair[0]), child_end(pair[1]);
  Fd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) return system_failure(errno, "open", "/dev/null");
  if (!move_above_three(program) || !move_above_three(child_end) || !move_above_three(null)) {
    return system_failure(errno, "fcntl");
  }

  Spawn spawn;
  spawn.program = program.get();
  spawn.socket = child_end.get();
  spawn.null = null.get();
  spawn.arguments.push_back(const_cast<char *>(executable.c_str()));
  for (const std::string &argument : argv) spawn.arguments.push_back(const_cast<char *>(argument.c_str()));
  spawn.arguments.push_back(nullptr);
  // Nothing of the user's environment: it would stay readable in /proc for as long as the container lives.
  for (char **variable = environ; *variable != nullptr; ++variable) {
    if (strstr(*variable, "SAN_OPTIONS=") != nullptr) spawn.environment.push_back(*variable);
  }
  spawn.environment.push_back(nullptr);

  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t pid = vfork();
  if (pid == 0) become_program(spawn);
  int fork_error = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return system_failure(fork_error, "vfork");
  child_end.reset();
  Status failure = wait_for_first(pid, executable);
  if (spawn.number != 0) return system_failure(spawn.number, spawn.syscall, executable);
  if (failure) return failure;
  ours = std::move(parent_end);
  return {};
}

/** spawnMonitor(executable, argv): Promise<number> */
Napi::Value spawn_monitor_on_thread(const Napi::CallbackInfo &info) {
  std::string executable;
  std::vector<std::string> argv;
  if (!get_arguments(info, executable, argv)) return info.Env().Undefined();
  auto socket = std::make_shared<Fd>();
  return run_on_thread(
      info.Env(), [=] { return spawn_monitor(executable, argv, *socket); },
      [socket](Napi::Env env) { return Napi::Number::New(env, socket->release()); });
}

/** exit(code) */
Napi::Value exit_now(const Napi::CallbackInfo &info) {
  int code;
  if (get_arguments(info, code)) _exit(code);
  return info.Env().Undefined();
}

}  // namespace

void export_processes(Napi::Env env, Napi::Object exports) {
  exports.Set("processStart", Napi::Function::New(env, process_start, "processStart"));
  exports.Set("openProcess", Napi::Function::New(env, open_process_by_start, "openProcess"));
  exports.Set("signalProcess", Napi::Function::New(env, signal_process, "signalProcess"));
  exports.Set("exit", Napi::Function::New(env, exit_now, "exit"));
  exports.Set("spawnMonitor", Napi::Function::New(env, spawn_monitor_on_thread, "spawnMonitor"));
}

}  // namespace wherry
