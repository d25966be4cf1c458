// Keeps the program's file out of reach of the containers, which see it as /proc/PID/exe of an exec's process
// for a moment (CVE-2019-5736).
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "fail.h"
#include "kernel/fd.h"

extern char** environ;

namespace wherry {

namespace {

constexpr unsigned kMfdExec = 0x10;  // MFD_EXEC, Linux 6.3
constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

bool is_protected(int exe) {
  struct statvfs info;
  if (fstatvfs(exe, &info) == 0 && (info.f_flag & ST_RDONLY)) return true;
  int seals = fcntl(exe, F_GET_SEALS);
  return seals >= 0 && (seals & kSeals) == kSeals;
}

}  // namespace

bool protect_executable(char** argv, Failure* failure) {
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  Fd exe(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  if (!exe) return fail(failure, errno, "open /proc/self/exe");
  if (is_protected(exe.get())) return true;

  Fd copy(memfd_create("wherry-monitor", MFD_CLOEXEC | MFD_ALLOW_SEALING | kMfdExec));
  if (!copy && errno == EINVAL) copy.reset(memfd_create("wherry-monitor", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  struct stat info;
  if (!copy || fstat(exe.get(), &info) < 0) return fail(failure, errno, "memfd_create");
  for (off_t at = 0; at < info.st_size;) {
    ssize_t sent = sendfile(copy.get(), exe.get(), &at, static_cast<size_t>(info.st_size - at));
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return fail(failure, errno, "copy /proc/self/exe");
  }
  if (fcntl(copy.get(), F_ADD_SEALS, kSeals) < 0) return fail(failure, errno, "seal the program");
  fexecve(copy.get(), argv, environ);
  return fail(failure, errno, "start the sealed program");
}

}  // namespace wherry
