#include "donor.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fail.h"
#include "kernel/syscalls.h"
#include "mount_api.h"
#include "paths.h"
#include "state.h"

namespace wherry {

namespace {

constexpr std::string_view kPrefix = "container:";
constexpr size_t kMaxState = 64 * 1024;

// The value of a member of a state file, as the monitor writes it: a string without its quotes, or a number.
std::string member(const std::string& json, const char* key) {
  std::string start = std::string("\"") + key + "\":";
  size_t from = json.find(start);
  if (from == std::string::npos) return "";
  from += start.size();
  bool quoted = from < json.size() && json[from] == '"';
  size_t end = json.find_first_of(quoted ? "\"" : ",}", from + quoted);
  return end == std::string::npos ? "" : json.substr(from + quoted, end - from - quoted);
}

// Its process's folder in procfs, which stays that process's: once it has ended nothing can be opened there.
bool open_process(const std::string& state_file, Fd* folder) {
  std::string json, stat;
  if (!read_small_file(state_file, kMaxState, &json) || member(json, "bootId") != read_boot_id()) return false;
  std::string status = member(json, "status"), pid = member(json, "pid");
  if ((status != "running" && status != "paused") || pid.empty() || pid == "0") return false;
  folder->reset(openat(proc_fd(), pid.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  Fd file(*folder ? openat(folder->get(), "stat", O_RDONLY | O_CLOEXEC) : -1);
  if (!file || !read_bounded(file.get(), 4096, &stat)) return false;
  return start_of_stat(stat) == strtoull(member(json, "pidStart").c_str(), nullptr, 10);
}

const char* words(const char* kind) {
  if (!strcmp(kind, "net")) return "network";
  return !strcmp(kind, "pid") ? "PID" : "IPC";
}

std::string container_id(const std::string& state_file) {
  size_t end = state_file.rfind('/');
  if (end == std::string::npos || end == 0) return state_file;
  size_t start = state_file.rfind('/', end - 1);
  return state_file.substr(start + 1, end - start - 1);
}

// What a helper in the other container's mount namespace makes of it: a descriptor that both have, or an errno.
struct Result {
  int mount;
  int error;
};

[[noreturn]] void clone_there(int ns, const char* path, bool recursive, Result* result) {
  int mount = -1;
  if (setns(ns, CLONE_NEWNS) == 0) {
    Fd root(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    Fd folder(open_in_root_plainly(root.get(), path, O_PATH | O_DIRECTORY));
    if (folder) mount = clone_tree(folder.get(), "", recursive);
  }
  result->error = mount < 0 ? errno : 0;
  result->mount = mount;
  _exit(0);
}

}  // namespace

std::string_view donor_file(std::string_view path) {
  return path.substr(0, kPrefix.size()) == kPrefix ? path.substr(kPrefix.size()) : std::string_view();
}

bool donor_runs(const std::string& state_file) {
  open_proc();
  Fd folder;
  return open_process(state_file, &folder);
}

bool donor_restarts(const std::string& state_file) {
  std::string json;
  return read_small_file(state_file, kMaxState, &json) && member(json, "status") == "restarting" &&
         member(json, "bootId") == read_boot_id();
}

bool open_donor_namespace(const std::string& state_file, const char* kind, Fd* ns, Failure* failure) {
  Fd folder;
  std::string path = std::string("ns/") + kind;
  if (open_process(state_file, &folder)) {
    ns->reset(openat(folder.get(), path.c_str(), O_RDONLY | O_CLOEXEC));
    if (*ns) return true;
    if (errno != ENOENT && errno != ESRCH) return fail(failure, errno, "open the namespace %s", path.c_str());
  }
  return fail(failure, 0, "cannot join %s of a non running container: %s", words(kind),
              container_id(state_file).c_str());
}

bool clone_donor_tree(const std::string& state_file, const char* path, bool recursive, Fd* mount, Failure* failure) {
  Fd ns;
  if (!open_donor_namespace(state_file, "mnt", &ns, failure)) return false;
  void* shared = mmap(nullptr, sizeof(Result), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return fail(failure, errno, "mmap");
  auto* result = new (shared) Result{-1, ESRCH};
  // Only a process that shares its root and folder with nobody may change its mount namespace; and this one stays
  // in its own.
  auto pid = static_cast<pid_t>(syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0));
  if (pid == 0) clone_there(ns.get(), path, recursive, result);
  while (pid > 0 && waitpid(pid, nullptr, __WALL) < 0 && errno == EINTR) {
  }
  int error = pid < 0 ? errno : result->error;
  mount->reset(result->mount);
  munmap(shared, sizeof(Result));
  return *mount || fail(failure, error, "bind %s of container %s", path, container_id(state_file).c_str());
}

}  // namespace wherry
