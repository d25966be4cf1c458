#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host.h"
#include "kernel/fd.h"
#include "kernel/syscalls.h"

namespace wherry {

namespace {

// Each level holds a descriptor; what is deeper is first moved up to the top.
constexpr int kMaxDepth = 48;

class Remover {
 public:
  Remover(int top, Failure* failure) : top_(top), failure_(failure) {}

  // Empties a folder. The first error is kept, and the rest removed all the same.
  bool empty(int folder, int depth) {
    bool ok = true;
    for (int pass = 0;; pass++) {
      moved_ = false;
      ok = empty_once(folder, depth);
      // Only the top has more than one pass: for what was moved to it from below.
      if (depth > 0 || !moved_ || !ok) return ok;
    }
  }

 private:
  bool empty_once(int folder, int depth) {
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* stream = copy < 0 ? nullptr : fdopendir(copy);
    if (!stream) {
      if (copy >= 0) close(copy);
      return fail(failure_, errno, "read a folder");
    }
    bool ok = true;
    while (struct dirent* entry = readdir(stream)) {
      const char* name = entry->d_name;
      if (!strcmp(name, ".") || !strcmp(name, "..")) continue;
      if (!remove_entry(folder, name, entry->d_type, depth)) ok = false;
    }
    closedir(stream);
    return ok;
  }

  bool remove_entry(int folder, const char* name, unsigned char type, int depth) {
    if (type != DT_DIR) {
      if (unlinkat(folder, name, 0) == 0 || errno == ENOENT) return true;
      if (errno != EISDIR && errno != EPERM) return fail(failure_, errno, "unlink %s", name);
    }
    if (unlinkat(folder, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return true;
    if (errno != ENOTEMPTY && errno != EEXIST) return fail(failure_, errno, "rmdir %s", name);
    if (depth >= kMaxDepth) return move_up(folder, name);
    Fd child(sys::openat2(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0,
                          sys::kResolveBeneath | sys::kResolveNoXdev | sys::kResolveNoSymlinks));
    if (!child) return errno == ENOENT || fail(failure_, errno, "open %s", name);
    if (!empty(child.get(), depth + 1)) return false;
    return unlinkat(folder, name, AT_REMOVEDIR) == 0 || errno == ENOENT || fail(failure_, errno, "rmdir %s", name);
  }

  bool move_up(int folder, const char* name) {
    char unique[48];
    for (int attempt = 0; attempt < 100; attempt++) {
      snprintf(unique, sizeof unique, ".removing-%d-%llu", getpid(), ++counter_);
      // renameat2 with RENAME_NOREPLACE
      if (syscall(SYS_renameat2, folder, name, top_, unique, 1) == 0) {
        moved_ = true;
        return true;
      }
      if (errno != EEXIST) break;
    }
    return errno == ENOENT || fail(failure_, errno, "move %s", name);
  }

  int top_;
  Failure* failure_;
  bool moved_ = false;
  unsigned long long counter_ = 0;
};

}  // namespace

bool remove_tree(const char* path, Failure* failure) {
  struct stat info;
  if (lstat(path, &info) < 0) return errno == ENOENT || errno == ENOTDIR || fail(failure, errno, "stat %s", path);
  if (!S_ISDIR(info.st_mode)) return unlink(path) == 0 || errno == ENOENT || fail(failure, errno, "unlink %s", path);
  Fd top(open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!top) return errno == ENOENT || fail(failure, errno, "open %s", path);
  if (!Remover(top.get(), failure).empty(top.get(), 0)) {
    failure->message = "remove " + std::string(path) + ": " + failure->message;
    return false;
  }
  return rmdir(path) == 0 || errno == ENOENT || fail(failure, errno, "rmdir %s", path);
}

}  // namespace wherry
