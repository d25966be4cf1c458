// Loads the filter of system calls. The listener of a filter that has one gets out past the filter itself.
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "status.h"

namespace wherry {

namespace {

constexpr size_t kMaxInstructions = 4096;  // BPF_MAXINSNS
constexpr unsigned long kNewListener = 1ul << 3;
constexpr size_t kStack = 64 << 10;
constexpr int kNone = -1, kRefused = -2;

// A thread that is there before the filter, which is on the thread alone that loads it: every call of that one may
// already wait for the listener's answer.
struct Courier {
  int status_fd = -1;
  int listener = kNone;  // kRefused: there will be none
  bool sent = false;
  pid_t running = 1;  // the kernel clears it when the thread has ended
};

int deliver(void* context) {
  auto courier = static_cast<Courier*>(context);
  int listener;
  while ((listener = __atomic_load_n(&courier->listener, __ATOMIC_ACQUIRE)) == kNone) {
    timespec moment = {0, 20000};
    syscall(SYS_nanosleep, &moment, nullptr);
  }
  if (listener >= 0) {
    courier->sent = send_listener(courier->status_fd, listener);
    close(listener);
  }
  syscall(SYS_exit, 0);
  return 0;
}

bool start_courier(Courier* courier, void* stack) {
  int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_CLEARTID;
  return clone(deliver, static_cast<char*>(stack) + kStack, flags, courier, nullptr, nullptr, &courier->running) > 0;
}

bool load_with_listener(ChildState& state, sock_fprog* program, unsigned long flags, Failure* failure) {
  void* stack = mmap(nullptr, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED) return fail(failure, errno, "memory for the seccomp listener");
  Courier courier;
  courier.status_fd = state.status_fd;
  if (!start_courier(&courier, stack)) return fail(failure, errno, "start a thread for the seccomp listener");
  long listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, program);
  int err = errno;
  __atomic_store_n(&courier.listener, listener < 0 ? kRefused : static_cast<int>(listener), __ATOMIC_RELEASE);
  // No system call here: it could wait for who doesn't have the listener yet.
  while (__atomic_load_n(&courier.running, __ATOMIC_ACQUIRE) != 0) {
  }
  if (listener < 0) return fail(failure, err, "load the seccomp program");
  return courier.sent || fail(failure, 0, "the seccomp listener could not be handed over");
}

}  // namespace

bool op_seccomp(ChildState& state, const Op& op, Failure* failure) {
  std::string_view bytes = op.text(0);
  size_t count = bytes.size() / sizeof(sock_filter);
  if (!count || bytes.size() % sizeof(sock_filter) || count > kMaxInstructions) {
    return fail(failure, EINVAL, "seccomp program of %zu bytes", bytes.size());
  }
  // The plan's bytes are not aligned.
  std::vector<sock_filter> filter(count);
  memcpy(filter.data(), bytes.data(), bytes.size());
  sock_fprog program = {static_cast<unsigned short>(count), filter.data()};
  // The filter may forbid to tell that the command is about to run, so it is told before.
  if (!state.ready_sent && send_ready(state.status_fd)) state.ready_sent = true;
  auto flags = static_cast<unsigned long>(op.number(1));
  if (flags & kNewListener) return load_with_listener(state, &program, flags, failure);
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program) < 0) {
    return fail(failure, errno, "load the seccomp program");
  }
  return true;
}

}  // namespace wherry
