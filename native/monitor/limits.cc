// Names, kernel settings and limits.
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "child.h"
#include "kernel/fd.h"
#include "kernel/syscalls.h"
#include "mount_api.h"
#include "paths.h"

namespace wherry {

namespace {

bool write_proc(int proc, const char* path, std::string_view text) {
  Fd fd(sys::openat2(proc, path, O_WRONLY, 0,
                      sys::kResolveBeneath | sys::kResolveNoMagiclinks | sys::kResolveNoXdev));
  if (!fd) return false;
  if (filesystem_of(fd.get()) != PROC_SUPER_MAGIC) {
    errno = EINVAL;
    return false;
  }
  return write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

// A procfs of its own, which is nowhere mounted: neither an image nor a read-only /proc/sys of the host's
// surroundings is between it and the kernel.
int private_proc() {
  static int mounted = -1;
  if (mounted >= 0) return mounted;
  NewFilesystem procfs;
  Failure ignored;
  Fd mount;
  if (procfs.open("proc", &ignored) && procfs.create(&ignored) && procfs.mount(0, &mount, &ignored)) {
    mounted = mount.release();
  } else {
    mounted = proc_fd();
  }
  return mounted;
}

}  // namespace

bool op_hostname(ChildState&, const Op& op, Failure* failure) {
  return sethostname(op.path(0), op.text(0).size()) == 0 || fail(failure, errno, "sethostname %s", op.path(0));
}

bool op_domainname(ChildState&, const Op& op, Failure* failure) {
  return setdomainname(op.path(0), op.text(0).size()) == 0 || fail(failure, errno, "setdomainname %s", op.path(0));
}

bool op_sysctl(ChildState&, const Op& op, Failure* failure) {
  Fd settings(openat(private_proc(), "sys", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (settings && write_proc(settings.get(), op.path(0), op.text(1))) return true;
  return fail(failure, errno, "write sysctl %s = %s", op.path(0), op.path(1));
}

bool op_rlimit(ChildState&, const Op& op, Failure* failure) {
  // The system call itself: the C libraries disagree about the type of a resource.
  struct Limit {
    uint64_t soft, hard;
  };
  auto value = [&](unsigned argument) { return static_cast<uint64_t>(op.number(argument)); };
  Limit now, limit = {value(1), value(2)};
  auto resource = static_cast<unsigned>(op.number(0));
  if (syscall(SYS_prlimit64, 0, resource, &limit, &now) == 0) return true;
  int err = errno;
  if (err == EPERM && syscall(SYS_prlimit64, 0, resource, nullptr, &now) == 0 && limit.hard > now.hard) {
    return fail(failure, err,
                "error setting rlimit type %u: the hard limit can't be raised above %llu without CAP_SYS_RESOURCE",
                resource, static_cast<unsigned long long>(now.hard));
  }
  return fail(failure, err, "error setting rlimit type %u", resource);
}

bool op_loopback_up(ChildState&, const Op&, Failure* failure) {
  Fd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  struct ifreq request = {};
  strcpy(request.ifr_name, "lo");
  if (!fd || ioctl(fd.get(), SIOCGIFFLAGS, &request) < 0) return fail(failure, errno, "read the interface lo");
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  return ioctl(fd.get(), SIOCSIFFLAGS, &request) == 0 || fail(failure, errno, "set the interface lo up");
}

bool op_security_label(ChildState&, const Op& op, Failure* failure) {
  std::string_view value = op.text(1);
  for (std::string_view file : op.list(0)) {
    std::string path = "thread-self/" + std::string(file);
    Fd fd(sys::openat2(proc_fd(), path.c_str(), O_WRONLY, 0,
                       sys::kResolveBeneath | sys::kResolveNoMagiclinks | sys::kResolveNoXdev));
    if (!fd && errno == ENOENT) continue;
    if (fd && filesystem_of(fd.get()) == PROC_SUPER_MAGIC &&
        write(fd.get(), value.data(), value.size()) == static_cast<ssize_t>(value.size())) {
      return true;
    }
    return fail(failure, errno, "write %s to /proc/%s", op.path(1), path.c_str());
  }
  return fail(failure, ENOENT, "set the security label %s", op.path(1));
}

bool op_oom_score_adj(ChildState&, const Op& op, Failure* failure) {
  std::string value = std::to_string(op.number(0));
  if (write_proc(proc_fd(), "self/oom_score_adj", value)) return true;
  return fail(failure, errno, "set oom_score_adj to %s", value.c_str());
}

}  // namespace wherry
