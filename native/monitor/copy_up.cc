// Copies what a tmpfs will hide into it, for the mount option tmpcopyup.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include <vector>

#include "child.h"
#include "kernel/fd.h"
#include "mount_api.h"

namespace wherry {

namespace {

constexpr int kMaxDepth = 200;  // each holds two descriptors

bool copy_file(int from, int to, const char* name, const struct stat& info, Failure* failure) {
  Fd in(openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  Fd out(openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!in || !out) return fail(failure, errno, "copy %s into the tmpfs", name);
  for (off_t left = info.st_size; left > 0;) {
    ssize_t sent = sendfile(out.get(), in.get(), nullptr, static_cast<size_t>(left));
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return fail(failure, errno, "copy %s into the tmpfs", name);
    if (sent == 0) break;
    left -= sent;
  }
  return true;
}

bool copy_link(int from, int to, const char* name, Failure* failure) {
  char target[4096];
  ssize_t length = readlinkat(from, name, target, sizeof target - 1);
  if (length < 0) return fail(failure, errno, "read the link %s", name);
  target[length] = 0;
  return symlinkat(target, to, name) == 0 || fail(failure, errno, "copy %s into the tmpfs", name);
}

// What `from` has is the image's: nothing is followed, and what is no file, folder or link is left out.
bool copy_folder(int from, int to, int depth, Failure* failure) {
  if (depth > kMaxDepth) return fail(failure, ELOOP, "copy into the tmpfs");
  int again = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* folder = again < 0 ? nullptr : fdopendir(again);
  if (!folder) {
    int err = errno;
    if (again >= 0) close(again);
    return fail(failure, err, "read what the tmpfs hides");
  }
  bool ok = true;
  while (ok) {
    struct dirent* entry = readdir(folder);
    if (!entry) break;
    const char* name = entry->d_name;
    struct stat info;
    if (!strcmp(name, ".") || !strcmp(name, "..")) continue;
    if (fstatat(from, name, &info, AT_SYMLINK_NOFOLLOW) < 0) continue;
    if (S_ISDIR(info.st_mode)) {
      ok = mkdirat(to, name, 0700) == 0 || fail(failure, errno, "copy %s into the tmpfs", name);
      Fd inner_from(openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      Fd inner_to(openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (ok && (!inner_from || !inner_to)) ok = fail(failure, errno, "copy %s into the tmpfs", name);
      ok = ok && copy_folder(inner_from.get(), inner_to.get(), depth + 1, failure);
    } else if (S_ISREG(info.st_mode)) {
      ok = copy_file(from, to, name, info, failure);
    } else if (S_ISLNK(info.st_mode)) {
      ok = copy_link(from, to, name, failure);
    } else {
      continue;
    }
    if (!ok) break;
    // An owner that has no id here stays the one who copies.
    bool owned = fchownat(to, name, info.st_uid, info.st_gid, AT_SYMLINK_NOFOLLOW) == 0 || errno == EINVAL;
    bool allowed = S_ISLNK(info.st_mode) || fchmodat(to, name, info.st_mode & 07777, 0) == 0;
    struct timespec times[2] = {info.st_atim, info.st_mtim};
    if (!owned || !allowed || utimensat(to, name, times, AT_SYMLINK_NOFOLLOW) < 0) {
      ok = fail(failure, errno, "copy %s into the tmpfs", name);
    }
  }
  closedir(folder);
  return ok;
}

}  // namespace

bool copy_up(int hidden, int tmpfs, Failure* failure) {
  struct stat info;
  if (fstat(hidden, &info) < 0) return fail(failure, errno, "stat what the tmpfs hides");
  return copy_folder(hidden, tmpfs, 0, failure);
}

}  // namespace wherry
