#include "descriptors.h"

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

namespace wherry {

namespace {

// The kernel's default for fs.nr_open, above which no limit goes.
constexpr rlim_t kMost = 1 << 20;
constexpr rlim_t kSpare = 64;

bool raised = false;
struct rlimit before;

}  // namespace

bool raise_descriptor_limit() {
  struct rlimit now;
  if (raised || getrlimit(RLIMIT_NOFILE, &now) != 0) return false;
  raised = true;
  before = now;
  // Only with CAP_SYS_RESOURCE goes the hard limit up.
  struct rlimit most = {now.rlim_max > kMost ? now.rlim_max : kMost, now.rlim_max > kMost ? now.rlim_max : kMost};
  if (setrlimit(RLIMIT_NOFILE, &most) == 0) return most.rlim_cur > now.rlim_cur;
  now.rlim_cur = now.rlim_max;
  return now.rlim_cur > before.rlim_cur && setrlimit(RLIMIT_NOFILE, &now) == 0;
}

int unless_last(int fd) {
  struct rlimit now;
  while (fd >= 0 && getrlimit(RLIMIT_NOFILE, &now) == 0 && static_cast<rlim_t>(fd) + kSpare >= now.rlim_cur) {
    if (raise_descriptor_limit()) continue;
    close(fd);
    errno = EMFILE;
    return -1;
  }
  return fd;
}

void restore_descriptor_limit() {
  if (raised) setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace wherry
