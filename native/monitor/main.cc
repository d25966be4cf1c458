// `wherry-monitor`: see usage below. The monitor proper is in monitor.cc.
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string>

#include "container.h"
#include "kernel/syscalls.h"
#include "monitor.h"
#include "oci.h"
#include "settings.h"

namespace wherry {

namespace {

constexpr int kStarter = 3;

constexpr char kUsage[] =
    "usage: wherry-monitor start <monitor.plan>    (descriptor 3: a stream socket to the engine)\n"
    "       wherry-monitor cleanup <run-dir>       runs the stop plan of a container whose monitor died\n"
    "       wherry-monitor run-plan <file>         runs a plan in the foreground\n"
    "       wherry-monitor oci-create|oci-start|oci-exec <plan> ...   a container without a monitor\n"
    "       wherry-monitor --version\n";

int complain(const Failure& failure) {
  dprintf(2, "wherry-monitor: %s\n", failure.message.c_str());
  return 1;
}

void own_nothing_but(int kept) {
  int null = open("/dev/null", O_RDWR);
  for (int fd = 0; fd <= 2; fd++)
    if (null != fd) dup2(null, fd);
  if (null > 2) close(null);
  sys::close_range(static_cast<unsigned>(kept) + 1, ~0u);
  fcntl(kept, F_SETFD, FD_CLOEXEC);
}

// The starter makes the plan while we are started. False when it has gone without a word.
bool await_request(int starter) {
  char first;
  ssize_t size;
  do size = recv(starter, &first, 1, MSG_PEEK);
  while (size < 0 && errno == EINTR);
  return size == 1;
}

// Whoever starts it has left its own parent, session and terminal to it.
int start(const char* plan_path) {
  struct stat status;
  if (fstat(kStarter, &status) != 0 || !S_ISSOCK(status.st_mode)) {
    dprintf(2, "wherry-monitor: descriptor 3 is not a socket\n");
    return 1;
  }
  // A stray signal must not lose the container. Those who want the monitor dead have SIGKILL, and then the
  // init goes with it.
  for (int number : {SIGHUP, SIGPIPE, SIGTERM, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGXFSZ}) signal(number, SIG_IGN);
  own_nothing_but(kStarter);
  umask(022);
  if (chdir("/") != 0) return 1;
  // Freed memory goes back to the kernel: there may be many monitors.
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_TRIM_THRESHOLD, 16 * 1024);
  mallopt(M_TOP_PAD, 0);
  mallopt(M_MMAP_THRESHOLD, 64 * 1024);
  if (!await_request(kStarter)) return 0;
  fcntl(kStarter, F_SETFL, fcntl(kStarter, F_GETFL) | O_NONBLOCK);
  Monitor monitor(plan_path);
  monitor.run(kStarter);
  return 0;
}

int cleanup(const char* run_dir) {
  Failure failure;
  PlanFile file;
  std::string dir = run_dir, error;
  if (!plan_load((dir + "/stop.plan").c_str(), &file, &error) &&
      !plan_load((dir + "/monitor.plan").c_str(), &file, &failure.message))
    return complain(failure);
  bool done = run_host_section(file.plan, Section::kStop, HostContext(), true, &failure);
  unlink((dir + "/attach.sock").c_str());
  return done ? 0 : complain(failure);
}

}  // namespace

int monitor_main(int argc, char** argv) {
  std::string command = argc > 1 ? argv[1] : "";
  if (command == "--version") {
    dprintf(1, "wherry-monitor, plan version %u\n", kPlanVersion);
    return 0;
  }
  if (command == "run-plan") return run_plan_main(argc, argv);
  if (command == "oci-create" || command == "oci-start" || command == "oci-exec") {
    Failure failure;
    return protect_executable(argv, &failure) ? oci_main(argc, argv) : complain(failure);
  }
  if (argc != 3 || (command != "start" && command != "cleanup")) {
    dprintf(2, "%s", kUsage);
    return 1;
  }
  Failure failure;
  if (!protect_executable(argv, &failure)) return complain(failure);
  return command == "start" ? start(argv[2]) : cleanup(argv[2]);
}

}  // namespace wherry

int main(int argc, char** argv) { return wherry::monitor_main(argc, argv); }
