#include "oom.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "kernel/fd.h"
#include "state.h"

namespace wherry {

// Both files have a line `oom_kill N` (v1 since Linux 4.13).
int64_t OomWatch::count() const {
  std::string text;
  if (file_.empty() || !read_small_file(file_, 4096, &text)) return 0;
  size_t at = text.rfind("oom_kill ");
  return at == std::string::npos ? 0 : strtoll(text.c_str() + at + 9, nullptr, 10);
}

int OomWatch::arm(const std::string& file) {
  disarm();
  file_ = file;
  seen_ = count();
  size_t slash = file.rfind('/');
  if (slash == std::string::npos) return -1;
  if (file.compare(slash, std::string::npos, "/memory.events") == 0) {
    notice_ = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (notice_ >= 0 && inotify_add_watch(notice_, file.c_str(), IN_MODIFY) < 0) disarm();
    return notice_;
  }
  Fd control(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  Fd registration(open((file.substr(0, slash) + "/cgroup.event_control").c_str(), O_WRONLY | O_CLOEXEC));
  notice_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  char line[40];
  int length = snprintf(line, sizeof line, "%d %d", notice_, control.get());
  if (!control || !registration || write(registration.get(), line, static_cast<size_t>(length)) < 0) disarm();
  return notice_;
}

void OomWatch::disarm() {
  if (notice_ >= 0) close(notice_);
  notice_ = -1;
}

void OomWatch::acknowledge() {
  char buffer[512];
  while (read(notice_, buffer, sizeof buffer) == static_cast<ssize_t>(sizeof buffer)) {}
}

bool OomWatch::killed() {
  int64_t now = count();
  bool more = now > seen_;
  seen_ = now;
  return more;
}

}  // namespace wherry
