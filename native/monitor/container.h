// The border between the monitor's loop and the making of containers: the loop calls these, and nothing else
// of this side. All of it is for a process with one thread. Every descriptor is close-on-exec and the
// caller's to close.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "plan.h"

namespace wherry {

// What went wrong, as the MonitorError of src/runtime/monitor-protocol.ts tells it.
struct Failure {
  int code = 125;        // the exit code docker gives: 125 the engine, 126 not executable, 127 not found
  uint32_t section = 0;  // 0: none
  int32_t op = -1;       // index in the section, -1: none
  int err = 0;           // errno, 0: none
  std::string message;   // for people: the object and the reason
};

// Call first in main(). Makes sure that nothing can write to this program through /proc/PID/exe of a process
// that runs it: it is on a read-only mount (the addon starts it so) or a sealed memfd; otherwise starts itself
// again from one. Also makes the process non-dumpable. False (with the reason) only when neither works.
bool protect_executable(char** argv, Failure*);

// Runs the operations of a host section (setup, network, created, started, stop, pause, unpause) in this process,
// in order.
// With `keep_going` a failure does not end the section (stop plans); the first one is told.
class Network;
struct HostContext {
  // The container's network namespace for netlink operations with `where` 1; -1: such operations fail unless
  // their errors are ignored.
  int netns_fd = -1;
  // The container's process, which hooks are told; 0: none (any more).
  pid_t pid = 0;
  // Takes what a network section leaves behind; null: operations that leave something fail.
  Network* network = nullptr;
};
bool run_host_section(const PlanView&, Section, const HostContext&, bool keep_going, Failure*);

// The descriptors by which the loop and a process of the container know each other.
struct Child {
  pid_t pid = -1;  // both -1 until kRunning for an exec, and for an init that joins a pid namespace (`join-pid`)
  int pidfd = -1;
  int status_fd = -1;       // readable: call read_status
  int console_master = -1;  // with a `console` operation; arrives with read_status, non-blocking
  int stdin_w = -1;         // without one; -1 also when stdin is /dev/null; non-blocking, as the others
  int stdout_r = -1;
  int stderr_r = -1;
  int root_fd = -1;  // only the init: its root mount, which is not unmounted before this is closed
  // Only the init: its network namespace when it is a new one or that of `old_netns_fd` (a duplicate).
  int netns_fd = -1;
  int listener_fd = -1;  // of a seccomp filter that has one
  pid_t helper = -1;  // private: the process that a child in another pid namespace comes from
  bool ready = false;  // private: it has said that only execve is left
  bool waiting = false;  // its init waits at `awaitStart`
  bool init = false;   // private: it is the container's init and no exec
};

enum class Status { kPending, kRunning, kFailed };

// Clones the init, which starts on its section at once and waits at its `wait` operation for go().
// stdin is a pipe when `open-stdin` is 1, /dev/null otherwise. On a restart `old_netns_fd` is the namespace to
// join in place of a new one, otherwise -1. The child dies with this process. On failure nothing is left.
bool clone_init(const PlanView&, int old_netns_fd, Child*, Failure*);

// Lets the init go on after `wait`. An init that failed before is no error here: read_status tells.
void go(Child&);

// Clones a process of an exec plan into the running container. `init_pid` must be the unreaped init.
struct ExecContext {
  pid_t init_pid = -1;
  int init_pidfd = -1;
  bool open_stdin = false;
};
bool clone_exec(const PlanView& exec_plan, const ExecContext&, Child*, Failure*);

// Reads what the child has told; never blocks. kRunning: its command runs, pid and pidfd (and console_master)
// are set. kFailed: the failure is set; an init whose pidfd is not -1 must still be waited for, an exec has been
// reaped. In both cases status_fd has been closed and is -1.
Status read_status(Child&, Failure*);
// The same, but waits for kRunning (true) or kFailed (false).
bool await_exec(Child&, Failure*);

// Closes all descriptors of the child that are open.
void close_child(Child&);

// `wherry-monitor run-plan FILE`: runs a whole plan in the foreground with the caller's stdin, stdout and
// stderr (or its terminal): setup, init, network, stop. For debugging and tests. Returns the exit code.
int run_plan_main(int argc, char** argv);

}  // namespace wherry
