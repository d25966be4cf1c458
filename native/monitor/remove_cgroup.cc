#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <vector>

#include "host.h"
#include "kernel/fd.h"
#include "kernel/syscalls.h"
#include "paths.h"

namespace wherry {

namespace {

constexpr int kTries = 200;  // with 1 ms, later 10 ms between them: about 2 s
constexpr size_t kMaxPids = 8 << 20;

bool write_at(int folder, const char* name, const char* text) {
  Fd fd(openat(folder, name, O_WRONLY | O_CLOEXEC));
  return fd && write(fd.get(), text, strlen(text)) == static_cast<ssize_t>(strlen(text));
}

std::vector<pid_t> pids_in(int folder) {
  std::vector<pid_t> pids;
  std::string text;
  Fd fd(openat(folder, "cgroup.procs", O_RDONLY | O_CLOEXEC));
  if (!fd || !read_bounded(fd.get(), kMaxPids, &text)) return pids;
  for (const char* at = text.c_str(); *at;) {
    char* end;
    long pid = strtol(at, &end, 10);
    if (end == at) break;
    // 0 is a process that our pid namespace doesn't see.
    if (pid > 0) pids.push_back(static_cast<pid_t>(pid));
    at = *end ? end + 1 : end;
  }
  return pids;
}

bool contains(const std::vector<pid_t>& pids, pid_t pid) {
  for (pid_t one : pids) {
    if (one == pid) return true;
  }
  return false;
}

std::vector<std::string> children_of(int folder) {
  std::vector<std::string> names;
  int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* stream = copy < 0 ? nullptr : fdopendir(copy);
  if (!stream) {
    if (copy >= 0) close(copy);
    return names;
  }
  while (struct dirent* entry = readdir(stream)) {
    if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
      names.push_back(entry->d_name);
    }
  }
  closedir(stream);
  return names;
}

Fd open_child(int folder, const std::string& name) {
  return Fd(openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

bool has_self(int folder) {
  if (contains(pids_in(folder), getpid())) return true;
  for (const std::string& name : children_of(folder)) {
    Fd child = open_child(folder, name);
    if (child && has_self(child.get())) return true;
  }
  return false;
}

// A pid that was read may be another process's by now: it is pinned first and looked up again.
void kill_members(int folder) {
  for (pid_t pid : pids_in(folder)) {
    if (pid == getpid()) continue;
    Fd pidfd(sys::pidfd_open(pid));
    if (pidfd && contains(pids_in(folder), pid)) sys::pidfd_send_signal(pidfd.get(), SIGKILL);
  }
}

void kill_all(int folder) {
  if (write_at(folder, "cgroup.kill", "1")) return;
  // v1, and v2 before Linux 5.14. Frozen, nothing can fork away from the signal; v1 takes it when thawed.
  bool frozen = write_at(folder, "freezer.state", "FROZEN");
  write_at(folder, "cgroup.freeze", "1");
  kill_members(folder);
  for (const std::string& name : children_of(folder)) {
    Fd child = open_child(folder, name);
    if (child) kill_all(child.get());
  }
  if (frozen) write_at(folder, "freezer.state", "THAWED");
  write_at(folder, "cgroup.freeze", "0");
}

// Children first, as the kernel wants it.
bool remove_below(int folder) {
  bool ok = true;
  for (const std::string& name : children_of(folder)) {
    Fd child = open_child(folder, name);
    if (child && !remove_below(child.get())) ok = false;
    child.reset();
    if (unlinkat(folder, name.c_str(), AT_REMOVEDIR) < 0 && errno != ENOENT) ok = false;
  }
  return ok;
}

// The hierarchy's root always takes a process.
bool leave(const char* path, Failure* failure) {
  std::string root = path;
  struct stat here, above;
  if (stat(root.c_str(), &here) < 0) return fail(failure, errno, "stat %s", path);
  for (;;) {
    std::string parent = root + "/..";
    if (stat(parent.c_str(), &above) < 0 || above.st_dev != here.st_dev || above.st_ino == here.st_ino) break;
    here = above;
    root = parent;
  }
  Fd fd(open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return (fd && write_at(fd.get(), "cgroup.procs", "0")) || fail(failure, errno, "leave the cgroup %s", path);
}

}  // namespace

bool remove_cgroup(const char* path, Failure* failure) {
  Fd folder(open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder) return errno == ENOENT || fail(failure, errno, "open the cgroup %s", path);
  long type = filesystem_of(folder.get());
  if (type != CGROUP_SUPER_MAGIC && type != CGROUP2_SUPER_MAGIC) return fail(failure, 0, "%s is not a cgroup", path);
  if (rmdir(path) == 0) return true;
  if (has_self(folder.get()) && !leave(path, failure)) return false;
  int err = 0;
  for (int attempt = 0; attempt < kTries; attempt++) {
    // Not only once: a process that came in meanwhile (an exec) must go too.
    if (attempt % 20 == 0) kill_all(folder.get());
    remove_below(folder.get());
    if (rmdir(path) == 0 || errno == ENOENT) return true;
    err = errno;
    struct timespec pause = {0, attempt < 20 ? 1000000 : 10000000};
    nanosleep(&pause, nullptr);
  }
  return fail(failure, err, "remove the cgroup %s", path);
}

}  // namespace wherry
