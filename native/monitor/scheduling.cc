// How the kernel runs the process: its clock, personality and priorities.
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "child.h"
#include "kernel/fd.h"
#include "paths.h"

namespace wherry {

namespace {

constexpr int kNewTime = 0x80;  // CLONE_NEWTIME
constexpr int kClassShift = 13;  // IOPRIO_CLASS_SHIFT
constexpr int kProcess = 1;      // IOPRIO_WHO_PROCESS

// struct sched_attr of sched_setattr(2), its first version.
struct SchedAttr {
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime, deadline, period;
};

}  // namespace

bool op_time_offsets(ChildState&, const Op& op, Failure* failure) {
  if (unshare(kNewTime) < 0) return fail(failure, errno, "make a time namespace");
  std::string_view offsets = op.text(0);
  if (!offsets.empty()) {
    Fd file(openat(proc_fd(), "self/timens_offsets", O_WRONLY | O_CLOEXEC));
    if (!file || write(file.get(), offsets.data(), offsets.size()) != static_cast<ssize_t>(offsets.size())) {
      return fail(failure, errno, "set the offsets of the time namespace");
    }
  }
  // So far it is only for children.
  Fd ours(openat(proc_fd(), "self/ns/time_for_children", O_RDONLY | O_CLOEXEC));
  return (ours && setns(ours.get(), kNewTime) == 0) || fail(failure, errno, "enter the time namespace");
}

bool op_personality(ChildState&, const Op& op, Failure* failure) {
  return personality(static_cast<unsigned long>(op.number(0))) >= 0 || fail(failure, errno, "set the personality");
}

bool op_io_priority(ChildState&, const Op& op, Failure* failure) {
  int value = static_cast<int>(op.number(0)) << kClassShift | static_cast<int>(op.number(1));
  return syscall(SYS_ioprio_set, kProcess, 0, value) == 0 || fail(failure, errno, "set the I/O priority");
}

bool op_scheduler(ChildState&, const Op& op, Failure* failure) {
  SchedAttr attributes = {};
  attributes.size = sizeof attributes;
  attributes.policy = static_cast<uint32_t>(op.number(0));
  attributes.flags = static_cast<uint64_t>(op.number(1));
  attributes.nice = static_cast<int32_t>(op.number(2));
  attributes.priority = static_cast<uint32_t>(op.number(3));
  attributes.runtime = static_cast<uint64_t>(op.number(4));
  attributes.deadline = static_cast<uint64_t>(op.number(5));
  attributes.period = static_cast<uint64_t>(op.number(6));
  return syscall(SYS_sched_setattr, 0, &attributes, 0) == 0 || fail(failure, errno, "set the scheduler");
}

}  // namespace wherry
