#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directory.h"
#include "kernel/fd.h"
#include "kernel/syscalls.h"

namespace wherry {

Status list_directory(int folder, std::vector<DirectoryEntry> &entries) {
  Fd copy(openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!copy) return system_failure(errno, "openat");
  DIR *stream = fdopendir(copy.get());
  if (stream == nullptr) return system_failure(errno, "fdopendir");
  copy.release();
  int number = 0;
  for (;;) {
    errno = 0;
    dirent *entry = readdir(stream);
    if (entry == nullptr) {
      number = errno;
      break;
    }
    const char *name = entry->d_name;
    if (name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'))) continue;
    entries.push_back({name, entry->d_type});
  }
  closedir(stream);
  if (number != 0) return system_failure(number, "readdir");
  return {};
}

namespace {

/** Deeper folders are first moved up, so a tree of any depth needs few descriptors and little stack. */
constexpr int kMaxDepth = 128;

struct Removal {
  int top = -1;
  unsigned moved = 0;
};

int open_folder(int folder, const char *name) {
  int fd = sys::openat2(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, sys::kResolveNoXdev | sys::kResolveNoSymlinks);
  if (fd < 0 && errno == ENOSYS) fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  return fd;
}

Status remove_entry(Removal &removal, int folder, const DirectoryEntry &entry, int depth);

/** Until the folder is empty: entries that were moved up out of deep folders appear in the top one. */
Status empty_folder(Removal &removal, int folder, int depth) {
  for (;;) {
    std::vector<DirectoryEntry> entries;
    unsigned moved_before = removal.moved;
    if (Status failure = list_directory(folder, entries)) return failure;
    for (const DirectoryEntry &entry : entries) {
      if (Status failure = remove_entry(removal, folder, entry, depth)) return failure;
    }
    if (depth > 0 || removal.moved == moved_before) return {};
  }
}

Status remove_entry(Removal &removal, int folder, const DirectoryEntry &entry, int depth) {
  const char *name = entry.name.c_str();
  if (entry.type != DT_DIR) {
    if (unlinkat(folder, name, 0) == 0 || errno == ENOENT) return {};
    if (errno != EISDIR && errno != EPERM) return system_failure(errno, "unlink", entry.name);
    if (entry.type != DT_UNKNOWN) return system_failure(errno, "unlink", entry.name);
  }
  if (unlinkat(folder, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
  if (errno != ENOTEMPTY && errno != EEXIST) return system_failure(errno, "rmdir", entry.name);
  Fd child(open_folder(folder, name));
  if (!child) return errno == ENOENT ? Status() : system_failure(errno, "open", entry.name);
  if (removal.top < 0) removal.top = child.get();
  if (depth == kMaxDepth) {
    std::string unique;
    do {
      unique = ".wherry-deep-" + std::to_string(removal.moved++);
      if (syscall(SYS_renameat2, folder, name, removal.top, unique.c_str(), 1 /* RENAME_NOREPLACE */) == 0) return {};
    } while (errno == EEXIST);
    return system_failure(errno, "renameat2", entry.name);
  }
  bool is_top = removal.top == child.get();
  if (Status failure = empty_folder(removal, child.get(), is_top ? 0 : depth + 1)) return failure;
  if (unlinkat(folder, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
  return system_failure(errno, "rmdir", entry.name);
}

}  // namespace

Status remove_tree(int folder, const std::string &name) {
  struct stat status;
  if (fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT ? Status() : system_failure(errno, "lstat", name);
  }
  Removal removal;
  unsigned char type = S_ISDIR(status.st_mode) ? DT_DIR : DT_REG;
  return remove_entry(removal, folder, {name, type}, 0);
}

}  // namespace wherry
