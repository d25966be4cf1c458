#include "mount_api.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "kernel/syscalls.h"
#include "paths.h"
#include "without.h"

namespace wherry {

namespace {

constexpr uint64_t kPropagation = MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE;

// Calls with the path of a descriptor: that of procfs, from the descriptor that is held of it, since after the pivot
// /proc is the container's.
template <typename Call>
bool by_descriptor(int fd, Call call) {
  char path[40];
  snprintf(path, sizeof path, "self/fd/%d", fd);
  Fd before(open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (fchdir(proc_fd()) < 0) return false;
  bool ok = call(path) == 0;
  int err = errno;
  if (!before || fchdir(before.get()) < 0) return false;
  errno = err;
  return ok;
}

// Changes a mount with mount(2), which wants a path.
bool mount_by_descriptor(int mount_fd, uint64_t flags) {
  return by_descriptor(mount_fd, [flags](const char* path) { return mount(nullptr, path, nullptr, flags, nullptr); });
}

bool remount(int mount_fd, uint64_t attributes) {
  struct statvfs info;
  if (fstatvfs(mount_fd, &info) < 0) return false;
  uint64_t flags = MS_REMOUNT | MS_BIND;
  if ((attributes & sys::kAttrRdonly) || (info.f_flag & ST_RDONLY)) flags |= MS_RDONLY;
  if ((attributes & sys::kAttrNosuid) || (info.f_flag & ST_NOSUID)) flags |= MS_NOSUID;
  if ((attributes & sys::kAttrNodev) || (info.f_flag & ST_NODEV)) flags |= MS_NODEV;
  if ((attributes & sys::kAttrNoexec) || (info.f_flag & ST_NOEXEC)) flags |= MS_NOEXEC;
  if ((attributes & sys::kAttrNoatime) || (info.f_flag & ST_NOATIME)) flags |= MS_NOATIME;
  if ((attributes & sys::kAttrNodiratime) || (info.f_flag & ST_NODIRATIME)) flags |= MS_NODIRATIME;
  if (info.f_flag & ST_RELATIME) flags |= MS_RELATIME;
  return mount_by_descriptor(mount_fd, flags);
}

}  // namespace

uint64_t mount_attributes(uint64_t flags) {
  uint64_t attributes = 0;
  if (flags & MS_RDONLY) attributes |= sys::kAttrRdonly;
  if (flags & MS_NOSUID) attributes |= sys::kAttrNosuid;
  if (flags & MS_NODEV) attributes |= sys::kAttrNodev;
  if (flags & MS_NOEXEC) attributes |= sys::kAttrNoexec;
  if (flags & MS_NODIRATIME) attributes |= sys::kAttrNodiratime;
  if (flags & MS_NOATIME) attributes |= sys::kAttrNoatime;
  if (flags & MS_STRICTATIME) attributes |= sys::kAttrStrictatime;
  return attributes;
}

bool NewFilesystem::open(const char* type, Failure* failure) {
  type_ = type;
  context_.reset(sys::fsopen(type, sys::kFsopenCloexec));
  return context_ || fail(failure, errno, "mount %s", type);
}

bool NewFilesystem::open_as_child(const char* type, Failure* failure) {
  constexpr int kFailed = 255;
  type_ = type;
  // With our descriptors: what it opens is ours.
  auto pid = static_cast<pid_t>(syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0));
  if (pid < 0) return fail(failure, errno, "fork to mount %s", type);
  if (pid == 0) {
    int fd = sys::fsopen(type, sys::kFsopenCloexec);
    _exit(fd >= 0 && fd < kFailed ? fd : kFailed);
  }
  int status = 0;
  while (waitpid(pid, &status, __WALL) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) == kFailed) return fail(failure, 0, "mount %s: fsopen failed", type);
  context_.reset(WEXITSTATUS(status));
  return true;
}

// The kernel tells the reason in words through the context's descriptor.
bool NewFilesystem::refuse(const char* what, Failure* failure) {
  int err = errno;
  char text[512];
  ssize_t length = read(context_.get(), text, sizeof text - 1);
  if (length <= 2) return fail(failure, err, "mount %s: %s", type_, what);
  text[length] = 0;
  return fail(failure, err, "mount %s: %s: %s", type_, what, text + 2);
}

bool NewFilesystem::option(const char* key, const char* value, Failure* failure) {
  unsigned command = value ? sys::kFsconfigString : sys::kFsconfigFlag;
  if (sys::fsconfig(context_.get(), command, key, value, 0) == 0) return true;
  return refuse(key, failure);
}

// A value in quotes (an SELinux context) may have commas, as in mount(2)'s data.
bool NewFilesystem::options(std::string_view data, Failure* failure) {
  while (!data.empty()) {
    size_t comma = data.find(',');
    size_t quote = data.find("=\"");
    if (quote < comma) {
      size_t end = data.find('"', quote + 2);
      comma = end == std::string_view::npos ? end : data.find(',', end);
    }
    std::string item(data.substr(0, comma));
    if (quote < item.size() && item.back() == '"' && item.size() > quote + 2) {
      item.pop_back();
      item.erase(quote + 1, 1);
    }
    data = comma == std::string_view::npos ? "" : data.substr(comma + 1);
    if (item.empty()) continue;
    size_t equals = item.find('=');
    if (equals == std::string::npos) {
      if (!option(item.c_str(), nullptr, failure)) return false;
    } else {
      item[equals] = 0;
      if (!option(item.c_str(), item.c_str() + equals + 1, failure)) return false;
    }
  }
  return true;
}

bool NewFilesystem::create(Failure* failure) {
  return sys::fsconfig(context_.get(), sys::kFsconfigCreate, nullptr, nullptr, 0) == 0 ||
         refuse("create", failure);
}

bool NewFilesystem::mount(uint64_t attributes, Fd* mount, Failure* failure) {
  mount->reset(sys::fsmount(context_.get(), sys::kFsmountCloexec, static_cast<unsigned>(attributes)));
  return *mount || refuse("mount", failure);
}

int clone_tree(int dir, const char* path, bool recursive) {
  unsigned flags = sys::kOpenTreeClone | sys::kOpenTreeCloexec;
  if (!*path) flags |= AT_EMPTY_PATH;
  if (recursive) flags |= sys::kRecursive;
  return sys::open_tree(dir, path, flags);
}

bool attach(int mount, int target) {
  return sys::attach_mount(mount, target) == 0;
}

bool detach(int mount) {
  return by_descriptor(mount, [](const char* path) { return umount2(path, MNT_DETACH); });
}

bool set_recursive_readonly(int mount) {
  sys::MountAttr change{};
  change.set = sys::kAttrRdonly;
  errno = ENOSYS;
  return !sys::without.mount_setattr &&
         sys::mount_setattr(mount, "", AT_EMPTY_PATH | sys::kRecursive, change) == 0;
}

bool map_ids(int mount, int users, bool recursive) {
  sys::MountAttr change{};
  change.set = sys::kAttrIdmap;
  change.userns = static_cast<uint64_t>(users);
  errno = ENOSYS;
  return !sys::without.mount_setattr &&
         sys::mount_setattr(mount, "", AT_EMPTY_PATH | (recursive ? sys::kRecursive : 0), change) == 0;
}

bool set_attributes(int mount, uint64_t attributes, uint64_t propagation, bool recursive) {
  sys::MountAttr change{};
  change.set = attributes;
  // An access time policy is one value, which replaces the old one.
  if (attributes & sys::kAttrAtimeMask) change.clear = sys::kAttrAtimeMask;
  change.propagation = propagation & kPropagation;
  if (!change.set && !change.propagation) return true;
  unsigned flags = AT_EMPTY_PATH | (recursive ? sys::kRecursive : 0);
  if (!sys::without.mount_setattr && sys::mount_setattr(mount, "", flags, change) == 0) return true;
  if (!sys::without.mount_setattr && errno != ENOSYS && errno != EPERM) return false;
  if (attributes && !remount(mount, attributes)) return false;
  if (!change.propagation) return true;
  return mount_by_descriptor(mount, change.propagation | (recursive ? MS_REC : 0));
}

}  // namespace wherry
