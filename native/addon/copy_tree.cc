#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>

#include "copy_content.h"
#include "directory.h"
#include "kernel/fd.h"
#include "xattrs.h"

namespace wherry {
namespace {

/** Each level holds two descriptors; a path of the kernel's greatest length has at most 2,048 levels. */
constexpr int kMaxDepth = 2048;

struct Copy {
  explicit Copy(int folder) : top(folder) {}

  int top;
  /** Where the first name of a file with several links went, relative to `top`. */
  std::map<std::pair<dev_t, ino_t>, std::string> links;
  ContentCopy content;
};

/** Owner first: chown clears the set-id bits and file capabilities. Times last. */
Status copy_metadata(int from, int to, const char *name, const struct stat &status) {
  if (fchownat(to, name, status.st_uid, status.st_gid, AT_SYMLINK_NOFOLLOW) != 0) {
    return system_failure(errno, "chown", name);
  }
  if (!S_ISLNK(status.st_mode) && fchmodat(to, name, status.st_mode & 07777, 0) != 0) {
    return system_failure(errno, "chmod", name);
  }
  Xattrs xattrs;
  if (Status failure = read_xattrs(XattrPlace(from, name), xattrs)) return failure;
  if (Status failure = write_xattrs(XattrPlace(to, name), xattrs)) return failure;
  timespec times[2] = {status.st_atim, status.st_mtim};
  if (utimensat(to, name, times, AT_SYMLINK_NOFOLLOW) != 0) return system_failure(errno, "utimensat", name);
  return {};
}

Status copy_file(Copy &copy, int from, int to, const char *name, const struct stat &status) {
  Fd source(openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!source) return system_failure(errno, "open", name);
  Fd target(openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!target) return system_failure(errno, "open", name);
  return copy.content.run(source.get(), target.get(), status.st_size, name);
}

Status copy_link(int from, int to, const char *name) {
  char target[4097];
  ssize_t length = readlinkat(from, name, target, sizeof target - 1);
  if (length < 0) return system_failure(errno, "readlink", name);
  target[length] = '\0';
  if (symlinkat(target, to, name) != 0) return system_failure(errno, "symlink", name);
  return {};
}

Status copy_folder(Copy &copy, int from, int to, const std::string &path, int depth);

Status copy_entry(Copy &copy, int from, int to, const std::string &path, const char *name, int depth) {
  struct stat status;
  if (fstatat(from, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return system_failure(errno, "lstat", path);
  if (S_ISDIR(status.st_mode)) {
    if (depth == kMaxDepth) return system_failure(ENAMETOOLONG, "open", path);
    if (mkdirat(to, name, 0700) != 0 && errno != EEXIST) return system_failure(errno, "mkdir", path);
    Fd source(openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!source) return system_failure(errno, "open", path);
    Fd target(openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!target) return system_failure(errno, "open", path);
    if (Status failure = copy_folder(copy, source.get(), target.get(), path, depth + 1)) return failure;
    return copy_metadata(from, to, name, status);
  }
  if (status.st_nlink > 1) {
    auto [link, first] = copy.links.try_emplace({status.st_dev, status.st_ino}, path);
    if (!first) {
      if (linkat(copy.top, link->second.c_str(), to, name, 0) != 0) return system_failure(errno, "link", path);
      return {};
    }
  }
  Status failure;
  if (S_ISREG(status.st_mode)) {
    failure = copy_file(copy, from, to, name, status);
  } else if (S_ISLNK(status.st_mode)) {
    failure = copy_link(from, to, name);
  } else if (mknodat(to, name, (status.st_mode & S_IFMT) | 0600, status.st_rdev) != 0) {
    failure = system_failure(errno, "mknod", path);
  }
  if (failure) return failure;
  return copy_metadata(from, to, name, status);
}

Status copy_folder(Copy &copy, int from, int to, const std::string &path, int depth) {
  std::vector<DirectoryEntry> entries;
  if (Status failure = list_directory(from, entries)) return failure;
  for (const DirectoryEntry &entry : entries) {
    std::string child = path.empty() ? entry.name : path + "/" + entry.name;
    if (Status failure = copy_entry(copy, from, to, child, entry.name.c_str(), depth)) return failure;
  }
  return {};
}

}  // namespace

Status copy_tree(int from, int to) {
  struct stat status;
  if (fstat(from, &status) != 0) return system_failure(errno, "fstat");
  Copy copy(to);
  if (Status failure = copy_folder(copy, from, to, "", 0)) return failure;
  return copy_metadata(from, to, ".", status);
}

}  // namespace wherry
