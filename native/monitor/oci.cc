#include "oci.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "fail.h"
#include "kernel/fd.h"
#include "kernel/syscalls.h"
#include "spawn.h"
#include "status.h"
#include "text.h"

namespace wherry {

namespace {

constexpr int kForwarded[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGCONT, SIGWINCH};
constexpr int kDrain = 100;  // milliseconds for what a terminal still has when its process has ended

struct Options {
  const char* plan = nullptr;
  const char* pid_file = nullptr;
  const char* console_socket = nullptr;
  int result = -1;
  pid_t init = -1;
  bool foreground = false;
  bool detach = false;
};

bool parse_options(int argc, char** argv, Options* options) {
  for (int index = 2; index < argc; index++) {
    const char* name = argv[index];
    const char* value = index + 1 < argc ? argv[index + 1] : nullptr;
    if (!strcmp(name, "--foreground")) {
      options->foreground = true;
    } else if (!strcmp(name, "--detach")) {
      options->detach = true;
    } else if (name[0] != '-' && options->plan == nullptr) {
      options->plan = name;
    } else if (value == nullptr) {
      return false;
    } else {
      index++;
      if (!strcmp(name, "--pid-file")) options->pid_file = value;
      else if (!strcmp(name, "--console-socket")) options->console_socket = value;
      else if (!strcmp(name, "--result")) options->result = atoi(value);
      else if (!strcmp(name, "--init")) options->init = static_cast<pid_t>(atoi(value));
      else return false;
    }
  }
  return options->plan != nullptr && options->result > 2;
}

int tell(const Options& options, const Failure& failure) {
  std::string members;
  append_member(members, "code", static_cast<int64_t>(failure.code));
  append_member(members, "message", failure.message);
  dprintf(options.result, "{%s}\n", members.c_str() + (members[0] == ',' ? 1 : 0));
  return failure.code;
}

// As a whole, or not at all: others wait for it to appear.
bool write_pid_file(const char* path, pid_t pid, Failure* failure) {
  std::string temporary = std::string(path) + ".tmp" + std::to_string(getpid());
  Fd file(open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  std::string text = std::to_string(pid);
  bool ok = file && write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
            rename(temporary.c_str(), path) == 0;
  if (ok) return true;
  fail(failure, errno, "write the pid file %s", path);
  unlink(temporary.c_str());
  return false;
}

bool connect_unix(const char* path, Fd* fd, Failure* failure) {
  struct sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (strlen(path) >= sizeof address.sun_path) return fail(failure, ENAMETOOLONG, "connect to %s", path);
  strcpy(address.sun_path, path);
  fd->reset(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return (*fd && connect(fd->get(), reinterpret_cast<struct sockaddr*>(&address), sizeof address) == 0) ||
         fail(failure, errno, "connect to %s", path);
}

// The terminal's master to who will hold it, with its name as the data.
bool hand_over_console(const char* path, int master, Failure* failure) {
  Fd socket_fd;
  if (!connect_unix(path, &socket_fd, failure)) return false;
  fcntl(master, F_SETFL, fcntl(master, F_GETFL) & ~O_NONBLOCK);
  constexpr char kName[] = "/dev/ptmx";
  return send_with_fd(socket_fd.get(), kName, sizeof kName - 1, master) ||
         fail(failure, errno, "send the terminal to %s", path);
}

// runtime-spec, config-linux.md: the "container process state", with the descriptor.
bool hand_over_listener(const PlanView& plan, int listener, pid_t pid, pid_t init, Failure* failure) {
  const char* path = plan.setting("listener-path");
  Fd agent;
  if (!connect_unix(path, &agent, failure)) return false;
  std::string message = "{\"pid\":" + std::to_string(pid) + plan.setting("listener-members") +
                        ",\"pid\":" + std::to_string(init) + "}}";
  return send_with_fd(agent.get(), message.data(), message.size(), listener) ||
         fail(failure, errno, "send the seccomp listener to %s", path);
}

// As soon as it is there: all that comes next may wait for an answer. `init` 0: the child is the init.
bool pass_listener(const PlanView& plan, Child& child, pid_t init, Failure* failure) {
  if (child.listener_fd < 0 || child.pid <= 0) return true;
  Fd listener(child.listener_fd);
  child.listener_fd = -1;
  return hand_over_listener(plan, listener.get(), child.pid, init > 0 ? init : child.pid, failure);
}

enum class Until { kWaits, kRuns };

// Until the child waits for its start, or its command runs. False when it can't.
bool await(const PlanView& plan, Child& child, pid_t init, Until until, Failure* failure) {
  for (;;) {
    Status status = read_status(child, failure);
    if (status == Status::kFailed) return false;
    if (!pass_listener(plan, child, init, failure)) return false;
    if (until == Until::kWaits && child.waiting && child.pid > 0) return true;
    if (status == Status::kRunning) return true;
    struct pollfd wait = {child.status_fd, POLLIN, 0};
    poll(&wait, 1, -1);
  }
}

// Who joins a user namespace comes to be the init by a fork; hooks want to know its pid.
bool await_pid(const PlanView& plan, Child& child, Failure* failure) {
  while (plan.has(Section::kInit, OpCode::kForkInit) && child.pid <= 0) {
    if (read_status(child, failure) == Status::kFailed) return false;
    if (child.pid > 0) break;
    struct pollfd wait = {child.status_fd, POLLIN, 0};
    poll(&wait, 1, -1);
  }
  return true;
}

int wait_exit(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

bool pass_on(int from, int to) {
  char buffer[16384];
  ssize_t length = read(from, buffer, sizeof buffer);
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (length <= 0) return false;
  for (ssize_t at = 0; at < length;) {
    ssize_t done = write(to, buffer + at, static_cast<size_t>(length - at));
    if (done > 0) {
      at += done;
    } else if (errno == EAGAIN) {
      struct pollfd room = {to, POLLOUT, 0};
      poll(&room, 1, -1);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

// The caller's terminal in raw mode for as long as this lives.
class RawTerminal {
 public:
  explicit RawTerminal(bool wanted) {
    if (!wanted || tcgetattr(0, &before_) < 0) return;
    struct termios raw = before_;
    cfmakeraw(&raw);
    changed_ = tcsetattr(0, TCSANOW, &raw) == 0;
  }
  ~RawTerminal() {
    if (changed_) tcsetattr(0, TCSANOW, &before_);
  }

 private:
  struct termios before_;
  bool changed_ = false;
};

void copy_size(int master) {
  struct winsize size;
  if (ioctl(0, TIOCGWINSZ, &size) == 0) ioctl(master, TIOCSWINSZ, &size);
}

int block_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int number : kForwarded) sigaddset(&set, number);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

// Carries the terminal, if there is one, and signals until the process has ended.
int attend(Child& child, int signals) {
  int master = child.console_master;
  RawTerminal raw(master >= 0);
  if (master >= 0) copy_size(master);
  bool ended = false, output_open = master >= 0;
  int input = master >= 0 ? 0 : -1;
  while (!ended || output_open) {
    struct pollfd wait[] = {{signals, POLLIN, 0},
                            {ended ? -1 : child.pidfd, POLLIN, 0},
                            {output_open ? master : -1, POLLIN, 0},
                            {ended ? -1 : input, POLLIN, 0}};
    int ready = poll(wait, 4, ended ? kDrain : -1);
    if (ready == 0) break;
    if (ready < 0) continue;
    if (wait[0].revents) {
      struct signalfd_siginfo info;
      if (read(signals, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGWINCH && master >= 0) copy_size(master);
        else sys::pidfd_send_signal(child.pidfd, static_cast<int>(info.ssi_signo));
      }
    }
    if (wait[2].revents && !pass_on(master, 1)) output_open = false;
    if (wait[3].revents && !pass_on(input, master)) input = -1;
    if (wait[1].revents) ended = true;
  }
  return wait_exit(child.pid);
}

void end_child(Child& child) {
  if (child.pidfd >= 0) {
    sys::pidfd_send_signal(child.pidfd, SIGKILL);
    wait_exit(child.pid);
  }
  close_child(child);
}

// The terminal goes to its holder, the pid to its file.
bool publish(const Options& options, Child& child, Failure* failure) {
  if (child.console_master >= 0 && options.console_socket != nullptr) {
    if (!hand_over_console(options.console_socket, child.console_master, failure)) return false;
    close(child.console_master);
    child.console_master = -1;
  }
  return options.pid_file == nullptr || write_pid_file(options.pid_file, child.pid, failure);
}

// Reads the byte that the init writes before its command runs.
bool let_start(const PlanView& plan, pid_t init, Failure* failure) {
  const char* path = plan.setting("start-fifo");
  Fd process(sys::pidfd_open(init));
  // Not waiting for a writer: the init may have ended.
  Fd fifo(open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!process || !fifo) return fail(failure, errno, "start the container");
  for (;;) {
    struct pollfd wait[] = {{fifo.get(), POLLIN, 0}, {process.get(), POLLIN, 0}};
    poll(wait, 2, -1);
    char byte;
    if (read(fifo.get(), &byte, 1) == 1) break;
    if (wait[1].revents) return fail(failure, 0, "cannot start a container that has stopped");
    // The init has opened its end but not written yet.
    poll(nullptr, 0, 1);
  }
  unlink(path);
  return true;
}

// The process runs by now; that a hook after its start fails doesn't end it.
void run_started_hooks(const PlanView& plan, pid_t pid) {
  HostContext context;
  context.pid = pid;
  Failure hook;
  if (!run_host_section(plan, Section::kStarted, context, false, &hook)) dprintf(2, "wherry: %s\n", hook.message.c_str());
}

int start(const Options& options, const PlanView& plan) {
  Failure failure;
  if (!let_start(plan, options.init, &failure)) return tell(options, failure);
  run_started_hooks(plan, options.init);
  return 0;
}

bool start_now(const PlanView& plan, Child& child, Failure* failure) {
  if (!let_start(plan, child.pid, failure) || !await(plan, child, 0, Until::kRuns, failure)) return false;
  run_started_hooks(plan, child.pid);
  return true;
}

// Whoever starts the container may be another user than root in a namespace: anybody may write there.
bool make_fifo(const char* path, Failure* failure) {
  return (mkfifo(path, 0622) == 0 && chmod(path, 0622) == 0) || fail(failure, errno, "make the FIFO %s", path);
}

int create(const Options& options, const PlanView& plan, int signals) {
  Failure failure;
  Child init;
  bool ok = make_fifo(plan.setting("start-fifo"), &failure) &&
            run_host_section(plan, Section::kSetup, HostContext(), false, &failure) &&
            clone_init_with(plan, -1, Streams::kInherited, &init, &failure) && await_pid(plan, init, &failure);
  if (ok) {
    HostContext context = {init.netns_fd, init.pid, nullptr};
    ok = run_host_section(plan, Section::kCreated, context, false, &failure);
    if (ok) {
      go(init);
      ok = await(plan, init, 0, Until::kWaits, &failure) && publish(options, init, &failure) &&
           (!options.foreground || start_now(plan, init, &failure));
    }
    if (!ok) end_child(init);
  }
  if (!ok) {
    Failure ignored;
    run_host_section(plan, Section::kStop, HostContext(), true, &ignored);
    return tell(options, failure);
  }
  dprintf(options.result, "{\"pid\":%d}\n", init.pid);
  close(options.result);
  return options.foreground ? attend(init, signals) : 0;
}

int exec(const Options& options, const PlanView& plan, int signals) {
  Failure failure;
  Child child;
  ExecContext context;
  context.init_pid = options.init;
  Fd init(sys::pidfd_open(options.init));
  context.init_pidfd = init.get();
  bool ok = init || fail(&failure, errno, "open the container's process %d", options.init);
  if (ok) {
    ok = clone_exec_with(plan, context, Streams::kInherited, &child, &failure) &&
         await(plan, child, options.init, Until::kRuns, &failure) && publish(options, child, &failure);
    if (!ok) end_child(child);
  }
  if (!ok) return tell(options, failure);
  dprintf(options.result, "{\"pid\":%d}\n", child.pid);
  close(options.result);
  return options.detach ? 0 : attend(child, signals);
}

}  // namespace

int oci_main(int argc, char** argv) {
  Options options;
  bool creates = !strcmp(argv[1], "oci-create"), starts = !strcmp(argv[1], "oci-start");
  if (!parse_options(argc, argv, &options) || (!creates && options.init <= 0)) {
    dprintf(2, "usage: wherry-monitor oci-create|oci-start|oci-exec PLAN --result FD OPTION...\n");
    return 1;
  }
  fcntl(options.result, F_SETFD, FD_CLOEXEC);
  signal(SIGPIPE, SIG_IGN);
  int signals = (creates ? options.foreground : !starts && !options.detach) ? block_signals() : -1;
  PlanFile file;
  Failure failure;
  if (!plan_load(options.plan, &file, &failure.message)) return tell(options, failure);
  if (starts) return start(options, file.plan);
  return creates ? create(options, file.plan, signals) : exec(options, file.plan, signals);
}

}  // namespace wherry
