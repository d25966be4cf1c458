#include "overlay_upper.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>

#include "directory.h"
#include "kernel/syscalls.h"

namespace wherry {
namespace {

bool contains(const std::vector<std::string> &list, const std::string &path) {
  return std::find(list.begin(), list.end(), path) != list.end();
}

}  // namespace

bool is_opaque(const std::string &path) {
  char value[2];
  return getxattr(path.c_str(), "trusted.overlay.opaque", value, sizeof value) == 1 && value[0] == 'y';
}

bool stat_beneath(int root, const std::string &path, struct stat &status) {
  Fd fd(sys::openat2(root, path.empty() ? "." : path.c_str(), O_PATH | O_NOFOLLOW, 0,
                      sys::kResolveBeneath | sys::kResolveNoSymlinks));
  return fd && fstat(fd.get(), &status) == 0;
}

bool StartMarks::covers(int fd, const std::string &path, const struct stat &status) const {
  if (S_ISREG(status.st_mode)) return status.st_size == 0 && contains(files, path);
  if (S_ISLNK(status.st_mode) && !links.empty()) {
    char target[PATH_MAX];
    ssize_t length = readlinkat(fd, "", target, sizeof target);
    return length > 0 && contains(links, path + " -> " + std::string(target, static_cast<size_t>(length)));
  }
  if (!S_ISDIR(status.st_mode) || !contains(folders, path)) return false;
  struct stat below;
  if (base >= 0 && stat_beneath(base, path, below) &&
      (below.st_mode != status.st_mode || below.st_uid != status.st_uid || below.st_gid != status.st_gid)) {
    return false;
  }
  std::vector<DirectoryEntry> entries;
  if (list_directory(fd, entries)) return false;
  return std::all_of(entries.begin(), entries.end(), [&](const DirectoryEntry &entry) {
    Fd child(openat(fd, entry.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat inside;
    return child && fstat(child.get(), &inside) == 0 && covers(child.get(), path + "/" + entry.name, inside);
  });
}

}  // namespace wherry
