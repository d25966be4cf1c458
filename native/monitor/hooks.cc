#include "hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "fail.h"
#include "kernel/fd.h"
#include "kernel/syscalls.h"
#include "paths.h"

namespace wherry {

namespace {

constexpr size_t kMaxTold = 2048;

bool memory_file(std::string_view content, Fd* file, Failure* failure) {
  file->reset(memfd_create("hook", MFD_CLOEXEC));
  if (!*file) return fail(failure, errno, "memfd_create");
  if (!content.empty() && write(file->get(), content.data(), content.size()) != static_cast<ssize_t>(content.size())) {
    return fail(failure, errno, "write the state for a hook");
  }
  lseek(file->get(), 0, SEEK_SET);
  return true;
}

// What the hook has written, without the last newline.
std::string told(int file) {
  char buffer[kMaxTold];
  ssize_t length = pread(file, buffer, sizeof buffer, 0);
  std::string text(buffer, length > 0 ? static_cast<size_t>(length) : 0);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

[[noreturn]] void become_hook(const Op& op, int input, int output) {
  std::vector<char*> argv, env;
  for (std::string_view item : op.list(1)) argv.push_back(const_cast<char*>(item.data()));
  if (argv.empty()) argv.push_back(const_cast<char*>(op.path(0)));
  for (std::string_view item : op.list(2)) env.push_back(const_cast<char*>(item.data()));
  argv.push_back(nullptr);
  env.push_back(nullptr);
  if (dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0) _exit(125);
  sys::close_range(3, ~0U);
  struct sigaction standard = {};
  standard.sa_handler = SIG_DFL;
  for (int signal = 1; signal < 65; signal++) sigaction(signal, &standard, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execve(op.path(0), argv.data(), env.data());
  dprintf(2, "%s", error_words(errno).c_str());
  _exit(127);
}

}  // namespace

bool run_hook(const Op& op, pid_t container, Failure* failure) {
  std::string state;
  const auto& parts = op.list(4);
  for (size_t index = 0; index < parts.size(); index++) {
    if (index > 0) state += std::to_string(container);
    state += parts[index];
  }
  Fd input, output;
  if (!memory_file(state, &input, failure) || !memory_file("", &output, failure)) return false;

  pid_t pid = fork();
  if (pid < 0) return fail(failure, errno, "fork for the hook %s", op.path(0));
  if (pid == 0) become_hook(op, input.get(), output.get());
  int64_t seconds = op.number(3);
  bool late = false;
  if (seconds > 0) {
    Fd ended(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    struct pollfd wait = {ended.get(), POLLIN, 0};
    int ready;
    while ((ready = poll(&wait, 1, static_cast<int>(seconds < 1000000 ? seconds * 1000 : -1))) < 0 && errno == EINTR) {
    }
    late = ready == 0;
    if (late) kill(pid, SIGKILL);
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (late) {
    return fail(failure, 0, "hook %s: not done after %lld seconds", op.path(0), static_cast<long long>(seconds));
  }
  if (status == 0) return true;
  std::string output_text = told(output.get());
  const char* colon = output_text.empty() ? "" : ": ";
  if (WIFSIGNALED(status)) {
    return fail(failure, 0, "hook %s: killed by signal %d%s%s", op.path(0), WTERMSIG(status), colon,
                output_text.c_str());
  }
  return fail(failure, 0, "hook %s: exit status %d%s%s", op.path(0), WEXITSTATUS(status), colon, output_text.c_str());
}

bool op_run_hook(ChildState&, const Op& op, Failure* failure) {
  // This process as the host's procfs names it.
  char text[24] = {};
  if (readlinkat(proc_fd(), "self", text, sizeof text - 1) <= 0) return fail(failure, errno, "read /proc/self");
  return run_hook(op, static_cast<pid_t>(atol(text)), failure);
}

}  // namespace wherry
