#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "conntrack.h"
#include "hooks.h"
#include "kernel/fd.h"
#include "led_ports.h"
#include "network.h"
#include "nf_tables.h"
#include "paths.h"
#include "port_ranges.h"

namespace wherry {

namespace {

constexpr int64_t kIgnoreErrors = 1;   // of writeHost and netlink
constexpr int64_t kIgnoreMissing = 2;  // of writeHost
constexpr int kLockTries = 6000;       // every 5 ms: half a minute

bool make_folders(const char* path, mode_t mode, Failure* failure) {
  if (mkdir(path, mode) == 0) return true;
  struct stat info;
  if (errno == EEXIST) {
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) return true;
    return fail(failure, EEXIST, "mkdir %s", path);
  }
  if (errno != ENOENT) return fail(failure, errno, "mkdir %s", path);
  std::string parent = path;
  size_t slash = parent.find_last_not_of('/');
  slash = slash == std::string::npos ? slash : parent.rfind('/', slash);
  if (slash == std::string::npos || slash == 0) return fail(failure, ENOENT, "mkdir %s", path);
  parent.resize(slash);
  if (!make_folders(parent.c_str(), mode, failure)) return false;
  return mkdir(path, mode) == 0 || errno == EEXIST || fail(failure, errno, "mkdir %s", path);
}

bool write_file(const Op& op, Failure* failure) {
  const char* path = op.path(0);
  std::string_view content = op.text(1);
  Fd fd(open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY));
  if (fd && write(fd.get(), content.data(), content.size()) == static_cast<ssize_t>(content.size())) return true;
  int err = errno;
  if ((op.number(2) & kIgnoreErrors) || ((op.number(2) & kIgnoreMissing) && err == ENOENT)) return true;
  return fail(failure, err, "write %.*s to %s", static_cast<int>(content.size() < 64 ? content.size() : 64),
              content.data(), path);
}

bool is_empty_folder(const char* path) {
  DIR* folder = opendir(path);
  if (!folder) return errno == ENOENT;
  bool empty = true;
  while (struct dirent* entry = readdir(folder)) {
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) empty = false;
  }
  closedir(folder);
  return empty;
}

bool release_volume(const Op& op, Failure* failure) {
  Fd lock;
  if (!lock_file(op.path(0), &lock, failure)) return false;
  if (unlink(op.path(1)) < 0 && errno != ENOENT) return fail(failure, errno, "unlink %s", op.path(1));
  if (op.text(2).empty() || !is_empty_folder(op.path(3))) return true;
  return remove_tree(op.path(2), failure);
}

bool release_mount(const Op& op, Failure* failure) {
  Fd lock;
  if (!lock_file(op.path(0), &lock, failure)) return false;
  if (unlink(op.path(1)) < 0 && errno != ENOENT) return fail(failure, errno, "unlink %s", op.path(1));
  if (!is_empty_folder(op.path(2))) return true;
  if (umount2(op.path(3), MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL && errno != ENOENT) {
    return fail(failure, errno, "unmount %s", op.path(3));
  }
  rmdir(op.path(2));
  return true;
}

// Copies CPUs or memory nodes down to a cpuset that has none.
bool fill_from_parent(const std::string& folder, const char* file, Failure* failure) {
  std::string values[2];
  std::string paths[2] = {folder + "/" + file, folder.substr(0, folder.rfind('/')) + "/" + file};
  for (int index = 0; index < 2; index++) {
    Fd fd(open(paths[index].c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd || !read_bounded(fd.get(), 1 << 16, &values[index])) return fail(failure, errno, "read %s", paths[index].c_str());
    if (index == 0 && values[0].find_first_not_of(" \n") != std::string::npos) return true;
  }
  Fd fd(open(paths[0].c_str(), O_WRONLY | O_CLOEXEC));
  return (fd && write(fd.get(), values[1].data(), values[1].size()) == static_cast<ssize_t>(values[1].size())) ||
         fail(failure, errno, "write %s", paths[0].c_str());
}

bool fill_cpuset(const char* mount, const char* path, Failure* failure) {
  std::string folder = mount;
  for (std::string_view rest = path; !rest.empty();) {
    rest.remove_prefix(rest[0] == '/');
    size_t slash = rest.find('/');
    std::string_view part = rest.substr(0, slash);
    rest.remove_prefix(part.size());
    if (part.empty()) continue;
    folder += "/" + std::string(part);
    if (mkdir(folder.c_str(), 0755) < 0 && errno != EEXIST) return fail(failure, errno, "mkdir %s", folder.c_str());
    if (!fill_from_parent(folder, "cpuset.cpus", failure) || !fill_from_parent(folder, "cpuset.mems", failure)) {
      return false;
    }
  }
  return true;
}

bool forgets(const Op& op) { return op.code() == OpCode::kForgetConnections || op.code() == OpCode::kForgetPorts; }

void append_places(const Op& op, std::vector<ConnectionPlace>* places) {
  ConnectionPlace place;
  place.protocol = static_cast<uint8_t>(op.number(0));
  if (!op.text(1).empty() && !IpAddress::from_bytes(op.text(1), &place.address)) return;
  if (op.code() == OpCode::kForgetConnections) {
    place.port = place.last_port = static_cast<uint16_t>(op.number(2));
    places->push_back(place);
    return;
  }
  std::vector<PortRange> ranges;
  if (!read_port_ranges(op.text(2), &ranges)) return;
  for (const PortRange& range : ranges) {
    place.port = range.first;
    place.last_port = range.port(range.count - 1);
    places->push_back(place);
  }
}

// Operations that follow one another are one walk through the kernel's table. Gives the index of the last.
size_t forget_run(const std::vector<Op>& ops, size_t index) {
  std::vector<ConnectionPlace> places;
  for (;; index++) {
    append_places(ops[index], &places);
    if (index + 1 == ops.size() || !forgets(ops[index + 1])) break;
  }
  forget_connections(places);
  return index;
}

bool run_operation(const Op& op, const HostContext& context, Failure* failure) {
  const int netns_fd = context.netns_fd;
  switch (op.code()) {
    case OpCode::kMkdirHost: return make_folders(op.path(0), static_cast<mode_t>(op.number(1)) & 07777, failure);
    case OpCode::kWriteHost: return write_file(op, failure);
    case OpCode::kAttachDeviceFilter: return attach_device_filter(op.path(0), op.text(1), failure);
    case OpCode::kNetlink: {
      bool inside = op.number(0) == 1;
      bool ok = inside && netns_fd < 0
                    ? fail(failure, 0, "there is no network namespace for the netlink messages")
                    : send_netlink(inside ? netns_fd : -1, netns_fd, static_cast<int>(op.number(1)), op.text(2), failure);
      return ok || (op.number(3) & kIgnoreErrors);
    }
    case OpCode::kPinAddress: return pin_address(op.path(0), op.text(1), failure);
    case OpCode::kRemoveFile:
      return unlink(op.path(0)) == 0 || errno == ENOENT || errno == ENOTDIR ||
             fail(failure, errno, "unlink %s", op.path(0));
    case OpCode::kRemoveTree: return remove_tree(op.path(0), failure);
    case OpCode::kRemoveCgroup: return remove_cgroup(op.path(0), failure);
    case OpCode::kRename:
      return rename(op.path(0), op.path(1)) == 0 || errno == ENOENT ||
             fail(failure, errno, "rename %s to %s", op.path(0), op.path(1));
    case OpCode::kReleaseVolume: return release_volume(op, failure);
    case OpCode::kReleaseMount: return release_mount(op, failure);
    case OpCode::kFillCpuset: return fill_cpuset(op.path(0), op.path(1), failure);
    case OpCode::kUnleadPorts: return unlead_ports(op, failure);
    case OpCode::kRunHook: return run_hook(op, context.pid, failure);
    default:
      if (context.network != nullptr) return context.network->run(op, netns_fd, failure);
      return fail(failure, 0, "operation %s can't run here", op.name());
  }
}

}  // namespace

// A lock file may be replaced or removed by who holds it: only a lock of the file that has the name counts.
bool try_lock_file(const char* path, Fd* lock) {
  lock->reset(open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!*lock) return errno == ENOENT;
  struct stat held, named;
  if (flock(lock->get(), LOCK_EX | LOCK_NB) != 0) return false;
  if (fstat(lock->get(), &held) == 0 && stat(path, &named) == 0 && held.st_ino == named.st_ino &&
      held.st_dev == named.st_dev) {
    return true;
  }
  errno = EWOULDBLOCK;
  return false;
}

bool lock_file(const char* path, Fd* lock, Failure* failure) {
  for (int attempt = 0; attempt < kLockTries; attempt++) {
    if (try_lock_file(path, lock)) return true;
    if (errno != EWOULDBLOCK && errno != EINTR) return fail(failure, errno, "lock %s", path);
    struct timespec pause = {0, 5000000};
    nanosleep(&pause, nullptr);
  }
  return fail(failure, ETIMEDOUT, "lock %s", path);
}

bool run_host_section(const PlanView& plan, Section section, const HostContext& context, bool keep_going,
                      Failure* failure) {
  *failure = Failure();
  bool ok = true;
  const auto& ops = plan.section(section);
  for (size_t index = 0; index < ops.size(); index++) {
    Failure problem;
    if (forgets(ops[index])) {
      index = forget_run(ops, index);
      continue;
    }
    const size_t first = index;
    const OpCode code = ops[index].code();
    bool published = code == OpCode::kPublishPorts || code == OpCode::kUnpublishPorts;
    if (published ? change_published(ops, &index, &problem) : run_operation(ops[index], context, &problem)) continue;
    if (ok) {
      problem.section = static_cast<uint32_t>(section);
      problem.op = static_cast<int32_t>(first);
      *failure = std::move(problem);
    }
    ok = false;
    if (!keep_going) break;
  }
  return ok;
}

}  // namespace wherry
