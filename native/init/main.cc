// `wherry-init -- COMMAND [ARGUMENT...]`: process 1 of a container that was started with `run --init`. It hands
// every signal on to the command, reaps what is left to it, and ends as the command ends.
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <initializer_list>

namespace {

constexpr int kUsage = 1, kNotExecutable = 126, kNotFound = 127, kSignalled = 128;

// No stdio: it would be half of the program.
void complain(const char* what, const char* name, const char* reason) {
  const char* parts[] = {"wherry-init: ", what, name, reason, "\n"};
  for (const char* part : parts) {
    if (write(2, part, strlen(part)) < 0) return;
  }
}

// Signals that tell of a fault of this process itself can't be waited for.
void forwardable(sigset_t* set) {
  sigfillset(set);
  for (int fault : {SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGSYS}) sigdelset(set, fault);
}

[[noreturn]] void run(char** command, const sigset_t* mask) {
  // In a process group of its own, and in the foreground of the terminal if there is one: Ctrl+C then reaches
  // the command once, from the terminal, and not again through us. SIGTTOU is still blocked here.
  if (setpgid(0, 0) == 0) tcsetpgrp(0, getpgrp());
  signal(SIGTTIN, SIG_DFL);
  signal(SIGTTOU, SIG_DFL);
  sigprocmask(SIG_SETMASK, mask, nullptr);
  execvp(command[0], command);
  int code = errno == ENOENT || errno == ENOTDIR ? kNotFound : kNotExecutable;
  complain("exec ", command[0], code == kNotFound ? ": not found" : ": cannot be run");
  _exit(code);
}

// Reaps all that has ended. The exit code of `command` when it is among them, otherwise -1.
int reap(pid_t command) {
  int code = -1, status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0 || (pid < 0 && errno == EINTR)) {
    if (pid != command) continue;
    code = WIFSIGNALED(status) ? kSignalled + WTERMSIG(status) : WEXITSTATUS(status);
  }
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  int first = argc > 1 && strcmp(argv[1], "--") == 0 ? 2 : 1;
  if (first >= argc) {
    complain("usage: wherry-init -- COMMAND [ARGUMENT...]", "", "");
    return kUsage;
  }
  sigset_t waited, before;
  forwardable(&waited);
  sigprocmask(SIG_SETMASK, &waited, &before);
  signal(SIGTTIN, SIG_IGN);
  signal(SIGTTOU, SIG_IGN);
  // Where we are not process 1 (a shared pid namespace) orphans come to us all the same.
  if (getpid() != 1) prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);

  pid_t command = fork();
  if (command < 0) {
    complain("fork: ", argv[first], ": failed");
    return kNotExecutable;
  }
  if (command == 0) run(argv + first, &before);
  for (;;) {
    siginfo_t info;
    int number = sigwaitinfo(&waited, &info);
    if (number > 0 && number != SIGCHLD) kill(command, number);
    int code = reap(command);
    if (code >= 0) return code;
  }
}
