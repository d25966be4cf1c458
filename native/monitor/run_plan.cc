// `wherry-monitor run-plan FILE [--exec FILE] [--without FEATURE]...`: a container in the foreground, without
// log, socket or state, to debug plans. `wherry-monitor run-plan --check FILE...` only reads them.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fail.h"
#include "kernel/fd.h"
#include "kernel/syscalls.h"
#include "spawn.h"
#include "without.h"

namespace wherry {

namespace {

struct Feature {
  const char* name;
  bool sys::Without::*field;
};
constexpr Feature kFeatures[] = {{"mount_setattr", &sys::Without::mount_setattr},
                                 {"lowerdir+", &sys::Without::lowerdir_plus},
                                 {"into-cgroup", &sys::Without::into_cgroup},
                                 {"clone3", &sys::Without::clone3},
                                 {"close_range", &sys::Without::close_range}};

int tell(const Failure& failure) {
  dprintf(2, "wherry-monitor: %s (section %u, operation %d)\n", failure.message.c_str(), failure.section, failure.op);
  return failure.code;
}

bool write_all(int fd, const char* data, size_t length) {
  while (length) {
    ssize_t done = write(fd, data, length);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0 && errno == EAGAIN) {
      struct pollfd ready = {fd, POLLOUT, 0};
      poll(&ready, 1, -1);
      continue;
    }
    if (done <= 0) return false;
    data += done;
    length -= static_cast<size_t>(done);
  }
  return true;
}

// Copies what is there; false at the end.
bool copy(int from, int to) {
  char buffer[16384];
  ssize_t got = read(from, buffer, sizeof buffer);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  return got > 0 && write_all(to, buffer, static_cast<size_t>(got));
}

// Carries the streams until the outputs have ended; with a terminal, until its last user has.
void relay(Child& child) {
  struct Route {
    int from, to;
    bool output;
  };
  Route routes[3] = {{-1, 1, true}, {-1, 2, true}, {-1, -1, false}};
  if (child.console_master >= 0) {
    routes[0].from = child.console_master;
    routes[2] = {0, child.console_master, false};
  } else {
    routes[0].from = child.stdout_r;
    routes[1].from = child.stderr_r;
    if (child.stdin_w >= 0) routes[2] = {0, child.stdin_w, false};
  }
  while (routes[0].from >= 0 || routes[1].from >= 0) {
    struct pollfd wait[3];
    for (int index = 0; index < 3; index++) wait[index] = {routes[index].from, POLLIN, 0};
    if (poll(wait, 3, -1) < 0 && errno != EINTR) return;
    for (int index = 0; index < 3; index++) {
      if (routes[index].from < 0 || !wait[index].revents || copy(routes[index].from, routes[index].to)) continue;
      routes[index].from = -1;
      if (!routes[index].output && child.stdin_w >= 0) {
        close(child.stdin_w);
        child.stdin_w = -1;
      }
    }
  }
}

int wait_exit(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int run_exec(const char* path, const Child& init) {
  PlanFile file;
  std::string error;
  if (!plan_load(path, &file, &error)) {
    dprintf(2, "wherry-monitor: %s\n", error.c_str());
    return 125;
  }
  Failure failure;
  Child child;
  ExecContext context;
  context.init_pid = init.pid;
  context.init_pidfd = init.pidfd;
  context.open_stdin = true;
  if (!clone_exec(file.plan, context, &child, &failure)) return tell(failure);
  if (!await_exec(child, &failure)) return tell(failure);
  relay(child);
  int code = wait_exit(child.pid);
  close_child(child);
  return code;
}

int run(const PlanView& plan, const char* exec) {
  Failure failure;
  if (!run_host_section(plan, Section::kSetup, HostContext(), false, &failure)) return tell(failure);
  Child init;
  if (!clone_init_with(plan, -1, Streams::kInherited, &init, &failure)) return tell(failure);
  HostContext context = {init.netns_fd, init.pid, nullptr};
  bool ok = run_host_section(plan, Section::kNetwork, context, false, &failure) &&
            run_host_section(plan, Section::kCreated, context, false, &failure);
  if (ok) {
    go(init);
    ok = await_exec(init, &failure);
  }
  if (!ok) {
    if (init.pidfd >= 0) {
      sys::pidfd_send_signal(init.pidfd, SIGKILL);
      wait_exit(init.pid);
    }
    close_child(init);
    return tell(failure);
  }
  int code;
  if (exec) {
    code = run_exec(exec, init);
    sys::pidfd_send_signal(init.pidfd, SIGKILL);
    wait_exit(init.pid);
  } else {
    if (init.console_master >= 0) relay(init);
    code = wait_exit(init.pid);
  }
  close_child(init);
  return code;
}

// Reads plans without running them; for each one line, `ok` or what is wrong.
int check(int argc, char** argv) {
  int code = 0;
  for (int index = 0; index < argc; index++) {
    PlanFile file;
    std::string error;
    bool ok = plan_load(argv[index], &file, &error);
    dprintf(1, "%s\n", ok ? "ok" : error.c_str());
    if (!ok) code = 1;
  }
  return code;
}

}  // namespace

int run_plan_main(int argc, char** argv) {
  if (argc > 2 && !strcmp(argv[2], "--check")) return check(argc - 3, argv + 3);
  const char* path = nullptr;
  const char* exec = nullptr;
  for (int index = 2; index < argc; index++) {
    bool known = true;
    if (!strcmp(argv[index], "--exec") && index + 1 < argc) {
      exec = argv[++index];
    } else if (!strcmp(argv[index], "--without") && index + 1 < argc) {
      known = false;
      index++;
      for (const Feature& feature : kFeatures) {
        if (strcmp(argv[index], feature.name) != 0) continue;
        sys::without.*feature.field = true;
        known = true;
      }
    } else if (!path) {
      path = argv[index];
    } else {
      known = false;
    }
    if (!known) path = nullptr, index = argc;
  }
  if (!path) {
    dprintf(2, "usage: wherry-monitor run-plan FILE [--exec FILE] [--without FEATURE]...\n");
    return 125;
  }
  PlanFile file;
  std::string error;
  if (!plan_load(path, &file, &error)) {
    dprintf(2, "wherry-monitor: %s\n", error.c_str());
    return 125;
  }
  int code = run(file.plan, exec);
  Failure failure;
  if (!run_host_section(file.plan, Section::kStop, HostContext(), true, &failure)) tell(failure);
  return code;
}

}  // namespace wherry
