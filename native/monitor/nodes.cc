// Folders, links and devices in the root.
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "child.h"
#include "mount_api.h"
#include "paths.h"

namespace wherry {

namespace {

bool has_root(ChildState& state, Failure* failure) {
  return (state.own_mounts && state.root >= 0) || fail(failure, 0, "the plan makes files without a root of its own");
}

}  // namespace

bool op_mkdir(ChildState& state, const Op& op, Failure* failure) {
  if (!has_root(state, failure)) return false;
  Fd made(make_in_root(state.root, op.path(0), Make::kFolder, static_cast<unsigned>(op.number(1)) & 07777));
  return made || fail(failure, errno, "mkdir %s", op.path(0));
}

bool op_mknod(ChildState& state, const Op& op, Failure* failure) {
  if (!has_root(state, failure)) return false;
  const char* path = op.path(0);
  auto mode = static_cast<mode_t>(op.number(1));
  dev_t device = makedev(static_cast<unsigned>(op.number(2)), static_cast<unsigned>(op.number(3)));
  Place place;
  if (!place_in_root(state.root, path, &place)) return fail(failure, errno, "make the folder of %s", path);
  int folder = place.folder.get();
  const char* name = place.name.c_str();
  if (mknodat(folder, name, mode, device) < 0) {
    if (errno != EEXIST) return fail(failure, errno, "mknod %s", path);
    struct stat info;
    if (fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) < 0) return fail(failure, errno, "stat %s", path);
    bool same = (info.st_mode & S_IFMT) == (mode & S_IFMT) && (S_ISFIFO(mode) || info.st_rdev == device);
    if (!same) return fail(failure, EEXIST, "mknod %s", path);
  }
  // The node was just made in a folder that nothing else writes to, and a link is never followed here.
  if (fchownat(folder, name, static_cast<uid_t>(op.number(4)), static_cast<gid_t>(op.number(5)),
               AT_SYMLINK_NOFOLLOW) < 0) {
    return fail(failure, errno, "chown %s", path);
  }
  Fd node(openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  char way[40];
  snprintf(way, sizeof way, "self/fd/%d", node.get());
  if (!node || fchmodat(proc_fd(), way, mode & 07777, 0) < 0) return fail(failure, errno, "chmod %s", path);
  return true;
}

bool op_symlink(ChildState& state, const Op& op, Failure* failure) {
  if (!has_root(state, failure)) return false;
  const char* path = op.path(1);
  Place place;
  if (!place_in_root(state.root, path, &place)) return fail(failure, errno, "make the folder of %s", path);
  if (symlinkat(op.path(0), place.folder.get(), place.name.c_str()) == 0 || errno == EEXIST) return true;
  return fail(failure, errno, "symlink %s", path);
}

bool op_bind_from_host_device(ChildState& state, const Op& op, Failure* failure) {
  if (!has_root(state, failure)) return false;
  Fd mount(clone_tree(AT_FDCWD, op.path(0), false));
  struct stat info;
  if (!mount || fstat(mount.get(), &info) < 0) return fail(failure, errno, "bind %s", op.path(0));
  if (!S_ISCHR(info.st_mode) && !S_ISBLK(info.st_mode)) return fail(failure, 0, "%s is not a device", op.path(0));
  Fd target(make_in_root(state.root, op.path(1), Make::kFile, 0666));
  if (!target) return fail(failure, errno, "make %s", op.path(1));
  return attach(mount.get(), target.get()) || fail(failure, errno, "bind %s on %s", op.path(0), op.path(1));
}

}  // namespace wherry
